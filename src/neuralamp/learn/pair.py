"""A pair: two takes of one performance, direct and amped, laid frame on frame and looked over before learning."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neuralamp.audio import Audio, read_audio, resample
from neuralamp.errors import PairError
from neuralamp.learn.alignment import Alignment, align
from neuralamp.learn.findings import (
    LEVEL_FRAMES_MS,
    SILENT_DB,
    Finding,
    lengths,
    levels_db,
    noise_and_hum,
    relation,
    swapped,
)
from neuralamp.learn.takes import Channel, clipping, dc_offset, length, one_channel, silence

HELD_OUT_SHARE, HELD_OUT_SECONDS = 0.1, 20.0


@dataclass(frozen=True, eq=False)
class Pair:
    """A direct take and its amped take, frame on frame.

    di, amped       (frames,) float32, equally long; the amped one moved and turned to the direct one.
    sample_rate     in hertz, of both.
    start_frame     the frame of the direct file (after any resampling) where both begin.
    latency_frames  by which the amped file was late and has been moved; negative when it was early.
    polarity        +1, or -1 where the amped file was inverted and has been turned round.
    findings        what was seen, in the order in which it was looked for; no "stop" among them.
    held_out        the contiguous frames that training never touches, of about the take's own loudness.
    """

    di: np.ndarray
    amped: np.ndarray
    sample_rate: int
    start_frame: int
    latency_frames: int
    polarity: int
    findings: tuple[Finding, ...]
    held_out: slice

    @property
    def frames(self) -> int:
        return len(self.di)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that will be heard in a capture."""
        return tuple(finding for finding in self.findings if finding.level == "warning")

    @property
    def fingerprint(self) -> str:
        """sha256 of the sample rate and both aligned takes: a checkpoint of another pair is told by it."""
        digest = hashlib.sha256(f"{self.sample_rate} {self.frames}".encode())
        digest.update(np.ascontiguousarray(self.di, "<f4").data)
        digest.update(np.ascontiguousarray(self.amped, "<f4").data)
        return digest.hexdigest()

    def train_parts(self, context_frames: int) -> tuple[slice, ...]:
        """The stretches before and after the held-out part that are longer than `context_frames`, a net's warm-up.

        A segment taken inside one stretch, its context included, never touches a held-out frame; evaluated on
        `di[held_out]` alone, a net never hears a training frame. Raises PairError where no stretch is long enough.
        """
        parts = (slice(0, self.held_out.start), slice(self.held_out.stop, self.frames))
        usable = tuple(part for part in parts if part.stop - part.start > context_frames)
        if not usable:
            raise PairError(
                f"the pair is {self.frames / self.sample_rate:.1f} s long but the net listens back over "
                f"{context_frames / self.sample_rate:.1f} s; record a longer take or choose a smaller net"
            )
        return usable


def open_pair(
    di_path: Path | str,
    amped_path: Path | str,
    *,
    resample: float | None = None,
    channel: Channel | None = None,
    latency: int | None = None,
) -> Pair:
    """Two sound files made into a pair; see `make_pair`. Raises AudioFileError for what is no sound."""
    di_path, amped_path = Path(di_path), Path(amped_path)
    names = (di_path.name, amped_path.name)
    if names[0] == names[1]:
        names = (str(di_path), str(amped_path))
    return make_pair(read_audio(di_path), read_audio(amped_path), names=names, to_rate=resample, channel=channel, latency=latency)


def make_pair(
    di: Audio,
    amped: Audio,
    *,
    names: tuple[str, str] = ("the direct take", "the amped take"),
    to_rate: float | None = None,
    channel: Channel | None = None,
    latency: int | None = None,
) -> Pair:
    """Align two takes of one performance and look them over.

    to_rate  resamples both to this many hertz. Without it, takes of different rates are refused.
    channel  which side of a stereo take counts; without it the louder one, with a warning where the sides differ.
    latency  frames by which the amped take is late, where that is known better than it can be found.

    Raises PairError, with every reason found so far, where training would be pointless.
    """
    if to_rate is not None and not 8000 <= to_rate <= 384000:
        raise PairError(f"--resample {to_rate:g} is no sample rate for a guitar; choose one from 8000 to 384000 Hz")
    findings: list[Finding] = []
    takes = []
    for take, name in zip((di, amped), names, strict=True):
        mono, remarks = one_channel(take, name, channel)
        findings += remarks
        takes.append(mono)
    if not all(np.isfinite(take).all() for take in takes):
        bad = " and ".join(name for take, name in zip(takes, names, strict=True) if not np.isfinite(take).all())
        raise PairError(f"{bad} holds values that are no numbers (NaN or infinite); export the take again")
    if to_rate is None and di.sample_rate != amped.sample_rate:
        raise PairError(
            f"{names[0]} runs at {di.sample_rate} Hz but {names[1]} at {amped.sample_rate} Hz; "
            f"export both at one rate, or add --resample {max(di.sample_rate, amped.sample_rate)}"
        )
    sample_rate = di.sample_rate if to_rate is None else round(to_rate)
    for k, (take, name) in enumerate(zip((di, amped), names, strict=True)):
        # Before resampling, which rounds the flat tops off.
        findings += clipping(takes[k], name, at_full_scale_only=k == 1)
        if take.sample_rate != sample_rate:
            takes[k] = resample(takes[k][None], take.sample_rate, sample_rate)[0]
            text = f"{name} was resampled from {take.sample_rate} to {sample_rate} Hz, as asked"
            findings.append(Finding("sample_rate", "note", float(take.sample_rate), "Hz", text))
        findings += length(takes[k], name, sample_rate) or silence(takes[k], name, sample_rate)
        findings += dc_offset(takes[k], name)
    _stop(findings)
    if len(takes[0]) != len(takes[1]):
        findings.append(lengths(takes[0], takes[1], names, sample_rate))
    alignment = align(takes[0], takes[1], sample_rate)
    if latency is not None:
        alignment = replace(alignment, latency_frames=latency)
    findings += relation(alignment, takes[0], takes[1], names, sample_rate)
    _stop(findings)
    start, x, y = _common_stretch(takes[0], takes[1], alignment)
    findings += length(x, "what both takes have in common", sample_rate)
    _stop(findings)
    if np.array_equal(x, y):
        raise PairError(f"{names[0]} and {names[1]} hold the very same sound; give the direct take first, the amped second")
    findings += noise_and_hum(x, y, names, sample_rate)
    findings += swapped(x, y, names, sample_rate)
    return Pair(
        di=x,
        amped=y,
        sample_rate=sample_rate,
        start_frame=start,
        latency_frames=alignment.latency_frames,
        polarity=alignment.polarity,
        findings=tuple(findings),
        held_out=_held_out(x, y, sample_rate),
    )


def _stop(findings: list[Finding]) -> None:
    """Raise PairError where a finding makes training pointless, with all such findings in one line."""
    reasons = [finding.text for finding in findings if finding.level == "stop"]
    if reasons:
        raise PairError("; also, ".join(reasons))


def _common_stretch(di: np.ndarray, amped: np.ndarray, found: Alignment) -> tuple[int, np.ndarray, np.ndarray]:
    """Where the direct take starts, and both takes (frames,) cut to what they share, the amped one turned to +1."""
    start = max(0, -found.latency_frames)
    late = max(0, found.latency_frames)
    frames = max(0, min(len(di) - start, len(amped) - late))
    # Copies: the files' own arrays may be large and are let go.
    y = amped[late : late + frames].astype(np.float32)
    return start, di[start : start + frames].astype(np.float32), -y if found.polarity < 0 else y


def _held_out(di: np.ndarray, amped: np.ndarray, sample_rate: int) -> slice:
    """A tenth of the take, 20 s at most, whose levels are spread most like the whole take's; the first of equals.

    Compared are five quantiles of the level of 50 ms, in both takes, nothing under -60 dBFS told apart.
    """
    block = round(LEVEL_FRAMES_MS * 1e-3 * sample_rate)
    levels = [np.maximum(levels_db(take, block), SILENT_DB) for take in (di, amped)]
    blocks = len(levels[0])
    wanted = max(1, round(min(HELD_OUT_SHARE * blocks, HELD_OUT_SECONDS * sample_rate / block)))
    at = (0.1, 0.3, 0.5, 0.7, 0.95)
    whole = [np.quantile(level, at) for level in levels]

    def unlikeness(start: int) -> float:
        window = [np.quantile(level[start : start + wanted], at) for level in levels]
        return float(sum(np.abs(mine - all_).sum() for mine, all_ in zip(window, whole, strict=True)))

    best = min(range(0, blocks - wanted + 1, max(1, wanted // 8)), key=unlikeness)
    return slice(best * block, (best + wanted) * block)
