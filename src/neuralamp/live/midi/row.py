"""One row of a MIDI map: what is heard, and what is then done."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

from neuralamp.block import Knob
from neuralamp.errors import KnobError, MessageError, MidiError
from neuralamp.live.midi.signal import BARE, BEND_TOP, NUMBERED, TOP, Signal
from neuralamp.messages import Bypass, Message, Mute, Record, Turn, read_message
from neuralamp.settings import NO_OTHER_KEYS

CHANNELS = range(1, 17)
OTHER_WAY = {None: True, True: True, False: False}  # what a switch that is held does for a line that ends in nothing, on or off


@dataclass(frozen=True)
class Row:
    """What one switch or pedal does.

    on       "cc 11", "note 60", "program 3", each with its number from 0 to 127 as MIDI counts; "program" for all of them;
             "bend", "touch".
    do       a line of messages.py: "bypass delay", "recall next", "tap", "turn delay.mix 40". "turn volume.position", without
             its number, follows the pedal. "recall" and "change" without a name, on "program", take its number: program 0 is
             the first.
    channel  1 to 16; any where it is not given.
    when     "press", "release"; "latch" is both, for a switch that sends one value at each second press; "hold" is the line at a
             press, and the other way round at the release (bypass, mute, record).
    range    knob values at the heel and at the toe, where the pedal is to go less far than the knob, or the other way.
    curve    "linear"; "log", as many octaves or decibels for each step; "square", finer at the heel; the knob's own taper where
             it is not given.
    ends     values that the pedal sends at heel and toe, where it does not reach 0 and 127.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    on: str
    do: str
    channel: int | None = None
    when: Literal["press", "release", "latch", "hold"] = "press"
    range: tuple[float, float] | None = None
    curve: Literal["linear", "log", "square"] | None = None
    ends: tuple[int, int] | None = None

    @cached_property
    def heard(self) -> tuple[str, int | None]:
        """The kind and the number of what it hears; None for every number. Raises MidiError."""
        kind, *rest = self.on.split()
        if kind in BARE and not rest:
            return kind, None
        if kind == "program" and not rest:
            return kind, None
        if kind in NUMBERED and len(rest) == 1 and rest[0].isdecimal() and int(rest[0]) <= TOP:
            return kind, int(rest[0])
        raise MidiError(
            f"on = {self.on!r} is not possible; give one of: {', '.join(f'{word} 0' for word in NUMBERED)} (to {TOP}), "
            f"program, {', '.join(BARE)}"
        )

    @cached_property
    def sweeps(self) -> tuple[str, str] | None:
        """The box and the knob that follow the pedal; None for a line that is done whole."""
        word, *rest = self.do.split()
        box, dot, knob = rest[0].partition(".") if word == "turn" and len(rest) == 1 else ("", "", "")
        return (box, knob) if box and dot and knob else None

    def check(self) -> None:
        """Raise MidiError, or MessageError, for what no rig could do."""
        if not self.on.split() or not self.do.split():
            raise MidiError("on and do must say something; give such as: on = 'cc 11', do = 'turn volume.position'")
        kind, number = self.heard
        if self.channel is not None and self.channel not in CHANNELS:
            raise MidiError(f"channel = {self.channel} is not possible; give 1 to 16, or nothing for any")
        if self.sweeps:
            self._check_sweep(kind)
            return
        for name in ("range", "curve", "ends"):
            if getattr(self, name) is not None:
                raise MidiError(f"{name} is for a pedal that turns a knob: do = 'turn volume.position'; leave it out")
        message = read_message(self._line(Signal(1, kind, number or 0, 0)))
        if self.when == "hold" and not isinstance(message, Bypass | Mute | Record):
            raise MidiError(f"when = 'hold' is for bypass, mute and record; {self.do!r} has no other way")

    def _check_sweep(self, kind: str) -> None:
        if kind == "program":
            raise MidiError(f"a program has no value that {self.do!r} could follow; say the value: {self.do} 50")
        if self.when != "press":
            raise MidiError(f"{self.do!r} follows the pedal all the way; leave out when")
        if self.ends and (self.ends[0] == self.ends[1] or not all(0 <= end <= BEND_TOP for end in self.ends)):
            raise MidiError(f"ends = {list(self.ends)} are not possible; give two different values that the pedal sends")
        if self.curve == "log" and self.range and min(self.range) <= 0.0:
            raise MidiError(f"range = {list(self.range)} has no log curve: both must be over 0")

    def hears(self, signal: Signal) -> bool:
        """Whether this is its switch or pedal."""
        kind, number = self.heard
        return signal.kind == kind and number in (None, signal.number) and self.channel in (None, signal.channel)

    def message(self, signal: Signal, knob: Callable[[str, str], Knob]) -> Message | None:
        """What is to be done when this is heard; None for nothing.

        knob  the knob of a box, by both their names. Raises what it raises, and KnobError for a curve that it cannot have.
        """
        if not self.hears(signal):
            return None
        if self.sweeps:
            return Turn(*self.sweeps, self._value(signal, knob(*self.sweeps)))
        if self.when == "hold":
            return self._held(read_message(self._line(signal)), signal.down)
        wanted = {"press": signal.down, "release": not signal.down, "latch": True}
        return read_message(self._line(signal)) if wanted[self.when] else None

    def _line(self, signal: Signal) -> str:
        """The line of messages.py, its number filled in."""
        if self.heard == ("program", None) and self.do.strip() in ("recall", "change"):
            return f"{self.do} {signal.number + 1}"
        return self.do

    @staticmethod
    def _held(message: Message, down: bool) -> Message:
        if isinstance(message, Bypass):
            return Bypass(message.box, OTHER_WAY[message.bypassed] == down)
        if isinstance(message, Mute | Record):
            return type(message)(OTHER_WAY[message.on] == down)
        raise MessageError(f"{message} cannot be held")

    def _value(self, signal: Signal, knob: Knob) -> float:
        """The pedal's place on the knob's way."""
        heel, toe = self.ends or (0, signal.top)
        u = min(max((signal.value - heel) / (toe - heel), 0.0), 1.0)
        low, high = self.range or (knob.low, knob.high)
        curve = self.curve or knob.taper
        if curve == "log" and min(low, high) <= 0.0:
            raise KnobError(f"a log curve needs a range over 0; {self.do} goes from {low:g} to {high:g}: give curve = 'linear'")
        value = low * (high / low) ** u if curve == "log" else low + (high - low) * (u * u if curve == "square" else u)
        return min(max(value, min(low, high)), max(low, high))
