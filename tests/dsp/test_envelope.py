"""The held peak: the largest of the last frames, whatever they are, at the same cost for each."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

from neuralamp.dsp.envelope import MARKS, held_peak, hold_rows
from neuralamp.dsp.jit import kernel


@kernel
def held_peaks(x, y, rows, marks):
    for n in range(x.size):
        y[n] = held_peak(x[n], rows, marks)


def held(x: np.ndarray, frames: int) -> np.ndarray:
    y = np.zeros_like(x)
    held_peaks(x, y, hold_rows(frames), np.zeros(MARKS))
    return y


@pytest.mark.parametrize("frames", [2, 4, 10, 74, 586])
@pytest.mark.parametrize("power", [1.0, 30.0])  # evenly spread, and nearly all small: the largest stays for long
def test_it_is_the_largest_of_the_window(frames, power):
    x = (np.random.default_rng(frames).uniform(0.0, 1.0, 5000) ** power).astype(np.float32)
    expected = maximum_filter1d(np.pad(x, (frames, 0)), frames, origin=(frames - 1) // 2)[frames:]
    assert np.array_equal(held(x, frames), expected)


def test_an_odd_window_is_one_frame_longer():
    x = np.zeros(40, np.float32)
    x[3] = 1.0
    assert np.flatnonzero(held(x, 7)).tolist() == [3, 4, 5, 6, 7, 8, 9, 10]


def test_what_is_not_a_number_counts_for_nothing():
    x = np.random.default_rng(1).uniform(0.0, 1.0, 2000).astype(np.float32)
    broken = x.copy()
    broken[::7] = np.nan
    x[::7] = 0.0
    assert np.array_equal(held(broken, 50), held(x, 50))
