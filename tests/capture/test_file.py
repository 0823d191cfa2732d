"""The capture file: written whole, read back as it was, refused by name in one line when it does not hold together."""

import dataclasses
import json

import numpy as np
import onnx
import onnxruntime
import pytest

from neuralamp import __version__
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card, read_card, write_card
from neuralamp.capture.file import open_capture, save_capture
from neuralamp.errors import CaptureError
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import LayerArray
from tests.nets.random_nets import excitation, random_wavenet
from tests.sound import noise

CARD = Card(name="Red plexi", maker="us", gear="Plexi", gear_type="amp", sample_rate=44100, esr=0.0123, polarity=-1)


def random_capture(config, seed: int = 1) -> Capture:
    rng = np.random.default_rng(seed)
    weights = {name: rng.uniform(-0.3, 0.3, shape).astype(np.float32) for name, shape in config.weights().items()}
    return Capture(config, weights, CARD)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "red plexi.onnx"
    save_capture(path, random_capture(IN_THE_WILD["A1 nano"]))
    return path


@pytest.mark.parametrize("name", IN_THE_WILD)
def test_what_was_saved_is_what_is_opened(name, tmp_path):
    saved = random_capture(IN_THE_WILD[name])
    save_capture(tmp_path / "a.onnx", saved)
    opened = open_capture(tmp_path / "a.onnx")
    assert opened.config == saved.config
    assert opened.card == dataclasses.replace(CARD, writer=f"neuralamp {__version__}")
    assert all(np.array_equal(opened.weights[key], saved.weights[key]) for key in saved.weights)


def test_anyone_with_onnxruntime_alone_can_run_it(file):
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    state = {entry.name: np.zeros(entry.shape, np.float32) for entry in session.get_inputs()[1:]}
    y, *_ = session.run(None, {"x": excitation(IN_THE_WILD["A1 nano"], 100, 1)[None], **state})
    assert y.shape == (1, 1, 100)
    assert json.loads(session.get_modelmeta().custom_metadata_map["neuralamp.card"])["name"] == "Red plexi"


def test_a_file_cut_short_anywhere_is_refused(file):
    whole = file.read_bytes()
    for length in [0, 1, 7, *range(64, len(whole), 997), len(whole) - 1]:
        file.write_bytes(whole[:length])
        with pytest.raises(CaptureError) as refusal:
            open_capture(file)
        assert "\n" not in str(refusal.value)
        assert file.name in str(refusal.value)


def change_metadata(key: str, value: str):
    def change(model):
        next(entry for entry in model.metadata_props if entry.key == key).value = value

    return change


def change_config(**changes):
    def change(model):
        entry = next(entry for entry in model.metadata_props if entry.key == "neuralamp.config")
        config = json.loads(entry.value)
        config["arrays"][0] |= changes
        entry.value = json.dumps(config)

    return change


def weight(model, name="head_scale"):
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def external(model):
    entry = weight(model).external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


FAULTS = {
    "bears no mark of ours: it was cut short, or is a graph of others": lambda model: model.ClearField("metadata_props"),
    "'transformer' is unknown; known are linear, lstm, sequential": change_metadata("neuralamp.architecture", "transformer"),
    "config is not valid at its text": change_metadata("neuralamp.config", "{"),
    "config has 1000000 letters; 65536 is the most": change_metadata("neuralamp.config", "[" * 10**6),
    "config is not valid at arrays": change_metadata("neuralamp.config", "{}"),
    "config is not valid at arrays.0.channels": change_config(channels="8"),
    "config is not valid at arrays.0.sparkle": change_config(sparkle=1),
    "is the most that is possible": change_config(dilations=[10**12] * 7),
    "has shape": change_config(channels=5),
    "card is not valid at sample_rate": change_metadata("neuralamp.card", '{"sample_rate": "fast"}'),
    "between 1000 and 1000000 Hz": change_metadata("neuralamp.card", '{"sample_rate": 0}'),
    "head_scale is missing": lambda model: model.graph.initializer.remove(weight(model)),
    "head_scale lies in another file": external,
    "head_scale is not float32": lambda model: setattr(weight(model), "data_type", onnx.TensorProto.DOUBLE),
    "holds 3 numbers": lambda model: setattr(weight(model), "raw_data", b"\0" * 12),
    "holds 0 numbers": lambda model: setattr(weight(model), "raw_data", b""),
    "not finite": lambda model: setattr(weight(model), "raw_data", np.float32(np.nan).tobytes()),
    r"has shape \(1000000000000,\)": lambda model: weight(model).dims.__setitem__(0, 10**12),
}


@pytest.mark.parametrize("says", FAULTS)
def test_a_file_that_does_not_hold_together_is_refused_by_name(says, file):
    model = onnx.load(file)
    FAULTS[says](model)
    file.write_bytes(model.SerializeToString())
    with pytest.raises(CaptureError, match=says) as refusal:
        open_capture(file)
    assert "\n" not in str(refusal.value)
    assert file.name in str(refusal.value)


def test_what_is_no_capture_is_refused(tmp_path):
    noisy = tmp_path / "noise.onnx"
    noisy.write_bytes(noise(1, 4000, 1).tobytes())
    for path in (noisy, tmp_path / "absent.onnx", tmp_path):
        with pytest.raises(CaptureError, match=path.name):
            open_capture(path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(4 * 2**30)  # sparse: it takes no room on the disk
    with pytest.raises(CaptureError, match="has more than 16777216 bytes"):
        open_capture(path)


def test_a_capture_of_another_ending_is_not_written(tmp_path):
    with pytest.raises(CaptureError, match=r"a capture ends in \.json, \.nam, \.onnx, \.aidax"):
        save_capture(tmp_path / "a.mp3", random_capture(IN_THE_WILD["A1 nano"]))
    assert not any(tmp_path.iterdir())


def test_a_failed_save_leaves_the_old_file(file):
    before = file.read_bytes()
    capture = random_capture(IN_THE_WILD["A1 nano"])
    spoiled = dict(capture.weights) | {"head_scale": np.full(1, np.nan, np.float32)}
    with pytest.raises(Exception, match="not finite"):
        save_capture(file, dataclasses.replace(capture, weights=spoiled))
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_card_is_written_for_people_and_read_back(tmp_path):
    card = dataclasses.replace(CARD, gear='the "loud" one \\ côté', seed=3)
    write_card(tmp_path / "card.toml", card)
    assert read_card(tmp_path / "card.toml") == card
    (tmp_path / "card.toml").write_text("colour = 1")
    (tmp_path / "card.toml").write_text('sample_rate = "48000"')
    with pytest.raises(CaptureError, match=r"card\.toml is not a card at sample_rate"):
        read_card(tmp_path / "card.toml")
    (tmp_path / "card.toml").write_text("polarity = 2")
    with pytest.raises(CaptureError, match=r"card\.toml is not possible: the card says polarity 2"):
        read_card(tmp_path / "card.toml")
    (tmp_path / "card.toml").write_text("colour = 1")
    with pytest.raises(CaptureError, match=r"card\.toml is not a card at colour: .*; it may say: name, sample_rate"):
        read_card(tmp_path / "card.toml")


def test_a_capture_gives_one_row_of_sound():
    config = WaveNetConfig((LayerArray(2, (3,), (1,), ("tanh",), head_channels=2),))
    weights = {name: np.zeros(shape, np.float32) for name, shape in config.weights().items()}
    with pytest.raises(CaptureError, match="gives 2 rows of sound"):
        Capture(config, weights, CARD)


@pytest.mark.parametrize("seed", range(6))
def test_a_net_in_a_net_comes_back_as_it_was(tmp_path, seed):
    saved = random_capture(random_wavenet(np.random.default_rng(seed)))
    save_capture(tmp_path / "a.onnx", saved)
    opened = open_capture(tmp_path / "a.onnx")
    assert opened.config == saved.config
    assert all(np.array_equal(opened.weights[key], saved.weights[key]) for key in saved.weights)
