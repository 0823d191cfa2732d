"""The volume pedal: its ends are exact, its way is even, and a foot is not heard."""

import numpy as np
import pytest

from neuralamp.blocks.volume import Volume
from neuralamp.errors import KnobError
from tests.sound import noise, play_in_cuts

RATE = 48000.0


def play(box: Volume, x: np.ndarray) -> np.ndarray:
    return box.prepare(RATE, len(x), 64).node.play(x, len(x))


def gain_db(**values: float) -> float:
    return 20.0 * np.log10(play(Volume(**values), np.ones((1, 1), np.float32))[0, 0])


@pytest.mark.parametrize("minimum", [{}, {"minimum_db": -30.0}])
def test_at_the_toe_the_sound_passes_bit_for_bit(minimum):
    x = noise(2, 5000, seed=1)
    assert np.array_equal(play(Volume(position=100.0, **minimum), x), x)


def test_at_the_heel_there_is_silence():
    assert not play(Volume(position=0.0), noise(2, 5000, seed=2)).any()


@pytest.mark.parametrize("minimum_db", [-80.0, -20.0, 0.0])
def test_the_heel_can_leave_some(minimum_db):
    assert gain_db(position=0.0, minimum_db=minimum_db) == pytest.approx(minimum_db, abs=1e-5)


def test_the_taper_is_that_of_an_audio_pot():
    """A tenth of the gain half way; from there on each tenth of the way is as many decibels as the last, within 0.6."""
    assert gain_db(position=50.0) == pytest.approx(-20.0, abs=1e-5)
    gains = [gain_db(position=position) for position in np.arange(50.0, 101.0, 10.0)]
    assert gains == pytest.approx([20.0 * np.log10((81.0**p - 1.0) / 80.0) for p in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)], abs=1e-5)
    assert np.ptp(np.diff(gains)) < 0.6
    assert np.all(np.diff(gains) > 3.8)


def test_a_stamp_on_the_pedal_glides_and_ends_in_silence():
    box = Volume()
    turns = {100: box.goals({"position": 0.0}, RATE)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, np.ones((1, 9600), np.float32), 1, [9600], turns)
    assert np.abs(np.diff(y)).max() < 0.003  # the first step of an 8 ms glide: 1 / 384
    assert y[0, 100 + 384] == pytest.approx(np.exp(-1.0), abs=0.003)
    assert not y[0, 8200:].any()  # 180 dB down, after 166 ms, the glide is at its end


def test_a_minimum_over_the_sound_itself_is_refused():
    with pytest.raises(KnobError, match="minimum_db = 3 is not possible; give a number from -80 to 0 dB"):
        Volume(minimum_db=3)
