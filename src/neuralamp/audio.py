"""Sound files in and out: any format libsndfile knows, floats in memory, whole files or none on disk."""

import glob
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from neuralamp import wave_chunks
from neuralamp.errors import AudioFileError
from neuralamp.wave_chunks import Chunk

INTEGER_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "ALAC_16": 16, "ALAC_20": 20, "ALAC_24": 24}
"""libsndfile's codings that hold whole numbers, and lose nothing of them: what is louder than full scale is cut."""
FLOATS = ("FLOAT", "DOUBLE")
MOST_BYTES = {"WAV": 2**32 - 2**20, "WAVEX": 2**32 - 2**20, "AIFF": 2**32 - 2**20}  # their sizes have 32 bits; 1 MiB for the rest


@dataclass(frozen=True)
class AudioFacts:
    """What the head of a sound file says; the names are those of `Audio`."""

    frames: int
    channels: int
    sample_rate: int
    format: str
    subtype: str


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
    with _open(Path(path)) as file:
        try:
            samples = file.read(dtype="float32", always_2d=True).T
        except MemoryError:  # the head of the smallest file may promise any length
            raise AudioFileError(
                f"{path} says that it holds {file.frames} frames of {file.channels} channels, more than there is memory for; "
                "cut the take, or export it again"
            ) from None
        sample_rate, container, subtype = file.samplerate, file.format, file.subtype
    if samples.shape[1] == 0:
        raise AudioFileError(f"{path} holds no sound (0 frames); export the take again")
    return Audio(np.ascontiguousarray(samples), sample_rate, container, subtype)


def look_at_audio(path: Path | str) -> AudioFacts:
    """The head of a sound file, without its sound. Raises AudioFileError for what is no sound."""
    with _open(Path(path)) as file:
        return AudioFacts(file.frames, file.channels, file.samplerate, file.format, file.subtype)


@contextmanager
def _open(path: Path) -> Iterator[soundfile.SoundFile]:
    """A sound file opened for reading; what goes wrong with it is an AudioFileError."""
    try:
        facts = path.stat()
    except OSError as reason:
        state = "not there" if isinstance(reason, FileNotFoundError) else f"not to be had ({reason.strerror})"
        raise AudioFileError(f"{path} is {state}; check the name") from None
    if not stat.S_ISREG(facts.st_mode):  # a pipe would wait for ever, a device may never end
        raise AudioFileError(f"{path} is {'a folder' if stat.S_ISDIR(facts.st_mode) else 'not a file'}; check the name")
    if facts.st_size == 0:
        raise AudioFileError(f"{path} is an empty file (0 bytes); export the take again")
    try:
        # As bytes, where names are bytes: they need not be UTF-8.
        with soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else path) as file:
            yield file
    except (soundfile.LibsndfileError, OSError, ValueError) as reason:
        raise AudioFileError(
            f"{path} cannot be read as sound ({_short(reason)}); give a WAV, FLAC, AIFF or another file of recorded sound"
        ) from None


def write_audio(path: Path | str, audio: Audio, chunks: Sequence[Chunk] = ()) -> None:
    """Write a sound file whole or not at all: a killed writer leaves the old file, or none. The same sound gives the same bytes.

    chunks  what a WAV or RF64 file is to say beside its sound; other containers have no place for it.
    """
    path = Path(path)
    size = audio.samples.size * (INTEGER_BITS.get(audio.subtype, 64 if audio.subtype == "DOUBLE" else 32) // 8)
    if size > MOST_BYTES.get(audio.format, size):
        raise AudioFileError(f"{path} would have {size / 2**30:.1f} GiB; {audio.format} ends at 4: use RF64, or shorter takes")
    with atomic_path(path) as partial:
        try:
            soundfile.write(partial, audio.samples.T, audio.sample_rate, format=audio.format, subtype=audio.subtype)
            wave_chunks.finish(partial, chunks)
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
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    except OSError as reason:
        raise AudioFileError(f"{path} cannot be written ({reason.strerror}); choose another folder") from None
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("r+b") as file:  # Windows flushes only what may be written
            os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def sweep_partials(path: Path) -> None:
    """Remove what a writer of `path` that was killed has left beside it."""
    for partial in path.parent.glob(f".{glob.escape(path.stem)}.????????{glob.escape(path.suffix)}"):
        partial.unlink(missing_ok=True)


def _umask() -> int:
    """This process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _short(reason: Exception) -> str:
    """The last clause of a library's message, without the path that we already name."""
    return str(reason).rstrip(".").rsplit(": ", 1)[-1]
