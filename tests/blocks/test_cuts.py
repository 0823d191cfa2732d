"""Cuts: 3 dB down where the knob says, as steep as was asked for, and off at the end of their travel."""

import numpy as np
import pytest

from neuralamp.blocks.cuts import Cuts
from tests.sound import noise, play_in_cuts

RATES = [44100.0, 48000.0, 96000.0]
SIZE = 1 << 17
ORDERS = {"12": 2, "24": 4}


def response_db(sample_rate: float, **settings) -> tuple[np.ndarray, np.ndarray]:
    x = np.zeros((1, SIZE), np.float32)
    x[0, 0] = 1.0
    y = Cuts(**settings).prepare(sample_rate, 1, SIZE).node.play(x, 1)[0].astype(np.float64)
    return np.fft.rfftfreq(SIZE, 1.0 / sample_rate), 20.0 * np.log10(np.abs(np.fft.rfft(y)) + 1e-12)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("slope", ["12", "24"])
@pytest.mark.parametrize("corner", [30.0, 100.0, 1000.0])
def test_the_low_cut_is_a_butterworth_of_its_slope(sample_rate, slope, corner):
    frequencies, db = response_db(sample_rate, low_cut=corner, low_slope=slope)
    assert np.interp(corner, frequencies, db) == pytest.approx(-3.01, abs=0.05)
    s = np.tan(np.pi * frequencies[1:] / sample_rate) / np.tan(np.pi * corner / sample_rate)
    right = -10.0 * np.log10(1.0 + s ** (-2.0 * ORDERS[slope]))
    shown = right > -80.0  # under it float32 shows
    assert np.allclose(db[1:][shown], right[shown], atol=0.05)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("slope", ["12", "24"])
@pytest.mark.parametrize("corner", [1000.0, 5000.0, 17000.0])
def test_the_high_cut_is_a_butterworth_of_its_slope(sample_rate, slope, corner):
    frequencies, db = response_db(sample_rate, high_cut=corner, high_slope=slope)
    assert np.interp(corner, frequencies, db) == pytest.approx(-3.01, abs=0.05)
    s = np.tan(np.pi * frequencies[:-1] / sample_rate) / np.tan(np.pi * corner / sample_rate)
    right = -10.0 * np.log10(1.0 + s ** (2.0 * ORDERS[slope]))
    shown = right > -80.0
    assert np.allclose(db[:-1][shown], right[shown], atol=0.05)


@pytest.mark.parametrize(("slope", "octave_db"), [("12", 12.04), ("24", 24.08)])
def test_an_octave_beyond_the_corner_is_worth_its_slope(slope, octave_db):
    frequencies, db = response_db(48000.0, low_cut=400.0, low_slope=slope, high_cut=1000.0, high_slope=slope)
    assert np.interp(50.0, frequencies, db) - np.interp(25.0, frequencies, db) == pytest.approx(octave_db, abs=0.2)


@pytest.mark.parametrize("slope", ["12", "24"])
@pytest.mark.parametrize("channels", [1, 2])
def test_at_the_ends_of_their_travel_the_sound_passes_bit_for_bit(slope, channels):
    x = noise(channels, 20000, seed=1)
    assert np.array_equal(Cuts(low_slope=slope, high_slope=slope).prepare(48000.0, channels, 64).node.play(x, channels), x)


@pytest.mark.parametrize("slope", ["12", "24"])
@pytest.mark.parametrize(("knob", "nearly"), [("low_cut", 20.05), ("high_cut", 19980.0)])
def test_a_cut_leaves_its_end_without_a_jump(slope, knob, nearly):
    x = noise(1, 20000, seed=2)
    y = Cuts(**{knob: nearly}, low_slope=slope, high_slope=slope).prepare(48000.0, 1, 64).node.play(x, 1)
    # a hundredth of the fade, of one filter or of two
    assert 0.0 < np.sqrt(np.mean(np.square(y - x))) < 0.02 * np.sqrt(np.mean(np.square(x)))


@pytest.mark.parametrize("slope", ["12", "24"])
def test_turned_wildly_they_stay_stable(slope):
    rng, box = np.random.default_rng(3), Cuts(low_slope=slope, high_slope=slope)
    x = noise(1, 48000, seed=4, peak=0.1)
    turns = {
        960 * k: box.goals({"low_cut": rng.uniform(20.0, 1000.0), "high_cut": rng.uniform(1000.0, 20000.0)}, 48000.0)
        for k in range(50)
    }
    y = play_in_cuts(box.prepare(48000.0, 1, 64).node, x, 1, [48000], turns)
    assert np.abs(y).max() < 0.5
