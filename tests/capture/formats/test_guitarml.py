"""GuitarML and Proteus: their files sound here as their trainer's torch net, ours are read back the same, mistakes are told."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from neuralamp.capture.capture import Capture
from neuralamp.capture.file import endings, open_capture, save_capture
from neuralamp.errors import CaptureError
from neuralamp.nets import architecture_of
from neuralamp.nets.lstm.config import LstmConfig
from tests.blocks.samples import small_capture
from tests.capture.formats.test_rtneural import CARD, recurrent_capture
from tests.nets.random_nets import excitation
from tests.sound import error_db

FRAMES = 400
PARITY_DB = -110.0  # float32 against float64


def model(unit: str = "LSTM", hidden: int = 5, layers: int = 1, inputs: int = 1, skip: int = 1, biased: bool = True) -> dict:
    """As the trainer writes its net: torch's own names, and its description."""
    torch.manual_seed(hidden)
    rec = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}[unit](inputs, hidden, layers, bias=biased)
    lin = torch.nn.Linear(hidden, 1, bias=biased)
    state = torch.nn.ModuleDict({"rec": rec, "lin": lin}).state_dict()
    return {
        "model_data": {
            "model": "SimpleRNN", "input_size": inputs, "skip": skip, "output_size": 1, "unit_type": unit,
            "num_layers": layers, "hidden_size": hidden, "bias_fl": biased,
        },
        "state_dict": {name: value.tolist() for name, value in state.items()},
    }  # fmt: skip


def heard_by_torch(content: dict, x: np.ndarray) -> np.ndarray:
    """(inputs, frames) as the trainer plays it, in float64 and from zero: (1, frames)."""
    data = content["model_data"]
    state = {key: torch.tensor(value, dtype=torch.float64) for key, value in content["state_dict"].items()}
    cells = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}[data["unit_type"]]
    rec = cells(data["input_size"], data["hidden_size"], data["num_layers"], bias=data["bias_fl"]).double()
    lin = torch.nn.Linear(data["hidden_size"], 1, bias=data["bias_fl"]).double()
    rec.load_state_dict({key[4:]: value for key, value in state.items() if key.startswith("rec.")})
    lin.load_state_dict({key[4:]: value for key, value in state.items() if key.startswith("lin.")})
    steps = torch.from_numpy(x.T.astype(np.float64))
    with torch.no_grad():
        return (lin(rec(steps)[0]) + data["skip"] * steps[:, :1]).numpy().T


def opened(folder, content: dict) -> Capture:
    path = folder / "amp.json"
    path.write_text(json.dumps(content))
    return open_capture(path)


def played(capture: Capture, x: np.ndarray) -> np.ndarray:
    return architecture_of(capture.config).stream(capture.config, capture.weights).play(x, 1)


@pytest.mark.parametrize("unit", ["LSTM", "GRU"])
@pytest.mark.parametrize("shape", [{}, {"layers": 3}, {"inputs": 3}, {"skip": 0}, {"biased": False}])
def test_a_file_plays_as_its_trainer_heard_it(unit, shape, tmp_path):
    content = model(unit, **shape)
    capture = opened(tmp_path, content)
    x = excitation(capture.config, FRAMES, 1)
    assert error_db(played(capture, x), heard_by_torch(content, x)) < PARITY_DB


def test_what_the_file_does_not_say_is_told(tmp_path):
    capture = opened(tmp_path, model(inputs=2))
    assert capture.warnings == ("it names no sample rate; 44100 Hz is assumed, as is usual for such files",)
    assert capture.card.sample_rate == 44100
    assert capture.card.source == "amp.json, GuitarML JSON"
    assert capture.config.knobs == ("knob 1",)


@pytest.mark.parametrize("where", ["model_data", "metadata"])
def test_a_sample_rate_is_found_wherever_it_stands(where, tmp_path):
    content = model()
    content.setdefault(where, {})["samplerate"] = 48000
    capture = opened(tmp_path, content)
    assert (capture.card.sample_rate, capture.warnings) == (48000, ())


@pytest.mark.parametrize("skip", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(6))
def test_what_we_write_plays_the_same_when_read_back(seed, skip, tmp_path):
    saved = recurrent_capture(seed, skip=skip, knobs=("gain", "tone")[: seed % 3])
    save_capture(tmp_path / "amp.json", saved)
    back = open_capture(tmp_path / "amp.json")
    assert back.config == saved.config
    assert all(np.array_equal(back.weights[name], saved.weights[name]) for name in saved.weights)
    assert back.card == dataclasses.replace(CARD, source="amp.json, GuitarML JSON")
    x = excitation(saved.config, FRAMES, seed)
    assert np.array_equal(played(back, x), played(saved, x))
    written = json.loads((tmp_path / "amp.json").read_text())
    assert error_db(heard_by_torch(written, x), played(saved, x)) < PARITY_DB


def test_no_two_formats_want_the_same_ending():
    assert len(set(endings())) == len(endings())
    assert {".aidax", ".json"} <= set(endings())


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"skip": 0.5}, "adds 0.5 times what came in; a GuitarML file can say once or not at all"),
    ],
)
def test_what_the_format_cannot_say_is_refused(changes, says, tmp_path):
    with pytest.raises(CaptureError, match=says) as refusal:
        save_capture(tmp_path / "amp.json", recurrent_capture(1, **changes))
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "amp.json").exists()


def test_a_wavenet_is_refused(tmp_path):
    with pytest.raises(CaptureError, match="holds recurrent nets only"):
        save_capture(tmp_path / "amp.json", open_capture(small_capture(tmp_path / "amp.onnx")))


def test_a_net_of_several_outputs_is_no_capture_in_any_format():
    config = LstmConfig(2, outputs=2)
    weights = {name: np.zeros(shape, np.float32) for name, shape in config.weights().items()}
    with pytest.raises(CaptureError, match="2 rows of sound"):
        Capture(config, weights, CARD)


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda data, state: data.update(unit_type="RNN"), "model_data.unit_type is 'RNN'; it should be LSTM or GRU"),
        (lambda data, state: data.pop("unit_type"), "model_data.unit_type is missing"),
        (lambda data, state: data.pop("hidden_size"), "model_data.hidden_size is missing"),
        (lambda data, state: data.update(hidden_size=-1), "hidden_size is -1; it should be a whole number"),
        (lambda data, state: data.update(hidden_size=10**9), "of weights alone|this many cells"),
        (lambda data, state: data.update(num_layers=17), "1 to 16 layers"),
        (lambda data, state: data.update(output_size=2), "output_size is 2; it should be a whole number from 1 to 1"),
        (lambda data, state: data.update(input_size=99), "input_size is 99; it should be a whole number from 1 to 17"),
        (lambda data, state: data.update(skip=2), "skip is 2; it should be a whole number from 0 to 1"),
        (lambda data, state: data.update(bias_fl="yes"), "bias_fl is 'yes'; it should be true or false"),
        (lambda data, state: data.update(hidden_size=4), r"rec.weight_ih_l0 has shape \(20, 1\); the config asks for \(16, 1\)"),
        (lambda data, state: data.update(num_layers=2), "state_dict.rec.weight_ih_l1 is missing"),
        (lambda data, state: state.pop("lin.weight"), "state_dict.lin.weight is missing"),
        (lambda data, state: state.update(extra=[1.0]), "state_dict.extra is a list of 1; it should not be there"),
        (lambda data, state: state.update({"lin.bias": 1.0}), "state_dict.lin.bias .*1 dimensions"),
        (lambda data, state: state.update({"lin.bias": [None]}), "should hold numbers in 1 dimensions"),
        (lambda data, state: state.update({"lin.bias": [1e39]}), "finite numbers of float32"),
    ],
)
def test_a_mistake_is_told_with_its_place(spoil, says, tmp_path):
    content = model()
    opened(tmp_path, content)
    spoil(content["model_data"], content["state_dict"])
    with pytest.raises(CaptureError, match=says) as refusal:
        opened(tmp_path, content)
    assert "amp.json" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("key", ["model_data", "state_dict"])
def test_half_a_file_of_the_wrong_kind_is_refused(key, tmp_path):
    with pytest.raises(CaptureError, match=f"{key} is a list of 0; it should be an object"):
        opened(tmp_path, model() | {key: []})


def test_text_that_is_cut_short_is_told_with_the_file(tmp_path):
    text = json.dumps(model())
    (tmp_path / "amp.json").write_text(text[: len(text) // 2])
    with pytest.raises(CaptureError, match="not whole JSON") as refusal:
        open_capture(tmp_path / "amp.json")
    assert "amp.json" in str(refusal.value)
