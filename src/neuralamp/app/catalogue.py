"""What boxes there are and what can be turned on them, as words for a table."""

import difflib
import sys
from dataclasses import dataclass

from neuralamp.block import Block, Choice, FileSetting, Knob, NumberSetting, Setting, Switch, Text
from neuralamp.blocks import boxes as all_boxes
from neuralamp.errors import KnobError


@dataclass(frozen=True)
class Control:
    """A knob or a setting; what it does not have is an empty text."""

    name: str
    default: str
    low: str
    high: str
    unit: str
    meaning: str
    in_toml: str


@dataclass(frozen=True)
class Entry:
    """A box: its word, what it is, and its knobs and settings in the order in which its file says them."""

    box: str
    meaning: str
    controls: tuple[Control, ...]


def catalogue() -> list[Entry]:
    """Every box, in alphabetical order."""
    return [_entry(word, kind) for word, kind in all_boxes().items()]


def described(word: str) -> Entry:
    """One box. Raises KnobError for a word that is none."""
    known = all_boxes()
    if word not in known:
        near = difflib.get_close_matches(word, known, 1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise KnobError(f"there is no box {word}{hint} There are: {', '.join(known)}")
    return _entry(word, known[word])


def _entry(word: str, kind: type[Block]) -> Entry:
    meaning = (sys.modules[kind.__module__].__doc__ or "").partition("\n")[0]
    return Entry(word, meaning, tuple(_control(name, control) for name, control in kind.known().items()))


def _control(name: str, control: Knob | Setting) -> Control:
    match control:
        case Knob(default, low, high, unit, meaning):
            return Control(name, f"{default:g}", f"{low:g}", f"{high:g}", unit, meaning, f"{default:g}")
        case NumberSetting(low, high, unit, meaning):
            return Control(name, "", f"{low:g}", f"{high:g}", unit, meaning, "")
        case Switch(default, meaning):
            word = str(default).lower()
            return Control(name, word, "", "", "", meaning, word)
        case Choice(words, meaning):
            return Control(name, control.default, "", "", "", f"{meaning}: {', '.join(words)}", f'"{control.default}"')
        case Text(meaning):
            return Control(name, "", "", "", "", meaning, "")
        case FileSetting(meaning, optional):
            return Control(name, "", "", "", "", meaning, "" if optional else '"FILE"')
    raise TypeError(f"{name} is a control of a kind that nobody has described")
