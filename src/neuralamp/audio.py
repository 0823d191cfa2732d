"""Sound files in and out: any format libsndfile knows, floats in memory, whole files or none on disk."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from neuralamp.errors import AudioFileError


@dataclass(frozen=True)
class Audio:
    """A recording in memory.

    samples      (channels, frames) float32, full scale at 1.
    sample_rate  in hertz.
    format       libsndfile's name of the container, "WAV", "FLAC", ...
    subtype      libsndfile's name of the coding, "PCM_24", "FLOAT", ...
    """

    samples: np.ndarray
    sample_rate: int
    format: str = "WAV"
    subtype: str = "FLOAT"

    @property
    def channels(self) -> int:
        return self.samples.shape[0]

    @property
    def frames(self) -> int:
        return self.samples.shape[1]

    @property
    def seconds(self) -> float:
        return self.frames / self.sample_rate


def read_audio(path: Path | str) -> Audio:
    """A sound file as it stands: no resampling, no mixing. Raises AudioFileError for what is no sound or holds none."""
    path = Path(path)
    if not path.is_file():
        raise AudioFileError(f"{path} is not there; check the name")
    if path.stat().st_size == 0:
        raise AudioFileError(f"{path} is an empty file (0 bytes); export the take again")
    try:
        with soundfile.SoundFile(path) as file:
            samples = file.read(dtype="float32", always_2d=True).T
            sample_rate, container, subtype = file.samplerate, file.format, file.subtype
    except (soundfile.LibsndfileError, OSError, ValueError) as reason:
        raise AudioFileError(
            f"{path} cannot be read as sound ({_short(reason)}); give a WAV, FLAC, AIFF or another file of recorded sound"
        ) from None
    if samples.shape[1] == 0:
        raise AudioFileError(f"{path} holds no sound (0 frames); export the take again")
    return Audio(np.ascontiguousarray(samples), sample_rate, container, subtype)


def write_audio(path: Path | str, audio: Audio) -> None:
    """Write a sound file whole or not at all: a killed writer leaves the old file, or none."""
    path = Path(path)
    with atomic_path(path) as partial:
        try:
            soundfile.write(partial, audio.samples.T, audio.sample_rate, format=audio.format, subtype=audio.subtype)
        except (soundfile.LibsndfileError, OSError, ValueError) as reason:
            raise AudioFileError(f"{path} cannot be written ({_short(reason)}); check the folder and the free space") from None


def resample(samples: np.ndarray, from_rate: float, to_rate: float) -> np.ndarray:
    """(channels, frames) at another sample rate, linear phase, soxr's very high quality; the same array at the same rate."""
    if from_rate == to_rate:
        return samples
    return np.ascontiguousarray(soxr.resample(samples.T, from_rate, to_rate, quality="VHQ").T)


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path beside `path`, of the same ending, that takes its place once the block ends well."""
    path = Path(path)
    if not path.parent.is_dir():
        raise AudioFileError(f"the folder {path.parent} of {path.name} is not there; make it or choose another")
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    """This process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _short(reason: Exception) -> str:
    """The last clause of a library's message, without the path that we already name."""
    return str(reason).rstrip(".").rsplit(": ", 1)[-1]
