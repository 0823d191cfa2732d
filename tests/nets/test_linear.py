"""A linear net is its impulse response, at any length."""

import numpy as np
import pytest
from scipy.signal import oaconvolve

from neuralamp.nets import stream_at_rest
from neuralamp.nets.linear.config import LinearConfig
from tests.sound import cuts, error_db, noise, play_in_cuts

FRAMES = 20000


def linear(taps: int, bias: float = 0.0) -> tuple[LinearConfig, dict[str, np.ndarray]]:
    """A response of noise, every tap as loud as the first: the hardest for a sum in float32."""
    impulse = np.random.default_rng(taps).standard_normal(taps).astype(np.float32)
    return LinearConfig(taps, bias=True), {"impulse": impulse, "bias": np.array([bias], np.float32)}


@pytest.mark.parametrize("taps", [1, 2, 63, 64, 65, 255, 257, 1000, 8192])
def test_it_sounds_as_the_textbook_says(taps):
    config, weights = linear(taps, bias=0.25)
    x = noise(1, FRAMES, seed=taps, peak=0.5)
    right = oaconvolve(x.astype(np.float64), weights["impulse"].astype(np.float64)[None], axes=1)[:, :FRAMES] + 0.25
    y = play_in_cuts(stream_at_rest(config, weights), x, 1, [FRAMES])
    assert error_db(y, right) < -115.0  # float32 sums of up to 8192 terms: 126 dB measured at the longest


@pytest.mark.parametrize("taps", [5, 64, 65, 3000])
def test_any_cut_of_the_stream_sounds_the_same(taps):
    config, weights = linear(taps)
    x = noise(1, FRAMES, seed=1)
    whole = play_in_cuts(stream_at_rest(config, weights), x, 1, [FRAMES])
    for seed in range(4):
        cut = cuts(FRAMES, np.random.default_rng(seed))
        assert np.array_equal(play_in_cuts(stream_at_rest(config, weights), x, 1, cut), whole)


@pytest.mark.parametrize("taps", [3, 64, 65, 4000])
def test_an_impulse_comes_out_without_latency(taps):
    config, weights = linear(taps)
    x = np.zeros((1, taps + 100), np.float32)
    x[0, 77] = 1.0
    y = play_in_cuts(stream_at_rest(config, weights), x, 1, [taps + 100])[0]
    assert not y[:77].any()
    assert y[77] == weights["impulse"][0]
    # of the loudest tap: float32 transforms of whole partitions
    assert np.allclose(y[77 : 77 + taps], weights["impulse"], rtol=0.0, atol=2e-6)
