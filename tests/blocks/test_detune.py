"""Detune: cents are cents, left is flat and right is sharp."""

import numpy as np
import pytest

from neuralamp.blocks.detune import Detune
from tests.blocks.partials import cents, first_partial, partial_db, residue_db
from tests.sound import noise, sine

RATE = 48000.0


@pytest.mark.parametrize("rate", [44100.0, 48000.0, 96000.0])
@pytest.mark.parametrize("amount", [1.0, 9.0, 50.0])
def test_cents_are_cents(amount, rate):
    x = sine(220.0, round(3.0 * rate), rate, 0.3)
    y = Detune(cents=amount, mix=100.0).prepare(rate, 1, 64).node.play(x, 2)[:, round(rate) :].astype(np.float64)
    for side, direction in ((0, -1.0), (1, 1.0)):
        right = 220.0 * 2.0 ** (direction * amount / 1200.0)
        assert abs(cents(first_partial(y[side], rate, 220.0), 220.0) - direction * amount) < 0.1
        assert residue_db(y[side], rate, [right]) < -60.0  # one splice in a second at 50 cents


def test_without_cents_it_is_the_delay_alone():
    x = noise(1, 9600, 1, 0.5)
    y = Detune(cents=0.0, delay=10.0, mix=100.0).prepare(RATE, 1, 64).node.play(x, 2)
    assert np.array_equal(y[:, 480:], np.concatenate([x, x])[:, :-480])
    assert not y[:, :480].any()


@pytest.mark.parametrize("delay_ms", [5.0, 40.0])
def test_the_voices_are_as_late_as_the_knob_says(delay_ms):
    """A click right after the beginning, where the voices have not drifted yet: 9 cents are 0.3 frames in 2 ms."""
    x = np.zeros((1, 9600), np.float32)
    x[0, 100] = 1.0
    y = Detune(delay=delay_ms, mix=100.0).prepare(RATE, 1, 64).node.play(x, 2)
    assert np.argmax(np.abs(y[0])) == pytest.approx(100 + 48.0 * delay_ms, abs=16.0)


def test_dry_is_untouched_and_half_is_half():
    x = noise(2, 9600, 2, 0.5)
    dry, half, wet = (Detune(mix=mix).prepare(RATE, 2, 64).node.play(x, 2) for mix in (0.0, 50.0, 100.0))
    assert np.array_equal(dry, x)
    assert np.allclose(half, 0.5 * (x + wet), atol=1e-6)


def test_mono_becomes_stereo_and_both_sides_are_equally_loud():
    part = Detune().prepare(RATE, 1, 64)
    assert part.channels == 2
    y = part.node.play(noise(1, 96000, 3, 0.3), 2)
    left, right = 10.0 * np.log10(np.mean(np.square(y[:, 48000:].astype(np.float64)), axis=1))
    assert abs(left - right) < 0.3
    assert not np.array_equal(y[0], y[1])


def test_it_beats_as_two_strings_do():
    """At half mix a 440 Hz tone and its voice of 9 cents more are 2.3 Hz apart: both are there, 6 dB down."""
    x = sine(440.0, 480000, RATE, 0.5)
    y = Detune(cents=9.0).prepare(RATE, 1, 64).node.play(x, 2)[1, 48000:].astype(np.float64)
    for partial in (440.0, 440.0 * 2.0 ** (9.0 / 1200.0)):
        assert partial_db(y, RATE, partial) == pytest.approx(-12.04, abs=0.3)
