"""The overdrive against its circuit: the response where diodes do not conduct, the overtones where they do."""

import numpy as np
import pytest

from neuralamp.blocks.overdrive import Overdrive
from neuralamp.dsp.junctions import SILICON
from tests.sound import sine

RATE = 48000.0
AT_HZ = np.array([50.0, 100.0, 200.0, 500.0, 720.0, 1000.0, 2000.0, 4000.0, 5000.0])


def response_db(box: Overdrive, peak: float, at_hz: np.ndarray = AT_HZ) -> np.ndarray:
    """The gain for quiet tones, each measured alone over its last half second."""
    gains = []
    for hz in at_hz:
        part = box.prepare(RATE, 1, 48000)
        y = part.node.play(sine(hz, 48000, RATE, peak=peak), 1)[0, 24000:].astype(np.float64)
        gains.append(2.0 * abs(np.vdot(np.exp(2j * np.pi * hz / RATE * np.arange(24000, 48000)), y)) / 24000 / peak)
    return 20.0 * np.log10(gains)


def nodes_db(drive_db: float, tone: float, at_hz: np.ndarray = AT_HZ) -> np.ndarray:
    """The whole pedal by nodal analysis, the diodes as the resistors that they are at rest."""
    gains = []
    for s in 2j * np.pi * at_hz:
        pot = 4700.0 * (10.0 ** (drive_db / 20.0) - 1.0) + 1e-3
        foot = 1.0 / (4700.0 + 1.0 / (s * 47e-9))
        back = 1.0 / pot + s * 51e-12 + 2.0 * SILICON.saturation / SILICON.volts
        clipped = 1.0 + foot / back
        p, n = max(tone / 100.0 * 20e3, 1e-3), max((1.0 - tone / 100.0) * 20e3, 1e-3)
        # unknown: the inputs' voltage V, the wiper W, the output
        nodes = np.array(
            [
                [1.0 / 1000.0 + s * 220e-9 + 1.0 / p, -1.0 / p, 0.0],
                [1.0 / n + 1.0 / 1000.0, -1.0 / n, -1.0 / 1000.0],
                [1.0 / p + 1.0 / n, -1.0 / p - 1.0 / n - 1.0 / (220.0 + 1.0 / (s * 220e-9)), 0.0],
            ]
        )
        gains.append(np.linalg.solve(nodes, np.array([clipped / 1000.0, 0.0, 0.0]))[2])
    return 20.0 * np.log10(np.abs(gains))


@pytest.mark.parametrize("tone", [0.0, 30.0, 50.0, 100.0])
@pytest.mark.parametrize("drive_db", [0.0, 21.6, 35.0, 41.4])
def test_a_whisper_gets_the_response_of_the_circuit(drive_db, tone):
    found = response_db(Overdrive(drive=drive_db, tone=tone, level=0.0), peak=1e-5)
    # 0.5 dB: the diodes rest beside R_DRIVE and not beside the pot; and the bent frequency axis at 5 kHz
    assert np.allclose(found, nodes_db(drive_db, tone), atol=0.5)


def test_the_tone_knob_goes_from_dark_to_bright():
    dark, bright = (response_db(Overdrive(tone=tone), 1e-5, np.array([3000.0]))[0] for tone in (0.0, 100.0))
    assert bright - dark == pytest.approx(
        nodes_db(26.0, 100.0, np.array([3000.0]))[0] - nodes_db(26.0, 0.0, np.array([3000.0]))[0], abs=0.4
    )
    assert bright - dark > 15.0


def solved(x: np.ndarray, drive_db: float, rate: float) -> np.ndarray:
    """The clipping stage by the trapezoidal rule at a high rate, capacitors beside the diodes and all; Newton at each step."""
    pot = 4700.0 * (10.0 ** (drive_db / 20.0) - 1.0)
    foot, v, before, y = 0.0, 0.0, 0.0, np.zeros(x.size)
    per_step = 2.0 * 51e-12 * rate
    for n in range(x.size):
        # C3 behind R4
        charge = 1.0 / (2.0 * 47e-9 * rate)
        current = (x[n] - foot) / (4700.0 + charge)
        foot += 2.0 * charge * current
        wanted = current + per_step * v + before
        for _ in range(30):
            leak = v / pot + 2.0 * SILICON.saturation * np.sinh(v / SILICON.volts)
            slope = per_step + 1.0 / pot + 2.0 * SILICON.saturation / SILICON.volts * np.cosh(v / SILICON.volts)
            moved = (per_step * v + leak - wanted) / slope
            v -= max(min(moved, 0.05), -0.05)
            if abs(moved) < 1e-12:
                break
        before = current - v / pot - 2.0 * SILICON.saturation * np.sinh(v / SILICON.volts)
        y[n] = x[n] + v
    return y


@pytest.mark.parametrize(("drive_db", "peak", "within_db"), [(21.6, 0.2, 1.5), (32.8, 0.1, 0.5), (41.4, 0.05, 1.5)])
def test_a_loud_string_gets_the_overtones_of_the_circuit(drive_db, peak, within_db):
    """The tone stage's gain is known, so what the clipper made is the output over it.

    The curve is that of the diodes beside a pot of 200 kOhm: right at 32.8 dB, and off by n Vt times the
    logarithm of the ratio at the ends.
    """
    hz, fast = 400.0, 16
    overtones = hz * np.array([1.0, 3.0, 5.0, 7.0])
    part = Overdrive(drive=drive_db, level=0.0).prepare(RATE, 1, 24000)
    y = part.node.play(sine(hz, 24000, RATE, peak=peak), 1)[0, -12000:]
    found = np.abs(np.fft.rfft(y))[np.round(overtones / RATE * 12000).astype(int)] / 6000
    tone = 10.0 ** ((nodes_db(0.0, 50.0, overtones)) / 20.0)
    circuit = solved(peak * np.sin(2.0 * np.pi * hz / RATE / fast * np.arange(fast * 3600)), drive_db, fast * RATE)[
        -fast * 1200 :
    ]
    right = np.abs(np.fft.rfft(circuit))[np.round(overtones / RATE * 1200).astype(int)] / (600 * fast) * tone
    assert np.allclose(20.0 * np.log10(found[:3] / right[:3]), 0.0, atol=within_db)
    assert 20.0 * np.log10(right[1] / right[0]) > -25.0  # it is driven


def test_without_drive_the_string_comes_late_by_the_latency_and_as_clean_as_it_was():
    part = Overdrive(drive=0.0, level=0.0).prepare(RATE, 1, 24000)
    x = np.zeros((1, 500), np.float32)
    x[0, 100] = 1.0
    assert np.flatnonzero(np.abs(part.node.play(x, 1)[0]) > 1e-4)[0] == 100 + part.latency_frames
    y = Overdrive(drive=0.0).prepare(RATE, 1, 24000).node.play(sine(1000.0, 24000, RATE), 1)[0, -12000:]
    lines = np.abs(np.fft.rfft(y))
    lines[[250]], loudest = 0.0, lines[250]
    assert 20.0 * np.log10(lines.max() / loudest) < -120.0


def test_level_is_in_decibels():
    x = sine(500.0, 4800, RATE, peak=0.3)
    loud, soft = (Overdrive(level=level).prepare(RATE, 1, 4800).node.play(x, 1) for level in (0.0, -20.0))
    assert np.allclose(soft, 0.1 * loud, atol=1e-7)
