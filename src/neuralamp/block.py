"""What a box is: knobs said once, a design from knobs to numbers, one compiled kernel on one flat state."""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from neuralamp.dsp.glide import glide_coefficient
from neuralamp.dsp.node import Node, NodeKernel, State
from neuralamp.errors import KnobError


@dataclass(frozen=True)
class Knob:
    """A control that may be turned while playing.

    taper  how a page or a pedal spreads its travel over the range: "linear", or "log" for frequencies and times.
    """

    default: float
    low: float
    high: float
    unit: str
    meaning: str
    taper: str = "linear"

    def check(self, name: str, value: Any) -> float:
        """The value as a float, or a KnobError that names the bounds."""
        return _number(name, value, self.low, self.high, self.unit)


LONGEST_PATH, LONGEST_NAME = 4000, 255
"""Bytes that the systems we know allow in a path and in each of its names; to ask them about a longer one is an error."""


@dataclass(frozen=True)
class FileSetting:
    """A file that a box is built from: a capture, an impulse response. It is changed by a change of rig.

    optional  the box plays without it; None where it is not given.
    """

    meaning: str
    optional: bool = False

    def check(self, name: str, value: Any) -> Path:
        text = str(value) if isinstance(value, str | Path) else ""
        if not text or "\0" in text or len(os.fsencode(text)) > LONGEST_PATH or len(os.fsencode(Path(text).name)) > LONGEST_NAME:
            raise KnobError(f"{name} = {value!r} is not possible; give the path of {self.meaning}")
        return Path(value)


@dataclass(frozen=True)
class Switch:
    """A yes or no that a box is built with. It is changed by a change of rig."""

    default: bool
    meaning: str

    def check(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise KnobError(f"{name} = {value!r} is not possible; give true or false: {self.meaning}")
        return value


@dataclass(frozen=True)
class NumberSetting:
    """A number that a box may be built with; None where it is not given. It is changed by a change of rig."""

    low: float
    high: float
    unit: str
    meaning: str

    def check(self, name: str, value: Any) -> float:
        return _number(name, value, self.low, self.high, f"{self.unit}: {self.meaning}")


@dataclass(frozen=True)
class Choice:
    """One word of several that a box is built with; the first is its default. It is changed by a change of rig."""

    words: tuple[str, ...]
    meaning: str

    @property
    def default(self) -> str:
        return self.words[0]

    def check(self, name: str, value: Any) -> str:
        if value not in self.words:
            raise KnobError(f"{name} = {value!r} is not possible; give one of: {', '.join(self.words)} ({self.meaning})")
        return value


LONGEST_SAID = 2**24  # letters of a text


@dataclass(frozen=True)
class Text:
    """A text that a box may be built with; empty where it is not given. It is changed by a change of rig."""

    meaning: str
    default: str = ""

    def check(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or len(value) > LONGEST_SAID:
            raise KnobError(f"{name} = {str(value)[:40]!r} is not possible; give a text: {self.meaning}")
        return value


Setting = FileSetting | Switch | NumberSetting | Choice | Text


@dataclass
class Part:
    """A box made ready for one sample rate: its node, and what the engine must know of it.

    channels        how many rows it writes.
    latency_frames  by how much its output is late.
    tail_frames     how long it may ring on after the input has ended.
    notes           what a guitarist should know of how it plays here: one line each.
    check           raises what has gone wrong since, where playing cannot say so itself.
    trouble         the same for a line on the screen while it plays on; empty while all is well.
    key             whether it reads two rows more, behind its own: the rig's own input, left and right, or mono twice.
    """

    node: Node
    channels: int
    latency_frames: int = 0
    tail_frames: int = 0
    notes: tuple[str, ...] = ()
    check: Callable[[], None] = lambda: None
    trouble: Callable[[], str] = lambda: ""
    key: bool = False


ACTION_BITS, PRESSES_KEPT = 4, 13  # 16 actions are possible; 52 bits are exact in a float64


class Block:
    """One box of a chain. A subclass gives its knobs and settings as class attributes, and

    design(knobs, sample_rate, xp)   the knobs, in a guitarist's units, to the numbers that the kernel glides towards;
    state, play                      the flat state and the kernel on it (see dsp/node.py);
    prepare, prepare_live            only where memory or constants are needed beyond the record;
    tail_seconds                     how long it may ring on after its input has ended, where that is one length for all settings;
    trails                           whether what it has heard rings on when it is bypassed, as echoes do, and dies away;
    bypassed                         whether its foot switch is off when the rig is loaded;
    foreign                          whether code of others makes its sound: exempt from the stream law, from budgets, and but for
                                     its own node from the proof of real time;
    readings                         fields of the record that may be looked at while it plays, as a tuner's needle is;
    actions                          what a foot may ask of it by a press; the goals then end in two numbers, how often it has
                                     been pressed since the rig was loaded, and the last PRESSES_KEPT actions that were asked
                                     for, ACTION_BITS each, the latest in the lowest: some may come between two buffers.

    Raises KnobError for a name or a value that the box does not have.
    """

    state: ClassVar[State]
    play: ClassVar[NodeKernel]
    tail_seconds: ClassVar[float] = 0.0
    trails: ClassVar[bool] = False
    foreign: ClassVar[bool] = False
    readings: ClassVar[tuple[str, ...]] = ()
    actions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **values: Any):
        self.bypassed = False
        own = {name: self.check(name, value) for name, value in values.items() if name in self.known()}
        self.values: dict[str, float] = {name: own.get(name, knob.default) for name, knob in self.knobs().items()}
        self.set: dict[str, Any] = {}
        for name, setting in self.settings().items():
            if isinstance(setting, FileSetting) and not setting.optional and name not in own:
                raise KnobError(f"{self.name()} needs {name}: {setting.meaning}")
            self.set[name] = own.get(name, setting.default if isinstance(setting, Switch | Choice | Text) else None)
        for name in values.keys() - own.keys():
            self.put(name, values[name])

    def settings_behind(self) -> dict[str, float]:
        """What the settings of these names are for the boxes behind this one, where it makes them something else."""
        return {}

    def put(self, name: str, value: Any) -> None:
        """Set one of the box's controls. Raises KnobError for a name or a value that it does not have."""
        if name not in self.controls:
            raise KnobError(f"{self.name()} has no {name}{_suggest(name, [*self.controls, *self.settings()])}")
        self.values[name] = self.controls[name].check(name, value)

    @classmethod
    def check(cls, name: str, value: Any) -> Any:
        """A value for a knob or a setting that every box of this kind has, as its kernel wants it, or a KnobError."""
        known = cls.known()
        if name not in known:
            raise KnobError(f"{cls.name()} has no {name}{_suggest(name, list(known))}")
        return known[name].check(name, value)

    @classmethod
    def known(cls) -> Mapping[str, Knob | Setting]:
        """The knobs and settings that every box of this kind has."""
        return {**cls.knobs(), **cls.settings()}

    @property
    def controls(self) -> Mapping[str, Knob]:
        """What may be turned on this very box: its kind's knobs, and those that its file brings."""
        return self.knobs()

    @property
    def standing(self) -> dict[str, float]:
        """Where each of its controls stands when the rig is loaded."""
        return {name: self.values.get(name, knob.default) for name, knob in self.controls.items()}

    @classmethod
    def name(cls) -> str:
        """The word for this box in a rig: the name of its file."""
        return cls.__module__.rsplit(".", 1)[-1]

    @classmethod
    def knobs(cls) -> Mapping[str, Knob]:
        """What may be turned while playing, in the order in which the class says it."""
        return {name: value for name, value in vars(cls).items() if isinstance(value, Knob)}

    @classmethod
    def settings(cls) -> Mapping[str, Setting]:
        """What is fixed once the rig is built."""
        return {name: value for name, value in vars(cls).items() if isinstance(value, Setting)}

    def files(self) -> tuple[Path, ...]:
        """The files that the box is built from, where they lie."""
        given = (self.set[name] for name, setting in self.settings().items() if isinstance(setting, FileSetting))
        return tuple(file for file in given if file is not None)

    def plays_at(self) -> int | None:
        """The sample rate at which the box plays as it is, in hertz; None where all are one to it."""
        return None

    @staticmethod
    def design(knobs: Any, sample_rate: float, xp: Any) -> Any:
        """Knobs to goals; a box without knobs has none."""
        return xp.zeros(0)

    def goals(self, values: Mapping[str, float], sample_rate: float) -> np.ndarray:
        """`design` in numpy, float64: what is written where the kernel glides towards."""
        knobs = SimpleNamespace(**{name: np.float64(value) for name, value in values.items()})
        goals = np.asarray(self.design(knobs, sample_rate, np), np.float64)
        return np.append(goals, (0.0, 0.0)) if self.actions else goals

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        """Everything that takes memory or time, done before the first frame; at load, now = goal."""
        tail_frames = round(self.tail_seconds * sample_rate)
        return Part(Node(self.play, self.start(sample_rate, channels)), channels, tail_frames=tail_frames)

    def prepare_live(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        """The same for an audio thread, which waits for nobody; only boxes that others play for make a difference."""
        return self.prepare(sample_rate, channels, max_frames)

    def start(self, sample_rate: float, channels: int) -> dict[str, Any]:
        """The fields that every box's record may have, as far as this one's has them: goal, now, slew, channels."""
        goal = self.goals(self.values, sample_rate)
        fields = {"goal": goal, "now": goal, "slew": glide_coefficient(sample_rate), "channels": channels}
        return {name: value for name, value in fields.items() if name in (self.state.dtype.names or ())}


def _number(name: str, value: Any, low: float, high: float, unit: str) -> float:
    """The value as a float, or a KnobError that names the bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise KnobError(f"{name} = {value!r} is not possible; give a number from {low:g} to {high:g} {unit}")
    return float(value)


def _suggest(name: str, known: list[str]) -> str:
    """The end of an error about an unknown name: the nearest one, and all there are."""
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}? It has: {', '.join(known)}" if near else f"; it has: {', '.join(known) or 'none'}"
