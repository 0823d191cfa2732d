"""The distortion against its circuit: an op-amp that runs out of gain, and two diodes that run out of volts."""

import numpy as np
import pytest
from scipy.optimize import brentq

from neuralamp.blocks.distortion import Distortion
from neuralamp.dsp.junctions import SILICON
from tests.blocks.circuits import RATE, db, degrees_apart, overtones, response
from tests.sound import sine

AT_HZ = np.array([40.0, 80.0, 200.0, 500.0, 1000.0, 1500.0, 3000.0, 5000.0])


def nodes(distortion_db: float, filter_hz: float) -> np.ndarray:
    """An op-amp of 1 MHz, not an ideal one, with both feet; the diodes as the resistors that they are at rest."""
    s = 2j * np.pi * AT_HZ
    foot = 1.0 / (47.0 + 1.0 / (s * 2.2e-6)) + 1.0 / (560.0 + 1.0 / (s * 4.7e-6))
    pot = 43.36 * (10.0 ** (distortion_db / 20.0) - 1.0) + 1e-6
    back = 1.0 / pot + s * 100e-12
    open_gain = 2.0 * np.pi * 1e6 / s
    closed = open_gain / (1.0 + open_gain * back / (back + foot))
    rest = SILICON.volts / (2.0 * SILICON.saturation)
    return closed * rest / (rest + 1000.0) / (1.0 + s / (2.0 * np.pi * filter_hz))


@pytest.mark.parametrize("filter_hz", [475.0, 4000.0])
@pytest.mark.parametrize("distortion_db", [0.0, 30.0, 50.0, 67.0])
def test_a_whisper_gets_the_response_of_the_circuit(distortion_db, filter_hz):
    found = response(Distortion(distortion=distortion_db, filter=filter_hz, level=0.0), AT_HZ)
    # 0.7 dB and 6 degrees, a frame at 1 kHz being 7.5: 100 pF at the resonance of op-amp and feet, the bent axis at 5 kHz
    assert np.allclose(db(found), db(nodes(distortion_db, filter_hz)), atol=0.7)
    assert degrees_apart(found[AT_HZ <= 1000.0], nodes(distortion_db, filter_hz)[AT_HZ <= 1000.0]) < 6.0


def test_at_full_gain_the_op_amp_takes_the_treble():
    """At 8 kHz it has 1 MHz / 8 kHz = 42 dB, whatever the knob says; the filter takes 0.5 dB, the bent axis 0.7."""
    gain = response(Distortion(distortion=67.0, filter=22000.0, level=0.0), np.array([8000.0]))
    assert db(gain)[0] == pytest.approx(42.0 - 0.5 - 0.7, abs=0.5)


@pytest.mark.parametrize("peak", [0.1, 1.0])
def test_the_diodes_stop_it_where_rail_and_resistor_leave_them(peak):
    box = Distortion(distortion=67.0, filter=22000.0, level=0.0)
    y = box.prepare(RATE, 1, 48000).node.play(sine(60.0, 48000, RATE, peak=peak), 1)[0, 24000:]
    plateau = brentq(lambda v: v + 2000.0 * SILICON.saturation * np.sinh(v / SILICON.volts) - 4.5, 0.0, 1.0)
    assert np.quantile(np.abs(y), 0.5) == pytest.approx(plateau, abs=0.003)


def test_it_is_even_handed():
    lines = overtones(Distortion(), 220.0, 0.3, 9)
    assert 20.0 * np.log10(lines[1::2].max() / lines[0]) < -120.0
    assert 20.0 * np.log10(lines[2] / lines[0]) > -12.0  # a square has -9.5 dB


def test_the_filter_is_3_db_down_at_its_knob():
    gains = [response(Distortion(distortion=0.0, filter=hz, level=0.0), np.array([hz]))[0] for hz in (475.0, 2000.0, 8000.0)]
    assert np.allclose(db(np.array(gains)), -3.01, atol=0.05)
