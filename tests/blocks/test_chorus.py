"""The chorus: where its voices stand, how far they sway, how wide they are, and that it is no louder than without."""

import numpy as np
import pytest

from neuralamp.blocks.chorus import Chorus
from tests.blocks.motion import RATE, click_db, delays, impulse, play, ramp, speed
from tests.sound import noise, sine


@pytest.mark.parametrize("delay_ms", [5.0, 10.0, 30.0])
def test_voices_that_do_not_sway_stand_at_the_delay(delay_ms):
    y = impulse(Chorus(delay=delay_ms, depth=0.0, mix=100.0, voices="1"), 4800)
    assert np.flatnonzero(np.abs(y) > 1e-9).tolist() == [round(delay_ms * 48.0)]
    assert y.max() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("rate", "depth"), [(0.8, 3.0), (4.0, 1.0), (0.2, 8.0)])
def test_a_voice_sways_as_far_and_as_often_as_the_knobs_say(rate, depth):
    y = delays(play(Chorus(rate=rate, depth=depth, delay=10.0, mix=100.0, voices="1"), ramp(6 * RATE)))[0][RATE // 2 :]
    n = np.arange(RATE // 2, 6 * RATE)
    expected = 480.0 + depth * 24.0 * np.cos(2.0 * np.pi * rate / RATE * n)
    assert np.abs(y - expected).max() < 0.02  # float32 of a ramp that has come to 4.4


@pytest.mark.parametrize(("rate", "depth"), [(0.8, 3.0), (5.0, 0.5)])
def test_the_pitch_of_a_voice_bends_by_pi_rate_depth(rate, depth):
    y = play(Chorus(rate=rate, depth=depth, mix=100.0, voices="1"), sine(1000.0, 4 * RATE, RATE, 0.5))[0]
    # the read between frames trembles by 0.3 cents
    cents = 1200.0 * np.log2(speed(y, 1000.0)[RATE : 3 * RATE + RATE // 2])
    assert cents.max() == pytest.approx(1200.0 * np.log2(1.0 + np.pi * rate * depth / 1000.0), abs=0.5)
    assert cents.min() == pytest.approx(1200.0 * np.log2(1.0 - np.pi * rate * depth / 1000.0), abs=0.5)


@pytest.mark.parametrize("voices", ["1", "2", "3", "4"])
@pytest.mark.parametrize("mix", [0.0, 50.0, 100.0])
def test_it_is_as_loud_as_without(voices, mix):
    """White noise. A read between two frames loses of it what lies high up: 1 dB in the mean over all places."""
    x = noise(1, 4 * RATE, seed=1, peak=0.5)
    y = play(Chorus(voices=voices, mix=mix), x)
    db = 20.0 * np.log10(np.std(y[:, RATE:]) / np.std(x))
    assert db == pytest.approx(-1.0 * mix / 100.0, abs=0.35)  # voices are not quite apart from each other


def test_dry_is_dry():
    x = noise(2, 5000, seed=2)
    assert np.array_equal(play(Chorus(mix=0.0), x), x)


@pytest.mark.parametrize(("voices", "apart"), [("1", 0.5), ("2", 0.25)])
def test_on_the_right_voices_sway_between_those_of_the_left(voices, apart):
    left, right = delays(
        play(Chorus(rate=2.0, depth=4.0, delay=10.0, mix=100.0, voices=voices, stereo=True), ramp(2 * RATE))
        / np.sqrt(int(voices))
    )
    n = np.arange(2 * RATE)
    for y, turn in ((left, 0.0), (right, apart)):
        each = [np.cos(2.0 * np.pi * (2.0 / RATE * n + turn + k / int(voices))) for k in range(int(voices))]
        assert np.abs(y - (480.0 + 96.0 * np.mean(each, axis=0)))[RATE:].max() < 0.02


def test_one_voice_sways_opposite_on_the_right():
    left, right = play(Chorus(rate=2.0, depth=4.0, mix=100.0, voices="1", stereo=True), sine(1000.0, 2 * RATE, RATE, 0.5))
    bends = [speed(y, 1000.0)[RATE // 2 : -RATE // 2] - 1.0 for y in (left, right)]
    assert np.corrcoef(*bends)[0, 1] < -0.99


@pytest.mark.parametrize("knob", [{"rate": 3.0}, {"depth": 8.0}, {"delay": 25.0}, {"mix": 100.0}])
def test_a_turned_knob_does_not_click(knob):
    assert click_db(Chorus(), {48077: knob}) < -100.0  # -104 measured, of the delay
