"""The flanger: its notches stand where the delay says, sweep as far and as often as asked, and feedback sharpens them."""

import numpy as np
import pytest

from neuralamp.blocks.flanger import Flanger
from tests.blocks.motion import RATE, click_db, delays, impulse, play, ramp
from tests.sound import noise

F = np.arange(20.0, 5000.0, 10.0)


def response(box: Flanger, sample_rate: float = RATE) -> np.ndarray:
    """Complex gain at F."""
    y = impulse(box, round(2 * sample_rate), sample_rate)
    return np.fft.rfft(y)[(2 * F).astype(int)]


@pytest.mark.parametrize("sample_rate", [44100.0, 48000.0, 96000.0])
@pytest.mark.parametrize("feedback", [0.0, 70.0, -70.0, 90.0])
@pytest.mark.parametrize("delay_ms", [1.0, 3.0, 12.0])
def test_standing_still_it_is_the_comb_of_its_delay(delay_ms, feedback, sample_rate):
    """(1 - m) + m z / (1 - f z) with z = exp(-2 pi i F D); below 5 kHz a read between frames is 0.03 dB dull at most."""
    box = Flanger(delay=delay_ms, depth=0.0, feedback=feedback, mix=50.0)
    z = np.exp(-2j * np.pi * F * delay_ms / 1000.0)
    expected = 0.5 + 0.5 * z / (1.0 - feedback / 100.0 * z)
    assert np.abs(response(box, sample_rate) - expected).max() < 0.0025 / (1.0 - abs(feedback) / 100.0) ** 2


@pytest.mark.parametrize("delay_ms", [1.0, 2.5, 5.0])
def test_the_notches_are_half_way_between_the_teeth_and_deep(delay_ms):
    gain = np.abs(response(Flanger(delay=delay_ms, depth=0.0, feedback=0.0)))
    for notch in np.arange(500.0 / delay_ms, 4900.0, 1000.0 / delay_ms):
        near = np.abs(F - notch) < 0.2 * 1000.0 / delay_ms
        assert F[near][np.argmin(gain[near])] == pytest.approx(notch, abs=10.0)
        assert gain[near].min() < 1e-6  # -120 dB: the frames of these delays are whole


def test_at_mix_0_the_sound_passes_bit_for_bit():
    x = noise(2, 9000, seed=1)
    assert np.array_equal(play(Flanger(mix=0.0), x), x)


@pytest.mark.parametrize(("depth", "rate"), [(1.0, 1.0), (3.0, 0.5), (4.0, 2.0)])
def test_it_sweeps_up_by_octaves_each_as_long_as_any_other(depth, rate):
    y = delays(play(Flanger(delay=8.0, depth=depth, rate=rate, feedback=0.0, mix=100.0), ramp(3 * RATE)))[0][RATE // 2 :]
    phase = (rate / RATE * np.arange(RATE // 2, 3 * RATE)) % 1.0
    expected = 384.0 * 2.0 ** (-0.5 * depth * (1.0 - (4.0 * np.abs(phase - 0.5) - 1.0)))
    assert np.abs(y - expected).max() < 0.02


def test_a_sweep_lasts_the_note():
    x = noise(1, 2 * RATE, seed=2, peak=0.3)
    y = play(Flanger(note="1/2", tempo=150.0, rate=7.0), x)
    assert np.allclose(y, play(Flanger(rate=1.25), x), atol=1e-6)


def test_the_right_is_a_quarter_of_a_sweep_behind():
    left, right = delays(play(Flanger(delay=8.0, depth=2.0, rate=1.0, feedback=0.0, mix=100.0, stereo=True), ramp(3 * RATE)))
    assert np.abs(right[2 * RATE :] - left[2 * RATE - RATE // 4 : -RATE // 4]).max() < 0.03


@pytest.mark.parametrize("knob", [{"rate": 3.0}, {"depth": 1.0}, {"delay": 12.0}, {"feedback": -80.0}, {"mix": 100.0}])
def test_a_turned_knob_does_not_click(knob):
    assert click_db(Flanger(), {48077: knob}) < -100.0  # -108 measured, of the rate
