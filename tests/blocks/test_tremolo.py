"""The tremolo: how deep, how often, of what shape, on which side; and that a chop does not click."""

import numpy as np
import pytest

from neuralamp.blocks.tremolo import EDGE, Tremolo
from tests.blocks.motion import RATE, click_db, play
from tests.sound import noise


def gain(box: Tremolo, seconds: float = 2.0) -> np.ndarray:
    """(sides, frames): what becomes of a constant 1."""
    return play(box, np.ones((1, round(seconds * RATE)), np.float32)).astype(np.float64)


@pytest.mark.parametrize(("depth", "softest_db"), [(50.0, -6.0206), (75.0, -12.0412), (99.0, -40.0)])
@pytest.mark.parametrize("shape", [0.0, 40.0, 100.0])
def test_the_softest_is_as_soft_as_the_depth_says_and_the_loudest_untouched(depth, softest_db, shape):
    g = gain(Tremolo(depth=depth, shape=shape))
    assert 20.0 * np.log10(g.min()) == pytest.approx(softest_db, abs=0.001)
    assert g.max() == pytest.approx(1.0, abs=1e-6)


def test_at_full_depth_the_softest_is_silence():
    assert np.abs(gain(Tremolo(depth=100.0)).min()) < 1e-9


def test_without_depth_the_sound_passes_bit_for_bit():
    x = noise(2, 9000, seed=1)
    assert np.array_equal(play(Tremolo(depth=0.0, shape=100.0), x), x)


@pytest.mark.parametrize("sample_rate", [44100.0, 96000.0])
def test_its_soft_shape_is_a_sine(sample_rate):
    g = play(Tremolo(rate=3.0, depth=80.0), np.ones((1, 50000), np.float32), sample_rate)[0]
    assert np.abs(g - (0.6 + 0.4 * np.cos(2.0 * np.pi * 3.0 / sample_rate * np.arange(50000)))).max() < 1e-7


def test_its_hard_shape_is_a_square_with_corners():
    """It stands at its ends, within 1 %, for 90 % of the time, and changes from 1/4 to 3/4 in 0.55 % of a beat."""
    g = gain(Tremolo(rate=5.0, depth=100.0, shape=100.0))[0]
    assert np.mean((g < 0.01) | (g > 0.99)) == pytest.approx(0.906, abs=0.005)
    c = np.cos(2.0 * np.pi * 5.0 / RATE * np.arange(g.size))
    assert np.abs(g - (0.5 + 0.5 * c * np.sqrt((1.0 + EDGE**2) / (c**2 + EDGE**2)))).max() < 1e-6
    assert np.sum((g[: RATE // 10] > 0.25) & (g[: RATE // 10] < 0.75)) == pytest.approx(0.0055 * RATE / 5.0, abs=3.0)


@pytest.mark.parametrize(
    ("knobs", "beats_a_second"),
    [
        ({"rate": 5.0}, 5.0),
        ({"note": "1/8", "tempo": 120.0}, 4.0),
        ({"note": "1/4t", "tempo": 100.0}, 2.5),
        ({"note": "1/1"}, 0.5),
    ],
)
def test_it_beats_as_often_as_it_says(knobs, beats_a_second):
    g = gain(Tremolo(depth=100.0, **knobs), seconds=4.0)[0] - 0.5
    crossings = np.flatnonzero((g[:-1] < 0.0) & (g[1:] >= 0.0))
    assert np.diff(crossings) == pytest.approx(RATE / beats_a_second, abs=1.5)  # a whole number of frames


def test_tapping_another_tempo_changes_the_beat():
    box = Tremolo(note="1/4", depth=100.0)
    node = box.prepare(RATE, 1, 64).node
    node.goal[:] = box.goals(box.values | {"tempo": 150.0}, RATE)
    g = node.play(np.ones((1, 4 * RATE), np.float32), 1)[0] - 0.5
    crossings = np.flatnonzero((g[:-1] < 0.0) & (g[1:] >= 0.0))
    assert np.diff(crossings)[1:] == pytest.approx(RATE / 2.5, abs=1.5)


@pytest.mark.parametrize("shape", [0.0, 100.0])
def test_panned_what_one_side_loses_the_other_has(shape):
    left, right = gain(Tremolo(depth=100.0, shape=shape, pan=True))
    assert np.abs(left + right - 1.0).max() < 1e-6
    assert (left.max(), right.max()) == (pytest.approx(1.0, abs=1e-6), pytest.approx(1.0, abs=1e-6))


def test_both_channels_beat_together_without_pan():
    x = np.repeat(noise(1, 9000, seed=2), 2, axis=0)
    y = play(Tremolo(depth=90.0), x)
    assert np.array_equal(y[0], y[1])


@pytest.mark.parametrize(("knobs", "bound_db"), [({"rate": 5.0}, -140.0), ({"rate": 20.0}, -90.0)])
def test_even_the_hardest_chop_does_not_click(knobs, bound_db):
    """Measured: -151 and -97 dB above 5 kHz. Cut off at once, 5 beats leave -47 and 20 leave -31."""
    assert click_db(Tremolo(depth=100.0, shape=100.0, **knobs), {}) < bound_db


@pytest.mark.parametrize("knob", [{"rate": 12.0}, {"depth": 100.0}, {"shape": 100.0}])
def test_a_turned_knob_does_not_click(knob):
    assert click_db(Tremolo(), {48077: knob}) < -140.0  # -151: all that float32 leaves
