"""One picture of a capture beside its amp: waves at the loudest and the worst place, spectra, and the error over time."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.signal import welch

from neuralamp.audio import atomic_path
from neuralamp.dsp import measure
from neuralamp.dsp.measure import Segment

AMP, CAPTURE, ERROR = "#1f3a5f", "#f0803c", "#c2185b"
EXCERPT_SECONDS = 0.025  # two periods of the low E: single waves can be told apart
PER_SECOND = 4  # points of the error over time
BEST_ESR, WORST_ESR = 1e-4, 1.0  # the range of the lowest panel: nothing to hear, nothing learned
LOWEST_HZ = 20.0


def draw(path: Path, name: str, played: np.ndarray, amped: np.ndarray, sample_rate: int, worst: Segment) -> None:
    """Draw (frames,) as played by the capture and by the amp into a .png of 1500 x 1100 points."""
    figure = Figure(figsize=(15, 11), dpi=100, layout="constrained")
    figure.suptitle(
        f"{name}   ESR {measure.esr(played, amped):.4f}   level {measure.level_difference_db(played, amped):+.2f} dB", size=16
    )
    panels = figure.subplot_mosaic([["loudest", "worst"], ["spectra", "spectra"], ["time", "time"]])
    frames = round(EXCERPT_SECONDS * sample_rate)
    _waves(panels["loudest"], "the loudest place", played, amped, int(np.argmax(np.abs(amped))), frames, sample_rate)
    error = np.abs(played - amped)[worst.start : worst.start + worst.frames]
    _waves(panels["worst"], "the worst place", played, amped, worst.start + int(np.argmax(error)), frames, sample_rate)
    _spectra(panels["spectra"], played, amped, sample_rate)
    _error_over_time(panels["time"], played, amped, sample_rate, worst)
    with atomic_path(path) as partial:
        FigureCanvasAgg(figure).print_png(str(partial))


def _waves(axis: Axes, title: str, played: np.ndarray, amped: np.ndarray, centre: int, frames: int, sample_rate: int) -> None:
    """Amp, capture and their difference over `frames` around `centre`."""
    start = min(max(centre - frames // 2, 0), max(len(amped) - frames, 0))
    part = slice(start, start + frames)
    ms = 1e3 * np.arange(len(amped[part])) / sample_rate
    axis.fill_between(ms, played[part] - amped[part], color=ERROR, alpha=0.5, label="error", linewidth=0)
    axis.plot(ms, amped[part], color=AMP, linewidth=2.4, label="amp")
    axis.plot(ms, played[part], color=CAPTURE, linewidth=1.2, label="capture")
    axis.set(title=f"{title}, at {start / sample_rate:.2f} s", xlabel="ms", ylabel="full scale", xlim=(ms[0], ms[-1]))
    axis.grid(alpha=0.25)
    axis.legend(loc="upper right", ncols=3)


def _spectra(axis: Axes, played: np.ndarray, amped: np.ndarray, sample_rate: int) -> None:
    """Where in the spectrum the amp, the capture and their difference have their power, in dB under the amp's peak."""
    takes = {"amp": (amped, AMP), "capture": (played, CAPTURE), "error": (played - amped, ERROR)}
    power = {name: welch(take, sample_rate, nperseg=min(8192, len(take))) for name, (take, _) in takes.items()}
    top = max(float(np.max(power["amp"][1])), np.finfo(np.float32).tiny)
    for name, (hz, density) in power.items():
        axis.plot(hz, 10.0 * np.log10(density / top + 1e-14), color=takes[name][1], linewidth=1.4, label=name)
    axis.set(title="spectrum", xlabel="Hz", ylabel="dB", xscale="log", xlim=(LOWEST_HZ, sample_rate / 2), ylim=(-110, 5))
    axis.grid(alpha=0.25, which="both")
    axis.legend(loc="lower left", ncols=3)


def _error_over_time(axis: Axes, played: np.ndarray, amped: np.ndarray, sample_rate: int, worst: Segment) -> None:
    """The error-to-signal ratio of each quarter second that sounds; the amp's loudness behind it."""
    frames = max(sample_rate // PER_SECOND, 1)
    count = max(len(amped) // frames, 1)
    pieces = [np.array_split(take[: count * frames], count) for take in (played, amped)]
    energy = np.array([float(np.sum(np.square(t, dtype=np.float64))) for t in pieces[1]])
    error = np.array([float(np.sum(np.square(p - t, dtype=np.float64))) for p, t in zip(*pieces, strict=True)])
    sounds = energy > 1e-3 * energy.mean()  # 30 dB under the take, as measure.worst_segment judges
    seconds = (np.arange(count) + 0.5) * frames / sample_rate
    ratio = np.where(sounds, error / np.where(sounds, energy, 1.0), np.nan)
    loudness = np.sqrt(energy / energy.max())
    axis.fill_between(seconds, BEST_ESR, BEST_ESR * (WORST_ESR / BEST_ESR) ** loudness, color=AMP, alpha=0.12, linewidth=0)
    axis.plot(seconds, ratio, color=ERROR, marker=".", linewidth=1.2, label="ESR of each quarter second")
    axis.axhline(measure.esr(played, amped), color=CAPTURE, linestyle="--", label="ESR of the take")
    axis.axvspan(worst.start / sample_rate, (worst.start + worst.frames) / sample_rate, color=ERROR, alpha=0.15, label="worst")
    axis.set(title="error over time, the amp's loudness behind it", xlabel="s", ylabel="ESR", yscale="log")
    axis.set(xlim=(0.0, len(amped) / sample_rate), ylim=(BEST_ESR, WORST_ESR))
    axis.grid(alpha=0.25)
    axis.legend(loc="lower right", ncols=3)
