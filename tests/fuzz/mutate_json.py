"""A document gone wrong, knowing its structure: keys, types, numbers, lengths, nesting, lists of weights. JSON is written of it.

A document is what `json.loads` or `tomllib.loads` gives. It is spoiled in place, inside a list that holds it, so that the whole
of it may be replaced too.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.fuzz.mutate_bytes import spoil_bytes


@dataclass(frozen=True)
class Raw:
    """A value as it is to stand in the file, whatever its format thinks of it."""

    text: str


MANY_DIGITS = Raw("9" * 5000)  # Python converts at most 4300
ODD_NUMBERS = (
    0, -1, 1, 2, 1.5, -0.0, 1e308, -1e308, 1e-308, 5e-324, 1e39, float("nan"), float("inf"), float("-inf"), 10**6, 10**9, 10**30,
    2**31 - 1, 2**31, -(2**31), 2**32, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**900, 10**4000, MANY_DIGITS,
    Raw("0x" + "f" * 5000), Raw("0x" + "f" * 900), Raw("1e999"), Raw("-0"), Raw("01"), Raw(".5"), Raw("NaN"), Raw("-Infinity"),
    Raw("1_000"),
)  # fmt: skip
ODD_TEXTS = (
    "", " ", "8", "true", "null", "nan", "-1", "[1]", "a\nb", "a\r\nerror: b", "a\x00b", "\x1b[31mred", "\u2028", "\ud800",
    "\u202egnp", "%s%n{0}{x}", "../..", "/", "C:\\con", "é" * 300, "x" * 900, "x" * 100_000,
)  # fmt: skip
ODD_OTHERS = (None, True, False, [], {}, [[]], [{}], [None], {"a": {}}, Raw(""), Raw("null"))
ODD_KEYS = ("", " ", "sparkle", "a\nb", "\x1b[2J", "__class__", "a.b", "x" * 10_000, "\u00e9", "0")
DEPTHS = (10, 90, 300, 450, 1000, 30_000)

Slot = tuple[Any, Any]
Spoiler = Callable[[list, Random, Sequence[str]], None]


def containers(whole: list) -> Iterator[Any]:
    """Every list and every table, the outermost first."""
    waiting = [whole]
    while waiting:
        container = waiting.pop()
        yield container
        values = container.values() if isinstance(container, dict) else container
        waiting += [value for value in values if isinstance(value, dict | list)]


def _full(whole: list, kinds: Any = (dict, list)) -> list:
    return [found for found in containers(whole) if isinstance(found, kinds) and found]


def slot(whole: list, rng: Random) -> Slot:
    """A place in the document: first any list or table, then any place in it; a long list counts no more than a short one."""
    container = rng.choice(_full(whole))
    return container, rng.choice(list(container)) if isinstance(container, dict) else rng.randrange(len(container))


def drop(whole: list, rng: Random, paths: Sequence[str]) -> None:
    inside = _full(whole)[1:]
    if inside:
        container = rng.choice(inside)
        del container[rng.choice(list(container)) if isinstance(container, dict) else rng.randrange(len(container))]


def add_key(whole: list, rng: Random, paths: Sequence[str]) -> None:
    tables = [found for found in containers(whole) if isinstance(found, dict)]
    if tables:
        rng.choice(tables)[rng.choice(ODD_KEYS)] = odd_value(rng, paths)


def rename(whole: list, rng: Random, paths: Sequence[str]) -> None:
    tables = _full(whole, dict)
    if tables:
        table = rng.choice(tables)
        key = rng.choice(list(table))
        table[rng.choice((*ODD_KEYS, key.upper(), key[:-1], key + "s", key + "\n"))] = table.pop(key)


def odd_value(rng: Random, paths: Sequence[str]) -> Any:
    values = rng.choice((ODD_NUMBERS, ODD_TEXTS, ODD_OTHERS, tuple(paths) or ODD_TEXTS))
    value = rng.choice(values)
    return json.loads(json.dumps(value)) if isinstance(value, dict | list) else value


def replace(whole: list, rng: Random, paths: Sequence[str]) -> None:
    container, key = slot(whole, rng)
    container[key] = odd_value(rng, paths)


def renumber(whole: list, rng: Random, paths: Sequence[str]) -> None:
    """A number a little, or a lot, beside itself."""
    places = [(found, key) for found in _full(whole) for key, value in _items(found)[:64] if type(value) in (int, float)]
    if places:
        container, key = rng.choice(places)
        value = container[key]
        change = rng.choice(
            (lambda v: v + 1, lambda v: v - 1, lambda v: -v, lambda v: 2 * v, lambda v: 1000 * v, lambda v: 10**9 * v, float)
        )
        container[key] = rng.choice(ODD_NUMBERS) if rng.random() < 0.5 else change(value)


def _items(container: Any) -> list[tuple[Any, Any]]:
    return list(container.items()) if isinstance(container, dict) else list(enumerate(container))


def stretch(whole: list, rng: Random, paths: Sequence[str]) -> None:
    """A list of another length: one less, one more, none, or thousands."""
    lists = _full(whole, list)[1:]
    if lists:
        found = rng.choice(lists)
        match rng.randrange(5):
            case 0:
                found.pop()
            case 1:
                found.append(found[-1])
            case 2:
                found.clear()
            case 3:
                found[:] = found * max(1, rng.choice((10, 300, 1000)) // len(found))
            case 4:
                found.reverse()


def miscount(whole: list, rng: Random, paths: Sequence[str]) -> None:
    """The longest list of numbers, a net's weights, off by a few, or with a number in it that is none."""
    lists = [found for found in _full(whole, list)[1:] if all(isinstance(value, int | float) for value in found)]
    if lists:
        weights = max(lists, key=len)
        if rng.random() < 0.5:
            weights[:] = (
                weights[: -rng.choice((1, 1, 2, 16))] if rng.random() < 0.5 else weights + weights[: rng.choice((1, 1, 2, 16))]
            )
        else:
            weights[rng.randrange(len(weights))] = odd_value(rng, paths)


def nest(whole: list, rng: Random, paths: Sequence[str]) -> None:
    container, key = slot(whole, rng)
    depth = rng.choice(DEPTHS)
    container[key] = Raw("[" * depth + "]" * (depth if rng.random() < 0.8 else 0))


def nest_tables(whole: list, rng: Random, paths: Sequence[str]) -> None:
    container, key = slot(whole, rng)
    depth = rng.choice(DEPTHS)
    container[key] = Raw('{"a":' * depth + "1" + "}" * depth)


def swap(whole: list, rng: Random, paths: Sequence[str]) -> None:
    (one, here), (other, there) = slot(whole, rng), slot(whole, rng)
    one[here], other[there] = frozen(other[there]), frozen(one[here])


def frozen(value: Any) -> Any:
    """A value that may be put inside itself."""
    return Raw(write_json(value)) if isinstance(value, dict | list) else value


def say_twice(whole: list, rng: Random, paths: Sequence[str]) -> None:
    tables = _full(whole, dict)
    if tables:
        table = rng.choice(tables)
        key = rng.choice(list(table))
        table[key] = Raw(f"{write_json(table[key])}, {json.dumps(key)}: {write_json(odd_value(rng, paths))}")


TREE_SPOILERS: tuple[Spoiler, ...] = (drop, add_key, rename, replace, replace, renumber, renumber, stretch, miscount, nest, swap)
JSON_SPOILERS: tuple[Spoiler, ...] = (*TREE_SPOILERS, nest_tables, say_twice)


def spoil_tree(whole: list, rng: Random, paths: Sequence[str], spoilers: Sequence[Spoiler] = TREE_SPOILERS) -> None:
    """One to three spoilers on a document in a list."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(spoilers)(whole, rng, paths)


def write_json(value: Any) -> str:
    """JSON, and what is hardly JSON: NaN, and raw text as it stands."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {write_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list) and any(isinstance(inner, dict | list | Raw) for inner in value):
        return "[" + ", ".join(map(write_json, value)) + "]"
    return json.dumps(value)


def respell(text: str, rng: Random) -> bytes:
    """The same text in bytes that a careless writer would make of it."""
    match rng.randrange(6):
        case 0:
            return b"\xef\xbb\xbf" + text.encode()
        case 1:
            return text.encode(rng.choice(("utf-16", "utf-32", "utf-7")))
        case 2:
            return text.replace("}", ",}", 1).encode()
        case 3:
            return text.replace('"', "'").encode()
        case 4:
            return (text + rng.choice(("{}", "\0", "// end", "]", text))).encode()
        case _:
            return b" " * 4096 + text.encode() + b"\n" * 4096


def spoil_json(data: bytes, rng: Random, paths: Sequence[str] = ()) -> bytes:
    """A JSON file gone wrong.

    paths  names of files that a reader must not follow; they are put in as values.
    """
    if rng.random() < 0.15:
        return spoil_bytes(data, rng)
    try:
        whole = [json.loads(data)]
    except (ValueError, RecursionError):  # spoiled before
        return spoil_bytes(data, rng)
    if rng.random() < 0.05:
        return respell(write_json(whole[0]), rng)
    spoil_tree(whole, rng, paths, JSON_SPOILERS)
    return write_json(whole[0]).encode()
