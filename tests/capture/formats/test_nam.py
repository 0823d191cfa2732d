"""Neural Amp Modeler's files: what is read from them beside the sound, what we write, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.convert import MOST_DIFFERENCE, MOST_DIFFERENCE_AT_REST, convert, largest_difference
from neuralamp.capture.file import open_capture, save_capture
from neuralamp.capture.formats.nam import wavenet
from neuralamp.errors import CaptureError
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialConfig, SequentialLayer
from neuralamp.nets.slimmable.config import Part, SlimmableConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import Film, LayerArray
from tests.capture.nam_files import random_nam

CARD = Card(
    name="Red plexi", maker="us", gear="Marshall 1959 SLP", gear_type="amp", tone_type="crunch", sample_rate=44100,
    input_level_dbu=12.2, output_level_dbu=None, loudness_db=-17.5, date="2026-11-21", esr=0.0123,
)  # fmt: skip


def random_capture(config, seed: int = 1) -> Capture:
    rng = np.random.default_rng(seed)
    weights = {name: rng.uniform(-0.3, 0.3, shape).astype(np.float32) for name, shape in config.weights().items()}
    return Capture(config, weights, CARD)


def saved(tmp_path, model: dict):
    path = tmp_path / "amp.nam"
    path.write_text(json.dumps(model))
    return path


FILMED = LayerArray(
    4, (3, 2), (1, 5), ("prelu", "leaky_relu 0.2"), gatings=("none", "blended"), films=(Film("conv_in"), Film("residual_out"))
)
CONVOLUTIONS = [SequentialLayer("conv", 3, 2, dilation, activation="softsign") for dilation in (1, 2, 4)]
WRITTEN = {
    "A1 nano": (IN_THE_WILD["A1 nano"], "0.5.4"),
    "A2 lite": (IN_THE_WILD["A2 lite"], "0.7.0"),
    "films in some layers": (WaveNetConfig((FILMED,)), "0.7.0"),
    "conditioned": (WaveNetConfig((LayerArray(2, (2,), (3,), ("tanh",)),), condition=LstmConfig(2, outputs=3)), "0.7.0"),
    "LSTM": (LstmConfig(8, layers=2), "0.5.4"),
    "LSTM that begins elsewhere": (LstmConfig(3, initial_state=True), "0.5.4"),
    "linear": (LinearConfig(300, bias=True), "0.5.4"),
    "ConvNet": (SequentialConfig((*CONVOLUTIONS, SequentialLayer("conv", 1))), "0.5.4"),
    "slimmable": (SlimmableConfig((Part(0.5, LstmConfig(2)), Part(1.0, IN_THE_WILD["A1 nano"]))), "0.7.0"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_read_back_and_plays_the_same(name, tmp_path):
    config, version = WRITTEN[name]
    capture = random_capture(config)
    save_capture(tmp_path / "amp.nam", capture)
    again = open_capture(tmp_path / "amp.nam")
    assert largest_difference(capture, again) <= MOST_DIFFERENCE
    assert json.loads((tmp_path / "amp.nam").read_text())["version"] == version
    assert again.card == replace(CARD, source=f"amp.nam, .nam {version}")


# Not 2: it is conditioned by a linear net with silent outputs, which comes back as a convolution that no .nam file can say.
@pytest.mark.parametrize("seed", [0, 1, *range(3, 13)])
def test_any_file_goes_through_ours_and_back(seed, tmp_path):
    path = saved(tmp_path, random_nam("WaveNet", seed, outputs=1, post_head=None))
    first, _ = convert(path, tmp_path / "amp.onnx")
    convert(tmp_path / "amp.onnx", tmp_path / "again.nam")
    assert largest_difference(first, open_capture(tmp_path / "again.nam")) <= MOST_DIFFERENCE


def test_every_golden_file_becomes_ours(recordings, tmp_path):
    files = sorted((recordings / "golden" / "nam").glob("*.nam"))
    assert len(files) == 15
    for file in files:
        assert convert(file, tmp_path / f"{file.stem}.onnx")[1] <= MOST_DIFFERENCE


def test_a_conversion_that_sounds_different_is_not_kept(tmp_path, monkeypatch):
    save_capture(tmp_path / "amp.onnx", random_capture(IN_THE_WILD["A1 nano"]))
    honest = wavenet.write_weights
    monkeypatch.setattr(wavenet, "write_weights", lambda config, weights: [1.01 * part for part in honest(config, weights)])
    with pytest.raises(CaptureError, match=r"amp\.nam would sound different from amp\.onnx"):
        convert(tmp_path / "amp.onnx", tmp_path / "amp.nam")
    assert [path.name for path in tmp_path.iterdir()] == ["amp.onnx"]


def test_the_card_of_a_file_in_the_wild(recordings):
    card = open_capture(recordings / "golden" / "nam" / "core_lstm.nam").card
    assert (card.name, card.maker, card.gear_type, card.tone_type) == ("Test LSTM", "Steve", "amp", "clean")
    assert card.gear == "Darkglass Electronics Microtubes 900 v2"
    assert (card.input_level_dbu, card.output_level_dbu, card.date) == (18.3, 12.3, "2024-10-09")
    assert card.loudness_db == pytest.approx(-37.84, abs=0.01)
    assert card.source == "core_lstm.nam, .nam 0.5.4"


@pytest.mark.parametrize("date", ["", "last summer", "2026-11", "2026-11-21T10:00"])
def test_a_date_that_is_none_is_left_out(date, tmp_path):
    capture = random_capture(LstmConfig(2))
    save_capture(tmp_path / "amp.nam", replace(capture, card=replace(CARD, date=date)))
    assert open_capture(tmp_path / "amp.nam").card.date == ""


def test_a_file_without_a_rate_is_taken_at_48_kHz_and_that_is_said(tmp_path):
    capture = open_capture(saved(tmp_path, random_nam("LSTM", 1, sample_rate=None, outputs=1)))
    assert capture.card.sample_rate == 48000
    assert capture.warnings == ("it names no sample rate; 48000 Hz is assumed",)


def test_a_version_is_not_believed(tmp_path):
    model = random_nam("WaveNet", 3, outputs=1)
    for version in ("0.1.0", "99.0.0", None, 7):
        open_capture(saved(tmp_path, model | {"version": version}))


FIRST = {
    "input_size": 1, "condition_size": 1, "channels": 3, "head_size": 2, "head_bias": False,
    "kernel_size": 3, "dilations": [1, 2], "activation": "Tanh",
}  # fmt: skip
LAST = FIRST | {"input_size": 3, "channels": 2, "head_size": 1, "head_bias": True, "dilations": [8]}
A1 = {
    "version": "0.5.4",
    "architecture": "WaveNet",
    "sample_rate": 48000,
    "weights": [0.1] * 131,
    "config": {"head": None, "layers": [FIRST, LAST]},
}


def layer(**changes):
    first, *rest = A1["config"]["layers"]
    return A1 | {"config": A1["config"] | {"layers": [first | changes, *rest]}}


MISTAKES = {
    "weights holds 130 numbers, and its config needs more": A1 | {"weights": [0.1] * 130},
    "weights holds 132 numbers, but its config needs 131": A1 | {"weights": [0.1] * 132},
    "weights is missing": {key: value for key, value in A1.items() if key != "weights"},
    "architecture is 'Transformer'; it should be one of WaveNet, LSTM": A1 | {"architecture": "Transformer"},
    r"config\.layers\.0\.channels is 0; it should be a whole number from 1": layer(channels=0),
    r"config\.layers\.0\.channels is 'three'": layer(channels="three"),
    r"config\.layers\.0\.kernel_size is missing": layer(kernel_size=None),
    r"config\.layers\.0\.dilations": layer(dilations=[1, "two"]),
    r"config\.layers\.0\.activation\.type is 'Tan'; it should be one of Tanh": layer(activation="Tan"),
    r"config\.layers\.0\.gating_mode": layer(gating_mode=["none"]),
    r"config\.layers\.0\.input_size is 2; it should be 1": layer(input_size=2),
    r"config\.layers\.0\.condition_size is 4; it should be 1": layer(condition_size=4),
    "cannot be parted into 2 groups": layer(groups_input=2),
    "a head of 3 channels cannot start a skip sum of 2": layer(head_size=3),
    r"config\.layers is a list of 0; it should|at least one layer array": A1 | {"config": {"layers": []}},
    r"config\.layers\.0\.slimmable\.kwargs": layer(
        slimmable={"method": "slice_channels_uniform", "kwargs": {"allowed_channels": [3, 1]}}
    ),
    r"config\.in_channels is 2; it should be 1": A1 | {"config": A1["config"] | {"in_channels": 2}},
    "weights is a list of 131; it should hold numbers": A1 | {"weights": [0.1] * 130 + ["x"]},
    "float32": A1 | {"weights": [0.1] * 130 + [1e308]},
    "rising order": {
        "version": "0.7.0",
        "architecture": "SlimmableContainer",
        "config": {"submodels": [{"max_value": 0.5, "model": A1}]},
    },
}


def test_the_file_that_the_mistakes_are_made_in_is_right(tmp_path):
    assert open_capture(saved(tmp_path, A1)).config.receptive_field == 1 + 2 * 3 + 2 * 8


@pytest.mark.parametrize("says", MISTAKES)
def test_a_mistake_in_a_file_is_told_by_its_place(says, tmp_path):
    with pytest.raises(CaptureError, match=says) as refusal:
        open_capture(saved(tmp_path, MISTAKES[says]))
    assert str(refusal.value).startswith(str(tmp_path / "amp.nam"))


@pytest.mark.parametrize(
    "config, says",
    [
        (LstmConfig(2, cell="gru"), "none that a .nam file can say"),
        (LstmConfig(2, skip=1.0), "none that a .nam file can say"),
        (replace(IN_THE_WILD["A1 nano"], knobs=("gain",)), r"it has knobs \(gain\)"),
    ],
)
def test_what_the_format_cannot_say_is_not_written(config, says, tmp_path):
    with pytest.raises(CaptureError, match=says):
        save_capture(tmp_path / "amp.nam", random_capture(config))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".aidax", ".json"])
def test_a_recurrent_capture_goes_where_no_beginning_can_be_written(ending, recordings, tmp_path):
    """It begins elsewhere there, and has forgotten that by the first note: an amp is settled on silence."""
    file = recordings / "golden" / "nam" / "BossLSTM-1x16.nam"
    assert open_capture(file).config.initial_state
    assert convert(file, tmp_path / f"boss{ending}")[1] <= MOST_DIFFERENCE_AT_REST
