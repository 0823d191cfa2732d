"""Level: decibels are decibels."""

import numpy as np
import pytest

from neuralamp.blocks.level import Level
from tests.sound import noise, play_in_cuts


@pytest.mark.parametrize(("level_db", "gain"), [(6.0, 1.99526), (-20.0, 0.1), (-60.0, 0.001), (24.0, 15.84893)])
def test_decibels_are_decibels(level_db, gain):
    x = noise(1, 100, seed=1)
    y = Level(level=level_db).prepare(48000.0, 1, 64).node.play(x, 1)
    assert np.allclose(y, gain * x, rtol=2e-6)  # the gains above have six digits


def test_at_0_db_the_sound_passes_untouched():
    x = noise(2, 5000, seed=2)
    assert np.array_equal(Level().prepare(48000.0, 2, 64).node.play(x, 2), x)


def test_a_turn_of_the_knob_glides_without_a_step():
    box = Level()
    node = box.prepare(48000.0, 1, 64).node
    y = play_in_cuts(node, np.ones((1, 9600), np.float32), 1, [9600], {100: box.goals({"level": -60.0}, 48000.0)})
    assert np.abs(np.diff(y)).max() < 0.003  # the first step of an 8 ms glide: 1 / 384
    assert y[0, 100 + 384] == pytest.approx(np.exp(-1.0), abs=0.003)  # 63 % of the way after 8 ms
    assert y[0, -1] == pytest.approx(0.001, rel=1e-4)
