"""One take through one rig: read, played, made to fit its file, written."""

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from neuralamp.audio import FLOATS, INTEGER_BITS, Audio, AudioFacts, read_audio, write_audio
from neuralamp.engine import render
from neuralamp.errors import NeuralAmpError, ReampError
from neuralamp.messages import read_events
from neuralamp.rig import Rig
from neuralamp.setlist import Song
from neuralamp.units import gain_to_db
from neuralamp.wave_chunks import missing_share, read_chunks

CLIP_MODES = ("scale", "refuse")
WAVE_FORMATS = ("WAV", "WAVEX", "RF64")


@dataclass(frozen=True)
class Settings:
    """How takes are rendered and written.

    tail_seconds  of what rings on behind the end of the take; None is as long as the rig may ring on.
    clip          "scale" makes a take quieter that its integer file could not hold, "refuse" fails it.
    events        a file of messages at frames of the take (see messages.py): knobs, switches, snapshots, changes of rig.
    songs         the set list for those that change the rig; the rig that is played is its first.
    """

    tail_seconds: float | None = 0.0
    clip: str = "scale"
    events: Path | None = None
    songs: tuple[Song, ...] = ()

    def __post_init__(self):
        if self.tail_seconds is not None and not 0.0 <= self.tail_seconds <= 3600.0:
            raise ReampError(f"a tail of {self.tail_seconds:g} s is not possible; give 0 to 3600 seconds, or auto")
        if self.clip not in CLIP_MODES:
            raise ReampError(f"clip = {self.clip!r} is unknown; it is one of: {', '.join(CLIP_MODES)}")


@dataclass(frozen=True)
class Job:
    """One take, the number of the rig that it goes through, and where the sound is written."""

    input: Path
    rig: int
    output: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a job: one line of `error` where it failed.

    input_digest  of the file that was played.
    seconds       of sound that was written, in `cpu_seconds` of one core.
    """

    input_digest: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    error: str = ""


def file_digest(path: Path) -> str:
    """sha256 of what a file holds."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def output_container(facts: AudioFacts) -> tuple[str, str] | None:
    """The format and subtype that the output keeps; None where the input's loses sound, and the output is a 24-bit WAV."""
    lossless = facts.subtype in INTEGER_BITS or facts.subtype in FLOATS
    return (facts.format, facts.subtype) if lossless and soundfile.check_format(facts.format, facts.subtype) else None


def play_job(job: Job, rig: Rig, settings: Settings, begin: Callable[[], None], report: Callable[[float], None]) -> Outcome:
    """Do a job; whatever goes wrong with it is in the outcome.

    begin   is called before the first byte is written.
    report  hears the share of the take that has been played.
    """
    started = time.thread_time()
    try:
        audio, warnings = _play(job, rig, settings, report)
        digest = file_digest(job.input)
        chunks = read_chunks(job.input) if audio.format in WAVE_FORMATS else []
        begin()
        write_audio(job.output, audio, chunks)
    except NeuralAmpError as reason:
        return Outcome(error=str(reason))
    except Exception as reason:  # noqa: BLE001  one bad take must not stop the rest, whatever is bad about it
        return Outcome(error=f"{job.input} failed: {type(reason).__name__}: {' '.join(str(reason).split())}")
    return Outcome(digest, audio.seconds, time.thread_time() - started, tuple(warnings))


def _play(job: Job, rig: Rig, settings: Settings, report: Callable[[float], None]) -> tuple[Audio, list[str]]:
    """What is to be written, and what should be said about it."""
    take, warnings = read_audio(job.input), []
    if missing := missing_share(job.input):
        warnings.append(f"{job.input.name} was cut short: {100 * missing:.0f} % of its sound is missing")
    if take.channels > 2:
        raise ReampError(f"{job.input} has {take.channels} channels; a rig plays 1 or 2, so export them one by one")
    if not np.isfinite(take.samples).all():
        raise ReampError(f"{job.input} holds values that are no numbers (NaN or infinite); export the take again")
    tail = None if settings.tail_seconds is None else round(settings.tail_seconds * take.sample_rate)
    events = read_events(settings.events, take.sample_rate) if settings.events else ()
    y = render(rig, take.samples, take.sample_rate, events, tail_frames=tail, report=report, songs=settings.songs)
    if not np.isfinite(y).all():
        at = np.argmin(np.isfinite(y).all(axis=0)) / take.sample_rate
        raise ReampError(f"{rig.name} gave values that are no numbers from {at:.3f} s of {job.input} on; turn its gain down")
    facts = AudioFacts(take.frames, take.channels, take.sample_rate, take.format, take.subtype)
    container = output_container(facts)
    if container is None:
        container = ("WAV", "PCM_24")
        warnings.append(f"{job.input.name} is {take.subtype}, which loses sound; the output is a 24-bit WAV")
    scaled, gain_db = _fit(y, container[1])
    if gain_db:
        bits = INTEGER_BITS[container[1]]
        if settings.clip == "refuse":
            raise ReampError(
                f"{job.input} through {rig.name} is {-gain_db:.2f} dB too loud for {bits} bits; "
                "turn the rig down, give a float file, or let --clip scale make it quieter"
            )
        warnings.append(f"made {-gain_db:.2f} dB quieter, else it would clip in {bits} bits")
    return replace(take, samples=scaled, format=container[0], subtype=container[1]), warnings


def _fit(y: np.ndarray, subtype: str) -> tuple[np.ndarray, float]:
    """The sound as loud as its coding can hold, and by how many dB it had to change: 0 or less."""
    if subtype not in INTEGER_BITS:
        return y, 0.0
    top = float(np.float32(1.0 - 2.0 ** (1 - INTEGER_BITS[subtype])))  # the largest number: one step below full scale
    over = max(float(y.max()) / top, -float(y.min()))
    if over <= 1.0:
        return y, 0.0
    return y * np.float32(1.0 / over), min(-gain_to_db(over), -math.ulp(0.0))
