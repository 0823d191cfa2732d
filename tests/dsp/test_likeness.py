"""Likeness, and the reading between frames near the newest one."""

import numpy as np
import pytest

from neuralamp.blocks.tuner import Tuner
from neuralamp.dsp.jit import kernel
from neuralamp.dsp.likeness import likeness_lags, slowing, summit
from neuralamp.dsp.pitch_shift import take_near
from tests.sound import noise, sine


@kernel
def read(line, written, delay):
    return take_near(line, written, delay)


@kernel
def top(before, here, after):
    return summit(before, here, after)


def alike(x: np.ndarray, rate: float) -> np.ndarray:
    """The likeness at each lag, after a sound."""
    node = Tuner().prepare(rate, 1, 64).node
    node.play(x, 1)
    differences, powers = node.memory["alike"]
    return 1.0 - differences / powers


@pytest.mark.parametrize("rate", [16000.0, 44100.0, 48000.0, 96000.0, 192000.0])
def test_a_sine_is_alike_as_a_cosine(rate):
    """Over whole periods the mean of (x[n] - x[n - tau])^2 over that of both squares is 1 - cos; the window holds many."""
    frequency = 700.0
    lags = np.arange(likeness_lags(rate)) * slowing(rate) / rate
    expected = np.cos(2.0 * np.pi * frequency * lags)
    assert np.allclose(alike(sine(frequency, round(rate), rate, 0.3), rate), expected, atol=0.03)


def test_noise_is_alike_to_nothing_but_itself():
    values = alike(noise(1, 48000, 1, 0.3), 48000.0)
    assert values[0] == 1.0
    assert np.abs(values[12:]).max() < 0.75  # 7 ms of a band of 1.8 kHz are some 25 numbers
    assert abs(np.mean(values[12:])) < 0.1


def test_how_loud_it_is_does_not_matter():
    x = noise(1, 48000, 2, 0.5)
    assert np.allclose(alike(x, 48000.0), alike(0.01 * x, 48000.0), atol=0.02)  # the floor lies 60 dB under the softer


@pytest.mark.parametrize("away", [-0.49, -0.2, 0.0, 0.3, 0.49])
@pytest.mark.parametrize("period", [6.0, 20.0, 200.0])
def test_the_summit_of_a_cosine_is_found_exactly(away, period):
    around = 0.8 * np.cos(2.0 * np.pi / period * (np.array([-1.0, 0.0, 1.0]) - away))
    assert top(*around) == pytest.approx((away, 0.8), abs=1e-6)


@pytest.mark.parametrize("delay", [0.0, 0.25, 0.9, 1.0, 1.5, 7.75])
def test_a_cubic_is_read_exactly_up_to_the_newest_frame(delay):
    line = np.zeros(64)
    written = 100
    frames = np.arange(written - 64, written)
    line[frames & 63] = cubic(frames)
    assert read(line, written, delay) == pytest.approx(cubic(written - 1 - delay), rel=1e-12)


def cubic(n):
    return 1.0 + 0.5 * n - 0.02 * n**2 + 0.0003 * n**3
