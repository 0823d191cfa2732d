"""Shapers: the curve that was asked for, the mean along each line, no digits lost where frames are close."""

import mpmath
import numpy as np
import pytest

from neuralamp.dsp.junctions import GERMANIUM, SILICON, diode_pair
from neuralamp.dsp.shaper import LARGEST, MEMORY, shape, shaper_table


def bend(x: np.ndarray, table: np.ndarray, memory: np.ndarray | None = None) -> np.ndarray:
    line, y = np.append(0.0, x), np.zeros(x.size)
    shape(line, y, table, np.zeros(MEMORY) if memory is None else memory, np.zeros(x.size + 1), np.zeros(x.size + 1))
    return y


def lopsided(x):
    return np.tanh(2.0 * x + 0.5) - np.tanh(0.5)


TANH, LOPSIDED = shaper_table(np.tanh), shaper_table(lopsided)


def log_cosh(x):
    return np.logaddexp(x, -x) - np.log(2.0)


def test_it_is_the_mean_of_the_curve_along_each_line():
    x = np.random.default_rng(1).uniform(-6.0, 6.0, 5000)
    before = np.append(0.0, x[:-1])
    # 2e-6: cubics within 1e-7, and both antiderivatives' last digits over the nearest two frames
    assert np.allclose(bend(x, TANH), (log_cosh(x) - log_cosh(before)) / (x - before), atol=2e-6)


@pytest.mark.parametrize("step", [1e-3, 2e-5, 0.9e-5, 1e-7, 1e-10, 1e-14, 0.0])
@pytest.mark.parametrize("start", [-400.0, -3.0, -0.1, 0.0, 1e-4, 0.3, 2.5, 100.0])
def test_close_frames_lose_no_digits(step, start):
    """Against 40 digits, on either side of where the quotient is given up."""
    x = np.array([start, start + step])
    with mpmath.workdps(40):
        a, b = mpmath.mpf(x[0]), mpmath.mpf(x[1])
        exact = mpmath.tanh(a) if a == b else (mpmath.log(mpmath.cosh(b)) - mpmath.log(mpmath.cosh(a))) / (b - a)
    # 1e-7 of the cubics; far out F is about 400 with 16 digits, over 1e-5
    assert bend(x, TANH)[1] == pytest.approx(float(exact), abs=1e-7)


@pytest.mark.parametrize("table", [TANH, LOPSIDED], ids=["even", "lopsided"])
def test_silence_stays_silence_and_a_constant_gets_the_curve(table):
    assert not bend(np.zeros(100), table).any()
    curve = np.tanh if table is TANH else lopsided
    for level in (-3.0, -0.2, 0.01, 0.7, 5.0):
        assert bend(np.full(3, level), table)[-1] == pytest.approx(float(curve(np.array(level))), abs=1e-7)


def test_cut_in_two_it_is_the_same():
    x, memory = np.random.default_rng(2).standard_normal(1000), np.zeros(MEMORY)
    parts = [bend(part, LOPSIDED, memory) for part in np.split(x, [1, 2, 333])]
    assert np.array_equal(np.concatenate(parts), bend(x, LOPSIDED))


@pytest.mark.parametrize("wrong", [np.nan, -np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_what_is_no_number_stays_within_the_table(wrong):
    """Nothing to hear here: a read beyond the table would crash, or answer with what lies there."""
    bend(np.array([wrong, 0.5]), TANH)
    memory = np.zeros(MEMORY)
    assert np.isfinite(bend(np.array([0.5]), TANH, memory)).all()


def test_beyond_the_table_it_stays_a_line():
    y = bend(np.array([2.0 * LARGEST, 2.0 * LARGEST]), TANH)
    assert y[-1] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("diode", [SILICON, GERMANIUM], ids=["silicon", "germanium"])
@pytest.mark.parametrize("ohms", [1000.0, 100e3, 551e3])
def test_diodes_obey_their_law(diode, ohms):
    u = np.concatenate([-np.logspace(3.0, -9.0, 300), [0.0], np.logspace(-9.0, 3.0, 300)])
    v = diode_pair(u, ohms, diode)
    current = 2.0 * diode.saturation * np.sinh(v / diode.volts)
    assert np.allclose(v + ohms * current, u, rtol=1e-10, atol=1e-18)
    assert np.all(np.diff(v) > 0.0)


@pytest.mark.parametrize("ohms", [1000.0, 100e3, 551e3])
def test_a_table_of_diodes_is_the_diodes(ohms):
    x = np.concatenate([np.linspace(-1.0, 1.0, 4001), np.linspace(-100.0, 100.0, 4001)])
    table = shaper_table(lambda u: diode_pair(u, ohms, SILICON))
    played = np.array([bend(np.array([level, level]), table)[-1] for level in x])
    # 1e-5 of a volt: 32 pieces to an octave, at the knee of the hardest pair
    assert np.allclose(played, diode_pair(x, ohms, SILICON), atol=1e-5)
