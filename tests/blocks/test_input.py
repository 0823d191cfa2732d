"""The input: decibels, volts and sides are what they say, and a turn of polarity does not click."""

import numpy as np
import pytest

from neuralamp.block import Block
from neuralamp.blocks.amp import Amp
from neuralamp.blocks.input import Input
from neuralamp.blocks.level import Level
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import save_capture
from neuralamp.engine import Engine
from neuralamp.errors import KnobError
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.rig import Lanes, Rig
from tests.sound import noise, play_in_cuts, sine

RATE = 48000.0


def play(box: Block, x: np.ndarray) -> np.ndarray:
    part = box.prepare(RATE, len(x), x.shape[1])
    return part.node.play(x, part.channels)


@pytest.mark.parametrize("channels", [1, 2])
def test_untouched_the_sound_passes_bit_for_bit(channels):
    x = noise(channels, 5000, seed=1)
    assert np.array_equal(play(Input(), x), x)
    assert np.array_equal(play(Input(device_input_dbu=12.0), x), x)
    assert np.array_equal(play(Input(polarity=-1.0), x), -x)


def test_trim_is_in_decibels():
    x = noise(1, 100, seed=2)
    assert np.allclose(play(Input(trim=-20.0), x), 0.1 * x, rtol=1e-6)


@pytest.mark.parametrize("device_dbu", [6.0, 12.0, 12.5, 19.0])
def test_a_guitar_s_volt_is_the_same_number_on_every_interface(device_dbu):
    """A sine of 1 V RMS is 2.218 dBu, so its peak lies that much under the full scale of 12 dBu, whatever the device's is."""
    volt_dbu = 20.0 * np.log10(1.0 / np.sqrt(0.6))  # 0 dBu is the voltage of 1 mW in 600 ohms, sqrt(0.6) V
    x = sine(1000.0, 4800, RATE, 10.0 ** ((volt_dbu - device_dbu) / 20.0))
    y = play(Input(device_input_dbu=device_dbu), x)
    assert 20.0 * np.log10(np.abs(y).max()) == pytest.approx(volt_dbu - 12.0, abs=1e-5)


def test_the_calibration_is_told_and_what_an_amp_behind_it_wants():
    assert Input().prepare(RATE, 1, 64).notes == ()
    (note,) = Input(device_input_dbu=18.5).prepare(RATE, 1, 64).notes
    assert note == "device at 18.5 dBu: +6.5 dB; full scale is 12 dBu from here on"


@pytest.fixture
def wire(tmp_path):
    """A capture that changes nothing, at 14 dBu."""
    net = Capture(LinearConfig(1), {"impulse": np.ones(1, np.float32)}, Card(input_level_dbu=14.0))
    save_capture(tmp_path / "wire.onnx", net)
    return tmp_path / "wire.onnx"


def rendered(*chain, **suggested: float) -> np.ndarray:
    rig, x = Rig("rig", chain), noise(1, 500, seed=6)
    rig.suggest(**suggested)
    return Engine(rig, RATE).play(x) / x


def test_an_amp_is_driven_by_the_guitar_s_own_volts_behind_a_calibrated_input_and_without_one(wire):
    """The device is told once; whoever calibrates first leaves 12 dBu to those behind."""
    without = rendered(Amp(capture=wire), device_input_dbu=18.5)
    assert without == pytest.approx(10.0 ** (4.5 / 20.0), rel=1e-5)
    assert rendered(Input(), Amp(capture=wire), device_input_dbu=18.5) == pytest.approx(without, rel=1e-5)
    assert rendered(Input(device_input_dbu=18.5), Amp(capture=wire), device_input_dbu=3.0) == pytest.approx(without, rel=1e-5)
    assert rendered(Input(), Input(), Amp(capture=wire), device_input_dbu=18.5) == pytest.approx(without, rel=1e-5)
    lanes = Lanes(((Input(), Amp(capture=wire)), (Amp(capture=wire),)))
    assert rendered(lanes, device_input_dbu=18.5) == pytest.approx(2.0 * without, rel=1e-5)
    assert rendered(Input(), Level(), Amp(capture=wire)) == pytest.approx(1.0, rel=1e-6)


def test_behind_lanes_that_were_calibrated_apart_nothing_is_known_of_the_device(wire):
    lanes = Lanes(((Input(),), (Level(),)))
    behind = Amp(capture=wire)
    Rig("rig", (lanes, behind)).suggest(device_input_dbu=18.5)
    assert behind.set["device_input_dbu"] is None


@pytest.mark.parametrize(("chosen", "left", "right"), [("left", 1.0, 0.0), ("right", 0.0, 1.0), ("sum", 0.5, 0.5)])
def test_a_stereo_take_becomes_mono(chosen, left, right):
    x = noise(2, 5000, seed=3)
    y = play(Input(mono=chosen), x)
    expected = (left * x[0].astype(np.float64) + right * x[1].astype(np.float64)).astype(np.float32)
    assert y.shape == (1, 5000)
    assert np.array_equal(y[0], expected)


@pytest.mark.parametrize("chosen", ["as-is", "left", "right", "sum"])
def test_a_mono_sound_stays_what_it_is(chosen):
    x = noise(1, 5000, seed=4)
    assert np.array_equal(play(Input(mono=chosen), x), x)


def test_what_is_broken_on_the_other_side_is_not_heard():
    x = noise(2, 5000, seed=5)
    x[1, 100] = np.inf
    assert np.array_equal(play(Input(mono="left"), x)[0], x[0])


def test_a_side_there_is_not_is_refused():
    with pytest.raises(KnobError, match="mono = 'middle' is not possible; give one of: as-is, left, right, sum"):
        Input(mono="middle")


def test_a_turn_of_polarity_glides_through_silence():
    box = Input()
    turns = {100: box.goals(box.values | {"polarity": -1.0}, RATE)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, np.ones((1, 9600), np.float32), 1, [9600], turns)
    assert np.abs(np.diff(y)).max() < 0.006  # the first step of an 8 ms glide over 2: 2 / 384
    assert np.flatnonzero(y[0] < 0.0)[0] == pytest.approx(100 + 384 * np.log(2.0), abs=1.0)
    assert y[0, -1] == -1.0
