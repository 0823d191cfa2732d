"""The treble booster: no bass, and a germanium transistor that bends one side before the other."""

import numpy as np
import pytest
from scipy.optimize import brentq

from neuralamp.blocks.treble_booster import TrebleBooster
from tests.blocks.circuits import KT_Q, collector_volts, db, degrees_apart, overtones, response

AT_HZ = np.array([100.0, 300.0, 1000.0, 2600.0, 5000.0])


@pytest.mark.parametrize("boost_db", [0.0, 20.0, 30.0])
@pytest.mark.parametrize("corner", [200.0, 2600.0, 6000.0])
def test_a_whisper_is_boosted_above_the_corner(boost_db, corner):
    found = response(TrebleBooster(boost=boost_db, corner=corner), AT_HZ)
    s = 1j * AT_HZ
    # the frequency axis is bent by the trapezoidal rule, exact at the corner
    bent = 1j * np.tan(np.pi * AT_HZ / 48000.0) / np.tan(np.pi * corner / 48000.0)
    expected = 10.0 ** (boost_db / 20.0) * bent / (1.0 + bent) * s / (s + 16.0)
    assert np.allclose(db(found), db(expected), atol=0.02)
    # the shaper is late by half a frame of the fast clock, 1.2 degrees at 5 kHz, where a whole frame is 37
    assert degrees_apart(found, expected) < 1.3


def stage(u: np.ndarray) -> np.ndarray:
    """The Rangemaster's transistor by nodal analysis, upright, in volts: base current through 10 kOhm, saturation and all."""
    saturation, beta = 1e-6, 100.0
    rest = KT_Q * np.log(0.22e-3 / saturation + 1.0)

    def collector(volts: float) -> float:
        def error(base):
            return base + 10e3 * (collector_volts(base, 10e3, 8.1, 0.0, beta, saturation)[1] - 2.2e-6) - rest - volts

        base = brentq(error, -abs(volts) - 1.0, 1.0)
        return float(collector_volts(base, 10e3, 8.1, 0.0, beta, saturation)[0])

    return collector(0.0) - np.array([collector(volts) for volts in u])


@pytest.mark.parametrize("peak", [0.02, 0.1, 0.3])
def test_the_overtones_are_the_transistor_s(peak):
    """Odd and even, at a frequency and with a corner that leave all of the tone in; 20 dB is its own gain, times 0.22."""
    boost = 10.0 ** (20.0 / 20.0)
    found = overtones(TrebleBooster(boost=20.0, corner=200.0), 4000.0, peak, 4)
    slope = (stage(np.array([1e-4])) - stage(np.array([-1e-4])))[0] / 2e-4
    through = abs(1.0 / (1.0 + 200.0 / 4000.0j))
    drive = peak * boost * through / (0.22 * slope)
    lines = np.abs(np.fft.rfft(0.22 * stage(drive * np.sin(2.0 * np.pi * np.arange(64) / 64)))) / 32
    # 3 dB down to the fourth: the model's saturation is a limit with a knee, not the second junction
    loud = lines[1:5] > 0.003 * lines[1]
    assert np.allclose(20.0 * np.log10(found[loud] / lines[1:5][loud]), 0.0, atol=3.0)


def test_it_warms_before_it_barks():
    """The second overtone leads while the string is soft."""
    soft = overtones(TrebleBooster(), 2000.0, 0.05, 3)
    assert soft[1] > 2.0 * soft[2]
    assert 20.0 * np.log10(soft[1] / soft[0]) > -40.0
