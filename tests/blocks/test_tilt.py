"""Tilt: darker below, brighter above, and the frequency between them stays."""

import numpy as np
import pytest

from neuralamp.blocks.tilt import Tilt
from tests.sound import noise, play_in_cuts

RATES = [44100.0, 48000.0, 96000.0]
SIZE = 1 << 16


def response_db(sample_rate: float, **knobs: float) -> tuple[np.ndarray, np.ndarray]:
    x = np.zeros((1, SIZE), np.float32)
    x[0, 0] = 1.0
    y = Tilt(**knobs).prepare(sample_rate, 1, SIZE).node.play(x, 1)[0].astype(np.float64)
    return np.fft.rfftfreq(SIZE, 1.0 / sample_rate), 20.0 * np.log10(np.abs(np.fft.rfft(y)))


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("centre", [200.0, 700.0, 3000.0])
@pytest.mark.parametrize("tilt", [-12.0, -3.0, 6.0, 12.0])
def test_the_ends_have_the_decibels_and_the_centre_has_none(sample_rate, centre, tilt):
    frequencies, db = response_db(sample_rate, tilt=tilt, centre=centre)
    assert np.interp(centre, frequencies, db) == pytest.approx(0.0, abs=0.01)
    assert db[0] == pytest.approx(-tilt, abs=0.01)
    assert db[-1] == pytest.approx(tilt, abs=0.01)
    t = 10.0 ** (tilt / 20.0)
    s = 1j * np.tan(np.pi * frequencies[1:-1] / sample_rate) / np.tan(np.pi * centre / sample_rate)
    assert np.allclose(db[1:-1], 20.0 * np.log10(np.abs((t * s + 1.0) / (s + t))), atol=0.01)


@pytest.mark.parametrize("channels", [1, 2])
def test_level_it_passes_the_sound_bit_for_bit(channels):
    x = noise(channels, 20000, seed=1)
    assert np.array_equal(Tilt().prepare(48000.0, channels, 64).node.play(x, channels), x)


def test_the_other_way_undoes_it():
    x = noise(1, 20000, seed=2, peak=0.2)
    y = Tilt(tilt=9.0).prepare(48000.0, 1, 64).node.play(x, 1)
    assert np.abs(Tilt(tilt=-9.0).prepare(48000.0, 1, 64).node.play(y, 1) - x).max() < 1e-6  # float32 between the two


def test_turned_wildly_it_stays_stable():
    rng, box = np.random.default_rng(3), Tilt()
    x = noise(1, 48000, seed=4, peak=0.1)
    turns = {960 * k: box.goals({"tilt": rng.uniform(-12, 12), "centre": rng.uniform(200, 3000)}, 48000.0) for k in range(50)}
    y = play_in_cuts(box.prepare(48000.0, 1, 64).node, x, 1, [48000], turns)
    assert 0.1 < np.abs(y).max() < 0.1 * 2.0 * 10.0 ** (12.0 / 20.0)
