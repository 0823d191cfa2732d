"""What a pedal sends, in five words: a control, a note, a program, the bender, the pressure of the keys."""

from dataclasses import dataclass
from typing import Any

NUMBERED, BARE = ("cc", "note", "program"), ("bend", "touch")
TOP, BEND_TOP = 127, 16383
BEND_MIDDLE = 8192  # which mido counts as 0


@dataclass(frozen=True)
class Signal:
    """One event of a MIDI cable.

    channel  from 1, as pedals show it.
    kind     "cc", "note", "program", "bend" or "touch".
    number   of the control, the note or the program, from 0 as MIDI counts them; 0 for bend and touch.
    value    of the control; the velocity of the note, 0 where it ends; 127 for a program; from 0 to 16383 for bend.
    """

    channel: int
    kind: str
    number: int
    value: int

    @property
    def top(self) -> int:
        """The largest value it may have."""
        return BEND_TOP if self.kind == "bend" else TOP

    @property
    def down(self) -> bool:
        """Whether a switch that sends this has been pressed, and not let go. The softest note is a press."""
        return self.value > 0 if self.kind == "note" else 2 * self.value > self.top

    @property
    def on(self) -> str:
        """How a row of a map calls it: "cc 11"."""
        return f"{self.kind} {self.number}" if self.kind in NUMBERED else self.kind

    def __str__(self) -> str:
        return f"channel {self.channel}  {self.on}" + ("" if self.kind == "program" else f"  value {self.value}")


def signal_of(heard: Any) -> Signal | None:
    """A message of mido as a signal; None for the clock and other things that no foot does."""
    match heard.type:
        case "control_change":
            return Signal(heard.channel + 1, "cc", heard.control, heard.value)
        case "note_on" | "note_off":
            return Signal(heard.channel + 1, "note", heard.note, heard.velocity if heard.type == "note_on" else 0)
        case "program_change":
            return Signal(heard.channel + 1, "program", heard.program, TOP)
        case "pitchwheel":
            return Signal(heard.channel + 1, "bend", 0, heard.pitch + BEND_MIDDLE)
        case "aftertouch":
            return Signal(heard.channel + 1, "touch", 0, heard.value)
    return None
