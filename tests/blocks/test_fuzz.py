"""The fuzz: lopsided, alive to how hard it is played, and clean when the guitar is turned down."""

import numpy as np
import pytest
from scipy.optimize import brentq

from neuralamp.blocks.fuzz import Fuzz
from neuralamp.blocks.fuzz import _curve as fuzz_table
from neuralamp.dsp.shaper import MEMORY, shape
from tests.blocks.circuits import KT_Q, RATE, collector_volts, db, degrees_apart, overtones, response
from tests.sound import sine


def pair(u: np.ndarray) -> np.ndarray:
    """Both transistors by nodal analysis: the second base hangs on the first collector, and its current flows through 33 kOhm."""
    first, second, saturation = 80.0, 110.0, 1e-6
    first_rest = KT_Q * np.log(0.25e-3 / saturation)

    def collector(volts: float, emitter: float) -> float:
        current = 0.25e-3 / first
        base = brentq(
            lambda b: b + 5e3 * (saturation / first * (np.exp(b / KT_Q) - 1.0) - current) - first_rest - volts, -9.0, 1.0
        )

        def taken(c: float) -> float:
            """What the first collector and the second base take, less what 33 kOhm give."""
            backward = np.exp(np.clip((base - c) / KT_Q, -300.0, 300.0))
            own = saturation * (np.exp(base / KT_Q) - backward - (backward - 1.0) / 5.0)
            return own + float(collector_volts(c, 8.67e3, 9.0, emitter, second, saturation)[1]) - (9.0 - c) / 33e3

        return float(collector_volts(brentq(taken, 0.0, 3.0), 8.67e3, 9.0, emitter, second, saturation)[0])

    # a microampere is 33 mV at the second base: what is fed back holds the emitter where the second one rests
    held = brentq(lambda emitter: collector(0.0, emitter) - (9.0 - 8.67e3 * 0.52e-3), 0.3, 0.6)
    return np.array([collector(volts, held) for volts in u]) - collector(0.0, held)


def test_the_curve_is_the_pair_s():
    """Their shape, over their own full swing: levels and slope at rest are the box's to scale."""
    slope = np.diff(pair(np.array([-2e-5, 2e-5])))[0] / 4e-5
    u = np.concatenate([-np.logspace(-5.0, -1.0, 25)[::-1], np.logspace(-5.0, -1.0, 25)])
    right = pair(u)
    line, values = np.append(0.0, 0.12 * slope * u), np.zeros(u.size + 1)
    shape(line, np.zeros(u.size), fuzz_table(), np.zeros(MEMORY), np.zeros(u.size + 1), values)
    swing = right.max() - right.min()
    # 4 % of the swing: the nodes rest a little elsewhere, and the model's saturation is a knee
    assert np.allclose(values[1:] / 0.12, right, atol=0.04 * swing)


@pytest.mark.parametrize("fuzz_db", [0.0, 40.0])
def test_a_whisper_is_only_louder(fuzz_db):
    at_hz = np.array([20.0, 50.0, 200.0, 1000.0, 3000.0])
    found, s = response(Fuzz(fuzz=fuzz_db), at_hz), 1j * at_hz
    expected = 10.0 ** (fuzz_db / 20.0) * s / (s + 5.0) * s / (s + 32.0)
    assert np.allclose(db(found), db(expected), atol=0.1)
    assert degrees_apart(found, expected) < 2.0


def duty(y: np.ndarray) -> float:
    return float(np.mean(y > 0.5 * (y.max() + y.min())))


def test_a_loud_note_leaves_its_rest_and_gets_lopsided():
    y = Fuzz().prepare(RATE, 1, 48000).node.play(sine(220.0, 48000, RATE, peak=0.3), 1)[0]
    first, later = y[34 : 34 + 218], y[-4800:]
    assert duty(first) > 0.42  # before the capacitor has heard much of it
    assert duty(later) < 0.38
    lines = overtones(Fuzz(), 220.0, 0.3, 2)
    assert 20.0 * np.log10(lines[1] / lines[0]) > -12.0  # even overtones


def test_the_rest_comes_back_when_the_note_is_gone():
    x = np.concatenate([sine(220.0, 24000, RATE, peak=0.5), np.zeros((1, 48000), np.float32)], axis=1)
    y = Fuzz().prepare(RATE, 1, 72000).node.play(x, 1)[0]
    assert np.abs(y[24000:26000]).max() > 0.05
    assert np.abs(y[-4800:]).max() < 1e-4


def test_the_guitar_s_own_volume_cleans_it_up():
    def dirt_db(peak: float) -> float:
        lines = overtones(Fuzz(), 220.0, peak, 20)
        return 20.0 * np.log10(np.sqrt(np.sum(lines[1:] ** 2)) / lines[0])

    assert dirt_db(0.0005) < -25.0
    assert dirt_db(0.3) > -8.0
