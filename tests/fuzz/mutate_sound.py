"""Sound files gone wrong: sizes and counts in their heads, chunks lost, doubled and made up, numbers that are none."""

import struct
from collections.abc import Sequence
from random import Random

from tests.fuzz.mutate_bytes import ODD_INTEGERS, put_number, spoil_bytes

HEAD_BYTES = 64  # in them stands whatever libsndfile's containers say of rate, channels and length
ODD_FLOATS = (float("nan"), float("inf"), float("-inf"), 1e38, -1e38, 1e-40)
FORMAT_FIELDS = {
    "tag": (0, "<H"),
    "channels": (2, "<H"),
    "rate": (4, "<I"),
    "bytes a second": (8, "<I"),
    "bytes a frame": (12, "<H"),
    "bits": (14, "<H"),
}
"""Of a WAV's fmt chunk: where each lies, and how."""
ODD_FORMATS = {
    "tag": (0, 1, 2, 3, 6, 7, 17, 49, 85, 0xFFFE, 0xFFFF),
    "channels": (0, 2, 3, 8, 255, 1024, 1025, 0xFFFF),
    "rate": (0, 1, 7, 999, 1_000_000, 2**31 - 1, 2**31, 2**32 - 1),
    "bits": (0, 1, 7, 8, 12, 24, 33, 64, 255, 0xFFFF),
}
MADE_UP = (b"LIST", b"bext", b"iXML", b"cue ", b"fmt ", b"data", b"ds64", b"fact", b"PEAK", b"\0\0\0\0", b"JUNK")


def riff_chunks(data: bytes) -> list[list]:
    """[name, size, content] of every chunk; what is no RIFF has none."""
    chunks, place = [], 12
    while data[:4] in (b"RIFF", b"RF64") and place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        chunks.append([name, size, data[place + 8 : place + 8 + size]])
        place += 8 + size + size % 2
    return chunks


def write_riff(data: bytes, chunks: list[list]) -> bytes:
    """The head of `data` and these chunks, each with the size that it claims."""
    packed = (
        struct.pack("<4sI", name, size & 0xFFFFFFFF) + content + b"\0" * (len(content) % 2) for name, size, content in chunks
    )
    return data[:12] + b"".join(packed)


def _spoil_format(chunks: list[list], rng: Random) -> None:
    for chunk in chunks:
        if chunk[0] == b"fmt " and len(chunk[2]) >= 16:
            field = rng.choice(list(FORMAT_FIELDS))
            content, (at, layout) = bytearray(chunk[2]), FORMAT_FIELDS[field]
            struct.pack_into(
                layout, content, at, rng.choice(ODD_FORMATS.get(field, ODD_INTEGERS)) & (2 ** (8 * struct.calcsize(layout)) - 1)
            )
            chunk[2] = bytes(content)


def _spoil_size(chunks: list[list], rng: Random) -> None:
    chunk = rng.choice(chunks)
    chunk[1] = rng.choice((chunk[1] + 1, chunk[1] - 1, chunk[1] * 2, *ODD_INTEGERS))


def _shuffle(chunks: list[list], rng: Random) -> None:
    at = rng.randrange(len(chunks))
    match rng.randrange(3):
        case 0:
            del chunks[at]
        case 1:
            chunks.insert(rng.randrange(len(chunks) + 1), list(chunks[at]))
        case 2:
            chunks.reverse()


def _make_up(chunks: list[list], rng: Random) -> None:
    content = rng.randbytes(rng.choice((0, 1, 3, 4, 28, 346, 602)))
    size = rng.choice((len(content), len(content), len(content) + 1, 0, 2**31, 2**32 - 1))
    at = rng.randrange(len(chunks) + 1)
    chunks[at:at] = [[rng.choice(MADE_UP), size, content] for _ in range(rng.choice((1, 1, 2, 3000)))]


def _spoil_numbers(chunks: list[list], rng: Random) -> None:
    for chunk in chunks:
        if chunk[0] == b"data" and len(chunk[2]) >= 4:
            content = bytearray(chunk[2])
            for _ in range(rng.choice((1, 1, 50))):
                struct.pack_into("<f", content, 4 * rng.randrange(len(content) // 4), rng.choice(ODD_FLOATS))
            chunk[2] = bytes(content)


SPOILERS = (_spoil_format, _spoil_format, _spoil_size, _shuffle, _make_up, _spoil_numbers)


def spoil_sound(data: bytes, rng: Random, paths: Sequence[str] = ()) -> bytes:
    """A sound file gone wrong. It names no other file, so `paths` have no place in it."""
    chunks = riff_chunks(data)
    kind = rng.random()
    if kind < 0.2:
        return spoil_bytes(data, rng)
    if not chunks or kind < 0.35:
        return put_number(data, rng, HEAD_BYTES)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if chunks:
            rng.choice(SPOILERS)(chunks, rng)
    return write_riff(data, chunks)
