"""What a guitarist hears of an amp beside its net: the capture's own knobs, its levels, and sample rates that are not its own."""

import numpy as np
import pytest

from neuralamp.audio import resample
from neuralamp.blocks.amp import Amp
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import save_capture
from neuralamp.engine import render
from neuralamp.errors import CaptureError, KnobError, RigError
from neuralamp.messages import Event, Turn
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialConfig, SequentialLayer
from neuralamp.nets.slimmable.config import Part, SlimmableConfig
from neuralamp.rig import Rig, read_rig
from tests.sound import error_db, noise, sine

RATE = 48000


def wire(path, gain: float = 1.0, **card):
    """A capture that answers `gain` times what it hears."""
    weights = {"impulse": np.array([gain], np.float32)}
    save_capture(path, Capture(LinearConfig(1), weights, Card(**{"sample_rate": RATE} | card)))
    return path


def mixer(path):
    """A capture with two knobs, which it adds to what it hears, one tenth of the first and a fifth of the second."""
    config = SequentialConfig((SequentialLayer("conv", 1),), knobs=("Gain", "Output"))
    weights = {"layers.0.weight": np.array([[[1.0], [0.1], [0.2]]], np.float32), "layers.0.bias": np.zeros(1, np.float32)}
    save_capture(path, Capture(config, weights, Card()))
    return path


def played(amp: Amp, x: np.ndarray, rate: int = RATE, events: tuple[Event, ...] = ()) -> np.ndarray:
    return render(Rig("amp", (amp,)), x, rate, events)


class TestKnobsOfTheCapture:
    def test_they_are_the_amp_s_knobs_and_rest_in_the_middle(self, tmp_path):
        amp = Amp(capture=mixer(tmp_path / "mixer.onnx"))
        assert list(amp.controls) == ["input", "output", "gain", "capture_output"]  # the amp has an output of its own
        assert played(amp, np.zeros((1, 100), np.float32)) == pytest.approx(0.5 * 0.1 + 0.5 * 0.2)

    def test_they_stand_where_the_rig_says(self, tmp_path):
        amp = Amp(capture=mixer(tmp_path / "mixer.onnx"), gain=1.0, capture_output=0.0)
        assert played(amp, np.zeros((1, 100), np.float32)) == pytest.approx(0.1)

    def test_they_glide_when_they_are_turned(self, tmp_path):
        amp = Amp(capture=mixer(tmp_path / "mixer.onnx"), gain=0.0, capture_output=0.0)
        y = played(amp, np.zeros((1, 4800), np.float32), events=(Event(1000, Turn("amp", "gain", 1.0)),))[0]
        assert not y[:1000].any()
        assert y[-1] == pytest.approx(0.1, abs=1e-5)  # 79 ms are ten time constants of the glide
        assert 0.0 < np.diff(y).max() < 0.1 / 300  # no step: 8 ms are 384 frames

    def test_one_that_is_not_there_is_told_with_its_line(self, tmp_path):
        mixer(tmp_path / "mixer.onnx")
        (tmp_path / "rig.toml").write_text('[[chain]]\nbox = "amp"\ncapture = "mixer.onnx"\ngian = 0.3\n')
        with pytest.raises(RigError, match=r"rig\.toml, line 4: amp: amp has no gian; did you mean gain\?"):
            read_rig(tmp_path / "rig.toml")

    def test_one_out_of_its_range_is_told_with_its_line(self, tmp_path):
        mixer(tmp_path / "mixer.onnx")
        (tmp_path / "rig.toml").write_text('[[chain]]\nbox = "amp"\ncapture = "mixer.onnx"\ngain = 3\n')
        with pytest.raises(RigError, match=r"rig\.toml, line 4: amp: gain = 3 is not possible; give a number from 0 to 1"):
            read_rig(tmp_path / "rig.toml")

    def test_the_size_of_a_slimmable_capture_is_one_of_them(self, tmp_path):
        parts = tuple(Part(up_to, LinearConfig(1)) for up_to in (0.5, 1.0))
        weights = {f"parts.{i}.impulse": np.array([gain], np.float32) for i, gain in enumerate((0.25, 1.0))}
        save_capture(tmp_path / "slim.onnx", Capture(SlimmableConfig(parts), weights, Card()))
        x = noise(1, 2000, 1)
        assert np.array_equal(played(Amp(capture=tmp_path / "slim.onnx"), x), x)
        assert np.array_equal(played(Amp(capture=tmp_path / "slim.onnx", size=0.2), x), 0.25 * x)


class TestLevels:
    def test_the_voltage_of_the_guitar_drives_the_capture_as_it_drove_the_amp(self, tmp_path):
        amp = Amp(capture=wire(tmp_path / "amp.onnx", input_level_dbu=18.3), device_input_dbu=12.3)
        x = noise(1, 500, 2)
        assert played(amp, x) == pytest.approx(x * 10 ** (-6.0 / 20.0), abs=1e-6)

    def test_what_comes_out_is_the_amp_s_voltage(self, tmp_path):
        amp = Amp(capture=wire(tmp_path / "amp.onnx", output_level_dbu=4.0), device_output_dbu=10.0)
        x = noise(1, 500, 2)
        assert played(amp, x) == pytest.approx(x * 10 ** (-6.0 / 20.0), abs=1e-6)

    def test_two_captures_are_equally_loud_when_that_is_asked(self, tmp_path):
        quiet = wire(tmp_path / "quiet.onnx", gain=0.01, loudness_db=-50.0)
        loud = wire(tmp_path / "loud.onnx", gain=1.0, loudness_db=-10.0)
        x = noise(1, 500, 2)
        one, other = (played(Amp(capture=file, loudness_db=-18.0), x) for file in (quiet, loud))
        assert one == pytest.approx(other, abs=1e-6)
        assert other == pytest.approx(x * 10 ** (-8.0 / 20.0), abs=1e-6)

    def test_a_loudness_that_no_card_tells_is_measured(self, tmp_path):
        x = noise(1, 500, 2)
        one, other = (
            played(Amp(capture=wire(tmp_path / f"{gain}.onnx", gain=gain), loudness_db=-18.0), x) for gain in (0.01, 1.0)
        )
        assert one == pytest.approx(other, rel=1e-4)

    def test_a_silent_capture_cannot_be_made_as_loud_as_others(self, tmp_path):
        silent = Amp(capture=wire(tmp_path / "silent.onnx", gain=0.0), loudness_db=-18.0)
        with pytest.raises(CaptureError, match=r"silent\.onnx cannot be made -18 dB loud: it answers a guitar with silence"):
            silent.prepare(RATE, 1, 64)

    def test_both_levels_are_shown(self, tmp_path):
        amp = Amp(capture=wire(tmp_path / "amp.onnx", input_level_dbu=18.3), device_input_dbu=12.3, device_output_dbu=10.0)
        notes = amp.prepare(RATE, 1, 64).notes
        assert notes[0] == "captured at 18.3 dBu, device at 12.3: -6.0 dB in"
        assert "does not say its output level" in notes[1]

    def test_the_rig_s_own_word_stands_before_the_command_line_s(self, tmp_path):
        wire(tmp_path / "amp.onnx")
        text = '[[chain]]\nbox = "amp"\ncapture = "amp.onnx"\nloudness_db = -30.0\n'
        (tmp_path / "rig.toml").write_text(text + text.replace("loudness_db = -30.0\n", ""))
        rig = read_rig(tmp_path / "rig.toml")
        rig.suggest(loudness_db=-18.0, device_input_dbu=None)
        assert [box.set["loudness_db"] for box in rig.boxes().values()] == [-30.0, -18.0]
        with pytest.raises(KnobError, match=r"loudness_db = 10\.0 is not possible; give a number from -60 to 0 dB"):
            read_rig(tmp_path / "rig.toml").suggest(loudness_db=10.0)


class TestSampleRates:
    @pytest.mark.parametrize("rate", [44100, 96000])
    def test_a_capture_sounds_at_any_rate_as_at_its_own(self, rate, tmp_path):
        config = LstmConfig(4)
        rng = np.random.default_rng(7)
        weights = {name: rng.uniform(-0.6, 0.6, shape).astype(np.float32) for name, shape in config.weights().items()}
        capture = Capture(config, weights, Card(sample_rate=RATE))
        save_capture(tmp_path / "amp.onnx", capture)
        x = (sine(440.0, rate // 2, rate, 0.5) * np.hanning(rate // 2)).astype(np.float32)
        y = played(Amp(capture=tmp_path / "amp.onnx"), x, rate)
        own = played(Amp(capture=tmp_path / "amp.onnx"), resample(x.astype(np.float64), rate, RATE).astype(np.float32))
        expected = resample(own.astype(np.float64), RATE, rate)[:, : x.shape[1]]
        inside = slice(2000, x.shape[1] - 2000)  # soxr has less sound to look at at the ends
        assert error_db(y[:, inside], expected[:, inside]) < -90.0  # both fold what lies 100 dB down and more

    def test_the_way_to_another_rate_and_back_is_told(self, tmp_path):
        part = Amp(capture=wire(tmp_path / "amp.onnx")).prepare(44100, 1, 64)
        assert part.latency_frames == 42
        assert part.notes == ("captured at 48000 Hz and resampled, which takes 42 frames (1.0 ms)",)

    def test_a_take_lies_where_it_lay(self, tmp_path):
        x = (sine(1000.0, 5000, 44100, 0.5) * np.hanning(5000)).astype(np.float32)
        y = played(Amp(capture=wire(tmp_path / "amp.onnx")), x, 44100)
        assert error_db(y, x) < -100.0  # one frame late would leave -17 dB
