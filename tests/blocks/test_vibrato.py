"""The vibrato: cents are cents, and the pitch comes back to where it was."""

import numpy as np
import pytest

from neuralamp.blocks.vibrato import Vibrato
from tests.blocks.motion import RATE, click_db, delays, play, ramp, speed
from tests.sound import noise, play_in_cuts, sine


@pytest.mark.parametrize("rate", [0.5, 5.0, 12.0])
@pytest.mark.parametrize("cents", [5.0, 20.0, 100.0])
def test_the_pitch_goes_up_by_so_many_cents_and_down_by_as_many_hertz(rate, cents):
    y = play(Vibrato(rate=rate, depth=cents), sine(2000.0, 4 * RATE, RATE, 0.5))[0]
    bent = speed(y, 2000.0)[RATE // 2 : -RATE // 2]
    up = 2.0 ** (cents / 1200.0)
    assert 1200.0 * np.log2(bent.max()) == pytest.approx(cents, abs=0.5)  # the read between frames trembles by 0.3 cents
    assert bent.min() == pytest.approx(2.0 - up, abs=0.0003)
    assert np.mean(bent) == pytest.approx(1.0, abs=2e-4)


@pytest.mark.parametrize("sample_rate", [44100.0, 96000.0])
def test_the_delay_sways_from_one_frame_and_back(sample_rate):
    frames = round(2 * sample_rate)
    y = delays(play(Vibrato(rate=4.0, depth=50.0), ramp(frames), sample_rate))[0]
    swing = (2.0 ** (50.0 / 1200.0) - 1.0) / (2.0 * np.pi * 4.0) * sample_rate
    expected = 1.0 + swing * (1.0 - np.cos(2.0 * np.pi * 4.0 / sample_rate * np.arange(frames)))
    assert np.abs(y - expected)[1000:].max() < 0.02


def test_no_depth_is_no_vibrato():
    x = noise(1, 5000, seed=1)
    assert np.array_equal(play(Vibrato(depth=0.0), x)[:, 1:], x[:, :-1])


@pytest.mark.parametrize("knob", [{"rate": 8.0}, {"depth": 60.0}, {"depth": 0.0}])
def test_a_turned_knob_does_not_click_nor_whoop(knob):
    box = Vibrato()
    assert click_db(box, {48077: knob}) < -140.0  # -152: all that float32 leaves
    goals = {RATE: box.goals(box.values | knob, RATE)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, sine(2000.0, 2 * RATE, RATE, 0.5), 1, [2 * RATE], goals)[0]
    cents = 1200.0 * np.log2(speed(y, 2000.0)[RATE // 2 : -RATE // 2])
    assert np.abs(cents).max() < max(20.0, knob.get("depth", 20.0)) + 25.0
