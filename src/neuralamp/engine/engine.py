"""The control side of the engine: makes plans, hands them to the audio thread, turns knobs, reads meters."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuralamp.engine.plan import Plan
from neuralamp.engine.stage import (
    EVENT,
    FADE_MS,
    METER_FALL_DB,
    MIX,
    MOST_GOALS,
    RAMP_MS,
    RING_EVENTS,
    SILENT,
    STAGE,
    callback,
    push_event,
    settled_generation,
    want_plan,
)
from neuralamp.errors import EngineError, KnobError
from neuralamp.rig import Rig, capture_rig
from neuralamp.units import db_to_gain, gain_to_db, ms_to_frames

OFFLINE_FRAMES = 4096
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int32,
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p,
)  # fmt: skip


@dataclass(frozen=True)
class Meters:
    """What the audio thread says of itself; peaks in dBFS, -inf for silence."""

    input_db: float
    output_db: float
    clipped_frames: int
    poisoned_buffers: int
    callbacks: int
    input_xruns: int
    output_xruns: int
    frames: int


@dataclass(frozen=True)
class Turn:
    """A knob turned at a frame of the sound: box by its label in the rig, value in the knob's unit."""

    frame: int
    box: str
    knob: str
    value: float


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
        plan = self._make(rig)
        self.device_inputs = device_inputs or channels
        self.device_outputs = device_outputs or plan.channels_out
        self._input_map = np.array(input_map or range(channels), np.int64)
        self._output_map = np.array(output_map or _outputs(self.device_outputs), np.int64)
        self._events = np.zeros(RING_EVENTS, EVENT)
        self._stage = np.zeros(1, STAGE)
        stage = self._stage[0]
        stage["events"] = self._events.ctypes.data
        stage["fade_frames"] = ms_to_frames(FADE_MS, sample_rate)
        stage["ramp_frames"] = ms_to_frames(RAMP_MS, sample_rate)
        stage["max_frames"] = max_frames
        stage["device_inputs"], stage["input_map"] = self.device_inputs, self._input_map.ctypes.data
        stage["device_outputs"], stage["output_map"] = self.device_outputs, self._output_map.ctypes.data
        stage["live"] = live
        stage["meter_fall"] = db_to_gain(-METER_FALL_DB / sample_rate)
        self._callback = _CALLBACK(callback.address)
        self._plans: list[Plan] = []
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
        """The plan that plays, or will once its fade has begun."""
        return self._plans[-1]

    @property
    def latency_frames(self) -> int:
        return self.plan.latency_frames

    @property
    def plans_in_memory(self) -> int:
        """How many plans are kept: one, and those that a fade still needs."""
        return len(self._plans)

    def change_rig(self, rig: Rig) -> None:
        """Prepare a rig here, then let the audio thread cross-fade to it."""
        self._play(self._make(rig))

    def free_old_plans(self) -> None:
        """Drop the plans that the audio thread has finished with."""
        settled = settled_generation(self.stage_address)
        self._plans = [plan for plan in self._plans if plan.generation >= settled or plan is self.plan]

    def _make(self, rig: Rig) -> Plan:
        plan = Plan(rig, self.sample_rate, self.channels, self.max_frames, stereo=self.live)
        if self.live and plan.offline_only:
            raise EngineError(f"{rig.name} holds an ONNX graph of others, which plays offline only; re-amp a recording with it")
        for node in plan.nodes:
            if node.kernel.state.goals > MOST_GOALS:
                raise EngineError(f"a box with {node.kernel.state.goals} goals cannot be turned; {MOST_GOALS} is the most")
        return plan

    def _play(self, plan: Plan) -> None:
        self._plans.append(plan)
        self._values = {label: dict(box.values) for label, box in plan.rig.boxes().items()}
        want_plan(self.stage_address, plan.address)
        self.free_old_plans()

    # -- knobs -------------------------------------------------------------------------------------------------------

    def turn(self, box: str, knob: str, value: float, frame: int = 0) -> None:
        """Turn a knob at a frame of the sound, or now. Turns are played in the order in which they are given.

        Raises KnobError for a box, knob or value that is not there, EngineError when turns come faster than they are played.
        """
        boxes = self.plan.rig.boxes()
        if box not in boxes:
            raise KnobError(f"the rig {self.plan.rig.name} has no {box}; it has: {', '.join(boxes)}")
        controls = boxes[box].controls
        if knob not in controls:
            raise KnobError(f"{box} has no knob {knob}; it has: {', '.join(controls) or 'none'}")
        self._values[box][knob] = controls[knob].check(knob, value)
        goals = boxes[box].goals(self._values[box], self.sample_rate)
        event = np.zeros(1, EVENT)
        event["frame"], event["generation"], event["box"] = frame, self.plan.generation, self.plan.labels.index(box)
        event["goal"][0, : goals.size] = goals
        if not push_event(self.stage_address, event[0]):
            raise EngineError(f"{RING_EVENTS} knob turns are waiting; turn fewer at once")

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

    def meters(self) -> Meters:
        stage = self._stage[0]
        return Meters(
            gain_to_db(float(stage["input_peak"])),
            gain_to_db(float(stage["output_peak"])),
            int(stage["clipped"]),
            int(stage["poisoned"]),
            int(stage["callbacks"]),
            int(stage["input_xruns"]),
            int(stage["output_xruns"]),
            int(stage["frame"]),
        )


def _outputs(device_outputs: int) -> list[int]:
    """Left and right on the first two channels, both on a single one, silence on the rest."""
    return [MIX] if device_outputs == 1 else [0, 1] + [SILENT] * (device_outputs - 2)


def render(
    rig: Rig,
    x: np.ndarray,
    sample_rate: float,
    turns: tuple[Turn, ...] = (),
    tail_frames: int | None = 0,
    report: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """A whole take through a rig, offline: (channels, frames) -> (channels out, frames + tail_frames) float32.

    The rig's latency is dropped, so that the output lies exactly under the input. A tail of None is as long as the rig may ring
    on. `report` hears after each buffer which share of the take, 0 to 1, has been played.
    """
    engine = Engine(rig, sample_rate, channels=x.shape[0])
    tail_frames = engine.plan.tail_frames if tail_frames is None else tail_frames
    waiting = sorted(turns, key=lambda turn: turn.frame)
    late = engine.latency_frames
    x = np.pad(np.asarray(x, np.float32), ((0, 0), (0, late + tail_frames)))
    y = np.empty((engine.device_outputs, x.shape[1]), np.float32)
    for start in range(0, x.shape[1], OFFLINE_FRAMES):
        end = min(start + OFFLINE_FRAMES, x.shape[1])
        while waiting and waiting[0].frame < end:
            turn = waiting.pop(0)
            engine.turn(turn.box, turn.knob, turn.value, turn.frame)
        y[:, start:end] = engine.play(x[:, start:end])
        engine.plan.check()
        report(end / x.shape[1])
    return y[:, late:]


def play_capture(capture: Path | str, x: np.ndarray, sample_rate: float) -> np.ndarray:
    """A mono take (frames,) through a capture alone, as a guitarist would hear it: (frames,) float32."""
    return render(capture_rig(capture), x[np.newaxis], sample_rate)[0]
