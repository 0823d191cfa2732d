"""What a foot, a finger, a MIDI cable or a file may ask of a rig that plays: a typed message for each act, and its line of text.

    turn delay.mix 40      a knob, in its own unit
    bypass delay on        a box out of the sound; off, or nothing for the other way
    recall lead            a snapshot of the rig by its name; or next, previous, or its number from 1
    change lead            a rig of the set list by its name; or next, previous, or its number from 1
    tap                    a beat: two or more tell the tempo
    loop record            or overdub, play, stop, undo, clear
    record on              the guitar and the rig, to files; off, or nothing for the other way
    mute on                the output; off, or nothing for the other way
    save my lead           the rig as it stands, as a rig's file of that name
    undo                   what was done last
    panic                  silence, now

A file of events has one line for each: the frame of the sound, or seconds with an s, and the message.

    0        recall clean
    96000    turn amp.input 6
    12.5s    bypass delay off
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from neuralamp.errors import MessageError


@dataclass(frozen=True)
class Turn:
    """A knob: the box by its label in the rig, the value in the knob's unit."""

    box: str
    knob: str
    value: float


@dataclass(frozen=True)
class Bypass:
    """A box out of the sound, or back into it; None is the other way."""

    box: str
    bypassed: bool | None = None


@dataclass(frozen=True)
class Recall:
    """A snapshot of the rig: its name, "next", "previous" or its number from 1."""

    snapshot: str


@dataclass(frozen=True)
class Change:
    """Another rig: its name in the set list, "next", "previous" or its number from 1."""

    rig: str


@dataclass(frozen=True)
class Tap:
    """One beat; two or more tell the tempo."""


LOOP_ACTIONS = ("record", "overdub", "play", "stop", "undo", "clear")


@dataclass(frozen=True)
class Loop:
    """What the looper is to do: one of LOOP_ACTIONS."""

    action: str


@dataclass(frozen=True)
class Record:
    """The tape: on, off, or the other way."""

    on: bool | None = None


@dataclass(frozen=True)
class Mute:
    """The output: on is silence; None is the other way."""

    on: bool | None = None


@dataclass(frozen=True)
class Save:
    """The rig as it stands, to a file of that name in the current folder."""

    name: str


@dataclass(frozen=True)
class Panic:
    """Silence, now, and everything that rings is forgotten."""


@dataclass(frozen=True)
class Undo:
    """What was done last is taken back."""


Message = Turn | Bypass | Recall | Change | Tap | Loop | Record | Mute | Save | Panic | Undo


@dataclass(frozen=True)
class Event:
    """A message at a frame of the sound, from 0."""

    frame: int
    message: Message


WORDS: dict[str, type] = {
    "turn": Turn, "bypass": Bypass, "recall": Recall, "change": Change, "tap": Tap, "loop": Loop, "record": Record, "mute": Mute,
    "save": Save, "panic": Panic, "undo": Undo,
}  # fmt: skip
"""The first word of a message's line -> what it is."""

ON_OFF = {"on": True, "off": False}
WAYS = {True: "on", False: "off", None: ""}


def read_message(text: str) -> Message:
    """The message that a line of text says. Raises MessageError, which says what is possible."""
    word, _, rest = " ".join(text.split()).partition(" ")
    if word not in WORDS:
        raise MessageError(f"{text.strip()!r} says nothing that can be done; it begins with one of: {', '.join(WORDS)}")
    kind = WORDS[word]
    if kind is Turn:
        return _read_turn(text, rest)
    if kind is Bypass:
        box, _, way = rest.partition(" ")
        return Bypass(_given(text, box, "a box: bypass delay on"), _read_way(text, way))
    if kind in (Recall, Change, Save):
        return kind(_given(text, rest, f"a name: {word} lead"))
    if kind is Loop and rest not in LOOP_ACTIONS:
        raise MessageError(f"{text.strip()!r} is not possible; a looper can: {', '.join(LOOP_ACTIONS)}")
    if kind is Loop:
        return Loop(rest)
    if kind in (Record, Mute):
        return kind(_read_way(text, rest))
    if rest:
        raise MessageError(f"{text.strip()!r} says too much; {word} stands alone")
    return kind()


def write_message(message: Message) -> str:
    """The line that says it: what `read_message` reads."""
    word = next(word for word, kind in WORDS.items() if kind is type(message))
    if isinstance(message, Turn):
        return f"{word} {message.box}.{message.knob} {message.value:.17g}"
    parts = [WAYS[part] if part is None or isinstance(part, bool) else part for part in vars(message).values()]
    return " ".join(part for part in (word, *parts) if part)


def read_events(path: Path, sample_rate: float) -> list[Event]:
    """The events of a file, in the order of their frames. Raises MessageError, with the file and the line."""
    events = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as reason:
        raise MessageError(
            f"{path} cannot be read as events ({reason}); give a text file, a frame and a message a line"
        ) from None
    for number, line in enumerate(lines, start=1):
        if said := line.partition("#")[0].strip():
            when, *what = said.split(maxsplit=1)
            try:
                events.append(Event(_read_frame(when, sample_rate), read_message("".join(what))))
            except MessageError as reason:
                raise MessageError(f"{path}, line {number}: {reason}") from None
    return sorted(events, key=lambda event: event.frame)


def write_events(events: Iterable[Event]) -> str:
    """The text of a file of events."""
    return "".join(f"{event.frame}\t{write_message(event.message)}\n" for event in events)


def _read_turn(text: str, rest: str) -> Turn:
    place, _, value = rest.partition(" ")
    box, dot, knob = place.partition(".")
    try:
        if dot and box and knob:
            return Turn(box, knob, float(value))
    except ValueError:
        pass
    raise MessageError(f"{text.strip()!r} is not a turn; say the box, its knob and a number: turn delay.mix 40")


def _read_way(text: str, way: str) -> bool | None:
    if way and way not in ON_OFF:
        raise MessageError(f"{text.strip()!r} ends in {way!r}; it is on, off, or nothing for the other way")
    return ON_OFF[way] if way else None


def _given(text: str, name: str, example: str) -> str:
    if not name:
        raise MessageError(f"{text.strip()!r} lacks {example}")
    return name


def _read_frame(when: str, sample_rate: float) -> int:
    try:
        frame = float(when[:-1]) * sample_rate if when.endswith("s") else float(int(when))
        if 0.0 <= frame < 2.0**53:
            return round(frame)
    except ValueError:
        pass
    raise MessageError(f"{when!r} is no time; give the number of a frame, or seconds with an s: 96000, or 2.5s")
