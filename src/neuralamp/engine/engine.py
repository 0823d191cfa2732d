"""The control side of the engine: makes plans, hands them to the audio thread, turns knobs, reads meters."""

import ctypes
import threading
from collections import deque

import numpy as np

from neuralamp.block import Knob
from neuralamp.engine.howl import new_howl
from neuralamp.engine.load import LoadMeter
from neuralamp.engine.meters import Meters, read_meters
from neuralamp.engine.output import METER_FALL_DB, MIX, RAMP_MS, SILENT
from neuralamp.engine.plan import Plan, Seat
from neuralamp.engine.record import (
    EVENT,
    MOST_GOALS,
    MOST_SPILLS,
    RECORDING,
    RING_EVENTS,
    RING_PLANS,
    SPILL,
    STAGE,
    events_taken,
    frame_of,
    panic,
    push_event,
    room_for_events,
    take_spent_plan,
)
from neuralamp.engine.stage import callback
from neuralamp.engine.stand import as_loaded
from neuralamp.engine.switch import BYPASSED, PLAYING, switch_frames
from neuralamp.engine.tape import Tape
from neuralamp.errors import EngineError, KnobError
from neuralamp.messages import Bypass, Change, Event, Loop, Message, Record, Turn
from neuralamp.rig import Rig
from neuralamp.units import db_to_gain, ms_to_frames

OFFLINE_FRAMES = 4096
MOST_HEARD = 100_000  # hours of a restless expression pedal
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int32,
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p,
)  # fmt: skip


class Engine:
    """A rig as sound, for one sample rate.

    channels        of the rig's input: 1, or 2 to re-amp a stereo take.
    device_inputs   channels of the interleaved buffer that comes in; `input_map` says which of them the rig hears.
    device_outputs  channels of the interleaved buffer that goes out; `output_map` says what each plays: the rig's 0 (left) or
                    1 (right), MIX for both, SILENT for neither.
    live            whether the output stage (ramp, ceiling, NaN guard) stands behind the rig, which is then always stereo.

    Raises what the boxes raise while they are prepared: KnobError, CaptureError, AudioFileError.
    """

    def __init__(
        self,
        rig: Rig,
        sample_rate: float,
        *,
        channels: int = 1,
        max_frames: int = OFFLINE_FRAMES,
        live: bool = False,
        device_inputs: int | None = None,
        input_map: tuple[int, ...] | None = None,
        device_outputs: int | None = None,
        output_map: tuple[int, ...] | None = None,
    ):
        self.sample_rate, self.channels, self.max_frames, self.live = sample_rate, channels, max_frames, live
        self._stereo = live or (device_outputs or 1) > 1  # rigs between which one changes are equally wide
        plan = self.prepare(rig)
        self.device_inputs = device_inputs or channels
        self.device_outputs = device_outputs or plan.channels_out
        self._input_map = np.array(input_map or range(channels), np.int64)
        self._output_map = np.array(output_map or _outputs(self.device_outputs), np.int64)
        self._events, self._spills = np.zeros(RING_EVENTS, EVENT), np.zeros(MOST_SPILLS, SPILL)
        self._spent = np.zeros(RING_PLANS, np.int64)
        self._stage = np.zeros(1, STAGE)
        stage = self._stage[0]
        stage["events"], stage["spills"] = self._events.ctypes.data, self._spills.ctypes.data
        stage["spent_plans"] = self._spent.ctypes.data
        stage["fade_frames"] = stage["fade"] = switch_frames(sample_rate)
        stage["ramp_frames"] = max(ms_to_frames(RAMP_MS, sample_rate), 1)
        stage["max_frames"] = max_frames
        stage["device_inputs"], stage["input_map"] = self.device_inputs, self._input_map.ctypes.data
        stage["device_outputs"], stage["output_map"] = self.device_outputs, self._output_map.ctypes.data
        stage["live"] = live
        self._howl = new_howl(sample_rate)
        stage["howl"] = self._howl.ctypes.data
        stage["meter_fall"] = db_to_gain(-METER_FALL_DB / sample_rate)
        self.load = LoadMeter(sample_rate)
        stage["ticks"] = self.load.histogram.ctypes.data
        self.tape: Tape | None = None
        self._callback = _CALLBACK(callback.address)
        self._lock = threading.Lock()  # between the threads that ask for things; the audio thread knows nothing of it
        self._pending: deque[tuple[int, Message]] = deque()
        self._heard: deque[Event] = deque(maxlen=MOST_HEARD)
        self._plans: dict[int, Plan] = {}
        self._play(plan)

    # -- what the device needs ---------------------------------------------------------------------------------------

    @property
    def callback_address(self) -> int:
        """Of the compiled stream callback."""
        return callback.address

    @property
    def stage_address(self) -> int:
        """What the callback wants as its user data."""
        return self._stage.ctypes.data

    # -- the rig -----------------------------------------------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        """The plan that plays, or will once it is its turn."""
        return self._plan

    @property
    def latency_frames(self) -> int:
        return self.plan.latency_frames

    @property
    def plans_in_memory(self) -> int:
        """How many plans are kept: the one that plays, and those that a fade or an echo still needs."""
        return len(self._plans)

    def prepare(self, rig: Rig) -> Plan:
        """A rig made ready for this engine: what takes time, done before it is wanted, on any thread but the audio thread."""
        plan = Plan(rig, self.sample_rate, self.channels, self.max_frames, stereo=self._stereo, live=self.live)
        for label, seat in plan.seats.items():
            if (goals := seat.node.kernel.state.goals) > MOST_GOALS:
                raise EngineError(f"{label} has {goals} goals; {MOST_GOALS} is the most that can be turned")
        return plan

    def change_rig(self, rig: Rig | Plan, frame: int = 0, name: str | None = None) -> None:
        """Let the audio thread cross-fade to a rig at a frame of the sound, or now; echoes of the old one ring on.

        name  by which it is called where what was done is told; the rig's own where none is given.
        """
        plan = self.prepare(rig) if isinstance(rig, Rig) else rig
        self._play(plan, frame, Change(name or plan.rig.name))

    def free_old_plans(self) -> None:
        """Drop the plans that the audio thread has finished with."""
        while generation := take_spent_plan(self.stage_address):
            del self._plans[generation]

    def _play(self, plan: Plan, frame: int = 0, change: Change | None = None) -> None:
        self.free_old_plans()
        self.room(1)
        self._push(change, frame, plan=plan.address)
        self._plans[plan.generation] = self._plan = plan
        self.stands = as_loaded(plan.rig.boxes())

    # -- knobs and switches ------------------------------------------------------------------------------------------

    def turn(self, box: str, knob: str, value: float, frame: int = 0) -> None:
        """Turn a knob at a frame of the sound, or now. What is asked for is played in the order in which it is asked for.

        Raises KnobError for a box, knob or value that is not there, EngineError when turns come faster than they are played.
        """
        checked = self.check(box, knob, value)
        self.room(1)
        self.stands[box].values[knob] = checked
        self._push(Turn(box, knob, checked), frame, address=self.seat(box).node.address, goal=self._goals(box))

    def bypass(self, box: str, bypassed: bool, frame: int = 0) -> None:
        """Take a box out of the sound at a frame, or bring it back. Raises as `turn` does."""
        seat = self.seat(box)
        self.room(1)
        self.stands[box].bypassed = bypassed
        goal = np.array(BYPASSED if bypassed else PLAYING)
        self._push(Bypass(box, bypassed), frame, address=seat.switch.address, goal=goal)

    def press(self, box: str, action: str, frame: int = 0) -> None:
        """Ask a box for one of its actions at a frame, or now. Raises as `turn` does."""
        seat = self.seat(box)
        if action not in seat.box.actions:
            raise KnobError(f"{box} cannot {action}; it can: {', '.join(seat.box.actions) or 'nothing by a press'}")
        self.room(1)
        self.stands[box].press(seat.box.actions.index(action))
        self._push(Loop(action), frame, address=seat.node.address, goal=self._goals(box))

    def record(self, on: bool, frame: int = 0) -> None:
        """Let the tape run from a frame on, or stop it. Raises EngineError without a tape."""
        if self.tape is None:
            raise EngineError("there is no tape to record on; open one first")
        self.room(1)
        self._push(Record(on), frame, address=self.stage_address + RECORDING, goal=np.array([float(on)]))

    def seat(self, box: str) -> Seat:
        """A box of the rig by its label. Raises KnobError."""
        if box not in self.plan.seats:
            raise KnobError(f"the rig {self.plan.rig.name} has no {box}; it has: {', '.join(self.plan.seats)}")
        return self.plan.seats[box]

    def check(self, box: str, knob: str, value: float) -> float:
        """A value for a knob of a box, or a KnobError that says what is possible."""
        return self.knob(box, knob).check(knob, value)

    def knob(self, box: str, knob: str) -> Knob:
        """A knob of a box of the rig. Raises KnobError."""
        controls = self.seat(box).box.controls
        if knob not in controls:
            raise KnobError(f"{box} has no knob {knob}; it has: {', '.join(controls) or 'none'}")
        return controls[knob]

    def room(self, acts: int) -> None:
        """Raise EngineError unless so many turns, switches and presses can wait to be played."""
        if room_for_events(self.stage_address) < acts:
            raise EngineError(f"{RING_EVENTS} acts are waiting to be played; ask for fewer at once")

    def reading(self, box: str) -> dict[str, float]:
        """What a box that can be looked at shows now, such as a tuner's needle."""
        seat = self.seat(box)
        return {name: float(seat.node.record[name][0]) for name in seat.box.readings}

    def heard(self) -> list[Event]:
        """What has been asked for and played since this was last asked, each at the frame at which it was played.

        The last MOST_HEARD, where nobody has asked for long.
        """
        with self._lock:
            self._gather()
            heard = list(self._heard)
            self._heard.clear()
            return heard

    def _gather(self) -> None:
        taken = events_taken(self.stage_address)
        while self._pending and self._pending[0][0] < taken:
            number, message = self._pending.popleft()
            self._heard.append(Event(int(frame_of(self.stage_address, number)), message))

    def _goals(self, box: str) -> np.ndarray:
        stand = self.stands[box]
        goals = self.seat(box).box.goals(stand.values, self.sample_rate)
        if self.seat(box).box.actions:
            goals[-2:] = stand.presses, stand.asked
        return goals

    def _push(self, message: Message | None, frame: int, plan: int = 0, address: int = 0, goal: np.ndarray | None = None) -> None:
        event = np.zeros(1, EVENT)
        event["frame"], event["plan"], event["address"] = frame, plan, address
        if goal is not None:
            event["size"], event["goal"][0, : goal.size] = goal.size, goal
        with self._lock:
            self._gather()  # before the ring comes round and writes over the frames at which they were played
            number = push_event(self.stage_address, event[0])
            if message is not None:
                self._pending.append((number, message))

    # -- sound -------------------------------------------------------------------------------------------------------

    def play(self, x: np.ndarray) -> np.ndarray:
        """One buffer (device_inputs, frames) through the compiled callback: (device_outputs, frames) float32."""
        heard = np.ascontiguousarray(x.T, np.float32)
        spoken = np.empty((x.shape[1], self.device_outputs), np.float32)
        self._callback(heard.ctypes.data, spoken.ctypes.data, x.shape[1], None, 0, self.stage_address)
        return spoken.T

    def mute(self, muted: bool = True) -> None:
        """Ramp the live output into silence, or out of it."""
        self._stage["muted"] = muted

    @property
    def feedback(self) -> bool:
        """Whether the loudspeaker may make the strings ring; else what howls is muted (howl.py)."""
        return not self._stage["howl"][0]

    def allow_feedback(self, allowed: bool = True) -> None:
        """Let strings sing in front of the loudspeaker: nothing listens for howls, and no dip of the output looks for them."""
        self._stage["howl"] = 0 if allowed else self._howl.ctypes.data

    def begin_in_silence(self) -> None:
        """Let the next buffer begin the ramp out of silence; only while no device calls."""
        self._stage["ramp"] = 0

    def panic(self) -> None:
        """Silence in the next buffer: what rings is forgotten, every box is brought to rest, the output stays muted."""
        panic(self.stage_address)

    def open_tape(self, seconds: float) -> Tape:
        """Room for so much sound between the audio thread that records and a thread that stores; made once."""
        self.tape = self.tape or Tape(self._stage, self.channels, round(seconds * self.sample_rate))
        return self.tape

    def meters(self) -> Meters:
        return read_meters(self._stage[0], int(self._howl["howls"][0]))


def _outputs(device_outputs: int) -> list[int]:
    """Left and right on the first two channels, both on a single one, silence on the rest."""
    return [MIX] if device_outputs == 1 else [0, 1] + [SILENT] * (device_outputs - 2)
