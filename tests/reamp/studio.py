"""Captures, rigs and takes small enough for a test."""

import struct
from pathlib import Path

import numpy as np
import soundfile

from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import save_capture
from neuralamp.nets.lstm.config import LstmConfig
from tests.sound import noise

RATE = 48000


def wire(path: Path, sample_rate: int = RATE, gain: float = 0.0, hidden: int = 1) -> Path:
    """A capture of a wire: what goes in comes out, bit for bit; and `gain` times a saturated copy of it on top.

    hidden  cells, of which one sounds: the more, the longer a take lasts that is to be broken off.
    """
    config = LstmConfig(hidden=hidden, skip=1.0)
    weights = {name: np.zeros(shape, np.float32) for name, shape in config.weights().items()}
    weights["cells.weight_ih_l0"][2 * hidden] = 1.0  # the cell gate, half open on all sides
    weights["head.weight"][0, 0] = gain
    save_capture(path, Capture(config, weights, Card(name=path.stem, sample_rate=sample_rate)))
    return path


def level_rig(path: Path, level_db: float) -> Path:
    path.write_text(f'[[chain]]\nbox = "level"\nlevel = {level_db}\n')
    return path


def take(
    path: Path,
    frames: int = 9600,
    channels: int = 1,
    sample_rate: int = RATE,
    subtype: str = "PCM_24",
    seed: int = 1,
    peak: float = 0.5,
) -> Path:
    """A sound file of noise; of any container, by the ending of its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    format_ = "RF64" if path.suffix == ".rf64" else None
    soundfile.write(path, noise(channels, frames, seed, peak).T, sample_rate, subtype=subtype, format=format_)
    return path


def bext(time_reference: int, description: bytes = b"verse, direct", version: int = 2) -> bytes:
    """What a bext chunk holds, laid out by hand after EBU Tech 3285."""
    return b"".join(
        (
            description.ljust(256, b"\0"),
            b"a recorder".ljust(32, b"\0"),
            b"reference".ljust(32, b"\0"),
            b"2024-05-17" + b"12:34:56",
            struct.pack("<Q", time_reference),
            struct.pack("<H", version),
            bytes(range(64)),  # UMID
            struct.pack("<5h", -2300, 500, -100, -1800, -2000),  # loudness, in hundredths
            bytes(180),
            b"A=PCM,F=48000,W=24,M=mono\r\n",
        )
    )


def with_chunks(path: Path, chunks: list[tuple[bytes, bytes]], behind: bool = False) -> Path:
    """The WAV at `path`, with chunks put in front of its sound, or behind it, by nothing but bytes."""
    whole = path.read_bytes()
    blob = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    at = len(whole) if behind else whole.index(b"data")
    whole = whole[:at] + blob + whole[at:]
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    return path


def chunks_of(path: Path) -> dict[bytes, bytes]:
    """Every chunk of a WAV by its name, read by nothing but bytes; also checks that the sizes add up."""
    whole, at, found = path.read_bytes(), 12, {}
    if whole[:4] == b"RIFF":
        assert struct.unpack("<I", whole[4:8])[0] == len(whole) - 8
    while at < len(whole):
        name, size = whole[at : at + 4], struct.unpack("<I", whole[at + 4 : at + 8])[0]
        if size == 0xFFFFFFFF:
            size = struct.unpack("<Q", found[b"ds64"][8:16])[0]
        found[name] = whole[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return found
