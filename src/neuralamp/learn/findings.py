"""What a careful engineer would say about two takes before learning from them: a name, a number, what to do."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import fft, signal

from neuralamp.learn.alignment import MOST_DRIFT, SEARCH_SECONDS, Alignment, mislabelled

Level = Literal["note", "warning", "stop"]

LEVEL_FRAMES_MS = 50.0
SILENT_DB = -60.0
"""Level of 50 ms under which nothing is played: an electric guitar's quietest notes on a usable take stay 10 dB
above."""
QUIET_DB = 20.0
"""By this much a stretch lies under the loud ones (95th percentile) to show noise and hum rather than playing."""

DRIFT_WARNING_FRAMES, DRIFT_STOP_FRAMES = 2.0, 10.0
"""Two frames over the take are at most one frame off, a sixth of a turn at 8 kHz; ten put all treble out of step."""


@dataclass(frozen=True)
class Finding:
    """One remark on a pair.

    name    a fixed word for machines: "latency", "polarity", "clipping", ...
    level   "note" is worth knowing, "warning" will be heard in the capture, "stop" makes training pointless.
    number  in `unit`.
    text    what is, and what to do, for a person; names the file.
    """

    name: str
    level: Level
    number: float
    unit: str
    text: str


def levels_db(take: np.ndarray, frames: int) -> np.ndarray:
    """RMS level in dBFS of each whole stretch of `frames`, -180 for digital silence. take: (frames,)."""
    blocks = take[: len(take) // frames * frames].reshape(-1, frames).astype(np.float64)
    return 10.0 * np.log10(np.maximum(np.mean(blocks**2, axis=1), 1e-18))


def lengths(di: np.ndarray, amped: np.ndarray, names: tuple[str, str], sample_rate: int) -> Finding:
    """The note that one take is longer."""
    more = len(amped) - len(di)
    text = (
        f"{names[1]} is {abs(more)} frames ({1e3 * abs(more) / sample_rate:.1f} ms) "
        f"{'longer' if more > 0 else 'shorter'} than {names[0]}; both were trimmed to what they have in common"
    )
    return Finding("lengths", "note", float(more), "frames", text)


def relation(found: Alignment, di: np.ndarray, amped: np.ndarray, names: tuple[str, str], sample_rate: int) -> list[Finding]:
    """Latency, polarity, drift; or that the takes do not belong together, and the wrong sample rate that may be why."""
    if not found.related:
        return [_unrelated(found, di, amped, names, sample_rate)]
    findings = []
    frames = found.latency_frames
    if frames:
        text = (
            f"{names[1]} is {abs(frames)} frames ({1e3 * abs(frames) / sample_rate:.2f} ms) "
            f"{'late' if frames > 0 else 'early'}; it was moved so that the amp answers at once"
        )
        findings.append(Finding("latency", "note", float(frames), "frames", text))
    if found.polarity < 0:
        text = f"{names[1]} is of opposite polarity (some amps invert); it was turned round"
        findings.append(Finding("polarity", "note", -1.0, "sign", text))
    total = abs(found.drift_frames)
    if total >= DRIFT_WARNING_FRAMES:
        text = (
            f"{names[1]} drifts by {found.drift_ppm:+.2f} ppm against {names[0]}, {total:.1f} frames over the take; "
            "record both on one interface, or lock the clocks of both"
        )
        level: Level = "stop" if total >= DRIFT_STOP_FRAMES else "warning"
        findings.append(Finding("drift", level, found.drift_ppm, "ppm", text))
    return findings


def _unrelated(found: Alignment, di: np.ndarray, amped: np.ndarray, names: tuple[str, str], sample_rate: int) -> Finding:
    """The stop for takes that do not fit: of a wrong rate in one header, or of different performances."""
    wrong = mislabelled(di, amped, sample_rate)
    if wrong is not None:
        name, rate = names[wrong[0] == "amped"], wrong[1]
        text = (
            f"{name} says {sample_rate} Hz in its header but was recorded at {rate} Hz: "
            f"only so does it fit the other take; correct the header, or export it again at {sample_rate} Hz"
        )
        return Finding("sample_rate", "stop", float(rate), "Hz", text)
    text = (
        f"{names[0]} and {names[1]} do not belong together: only {100 * found.agreement:.0f} % of the loud moments "
        f"agree on one latency within {SEARCH_SECONDS:.0f} s and a drift of {MOST_DRIFT * 1e6:.0f} ppm; "
        "give two takes of one performance, cut to start together"
    )
    return Finding("relation", "stop", found.agreement, "of the loud moments", text)


def noise_and_hum(di: np.ndarray, amped: np.ndarray, names: tuple[str, str], sample_rate: int) -> list[Finding]:
    """Noise floor and mains hum of both takes where the direct one is quiet; nothing where the player never pauses.

    Hum counts when at least two of the first six multiples of 50 or 60 Hz stand 15 dB out of their surroundings.
    """
    frames = sample_rate // 2
    levels = levels_db(di, frames)
    quiet = np.flatnonzero(levels < np.quantile(levels, 0.95) - QUIET_DB)
    if len(quiet) < 3:
        return []
    # The quietest twentieth, but not the digital silence of an edit where something else is to be had.
    live = quiet[levels[quiet] > -150.0]
    quiet = live if len(live) >= 3 else quiet
    quiet = quiet[np.argsort(levels[quiet], kind="stable")][: max(3, len(levels) // 20)]
    found = []
    for take, name in zip((di, amped), names, strict=True):
        own = levels_db(take, frames)
        # The least of them: a steady floor is under every stretch, the tail of a note only under some.
        floor, loud = float(own[quiet].min()), float(np.quantile(own, 0.95))
        level: Level = "warning" if loud - floor < 20.0 else "note"
        advice = (
            "find the source or use a quieter input: the capture cannot learn noise"
            if level == "warning"
            else "nothing needs doing"
        )
        text = f"{name} has a noise floor of {floor:.0f} dBFS, {loud - floor:.0f} dB under its loud parts; {advice}"
        found.append(Finding("noise_floor", level, floor, "dBFS", text))
        stretches = np.stack([take[k * frames : (k + 1) * frames] for k in quiet])
        for mains in (50, 60):
            hum = _hum_db(stretches, mains, sample_rate)
            if hum is not None and loud - hum < 50.0:
                level = "warning" if loud - hum < 30.0 else "note"
                text = (
                    f"{name} hums at {mains} Hz and its multiples, {hum:.0f} dBFS in the pauses; "
                    "look for ground loops, lamps and long cables"
                )
                found.append(Finding("hum", level, hum, "dBFS", text))
    return found


def _hum_db(stretches: np.ndarray, mains: int, sample_rate: int) -> float | None:
    """Level of the first six multiples of `mains` in `stretches` (count, frames), None where they do not stand out."""
    frames = stretches.shape[1]
    window = np.hanning(frames)
    power = np.median(np.abs(fft.rfft(stretches * window, axis=1)) ** 2, axis=0) * (2.0 / np.sum(window**2) / frames)
    at = np.round(np.arange(1, 7) * mains * frames / sample_rate).astype(int)
    lines = np.array([power[k - 2 : k + 3].sum() for k in at])
    around = np.array([np.median(np.concatenate([power[k - 10 : k - 4], power[k + 5 : k + 11]])) for k in at]) * 5.0
    clear = (lines > 10.0**1.5 * around) & (lines > 1e-12)
    return float(10.0 * np.log10(lines[clear].sum())) if clear.sum() >= 2 else None


def swapped(di: np.ndarray, amped: np.ndarray, names: tuple[str, str], sample_rate: int) -> list[Finding]:
    """A warning when the amped take opens up where the direct one is held down: amps compress, so they look swapped.

    The direct take goes through the best linear filter towards the amped one (which takes out every equaliser and
    cabinet); then the loud 15 dB are compared. Of a linear pair the levels grow 1 dB a dB (measured 0.98 to 1.00) and
    no cubic term is left. Real amps gave 0.24 to 0.96 with a falling cubic term (-0.10 and less), and 1.06 to 2.8 with
    a rising one or a far steeper slope when exchanged.
    """
    part = slice(0, min(len(di), 60 * sample_rate))
    x, y = di[part].astype(np.float64), amped[part].astype(np.float64)
    taps = 4096
    _, cross = signal.csd(x, y, nperseg=taps)
    _, power = signal.welch(x, nperseg=taps)
    response = fft.fftshift(fft.irfft(cross / (power + 1e-6 * power.max()), taps)) * np.hanning(taps)
    linear = signal.oaconvolve(x, response, "same")
    frames = round(LEVEL_FRAMES_MS * 1e-3 * sample_rate)
    before, after = levels_db(linear, frames), levels_db(y, frames)
    loud = (before > np.quantile(before, 0.98) - 15.0) & (after > np.quantile(after, 0.98) - 15.0)
    if loud.sum() < 20 or np.std(before[loud]) == 0.0:
        return []
    slope = float(np.std(after[loud]) / np.std(before[loud]))
    variance = np.mean(linear**2)
    cube = linear**3 - linear * (np.mean(linear**4) / variance)
    cubic = float(np.mean((y - linear) * cube) / np.mean(cube**2) * np.mean(linear**4) / variance)
    if slope < 1.03 or (cubic < 0.03 and slope < 1.5):
        return []
    text = (
        f"{names[1]} has {slope:.2f} dB of dynamics for every dB of {names[0]}, where an amp gives less than 1: "
        "the two look swapped; give the direct take first, the amped one second"
    )
    return [Finding("swapped", "warning", slope, "dB/dB", text)]
