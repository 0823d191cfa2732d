"""The facts of a card in a JSON object, for formats in which every writer tells them as he likes."""

from dataclasses import fields
from typing import Any

from neuralamp.capture.card import FASTEST, LEVELS, SLOWEST, Card, is_level
from neuralamp.capture.json_table import Table, as_number

NAMES = {
    "maker": "author",
    "gear": "based",
    "tone_type": "style",
    "licence": "license",
    "sample_rate": "samplerate",
}
"""Our facts, and their keys as AIDA-X has them; a fact that is not here is its own key."""
KNOBS = "knobs"
LONGEST_NAME = 40  # of a knob
OURS = ("source", "writer")
"""Facts about a file of ours, which another file does not take over."""


def read_card(model: Table, *inside: str, source: str, usual_rate: int) -> tuple[Card, tuple[str, ...]]:
    """The card out of the objects at these keys, or else out of the model itself, and what is missing in all of them.

    A fact of the wrong kind is left out: nobody should be kept from playing by it.
    """
    objects = [held for key in inside if isinstance(held := model.get(key), dict)]
    told = {key: value for each in (model.value, *reversed(objects)) for key, value in each.items()}
    facts = {field.name: _fact(field.type, told.get(NAMES.get(field.name, field.name))) for field in fields(Card)}
    facts = {name: value for name, value in facts.items() if value is not None and name not in OURS}
    facts = {name: value for name, value in facts.items() if name not in LEVELS or is_level(value)}
    if facts.get("polarity") not in (1, -1):
        facts.pop("polarity", None)
    warnings = []
    if not SLOWEST <= facts.get("sample_rate", 0) <= FASTEST:
        warnings.append(f"it names no sample rate; {usual_rate} Hz is assumed, as is usual for such files")
        facts["sample_rate"] = usual_rate
    return Card(source=source, **facts), tuple(warnings)


def _fact(kind: Any, value: Any) -> Any:
    """A value as this kind of fact; None where it is none."""
    if kind is str:
        return value if isinstance(value, str) else None
    number = as_number(value)
    return round(number) if number is not None and kind in (int, int | None) else number


def read_knobs(model: Table, count: int) -> tuple[str, ...]:
    """Names of so many knobs: those that our own files give them, numbers where others' files give none."""
    metadata = model.get("metadata")
    names = metadata.get(KNOBS) if isinstance(metadata, dict) else None
    if isinstance(names, list) and len(names) == count and all(map(_is_name, names)):
        return tuple(names)
    return tuple(f"knob {i + 1}" for i in range(count))


def _is_name(name: Any) -> bool:
    """Whether people can be shown it in a line, as a knob's name is."""
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable()


def write_card(card: Card, knobs: tuple[str, ...]) -> dict[str, Any]:
    """The facts that are known, by their keys; the sample rate always, the names of knobs where there are some."""
    usual = Card()
    known = {name: value for name, value in card.known().items() if name not in OURS and value != getattr(usual, name)}
    told = {NAMES.get(name, name): value for name, value in ({"sample_rate": card.sample_rate} | known).items()}
    return told | ({KNOBS: list(knobs)} if knobs else {})
