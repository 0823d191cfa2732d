"""The gate: what opens it, what shuts it, how fast, and that it cannot be heard doing so."""

import numpy as np
import pytest

from neuralamp.blocks import boxes
from neuralamp.blocks.gate import FALL_MS, Gate
from neuralamp.engine import render
from neuralamp.rig import Rig
from tests.sound import keyed, noise, sine

RATE = 48000.0


def gated(box: Gate, x: np.ndarray, key: np.ndarray | None = None) -> np.ndarray:
    """A sound through the gate, at the head of a chain or keyed by another sound."""
    part = box.prepare(RATE, x.shape[0], 64)
    return part.node.play(keyed(part, x, key), x.shape[0])


def gain_of(box: Gate, x: np.ndarray) -> np.ndarray:
    """The gate's gain at each frame, of a sound that is never zero."""
    return (gated(box, x) / x)[0]


def steps(*levels_db_and_ms: tuple[float, float]) -> np.ndarray:
    """(1, frames): constant levels one after the other."""
    return np.concatenate([np.full(round(ms * RATE / 1000.0), 10.0 ** (db / 20.0)) for db, ms in levels_db_and_ms])[None].astype(
        np.float32
    )


@pytest.mark.parametrize("threshold_db", [-80.0, -60.0, -30.0, -6.0])
def test_it_opens_at_the_threshold(threshold_db):
    box = Gate(threshold=threshold_db, range=60.0)
    assert gain_of(box, steps((threshold_db - 0.01, 500.0)))[-1] == pytest.approx(0.001, rel=1e-6)
    assert gain_of(box, steps((threshold_db + 0.01, 500.0)))[-1] == 1.0


def test_it_stays_open_down_to_the_hysteresis_and_shuts_below():
    box = Gate(threshold=-40.0, hysteresis=10.0, hold=10.0, release=20.0, range=60.0)
    assert gain_of(box, steps((-30.0, 100.0), (-49.9, 1000.0)))[-1] == 1.0
    assert gain_of(box, steps((-30.0, 100.0), (-50.1, 1000.0)))[-1] == pytest.approx(0.001, rel=1e-6)


def test_an_open_gate_passes_the_sound_bit_for_bit():
    x = noise(2, 48000, seed=1, peak=0.5)
    y = gated(Gate(), x)
    opened = round(0.001 * RATE) + 10  # the attack, and the first frames of noise under the threshold
    assert np.array_equal(y[:, opened:], x[:, opened:])


@pytest.mark.parametrize("attack_ms", [0.1, 1.0, 20.0])
def test_the_attack_is_the_time_to_fully_open(attack_ms):
    gain = gain_of(Gate(attack=attack_ms), steps((-10.0, 100.0)))
    assert np.flatnonzero(gain == 1.0)[0] + 1 == pytest.approx(attack_ms * RATE / 1000.0, abs=1.0)


def test_hold_and_release_are_the_times_they_say():
    hold_ms, release_ms, range_db = 100.0, 200.0, 40.0
    box = Gate(threshold=-40.0, hysteresis=6.0, hold=hold_ms, release=release_ms, range=range_db)
    gain = gain_of(box, steps((-20.0, 50.0), (-90.0, 1000.0)))
    # from -20 dB to -46 dB the level falls by 37 % each FALL_MS, and only then is there anything to hold
    fallen = 0.05 * RATE + FALL_MS / 1000.0 * RATE * np.log(10.0 ** (26.0 / 20.0))
    leaves = np.flatnonzero(gain[2400:] < 1.0)[0] + 2400
    assert leaves == pytest.approx(
        fallen + hold_ms / 1000.0 * RATE, abs=15.0
    )  # the smooth start hides its first frames in float32
    shut = np.flatnonzero(gain[leaves:] <= 0.01 * (1.0 + 1e-6))[0] + leaves
    assert shut == pytest.approx(leaves + release_ms / 1000.0 * RATE, abs=15.0)


@pytest.mark.parametrize("range_db", [0.0, 20.0, 80.0, 120.0])
def test_shut_it_is_softer_by_the_range(range_db):
    gain = gain_of(Gate(threshold=0.0, range=range_db), steps((-20.0, 100.0)))
    assert np.allclose(gain, 10.0 ** (-range_db / 20.0), rtol=1e-6)


def test_both_channels_open_together():
    x = np.concatenate([steps((-10.0, 100.0)), steps((-90.0, 100.0))])
    y = gated(Gate(range=60.0), x)
    assert np.array_equal(y[0] / x[0] == 1.0, y[1] / x[1] == 1.0)
    assert y[1, -1] == x[1, -1]


def test_a_low_note_does_not_flutter():
    """The lowest E of a bass, 41 Hz, one narrow swing in each period, 6 dB over the threshold, the shortest hold."""
    x = (10.0 ** (-54.0 / 20.0) * sine(41.2, 48000, RATE).astype(np.float64) ** 31).astype(np.float32).clip(min=1e-9)
    y = gated(Gate(hold=1.0, release=5.0), x)
    assert np.array_equal(y[:, 2400:], x[:, 2400:])


def test_it_listens_to_the_clean_guitar_wherever_it_stands():
    """Behind an amp that hums as loud as it plays, only the key tells a note from a pause."""
    hum, guitar = noise(1, 48000, seed=2, peak=0.9), steps((-20.0, 500.0), (-90.0, 500.0))
    y = gated(Gate(range=60.0), hum, guitar)
    assert np.array_equal(y[:, 2400:24000], hum[:, 2400:24000])
    assert np.allclose(y[:, 45000:], 0.001 * hum[:, 45000:], rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_rig_keys_it_with_its_own_input(channels):
    x = np.repeat(steps((-20.0, 500.0), (-90.0, 500.0)), channels, axis=0)
    loud = Rig("loud", (boxes()["level"](level=24.0), boxes()["level"](level=24.0), Gate(threshold=-40.0, range=60.0)))
    y = render(loud, x, RATE)
    assert y[-1, 20000] == pytest.approx(10.0 ** (28.0 / 20.0), rel=1e-6)
    assert y[-1, 47000] == pytest.approx(10.0 ** ((48.0 - 90.0 - 60.0) / 20.0), rel=1e-5)


def test_opening_and_shutting_does_not_click():
    """A burst on the right opens the gate on a soft 100 Hz tone on the left: what stands there above 5 kHz is the gate's own."""
    left = sine(100.0, 48000, RATE, peak=1e-4)
    right = np.zeros_like(left)
    right[:, 10123:20000] = 0.1
    y = gated(Gate(range=60.0), np.concatenate([left, right]))[:1]
    switched = np.where(np.abs(y) > 0.5 * np.abs(left), left, 0.001 * left)
    assert y[0, 15025] == left[0, 15025]
    assert above_5_khz_db(switched) > -50.0  # a gate without a ramp: -43 dB
    assert above_5_khz_db(y) < -95.0  # -101 dB measured


def above_5_khz_db(y: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(y[0].astype(np.float64) * np.hanning(y.shape[1]))) ** 2
    return 10.0 * np.log10(power[5000:].sum() / power.sum())
