"""What is measured of a reverberation: its answer to one frame, how fast it dies, how dense and how even it is."""

import numpy as np
from scipy.signal import butter, sosfilt
from scipy.special import erfc

from neuralamp.block import Block

OCTAVE = np.sqrt(2.0)  # from the middle of an octave to either edge
GAUSSIAN_FLATNESS = np.exp(-np.euler_gamma)  # 0.561: of a spectrum whose power is that of Gaussian noise, bin by bin


def answer(box: Block, seconds: float, sample_rate: float = 48000.0, channels: int = 1) -> np.ndarray:
    """(2, frames) float64: what the box makes of a single frame of 1 in every channel."""
    x = np.zeros((channels, round(seconds * sample_rate)), np.float32)
    x[:, 0] = 1.0
    return box.prepare(sample_rate, channels, 64).node.play(x, 2).astype(np.float64)


def octave(h: np.ndarray, middle_hz: float, sample_rate: float) -> np.ndarray:
    """One octave of it, or less where half the sample rate cuts it."""
    edges = [middle_hz / OCTAVE, min(middle_hz * OCTAVE, 0.49 * sample_rate)]
    return sosfilt(butter(4, edges, "bandpass", fs=sample_rate, output="sos"), h)


def decay_seconds(h: np.ndarray, sample_rate: float, begin_db: float = -5.0, end_db: float = -35.0) -> float:
    """The time to fall by 60 dB, by a line through the energy still to come (Schroeder), of all channels, between two levels."""
    left = np.cumsum(np.sum(np.square(h), axis=0)[::-1])[::-1]
    db = 10.0 * np.log10(left / left[0] + 1e-30)
    begin, end = np.argmax(db < begin_db), np.argmax(db < end_db)
    return -60.0 / np.polyfit(np.arange(begin, end) / sample_rate, db[begin:end], 1)[0]


def echo_density(h: np.ndarray, at_seconds: float, sample_rate: float) -> float:
    """How many frames of 20 ms stand out by more than the deviation, over how many do in Gaussian noise: 1 is as dense as noise.

    Source: J. S. Abel, P. Huang, "A Simple, Robust Measure of Reverberation Echo Density", AES 121st Convention, 2006.
    """
    window = np.hanning(round(0.02 * sample_rate))
    window /= window.sum()
    begin = round(at_seconds * sample_rate) - window.size // 2
    heard = np.abs(h[begin : begin + window.size])
    return np.sum(window * (heard > np.sqrt(np.sum(window * heard**2)))) / erfc(np.sqrt(0.5))


def flatness(h: np.ndarray, decay: float, sample_rate: float, seconds: float = 0.5) -> float:
    """Geometric over arithmetic mean of the power from 300 to 3000 Hz, its decay undone, its colour (100 Hz wide) divided out.

    `seconds` from 0.3 s on. Gaussian noise has GAUSSIAN_FLATNESS; single modes that ring alone, as metal does, have less.
    """
    size, begin, wide = round(seconds * sample_rate), round(0.3 * sample_rate), round(100.0 * seconds)
    undone = h[begin : begin + size] * 10.0 ** (3.0 * np.arange(size) / sample_rate / decay) * np.hanning(size)
    power = np.abs(np.fft.rfft(undone)) ** 2
    even = (power / np.convolve(power, np.ones(wide) / wide, "same"))[round(300 * seconds) : round(3000 * seconds)]
    return np.exp(np.mean(np.log(even))) / np.mean(even)


def energy_db(h: np.ndarray, low_hz: float, high_hz: float, sample_rate: float) -> np.ndarray:
    """The mean of |H|^2 of each row between two frequencies, in decibels: 0 is as loud as what came in."""
    bins = np.abs(np.fft.rfft(h)[:, round(low_hz * h.shape[1] / sample_rate) : round(high_hz * h.shape[1] / sample_rate)])
    return 10.0 * np.log10(np.mean(bins**2, axis=1))
