"""The reference amp: two triodes, a tone stack and a power stage that sags, from textbook equations.

An amp whose every part is known: it makes the pair of the demo and the first capture on the shelf. It stands for a
small crunch amp of the 1960s and copies no schematic. On the way of the signal, in volts
(full scale at the input is 1 V):

input      high-pass of 22 nF into 1 Mohm; low-pass of 68 kohm against 150 pF, the Miller capacitance of a triode
triode 1   `TriodeStage`: 36.6 dB, soft on one side
coupling   high-pass of 2.2 nF into 680 kohm (106 Hz: tight lows); a divider to a quarter; the drive potentiometer with
           its audio taper; low-pass of 220 kohm against 150 pF
triode 2   `TriodeStage` behind those 220 kohm: crunches, with even harmonics
coupling   high-pass of 22 nF into 1 Mohm
stack      `tone_stack`, driven by a follower
power      y = s tanh(u / s), s = 1 - SAG p, where p is |tanh u| through a one-pole of 60 ms: the supply drops
           under load and recovers (p is taken before the drop: no loop, an error of the second order in SAG)
output     transformer: high-pass at 60 Hz, low-pass at 9 kHz; no DC passes

Sources: J. Pakarinen and D. T. Yeh, "A Review of Digital Techniques for Modeling Vacuum-Tube Guitar Amplifiers",
Computer Music Journal 33(2), 2009, for the topology; the curves' and the stack's are named in their files.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.signal import bilinear, firwin, lfilter, minimum_phase, upfirdn

from neuralamp.learn.signals import tone_stack
from neuralamp.learn.signals.triode import TriodeStage
from neuralamp.units import time_coefficient

OVERSAMPLING = 8
TAPS_FRAMES = 32  # length of a resampling filter: long enough to fall 80 dB from 18 to 25 kHz at 48 kHz
CUTOFF = 0.45  # of the sample rate, in the middle of that fall
LATE_FRAMES = 5  # the amp's answer to a click, at most a ninth of its peak before its own frame
CHUNK_FRAMES = 1 << 15  # worked on at once: memory stays the same for a minute and for an hour
DIVIDER = 0.25  # 220 kohm under 680 kohm
POWER_V = 20.0  # at the grids of the power stage, where tanh bends
SAG = 0.3  # of the supply is lost at full load
SAG_MS = 60.0
OUTPUT = 0.5  # a high-pass at most doubles a signal bounded by 1, so nothing passes full scale

Stage = Callable[[np.ndarray], np.ndarray]  # a chunk in, the next chunk out; what it remembers is its own


def crunch_amp(
    x: np.ndarray,
    sample_rate: int,
    drive: float = 0.75,
    treble: float = 0.6,
    middle: float = 0.5,
    bass: float = 0.4,
) -> np.ndarray:
    """A direct guitar through the amp, (frames,) float32 in and out, at most full scale, no latency, polarity kept.

    drive, treble, middle, bass  as the knobs turn, 0 to 1.

    Works at eight times the sample rate, between two resampling filters of minimum phase: nothing rings before an
    attack. Their delay is taken off again in whole frames, so that the amp's answer begins on the frame of the pick.
    No noise: the same take always gives the same sound. Distortion between 24 and 25 kHz (at 48 kHz) folds back above
    23 kHz; all other aliases of a loud 5 kHz tone stay 120 dB under it, 60 dB at full drive.
    """
    path = _path(sample_rate * OVERSAMPLING, drive, treble, middle, bass)
    padded = np.concatenate([x.astype(np.float64), np.zeros(LATE_FRAMES)])
    played = []
    for start in range(0, len(padded), CHUNK_FRAMES):
        chunk = padded[start : start + CHUNK_FRAMES]
        for stage in path:
            chunk = stage(chunk)
        played.append(chunk.astype(np.float32))
    return np.concatenate(played)[LATE_FRAMES:]


def _path(rate: int, drive: float, treble: float, middle: float, bass: float) -> list[Stage]:
    """The stages in the order of the signal, at `rate`, fresh."""
    audio_taper = (10.0 ** (2.0 * drive) - 1.0) / 99.0
    return [
        _Upsampler(),
        _Filter(*_high_pass(1.0 / (math.tau * 22e-9 * 1e6), rate)),
        _Filter(*_low_pass(1.0 / (math.tau * 68e3 * 150e-12), rate)),
        _triode(TriodeStage()),
        _Filter(*_high_pass(1.0 / (math.tau * 2.2e-9 * 680e3), rate)),
        _gain(DIVIDER * audio_taper),
        _Filter(*_low_pass(1.0 / (math.tau * 220e3 * 150e-12), rate)),
        _triode(TriodeStage(grid_ohm=220e3)),
        _Filter(*_high_pass(1.0 / (math.tau * 22e-9 * 1e6), rate)),
        _Filter(*tone_stack.digital(treble, middle, bass, rate)),
        _gain(1.0 / POWER_V),
        _PowerStage(rate),
        _Filter(*_high_pass(60.0, rate)),
        _Filter(*_low_pass(9000.0, rate)),
        _gain(OUTPUT),
        _Downsampler(),
    ]


class _Filter:
    """A linear filter that goes on where it stopped."""

    def __init__(self, numerator: np.ndarray, denominator: np.ndarray) -> None:
        self.numerator, self.denominator = numerator, denominator
        self.state = np.zeros(max(len(numerator), len(denominator)) - 1)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        y, self.state = lfilter(self.numerator, self.denominator, x, zi=self.state)
        return y


class _PowerStage:
    """Two tubes in push-pull on a supply that drops under load; the equation stands above."""

    def __init__(self, rate: float) -> None:
        a = time_coefficient(SAG_MS, rate)
        self.load = _Filter(np.array([a]), np.array([1.0, a - 1.0]))

    def __call__(self, u: np.ndarray) -> np.ndarray:
        supply = 1.0 - SAG * self.load(np.abs(np.tanh(u)))
        return supply * np.tanh(u / supply)


class _Upsampler:
    """OVERSAMPLING times the frames."""

    def __init__(self) -> None:
        self.before = np.zeros(TAPS_FRAMES)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        heard = np.concatenate([self.before, x])
        self.before = heard[len(x) :]
        y = upfirdn(OVERSAMPLING * _resampling_filter(), heard, up=OVERSAMPLING)
        return y[OVERSAMPLING * TAPS_FRAMES :][: OVERSAMPLING * len(x)]


class _Downsampler:
    """One frame of OVERSAMPLING."""

    def __init__(self) -> None:
        self.before = np.zeros(TAPS_FRAMES * OVERSAMPLING)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        heard = np.concatenate([self.before, x])
        self.before = heard[len(x) :]
        y = upfirdn(_resampling_filter(), heard, down=OVERSAMPLING)
        return y[TAPS_FRAMES:][: len(x) // OVERSAMPLING]


@cache
def _resampling_filter() -> np.ndarray:
    """A Kaiser-windowed sinc, half amplitude at CUTOFF, its energy moved to its beginning."""
    sinc = firwin(TAPS_FRAMES * OVERSAMPLING + 1, 2.0 * CUTOFF / OVERSAMPLING, window=("kaiser", 8.0))
    return minimum_phase(sinc, n_fft=1 << 15, half=False)


def _triode(stage: TriodeStage) -> Stage:
    curve = stage.curve()
    return lambda x: np.interp(x, *curve)


def _gain(gain: float) -> Stage:
    return lambda x: gain * x


def _high_pass(frequency_hz: float, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """A capacitor into a resistor: s / (s + w), bilinear."""
    return bilinear([1.0, 0.0], [1.0, math.tau * frequency_hz], fs=rate)


def _low_pass(frequency_hz: float, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """A resistor into a capacitor: w / (s + w), bilinear."""
    return bilinear([math.tau * frequency_hz], [1.0, math.tau * frequency_hz], fs=rate)
