"""What a WAV or RF64 file says beside its sound: where a take belongs in time, its markers. Read from one file, put into another.

libsndfile keeps none of it. Sources: EBU Tech 3285 (bext), EBU Tech 3306 (RF64), the RIFF description of IBM and Microsoft, 1991.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

ORDERS = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"FORM": ">"}  # the last is AIFF's
MARKERS = b"adtl"  # the kind of LIST that names the cue points
MOST_BYTES = 16 * 2**20  # of one chunk: an iXML of a long session has some hundred kilobytes
MOST_CHUNKS = 10_000  # of one file; 4 GiB of noughts would be half a thousand million of them
IN_DS64 = 0xFFFFFFFF  # a size of RF64 that does not fit stands in its ds64 chunk
UNFINISHED = (0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000)  # what recorders write that do not know yet how long it will be
BLOCK_BYTES = 2**20

# From version 2 on a bext tells five loudness figures, which are not the output's: this value marks them as not measured.
BEXT_VERSION, BEXT_LOUDNESS = 346, slice(412, 422)
NOT_MEASURED = struct.pack("<5H", *[0x7FFF] * 5)


@dataclass(frozen=True)
class Chunk:
    """A chunk of a RIFF file: four letters and what they hold."""

    name: bytes
    data: bytes


def read_chunks(path: Path) -> list[Chunk]:
    """The chunks that place a take: bext (with its time reference), iXML, cue points and their names. None in other files."""
    chunks = []
    with path.open("rb") as file:
        for name, place, size in _walk(file):
            if name in (b"bext", b"iXML", b"cue ", b"LIST") and size <= MOST_BYTES:
                file.seek(place)
                data = file.read(size)
                if name != b"LIST" or data[:4] == MARKERS:
                    chunks.append(Chunk(name, _without_loudness(data) if name == b"bext" else data))
    return chunks


def missing_share(path: Path) -> float:
    """How much of its sound a WAV or AIFF lacks, by its own head: 0 for a whole file, and for what is neither."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        for name, place, size in _walk(file, whole=False):
            if name in (b"data", b"SSND") and place + size > end and size not in UNFINISHED:
                return (place + size - end) / size
    return 0.0


def finish(path: Path, chunks: Sequence[Chunk] = ()) -> None:
    """Put chunks in front of the sound of a file just written; the same sound then always gives the same bytes.

    libsndfile writes the time of day into float files, beside their peak; it is set to nought.
    """
    with path.open("r+b") as file:
        places = {name: place for name, place, _ in _walk(file)}
        if b"PEAK" in places:
            file.seek(places[b"PEAK"] + 4)
            file.write(bytes(4))
        blob = b"".join(_packed(chunk, counted=b"ds64" in places) for chunk in chunks)
        if blob and b"data" in places:
            at = places[b"data"] - 8
            _make_room(file, at, len(blob))
            file.seek(at)
            file.write(blob)
            place, layout = (places[b"ds64"], "<Q") if b"ds64" in places else (4, "<I")
            file.seek(place)
            (size,) = struct.unpack(layout, file.read(struct.calcsize(layout)))
            file.seek(place)
            file.write(struct.pack(layout, size + len(blob)))


def _walk(file: BinaryIO, whole: bool = True) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and size of what every chunk holds; nothing for what is no RIFF or AIFF.

    whole  the last chunk is left out where the file ends before it does.
    """
    end = file.seek(0, 2)
    file.seek(0)
    order = ORDERS.get(file.read(4))
    place, data_size = 12, 0
    for _ in range(MOST_CHUNKS):
        if not order or place + 8 > end:
            return
        file.seek(place)
        name, size = struct.unpack(order + "4sI", file.read(8))
        place += 8
        if name == b"ds64" and place + 16 <= end:
            data_size = struct.unpack("<8xQ", file.read(16))[0]
        if name == b"data" and size == IN_DS64:
            size = data_size
        if whole and place + size > end:
            return
        yield name, place, size
        place += size + size % 2


def _packed(chunk: Chunk, counted: bool) -> bytes:
    """A chunk as it lies in a file. `counted`: the byte that fills an odd one up belongs to it.

    libsndfile's reader of RF64 loses its way behind one that does not. A line's end harms neither bext nor iXML.
    """
    data = chunk.data + b"\n" * (len(chunk.data) % 2) if counted else chunk.data
    return struct.pack("<4sI", chunk.name, len(data)) + data + bytes(len(data) % 2)


def _make_room(file: BinaryIO, at: int, size: int) -> None:
    """Move everything from `at` on by `size` bytes, the end first."""
    end = file.seek(0, 2)
    while end > at:
        start = max(at, end - BLOCK_BYTES)
        file.seek(start)
        block = file.read(end - start)
        file.seek(start + size)
        file.write(block)
        end = start


def _without_loudness(bext: bytes) -> bytes:
    if len(bext) < BEXT_LOUDNESS.stop or struct.unpack_from("<H", bext, BEXT_VERSION)[0] < 2:
        return bext
    return bext[: BEXT_LOUDNESS.start] + NOT_MEASURED + bext[BEXT_LOUDNESS.stop :]
