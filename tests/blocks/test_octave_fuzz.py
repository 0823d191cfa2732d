"""The octave fuzz: what comes out is an octave higher."""

import numpy as np
import pytest
from scipy.optimize import brentq

from neuralamp.blocks.octave_fuzz import OctaveFuzz
from neuralamp.dsp.junctions import GERMANIUM, rectified
from tests.blocks.circuits import RATE, overtones
from tests.sound import sine


@pytest.mark.parametrize("hz", [110.0, 220.0, 660.0])
@pytest.mark.parametrize("peak", [0.02, 0.1, 0.5])
def test_the_octave_drowns_the_note(hz, peak):
    lines = overtones(OctaveFuzz(), hz, peak, 2)
    assert 20.0 * np.log10(lines[1] / lines[0]) > 12.0


def test_a_soft_string_has_the_purer_octave():
    """A rectified sine has its second octave 14 dB down, a rectified square nothing but edges."""
    soft, loud = (overtones(OctaveFuzz(), 330.0, peak, 8) for peak in (0.05, 0.8))
    assert 20.0 * np.log10(soft[3] / soft[1]) < -10.0
    assert 20.0 * np.log10(loud[3] / loud[1]) > -6.0


@pytest.mark.parametrize("ohms", [1e3, 10e3])
def test_the_rectifier_obeys_its_diodes(ohms):
    u = np.concatenate([[0.0], np.logspace(-6.0, 1.0, 200)])

    def error(v: float, half: float) -> float:
        given = sum(GERMANIUM.saturation * np.expm1((end - v) / GERMANIUM.volts) for end in (half, -half))
        return v / ohms - given

    right = [brentq(error, 0.0, half + 1e-9, args=(half,), xtol=1e-15) for half in u]
    assert np.allclose(rectified(u, ohms, GERMANIUM), right, rtol=1e-6, atol=1e-12)
    assert np.array_equal(rectified(-u, ohms, GERMANIUM), rectified(u, ohms, GERMANIUM))


def test_no_level_of_its_own_is_left_in_the_sound():
    y = OctaveFuzz().prepare(RATE, 1, 96000).node.play(sine(220.0, 96000, RATE, peak=0.3), 1)[0, 48000:]
    assert abs(y.mean()) < 1e-3 * y.std()  # the output's capacitor


@pytest.mark.parametrize("tone", [2000.0, 8000.0])
def test_the_tone_is_3_db_down_at_its_knob(tone):
    """At half the tone's frequency, heard at it as the octave; the brightest setting is what it is measured against."""
    dark, bright = (overtones(OctaveFuzz(tone=hz), tone / 2.0, 0.05, 2)[1] for hz in (tone, 16000.0))
    bent = np.tan(np.pi * tone / RATE) / np.tan(np.pi * 16000.0 / RATE)
    assert 20.0 * np.log10(dark / bright) == pytest.approx(-3.01 + 10.0 * np.log10(1.0 + bent**2), abs=0.05)
