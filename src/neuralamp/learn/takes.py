"""One take by itself: which channel counts, and whether it is long, loud and clean enough to learn from."""

from typing import Literal

import numpy as np

from neuralamp.audio import Audio
from neuralamp.dsp import measure
from neuralamp.learn.findings import LEVEL_FRAMES_MS, SILENT_DB, Finding, Level, levels_db

Channel = Literal["left", "right", "mix"]

SHORTEST_SECONDS = 3.0
"""Under this the latency is not found with certainty (of real 2 s pieces a third failed), and there is little to
learn."""


def one_channel(take: Audio, name: str, channel: Channel | None) -> tuple[np.ndarray, list[Finding]]:
    """The (frames,) that count of a take, and what there is to say about the choice."""
    samples = take.samples
    if take.channels == 1:
        return samples[0], []
    count = float(take.channels)
    if channel == "mix":
        mixed = samples.mean(axis=0, dtype=np.float32)
        return mixed, [Finding("stereo", "note", count, "channels", f"{name} is stereo; its channels were mixed, as asked")]
    if channel is not None:
        picked = samples[0 if channel == "left" else 1]
        return picked, [
            Finding("stereo", "note", count, "channels", f"{name} is stereo; its {channel} channel was taken, as asked")
        ]
    energy = np.array([np.vdot(row, row) for row in samples])
    loudest = int(np.argmax(energy))
    side = ("left", "right")[loudest] if take.channels == 2 else f"number {loudest + 1}"
    # 60 dB: a dithered copy is still a copy, and what leaks into an unused input is still silence.
    if all(np.vdot(row - samples[0], row - samples[0]) <= 1e-6 * energy[0] for row in samples):
        return samples[0], [Finding("stereo", "note", count, "channels", f"{name} is stereo with equal sides; left was taken")]
    if np.sum(energy > 1e-6 * energy[loudest]) == 1:
        text = f"{name} is stereo with sound on one side only; the {side} one was taken"
        return samples[loudest], [Finding("stereo", "note", count, "channels", text)]
    text = (
        f"{name} is stereo and its sides differ; the louder one ({side}) was taken: "
        "say which one to learn with --channel left, --channel right or --channel mix"
    )
    return samples[loudest], [Finding("stereo", "warning", count, "channels", text)]


def length(take: np.ndarray, name: str, sample_rate: int) -> list[Finding]:
    """A stop for a take too short to align and learn from."""
    seconds = len(take) / sample_rate
    if seconds >= SHORTEST_SECONDS:
        return []
    text = f"{name} lasts {seconds:.2f} s; record at least {SHORTEST_SECONDS:.0f} s, better two minutes"
    return [Finding("length", "stop", seconds, "s", text)]


def clipping(take: np.ndarray, name: str, at_full_scale_only: bool) -> list[Finding]:
    """Flat tops: three or more equal samples at the take's own highest or lowest value, in at least three places.

    An amp's flat top is never flat to the last bit, a converter's is. A simulated amp may clip exactly: for the amped
    take only a top within 0.2 dB of full scale counts (`at_full_scale_only`).
    """
    clipped = places = 0
    for top in (take.max(), take.min()):
        if abs(top) < 1e-3 or (at_full_scale_only and abs(top) < 0.977):
            continue
        edges = np.diff(np.concatenate([[0], (take == top).astype(np.int8), [0]]))
        lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
        clipped += int(lengths[lengths >= 3].sum())
        places += int(np.sum(lengths >= 3))
    if places < 3:
        return []
    share = clipped / len(take)
    # One frame in ten thousand is a handful of pick attacks; more of them teach the net the converter's edge.
    level: Level = "warning" if share > 1e-4 else "note"
    text = f"{name} clips: {clipped} frames in {places} places stand at its edge; record it again with less gain"
    return [Finding("clipping", level, float(clipped), "frames", text)]


def dc_offset(take: np.ndarray, name: str) -> list[Finding]:
    """A mean beside zero. Uneven distortion makes some: a real amp may reach 0.02 of full scale without a fault."""
    mean = float(np.mean(take, dtype=np.float64))
    if abs(mean) < 0.002:
        return []
    level: Level = "warning" if abs(mean) > 0.04 else "note"
    advice = "put a high-pass of 10 Hz on it or record it again" if level == "warning" else "nothing needs doing"
    return [Finding("dc_offset", level, mean, "full scale", f"{name} has a DC offset of {mean:+.3f} of full scale; {advice}")]


def silence(take: np.ndarray, name: str, sample_rate: int) -> list[Finding]:
    """The share of the take under -60 dBFS: more than half is worth a warning, less than a second of sound stops."""
    levels = levels_db(take, round(LEVEL_FRAMES_MS * 1e-3 * sample_rate))
    share = float(np.mean(levels < SILENT_DB))
    sounding = (1.0 - share) * len(take) / sample_rate
    peak = max(measure.peak_db(take), -180.0)
    state = f"{name} is silent for {100 * share:.0f} % of its length (peak {peak:.0f} dBFS)"
    if sounding < 1.0:
        return [
            Finding(
                "silence",
                "stop",
                share,
                "of the take",
                f"{state}; check the cable, the input and the track that was exported",
            )
        ]
    if share > 0.5:
        return [
            Finding(
                "silence",
                "warning",
                share,
                "of the take",
                f"{state}; cut the pauses out of both takes alike, or play on",
            )
        ]
    return []
