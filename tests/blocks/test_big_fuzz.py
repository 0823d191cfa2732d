"""The big fuzz against its circuit: two clippers, and the tone stack with its hole."""

import numpy as np
import pytest

from neuralamp.blocks.big_fuzz import STAGE_GAIN, BigFuzz
from neuralamp.dsp.junctions import SILICON
from tests.blocks.circuits import db, degrees_apart, overtones, response

AT_HZ = np.array([40.0, 80.0, 200.0, 500.0, 800.0, 1000.0, 1500.0, 3000.0, 5000.0])


def stack(tone: float, at_hz: np.ndarray) -> np.ndarray:
    """The tone stack by nodal analysis."""
    gains = []
    for s in 2j * np.pi * at_hz:
        below, above = max(tone / 100.0 * 100e3, 1e-3), max((1.0 - tone / 100.0) * 100e3, 1e-3)
        nodes = np.array(
            [
                [1.0 / 39e3 + s * 10e-9 + 1.0 / below, 0.0, -1.0 / below],
                [0.0, s * 4e-9 + 1.0 / 22e3 + 1.0 / above, -1.0 / above],
                [-1.0 / below, -1.0 / above, 1.0 / below + 1.0 / above],
            ]
        )
        gains.append(np.linalg.solve(nodes, np.array([1.0 / 39e3, s * 4e-9, 0.0]))[2])
    return np.array(gains)


def clippers(at_hz: np.ndarray, sustain_db: float) -> np.ndarray:
    """Both stages at rest, with transistors of a gain of 57 by nodal analysis, the first scaled to the knob."""
    stages = []
    for s in 2j * np.pi * at_hz:
        source = 1.0 / (8200.0 + 1.0 / (s * 100e-9))
        back = 1.0 / 470e3 + s * 470e-12
        # base: (in - b) source = (b - c) back, with the collector c = -57 b
        stages.append(57.0 * source / (source + back * 58.0))
    return np.array(stages) ** 2 * 10.0 ** (sustain_db / 20.0) / STAGE_GAIN


@pytest.mark.parametrize("tone", [0.0, 25.0, 50.0, 80.0, 100.0])
def test_a_whisper_gets_the_response_of_the_circuit(tone):
    found = response(BigFuzz(sustain=0.0, tone=tone, level=-13.0), AT_HZ, peak=1e-6)
    rest = 1.0 + 2.0 * SILICON.saturation * 232e3 / SILICON.volts  # the diodes, beside R_DIODES, in both stages
    expected = clippers(AT_HZ, 0.0) * stack(tone, AT_HZ) / rest**2
    # 0.6 dB and 4 degrees, a frame at 3 kHz being 22: the bent axis, and the shapers' half frame of the fast clock
    assert np.allclose(db(found), db(expected), atol=0.6)
    assert degrees_apart(found, expected) < 4.0


@pytest.mark.parametrize("tone", [0.0, 30.0, 50.0, 100.0])
def test_the_tone_stack_is_the_circuit_s(tone):
    """The clippers taken out by the same box with another tone."""
    at_hz = AT_HZ[:-1]
    found = response(BigFuzz(sustain=0.0, tone=tone), at_hz) / response(BigFuzz(sustain=0.0, tone=70.0), at_hz)
    expected = stack(tone, at_hz) / stack(70.0, at_hz)
    assert np.allclose(db(found), db(expected), atol=0.15)  # the bent frequency axis at 3 kHz


def test_there_is_a_hole_in_the_middle():
    at_hz = np.array([100.0, 1000.0, 5000.0])
    gains = db(response(BigFuzz(sustain=0.0), at_hz) / response(BigFuzz(sustain=0.0, tone=0.0), at_hz) * stack(0.0, at_hz))
    assert gains[0] - gains[1] > 6.0
    assert gains[2] - gains[1] > 4.0


def test_it_sustains():
    """30 dB softer strings come out less than 1.5 dB softer."""
    loud, soft = (overtones(BigFuzz(), 220.0, peak, 1)[0] for peak in (0.3, 0.3 / 31.6))
    assert 0.0 < 20.0 * np.log10(loud / soft) < 1.5


def test_it_is_even_handed():
    lines = overtones(BigFuzz(), 220.0, 0.1, 9)
    assert 20.0 * np.log10(lines[1::2].max() / lines[0]) < -100.0
