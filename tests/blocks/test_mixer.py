"""The mixer of a lane: how loud, and where."""

import numpy as np
import pytest

from neuralamp.blocks.mixer import Mixer
from tests.sound import noise

RATE = 48000.0


def mixed(x: np.ndarray, **knobs) -> np.ndarray:
    part = Mixer(**knobs).prepare(RATE, x.shape[0], 64)
    return part.node.play(x, part.channels)


def test_in_the_middle_at_nought_decibels_it_changes_no_bit():
    x = noise(2, 1000, seed=1)
    assert np.array_equal(mixed(x), x)
    assert np.array_equal(mixed(x[:1]), np.repeat(x[:1], 2, axis=0))
    assert np.array_equal(mixed(x[:1], stereo=False), x[:1])


@pytest.mark.parametrize("pan", [-100.0, -50.0, 0.0, 30.0, 100.0])
def test_it_is_as_loud_wherever_it_stands(pan):
    left, right = mixed(np.ones((1, 1), np.float32), pan=pan)[:, 0]
    assert left**2 + right**2 == pytest.approx(2.0, rel=1e-6)
    assert np.degrees(np.arctan2(right, left)) == pytest.approx((pan + 100.0) / 200.0 * 90.0, abs=1e-4)


def test_hard_left_is_silent_on_the_right():
    assert abs(mixed(np.ones((1, 1), np.float32), pan=-100.0)[1, 0]) < 1e-15


def test_its_level_is_in_decibels_and_ends_in_silence():
    x = noise(1, 100, seed=2)
    assert np.allclose(mixed(x, level=-6.0, stereo=False), 10.0 ** (-6.0 / 20.0) * x, rtol=1e-6)
    assert not mixed(x, level=-60.0).any()
