"""Any file gone wrong, knowing nothing of it: bits turned, stretches lost, doubled, blanked, numbers that sizes are made of."""

import struct
from collections.abc import Callable
from random import Random

ODD_INTEGERS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 2**20, 2**28, 2**31 - 1, 2**31, 2**32 - 1, 2**48,
                2**63 - 1, 2**63, 2**64 - 1)  # fmt: skip
"""Where sizes, counts and signs turn over."""
MOST_ADDED = 4096  # bytes: a case is small, so that a failure can be kept


def cut_everywhere(data: bytes, step: int = 64, most: int = 20) -> list[bytes]:
    """The file cut short at every `step` bytes, or at `most` places where it is longer."""
    return [data[:length] for length in range(0, len(data), max(step, -(-len(data) // most)))]


def turn_bits(data: bytes, rng: Random) -> bytes:
    spoiled = bytearray(data)
    for _ in range(1 << rng.randrange(5)):
        spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
    return bytes(spoiled)


def put_number(data: bytes, rng: Random, within: int | None = None) -> bytes:
    """An odd integer over 1, 2, 4 or 8 bytes somewhere in the first `within` bytes, in either order of bytes."""
    spoiled, code = bytearray(data), rng.choice("BHIQ")
    size = struct.calcsize(code)
    at = rng.randrange(max(1, min(within or len(data), len(data)) - size + 1))
    number = rng.choice(ODD_INTEGERS) & (2 ** (8 * size) - 1)
    spoiled[at : at + size] = struct.pack(rng.choice("<>") + code, number)
    return bytes(spoiled)


def _stretch(data: bytes, rng: Random) -> tuple[int, int]:
    begin = rng.randrange(len(data))
    return begin, min(len(data), begin + rng.choice((1, 2, 4, 16, 64, 512)))


def lose(data: bytes, rng: Random) -> bytes:
    begin, end = _stretch(data, rng)
    return data[:begin] + data[end:]


def double(data: bytes, rng: Random) -> bytes:
    begin, end = _stretch(data, rng)
    return data[:end] + data[begin:end] * min(rng.choice((1, 2, 100)), MOST_ADDED // (end - begin)) + data[end:]


def blank(data: bytes, rng: Random) -> bytes:
    begin, end = _stretch(data, rng)
    return data[:begin] + rng.choice((b"\0", b"\xff", b" ", b"\n")) * (end - begin) + data[end:]


def add(data: bytes, rng: Random) -> bytes:
    at = rng.choice((0, len(data), rng.randrange(len(data))))
    return data[:at] + rng.randbytes(rng.choice((1, 2, 3, 4, 64, 1024))) + data[at:]


def move(data: bytes, rng: Random) -> bytes:
    begin, end = _stretch(data, rng)
    rest = data[:begin] + data[end:]
    at = rng.randrange(len(rest) + 1)
    return rest[:at] + data[begin:end] + rest[at:]


SPOILERS: tuple[Callable[[bytes, Random], bytes], ...] = (turn_bits, put_number, lose, double, blank, add, move)


def spoil_bytes(data: bytes, rng: Random) -> bytes:
    """One to three of the spoilers, one after the other."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        data = rng.choice(SPOILERS)(data or b"\0", rng)
    return data
