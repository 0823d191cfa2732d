"""Small files from strangers, read safely: regular files of bearable size only, TOML that is neither deep nor slow."""

import stat
import tomllib
from pathlib import Path
from typing import Any

from neuralamp.errors import NeuralAmpError

MOST_TOML_BYTES = 32 * 2**10  # three hundred boxes; the largest shipped rig has 400 bytes
# tomllib's time grows with the square of a dotted key's length: 64 KiB of keys as long as the file take minutes, these 1 s.
LONGEST_TOML_LINE = 1000
DEEPEST_TOML = 64  # tables in lists in tables: 16 lanes inside each other
TOML_INTEGERS = range(-(2**63), 2**63)


def read_small_file(path: Path, most_bytes: int, error: type[NeuralAmpError]) -> bytes:
    """The whole of a regular file. Raises `error` for a folder, a pipe, a device, and for more than `most_bytes`."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever, a device may never end
            raise error(f"{path} is not a file; check the name")
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as reason:
        raise error(f"{path} cannot be read ({reason.strerror}); check the name") from None
    if len(data) > most_bytes:
        raise error(f"{path} has more than {most_bytes} bytes, too many for what it should be; check the name")
    return data


def read_toml(path: Path, error: type[NeuralAmpError], example: str) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file, and its table. Raises `error` in one line, with the place of the fault.

    example  what the file might look like, for whoever has never seen one.
    """
    data = read_small_file(path, MOST_TOML_BYTES, error)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{path} is not a text file; it should be TOML, such as: {example}") from None
    try:
        table = _parse(text)
    except ValueError as reason:
        raise error(f"{path} is not TOML: {reason}; mend that line") from None
    return text, table


def _parse(text: str) -> dict[str, Any]:
    """A table whose values can be shown, compared and walked without fear; ValueError otherwise."""
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LONGEST_TOML_LINE:
            raise ValueError(f"line {number} has {len(line)} letters; {LONGEST_TOML_LINE} is the most")
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ValueError("its tables or lists lie too deep in each other") from None
    waiting: list[tuple[Any, int, str]] = [(table, 0, "it")]
    while waiting:
        value, depth, key = waiting.pop()
        if depth > DEEPEST_TOML:
            raise ValueError(f"the tables or lists in {key} lie more than {DEEPEST_TOML} deep in each other")
        if type(value) is int and value not in TOML_INTEGERS:
            raise ValueError(f"the number {key} has more than 64 bits")
        if isinstance(value, dict):
            waiting += [(inner, depth + 1, name) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1, key) for inner in value]
    return table
