"""The partitioned convolution against scipy's in float64."""

import numpy as np
import pytest
from scipy.signal import oaconvolve

from neuralamp.dsp.convolution import BLOCK, HEAD, convolution_memory, convolution_tables, convolution_taps, convolve
from tests.sound import cuts, error_db, noise


def convolved(taps: np.ndarray, x: np.ndarray, cut: list[int]) -> np.ndarray:
    head, tail = convolution_taps(taps)
    tables, memory = tuple(convolution_tables().values()), one_lane(len(tail))
    y, begin = np.full_like(x, np.nan), 0
    for length in cut:
        convolve(x[begin : begin + length], y[begin : begin + length], begin, head, tail, tables, memory)
        begin += length
    return y


def one_lane(partitions: int) -> tuple:
    return tuple(array[0] for array in convolution_memory(1, partitions).values())


def decaying(taps: int) -> np.ndarray:
    """Noise that falls by 60 dB."""
    return np.random.default_rng(taps).standard_normal(taps) * np.logspace(0.0, -3.0, taps)


@pytest.mark.parametrize("taps", [1, 2, HEAD - 1, HEAD, HEAD + 1, HEAD + BLOCK, HEAD + BLOCK + 1, 1000, 8192, 16384])
def test_it_is_the_sum_that_the_textbook_says(taps):
    h, x = decaying(taps), noise(1, 30000, seed=1)[0]
    expected = oaconvolve(x.astype(np.float64), h)[: len(x)]
    assert error_db(convolved(h, x, [30000]), expected) < -124.0  # float32 sums: 125.8 dB measured at the longest


def test_flat_noise_of_full_length_is_the_hardest_response():
    h, x = np.random.default_rng(1).standard_normal(8192), noise(1, 30000, seed=1)[0]
    expected = oaconvolve(x.astype(np.float64), h)[: len(x)]
    assert error_db(convolved(h, x, [30000]), expected) < -120.0  # every partition as loud as the first


def test_an_impulse_comes_out_at_its_own_frame():
    h, x = decaying(3000), np.zeros(6000, np.float32)
    x[777] = 1.0
    y = convolved(h, x, [6000])
    assert np.array_equal(y[777 : 777 + BLOCK], h[:BLOCK].astype(np.float32))  # the head alone: a direct filter, no rounding
    assert not y[:777].any()
    # 1e-7 of the loudest tap: float32 transforms of a whole partition
    assert np.allclose(y[777:3777], h, rtol=0.0, atol=4e-7 * np.abs(h).max())


@pytest.mark.parametrize("taps", [100, 1000, 8192])
def test_any_cut_of_the_stream_sounds_the_same(taps):
    rng, h, x = np.random.default_rng(taps), decaying(taps), noise(1, 20000, seed=2)[0]
    whole = convolved(h, x, [20000])
    for cut in [cuts(20000, rng) for _ in range(10)] + [[1] * 20000]:
        assert np.array_equal(convolved(h, x, cut), whole)


def test_the_work_is_spread_over_the_frames_of_a_block():
    """Every sixteenth of a block adds its share of the products to the total; none waits for the block's end."""
    head, tail = convolution_taps(decaying(16384))
    tables, memory = tuple(convolution_tables().values()), one_lane(len(tail))
    total, full = memory[2], (len(tail) + 1) * BLOCK  # by then every partition has a block to work on
    x, y = noise(1, full + BLOCK, 3)[0], np.zeros(full + BLOCK, np.float32)
    convolve(x[:full], y[:full], 0, head, tail, tables, memory)
    for begin in range(full, full + BLOCK - 16, 16):
        before = total.copy()
        convolve(x[begin : begin + 16], y[begin : begin + 16], begin, head, tail, tables, memory)
        assert np.any(total != before), f"nothing was done in frames {begin % BLOCK} to {begin % BLOCK + 15} of a block"
