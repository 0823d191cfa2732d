"""The pedal board: what a foot, a MIDI cable or a file of events asks for, brought to the engine act by act; and undo."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from neuralamp.engine.engine import Engine
from neuralamp.engine.plan import Plan
from neuralamp.engine.stand import as_loaded, everything, missing, place
from neuralamp.errors import MessageError, NeuralAmpError
from neuralamp.messages import Bypass, Change, Loop, Message, Mute, Panic, Recall, Record, Save, Tap, Turn, Undo
from neuralamp.rig_file import as_it_stands, write_rig
from neuralamp.setlist import Song

TAPS = 4  # beats whose mean distance is the tempo: one foot is not a metronome
LONGEST_BEAT_S = 2.0  # 30 beats a minute; whoever waits longer begins to count anew
MOST_UNDOS = 1000
SWEEP_S = 1.0  # whoever rests longer has finished turning
WRAP = {"next": 1, "previous": -1}


class Board:
    """One engine and the songs that may be played on it; `act` may be called from any thread.

    songs  the set list, or one song alone. The engine plays the first one.
    ahead  whether the neighbours of the song that plays are made ready beforehand, on a thread of their own: so that a change
           of rig is heard at once, and never waited for. `coming` is the song that is asked for and not ready yet, `trouble`
           why one could not come.
    """

    def __init__(self, engine: Engine, songs: Sequence[Song], *, ahead: bool = False):
        self.engine, self.songs, self.song = engine, tuple(songs), 0
        self.snapshot: str | None = None
        self.coming: int | None = None  # the song whose rig is still being made ready
        self.trouble = ""
        self.muted = self.recording = False
        self._lock = threading.RLock()
        self._taps: list[int] = []
        self._undos: list[list[Message]] = []
        self._swept: tuple[str, str] | None = None  # the knob that was turned last, alone
        self._swept_at = 0.0
        self._worker = ThreadPoolExecutor(1, "next rig") if ahead else None
        self._ready: dict[int, Future[Plan]] = {}
        if self.songs[0].snapshot:
            self.snapshot, acts = self._snapshot(self.songs[0].snapshot)
            self._apply(acts, 0)
        self._look_ahead()

    def act(self, message: Message, frame: int = 0) -> None:
        """Do what a message says at a frame of the sound, or now.

        Raises MessageError for what this rig does not have, KnobError for a value that is not possible, EngineError when too much
        is asked for at once; then nothing of it has been done.
        """
        with self._lock:
            match message:
                case Tap():
                    self._do(self._tap(frame or self.engine.meters().frames), frame)
                case Recall(snapshot):
                    name, acts = self._snapshot(snapshot)
                    self._do(acts, frame)
                    self.snapshot = name
                case Change(rig):
                    self._change(self._find_song(rig), frame)
                case Undo():
                    self._undo(frame)
                case Mute(on):
                    self.muted = not self.muted if on is None else on
                    self.engine.mute(self.muted)
                case Panic():
                    self.muted = True
                    self.engine.panic()
                case Record(on):
                    self.recording = not self.recording if on is None else on
                    self.engine.record(self.recording, frame)
                case Save(name):
                    self._save(name)
                case Loop(action):
                    self.engine.press(self._looper(action), action, frame)
                case Bypass(box, None):
                    self.engine.seat(box)
                    self._do([Bypass(box, not self.engine.stands[box].bypassed)], frame)
                case _:
                    self._do([message], frame)

    def move_to(self, engine: Engine) -> None:
        """Play on another engine from here on, such as one of another rate: the same song, knobs and switches as they stand.

        What rings, what a looper holds and a recording that runs stay behind. Raises as `act` does.
        """
        with self._lock:
            before = self.engine
            if engine.plan.rig is not before.plan.rig:
                engine.change_rig(before.plan.rig, name=self.songs[self.song].name)
            self.engine = engine
            self._apply(missing(everything(before.stands), engine.stands), 0)
            engine.mute(self.muted)
            engine.allow_feedback(before.feedback)
            self.recording = False
            self._taps.clear()
            self._ready.clear()
            self._look_ahead()

    def close(self) -> None:
        """Let the thread that makes rigs ready end."""
        if self._worker:
            self._worker.shutdown(cancel_futures=True)

    # -- knobs and switches ------------------------------------------------------------------------------------------

    def _do(self, acts: Sequence[Message], frame: int) -> None:
        """Turns and bypasses, all or none; what takes them back is remembered."""
        if acts:
            before = self._opposites(acts)
            self._apply(acts, frame)
            if not self._goes_on(acts):
                self._remember(before)

    def _goes_on(self, acts: Sequence[Message]) -> bool:
        """Whether this is the same knob, still being turned: a sweep of a pedal is taken back in one."""
        swept = (acts[0].box, acts[0].knob) if len(acts) == 1 and isinstance(acts[0], Turn) else None
        goes_on = swept is not None and swept == self._swept and time.monotonic() - self._swept_at < SWEEP_S
        self._swept, self._swept_at = swept, time.monotonic()
        return goes_on

    def _remember(self, before: list[Message]) -> None:
        self._undos = [*self._undos[1 - MOST_UNDOS :], before]

    def _apply(self, acts: Sequence[Message], frame: int) -> None:
        self.engine.room(len(acts))
        for act in acts:
            match act:
                case Turn(box, knob, value):
                    self.engine.turn(box, knob, value, frame)
                case Bypass(box, bool() as bypassed):
                    self.engine.bypass(box, bypassed, frame)

    def _opposites(self, acts: Sequence[Message]) -> list[Message]:
        """How what the acts change stands now. Raises KnobError for what is not there, before anything is done."""
        for act in acts:
            match act:
                case Turn(box, knob, value):
                    self.engine.check(box, knob, value)
                case Bypass(box, _):
                    self.engine.seat(box)
        stands = {place(act): act for act in everything(self.engine.stands)}
        return [stands[place(act)] for act in acts]

    def _undo(self, frame: int) -> None:
        if not self._undos:
            raise MessageError("there is nothing to undo")
        acts, self._swept = self._undos.pop(), None
        if isinstance(acts[0], Change):
            self._change(self._find_song(acts[0].rig), frame, acts[1:])
        else:
            self._apply(acts, frame)

    def _tap(self, frame: int) -> list[Message]:
        """A beat; the turns of every knob named tempo, once there are two."""
        if self._taps and not 0 < frame - self._taps[-1] < LONGEST_BEAT_S * self.engine.sample_rate:
            self._taps.clear()
        self._taps = [*self._taps[1 - TAPS :], frame]
        if len(self._taps) < 2:
            return []
        beats = (len(self._taps) - 1) * 60.0 * self.engine.sample_rate / (self._taps[-1] - self._taps[0])
        knobs = {label: seat.box.controls.get("tempo") for label, seat in self.engine.plan.seats.items()}
        return [Turn(label, "tempo", min(max(beats, knob.low), knob.high)) for label, knob in knobs.items() if knob]

    def _looper(self, action: str) -> str:
        for label, seat in self.engine.plan.seats.items():
            if action in seat.box.actions:
                return label
        raise MessageError(f"the rig {self.engine.plan.rig.name} has no looper; put a box looper into its chain")

    def _save(self, name: str) -> None:
        if Path(name).name != name:
            raise MessageError(f"{name!r} is no name for a rig; give one word or more, without slashes")
        stands = self.engine.stands
        values = {label: stand.values for label, stand in stands.items()}
        bypassed = {label: stand.bypassed for label, stand in stands.items()}
        write_rig(replace(as_it_stands(self.engine.plan.rig, values, bypassed), name=name), Path(f"{name}.toml"))

    # -- snapshots and songs -----------------------------------------------------------------------------------------

    def _snapshot(self, name: str) -> tuple[str, list[Message]]:
        """A snapshot's own name, and what is to be done: the rig as its file has it, but for what the snapshot says."""
        snapshots = {snapshot.name: snapshot for snapshot in self.engine.plan.rig.snapshots}
        if not snapshots:
            raise MessageError(f"the rig {self.engine.plan.rig.name} has no snapshots; give it some with [[snapshots]]")
        found = snapshots[_named(name, list(snapshots), self.snapshot, "snapshot")]
        said = {place(act): act for act in everything(as_loaded(self.engine.plan.rig.boxes()))}
        said |= {place(act): act for act in found.acts}
        return found.name, missing(said.values(), self.engine.stands)

    def _find_song(self, name: str) -> int:
        names = [song.name for song in self.songs]
        return names.index(_named(name, names, names[self.song], "rig"))

    def _change(self, song: int, frame: int, back_to: Sequence[Message] | None = None) -> None:
        """Bring a song on once its rig is ready: now, or, where that is made on a thread of its own, as soon as it has been made.

        back_to  how the rig stood, where it comes back by an undo.
        """
        if self._worker is None:
            self._arrive(song, self.engine.prepare(self.songs[song].rig), frame, back_to)
            return
        if song not in self._ready:
            self._ready[song] = self._worker.submit(self.engine.prepare, self.songs[song].rig)
        self.coming = song
        self._ready[song].add_done_callback(lambda made: self._arrive_if_wanted(song, made, frame, back_to))

    def _arrive_if_wanted(self, song: int, made: Future[Plan], frame: int, back_to: Sequence[Message] | None) -> None:
        with self._lock:
            if self.coming != song or made.cancelled():
                return
            self.coming = None
            self._ready.pop(song, None)
            try:
                self._arrive(song, made.result(), frame, back_to)
            except NeuralAmpError as reason:  # of a capture that has been moved since the set list was read
                self.trouble = f"{self.songs[song].name} cannot be played: {reason}"

    def _arrive(self, song: int, plan: Plan, frame: int, back_to: Sequence[Message] | None) -> None:
        before = [Change(self.songs[self.song].name), *everything(self.engine.stands)]
        self.engine.change_rig(plan, frame, self.songs[song].name)
        self.song, self.snapshot, self.trouble = song, None, ""
        if snapshot := self.songs[song].snapshot:
            self.snapshot, acts = self._snapshot(snapshot)
            self._apply(acts, frame)
        if back_to is None:
            self._remember(before)
        else:
            self._apply(back_to, frame)
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Make the songs beside this one ready, and forget others that were."""
        if self._worker is None:
            return
        near = {(self.song + step) % len(self.songs) for step in (1, -1)} - {self.song}
        self._ready = {song: ready for song, ready in self._ready.items() if song in near or song == self.coming}
        for song in near - self._ready.keys():
            self._ready[song] = self._worker.submit(self.engine.prepare, self.songs[song].rig)


def _named(name: str, names: list[str], current: str | None, what: str) -> str:
    """One of the names, by itself or by its number from 1; "next" and "previous" go round."""
    if name in names:
        return name
    if name.isdecimal() and 1 <= int(name) <= len(names):
        return names[int(name) - 1]
    if name not in WRAP:
        raise MessageError(f"there is no {what} {name!r}; there are: {', '.join(names)}; or say next, previous, or a number")
    at = names.index(current) + WRAP[name] if current in names else min(WRAP[name], 0)
    return names[at % len(names)]
