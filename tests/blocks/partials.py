"""What tests of pitch measure with, in float64: a partial's frequency and level, and what a sound holds besides its partials."""

from collections.abc import Sequence

import numpy as np

SEMITONES = {"c": 0, "db": 1, "d": 2, "eb": 3, "e": 4, "f": 5, "gb": 6, "g": 7, "ab": 8, "a": 9, "bb": 10, "b": 11}


def cents(frequency, right):
    """How much higher a frequency is than the right one."""
    return 1200.0 * np.log2(frequency / right)


def name_to_hz(name: str) -> float:
    """What a file of the recordings is called after: e2 is 82.4 Hz."""
    return 440.0 * 2.0 ** ((SEMITONES[name[:-1]] + 12 * int(name[-1]) - 57) / 12.0)


def first_partial(x: np.ndarray, rate: float, about_hz: float) -> float:
    """The measured pitch: the first partial's mean frequency over a stretch, in float64.

    The highest bin of a padded transform under a Hann window, then how far the phase has come between two windows one period
    apart, which is exact for a steady partial and the Hann-weighted mean of one that moves.
    """
    apart = round(rate / about_hz)
    size = x.size - apart
    window = np.hanning(size)
    spectrum = np.abs(np.fft.rfft(x[:size] * window, 1 << 17))
    bins = np.arange(spectrum.size) * rate / (1 << 17)
    near = np.abs(cents(np.maximum(bins, 1.0), about_hz)) < 80.0
    frequency = bins[near][np.argmax(spectrum[near])]
    turned_back = window * np.exp(-2j * np.pi * frequency / rate * np.arange(size))
    before, after = np.sum(x[:size] * turned_back), np.sum(x[apart:] * turned_back)
    turn = np.angle(after * np.conj(before) * np.exp(-2j * np.pi * frequency / rate * apart))
    return float(frequency + turn * rate / (2.0 * np.pi * apart))


def partial_db(x: np.ndarray, rate: float, frequency: float) -> float:
    """The level of one partial under a Hann window; 0 dB is a sine of full scale."""
    window = np.hanning(x.size)
    turned_back = window * np.exp(-2j * np.pi * frequency / rate * np.arange(x.size))
    return float(20.0 * np.log10(2.0 * np.abs(np.sum(x * turned_back)) / np.sum(window)))


def residue_db(x: np.ndarray, rate: float, frequencies: Sequence[float]) -> float:
    """The power of what is left when steady sines of these frequencies are taken away, over theirs, under a Hann window."""
    angles = 2.0 * np.pi * np.outer(np.arange(x.size) / rate, frequencies)
    window = np.hanning(x.size)[:, None]
    sines = np.concatenate([np.cos(angles), np.sin(angles)], axis=1) * window
    heard = x * window[:, 0]
    fitted = sines @ np.linalg.lstsq(sines, heard, rcond=None)[0]
    return float(10.0 * np.log10(np.sum(np.square(heard - fitted)) / np.sum(np.square(fitted))))
