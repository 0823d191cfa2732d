"""TOML gone wrong: the document that it holds, and its lines."""

import json
import tomllib
from collections.abc import Sequence
from random import Random
from typing import Any

from tests.fuzz.mutate_bytes import spoil_bytes
from tests.fuzz.mutate_json import DEPTHS, Raw, respell, spoil_tree

SPACES = " " * 900
ODD_LINES = (
    "[[chain]]", "[chain]", "[[chain.lanes]]", "[[chain.lanes.chain]]", "[]", "[[]]", "name = ", "= 3", "a = 1\na = 2", 'a = """',
    "a = '''", "a = 1979-05-27T07:32:00Z", "a = 25:61:00", "a = 0b102", "a = {b = 1, b = 2}", "[a]\n[a]", "[[a]]\n[a]",
    "a.b = 1\n[a]", "\0", "\x1b[31m",
    'name = """' + f"\n[[{SPACES}" * 10 + '"""', f"[[{SPACES}a{SPACES}]]", f"[[a{SPACES}b{SPACES}",
    f'"{SPACES}" = 1', f"a = 1{SPACES}2", "[[chain]]\nbox = 'level'\n" * 300, "[[chain]]\n" * 2000, '"a\\nb" = 1',
    "[[chain]]\nbox = 'amp'\ncapture = 'crunch'\n" * 700, '"\\u001b[2J" = 1', 'name = "a\\nb"', "level = 0x" + "f" * 900,
    "level = " + "9" * 900, "level = " + "9" * 5000, "level = 1e999", "level = nan", "level = 9223372036854775808",
)  # fmt: skip


def write_toml(table: dict[str, Any], path: tuple[str, ...] = ()) -> str:
    """TOML of a document, tables as headers wherever they can be, so that it looks as people write it."""
    lines, later = [], []
    for key, value in table.items():
        if isinstance(value, list) and value and all(isinstance(inner, dict) for inner in value):
            later += [(f"[[{_dotted((*path, key))}]]\n", inner, key) for inner in value]
        elif isinstance(value, dict) and value:
            later.append((f"[{_dotted((*path, key))}]\n", value, key))
        else:
            lines.append(f"{_key(key)} = {_value(value)}\n")
    return "".join(lines) + "".join(header + write_toml(inner, (*path, key)) for header, inner, key in later)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(map(_key, path))


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    match value:
        case Raw():
            return value.text
        case dict():
            return "{" + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case None | bool() | int():
            return json.dumps(value)
        case _:
            return str(value)  # dates and times


def _spoil_lines(text: str, rng: Random) -> str:
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[rng.randrange(len(lines))])
        case 2:
            lines.insert(at, rng.choice(ODD_LINES))
        case 3:
            lines.insert(at, f"{rng.choice(('a', 'name', 'box', 'chain'))} = {_nest(rng.choice(DEPTHS), rng)}")
        case 4:
            dotted = ".".join("a" * rng.choice(DEPTHS))
            lines.insert(
                at, rng.choice((f"{dotted} = 1", f"[{dotted}]", f"[[{dotted}]]", f"name.{dotted} = 1", f"level.{dotted} = 1"))
            )
        case 5:
            lines[at] = lines[at].replace(rng.choice(("=", '"', "[", "]", ".")), rng.choice(("", "==", "'", "[[", "\t")), 1)
    return "\n".join(lines) + "\n"


def _nest(depth: int, rng: Random) -> str:
    return "{a = " * depth + "1" + "}" * depth if rng.random() < 0.5 else "[" * depth + "]" * depth


def spoil_toml(data: bytes, rng: Random, paths: Sequence[str] = ()) -> bytes:
    """A TOML file gone wrong; `paths` as in mutate_json."""
    kind = rng.random()
    if kind < 0.15:
        return spoil_bytes(data, rng)
    if kind < 0.4:
        return _spoil_lines(data.decode(), rng).encode()
    if kind < 0.45:
        return respell(data.decode(), rng)
    whole = [tomllib.loads(data.decode())]
    spoil_tree(whole, rng, paths)
    text = write_toml(whole[0]) if isinstance(whole[0], dict) else _value(whole[0])
    return text.encode(errors="surrogatepass")
