"""MIDI maps: TOML files of rows, read, found and added to.

[[map]]
on = "cc 11"                      # an expression pedal
do = "turn volume.position"

[[map]]
on = "program 0"                  # the first switch of a foot controller
channel = 1
do = "recall 1"
"""

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from neuralamp.audio import atomic_path
from neuralamp.errors import MessageError, MidiError
from neuralamp.files import read_toml
from neuralamp.live.midi.row import Row
from neuralamp.resources import shipped
from neuralamp.settings import first_fault

MOST_ROWS = 500
EXAMPLE = "[[map]] on = 'cc 11' do = 'turn volume.position'"


def maps() -> dict[str, Path]:
    """Every shipped map: its name and its file."""
    return {file.stem: file for file in sorted(shipped("realtime/midi").glob("*.toml"))}


def find_map(name: str | Path) -> Path:
    """A map's file by its path, or by its name among the shipped ones. Raises MidiError where there is neither."""
    if Path(name).exists():
        return Path(name)
    if str(name) in maps():
        return maps()[str(name)]
    raise MidiError(f"{name} is neither a file nor a shipped MIDI map; shipped are: {', '.join(maps()) or 'none'}")


def read_map(path: Path) -> tuple[Row, ...]:
    """The rows of a map. Raises MidiError, in one line, with the file and the row."""
    _, table = read_toml(path, MidiError, EXAMPLE)
    entries = table.get("map", [])
    for key in table:
        if key != "map":
            raise MidiError(f"{path}: {key} is unknown here; begin each row with a line [[map]]")
    if not isinstance(entries, list) or not entries:
        raise MidiError(f"{path} has no rows; begin each with a line [[map]]: {EXAMPLE}")
    if len(entries) > MOST_ROWS:
        raise MidiError(f"{path} has {len(entries)} rows; {MOST_ROWS} is the most that is possible")
    return tuple(_row(entry, f"{path}, row {number}") for number, entry in enumerate(entries, start=1))


def _row(entry: object, where: str) -> Row:
    try:
        row = TypeAdapter(Row).validate_python(entry)
        row.check()
    except ValidationError as reason:
        known = ", ".join(field.name for field in fields(Row))
        raise MidiError(f"{where}: {first_fault(reason, whole='the row')}; a row has: {known}") from None
    except (MidiError, MessageError) as reason:
        raise MidiError(f"{where}: {reason}") from None
    return row


def write_row(path: Path, row: Row) -> bool:
    """Add a row to a map, which is made where it is not there; whole or not at all. False for a row that it has already.

    Raises MidiError for a file that is no map.
    """
    rows = read_map(path) if path.exists() else ()
    if row in rows:
        return False
    row.check()
    text = path.read_text(encoding="utf-8-sig") if rows else ""
    with atomic_path(path) as partial:
        partial.write_text(f"{text.rstrip()}\n\n{_toml(row)}".lstrip(), encoding="utf-8")
    return True


def _toml(row: Row) -> str:
    """A row as it stands in a file; what is as it is by default is left out."""
    said = {field.name: getattr(row, field.name) for field in fields(Row) if getattr(row, field.name) != field.default}
    return "[[map]]\n" + "".join(f"{name} = {_value(value)}\n" for name, value in said.items())


def _value(value: str | float | Sequence[float]) -> str:
    # JSON's texts, numbers and lists are TOML's too.
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
