"""RTNeural and AIDA-X: their files sound here as elsewhere, ours sound there as here, and mistakes are told in one line."""

import dataclasses
import json

import numpy as np
import pytest

from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import open_capture, save_capture
from neuralamp.errors import CaptureError
from neuralamp.nets import architecture_of
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialConfig
from tests.blocks.samples import small_capture
from tests.capture.formats.rtneural_models import KINDS, layer, model, random_model, recurrent
from tests.nets.random_nets import excitation
from tests.peers.rtneural_by_hand import play_by_hand
from tests.sound import error_db

FRAMES = 400
PARITY_DB = -110.0  # float32 against float64, without one net whose head takes large numbers from each other

CARD = Card(
    name="Plexi", sample_rate=44100, maker="Ann", gear="Superlead", gear_type="amp", tone_type="crunch", licence="CC0",
    date="2026-01-02", esr=0.012, input_level_dbu=12.5, loudness_db=-18.0, recipe="lstm-16", steps=3000, seed=7,
)  # fmt: skip


def opened(folder, content: dict) -> Capture:
    path = folder / "amp.aidax"
    path.write_text(json.dumps(content))
    return open_capture(path)


def played(capture: Capture, x: np.ndarray) -> np.ndarray:
    """From a past of zeros, as other players begin."""
    return architecture_of(capture.config).stream(capture.config, capture.weights).play(x, 1)


def assert_right(folder, content: dict, seed: int = 1) -> Capture:
    capture = opened(folder, content)
    x = excitation(capture.config, FRAMES, seed)
    assert error_db(played(capture, x), play_by_hand(content, x)) < PARITY_DB
    return capture


@pytest.mark.parametrize("seed", range(30))
def test_any_model_plays_as_read_by_hand(seed, tmp_path):
    assert_right(tmp_path, random_model(np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inputs", [1, 3])
def test_the_gains_of_aida_x_are_heard_whatever_comes_first(kind, inputs, tmp_path):
    rng = np.random.default_rng(2)
    first = layer(rng, kind, inputs, 4)
    layers = [first, layer(rng, "dense", first["shape"][-1], 1)]
    assert_right(tmp_path, model(layers, inputs, in_gain=-7.5, out_gain=4.0, in_skip=1))


@pytest.mark.parametrize("last", [{}, {"activation": "tanh"}])
def test_the_gains_of_aida_x_are_heard_whatever_comes_last(last, tmp_path):
    rng = np.random.default_rng(3)
    layers = [layer(rng, "gru", 1, 4), layer(rng, "dense", 4, 1, **last)]
    assert_right(tmp_path, model(layers, out_gain=-4.0, in_skip=1))


def test_a_gain_in_reaches_the_sound_alone_in_a_grouped_convolution(tmp_path):
    rng = np.random.default_rng(4)
    layers = [layer(rng, "conv1d", 2, 4, groups=2), layer(rng, "dense", 4, 1)]
    assert_right(tmp_path, model(layers, inputs=2, in_gain=9.0))


def test_a_gain_of_silence_is_silence(tmp_path):
    capture = opened(tmp_path, recurrent(np.random.default_rng(5), out_gain=-90.0, in_skip=1))
    assert not played(capture, excitation(capture.config, FRAMES, 1)).any()


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_cells_and_a_dense_layer_play_as_the_faster_net(kind, tmp_path):
    rng = np.random.default_rng(6)
    cells = [layer(rng, kind, 1, 5), layer(rng, kind, 5, 5)]
    capture = assert_right(tmp_path, model([*cells, layer(rng, "dense", 5, 1)]))
    assert capture.config == LstmConfig(5, layers=2, cell=kind)
    other = assert_right(tmp_path, model([layer(rng, kind, 1, 5), layer(rng, kind, 5, 4), layer(rng, "dense", 4, 1)]))
    assert isinstance(other.config, SequentialConfig)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "time-distributed-dense"},
        {"weights": lambda weights: weights[:1]},
        {"shape": None},
        {"activation": None},
        {"activation": "linear"},
    ],
)
def test_every_spelling_of_a_dense_layer_is_read(changes, tmp_path):
    dense = layer(np.random.default_rng(7), "dense", 1, 1)
    for key, value in changes.items():
        dense[key] = value(dense[key]) if callable(value) else value
    plain = {key: value for key, value in dense.items() if value not in (None, "linear")}
    capture = opened(tmp_path, model([dense]))
    x = excitation(capture.config, FRAMES, 1)
    assert error_db(played(capture, x), play_by_hand(model([plain]), x)) < PARITY_DB


@pytest.mark.parametrize("spelling", [3, [3], [1, 3]])
def test_every_spelling_of_a_kernel_size_is_read(spelling, tmp_path):
    rng = np.random.default_rng(8)
    assert_right(tmp_path, model([layer(rng, "conv1d", 1, 1, kernel_size=spelling)]))


def test_a_batchnorm_without_gains_and_a_prelu_with_one_slope_are_read(tmp_path):
    rng = np.random.default_rng(9)
    norm = layer(rng, "batchnorm", 4, 4, epsilon=5.0)
    norm["weights"] = norm["weights"][2:]
    slope = layer(rng, "prelu", 4, 4, weights=[[[0.3]]])
    assert_right(tmp_path, model([layer(rng, "dense", 1, 4), norm, slope, layer(rng, "dense", 4, 1)]))


def test_torch_weights_alone_are_read_with_convolutions_and_groups(tmp_path):
    rng = np.random.default_rng(10)
    conv, grouped, dense = (layer(rng, "conv1d", 1, 4), layer(rng, "conv1d", 4, 4, groups=2), layer(rng, "dense", 4, 1))
    for each in (conv, grouped):
        each["dilation"] = [1]  # torch's weights do not say how far apart taps are
    state = {"dense.weight": np.transpose(dense["weights"][0]).tolist(), "dense.bias": dense["weights"][1]}
    for name, each in ("grouped", grouped), ("conv", conv):
        kernel = np.transpose(each["weights"][0], (2, 1, 0)).tolist()
        state = {f"{name}.weight": kernel, f"{name}.bias": each["weights"][1]} | state
    capture = opened(tmp_path, state)
    x = excitation(capture.config, FRAMES, 1)
    assert error_db(played(capture, x), play_by_hand(model([conv, grouped, dense]), x)) < PARITY_DB
    assert any("weights alone" in warning for warning in capture.warnings)


@pytest.mark.parametrize("where", [{"samplerate": 44100}, {"samplerate": "44100"}, {"metadata": {"samplerate": "44100"}}])
def test_a_sample_rate_is_found_wherever_it_stands(where, tmp_path):
    capture = opened(tmp_path, recurrent(np.random.default_rng(11), samplerate=None) | where)
    assert capture.card.sample_rate == 44100
    assert capture.warnings == ()


@pytest.mark.parametrize("rate", [None, 12, "fast", 1e300])
def test_a_missing_or_impossible_sample_rate_is_told(rate, tmp_path):
    capture = opened(tmp_path, recurrent(np.random.default_rng(11), samplerate=rate))
    assert capture.card.sample_rate == 48000
    assert capture.warnings == ("it names no sample rate; 48000 Hz is assumed, as is usual for such files",)


def test_what_aida_x_says_of_an_amp_is_on_the_card(tmp_path):
    metadata = {"name": "Clean", "author": "Ann", "based": "Tweaker 40", "style": "clean", "license": "CC0", "esr": "0.02"}
    metadata |= {"source": "original", "dataset": "custom", "date": 7, "polarity": 3}
    card = opened(tmp_path, recurrent(np.random.default_rng(12), metadata=metadata)).card
    told = Card(
        "Clean", 48000, "Ann", "Tweaker 40", tone_type="clean", licence="CC0", esr=0.02, source="amp.aidax, RTNeural JSON"
    )
    assert card == told


def test_knobs_have_numbers_for_names_unless_the_file_names_them(tmp_path):
    rng = np.random.default_rng(13)
    assert opened(tmp_path, recurrent(rng, inputs=3)).config.knobs == ("knob 1", "knob 2")
    named = recurrent(rng, inputs=3, metadata={"knobs": ["gain", "tone"]})
    assert opened(tmp_path, named).config.knobs == ("gain", "tone")
    for odd in ["gain"], ["gain", 7], ["gain", "a\nb"], ["gain", ""], ["gain", "x" * 41], "gt":
        named["metadata"]["knobs"] = odd
        assert opened(tmp_path, named).config.knobs == ("knob 1", "knob 2")


def recurrent_capture(seed: int, **changes) -> Capture:
    rng = np.random.default_rng(seed)
    cell = str(rng.choice(("lstm", "gru")))
    config = LstmConfig(int(rng.integers(1, 21)), int(rng.integers(1, 4)), cell, **changes)
    weights = {name: rng.uniform(-0.6, 0.6, shape).astype(np.float32) for name, shape in config.weights().items()}
    return Capture(config, weights, CARD)


@pytest.mark.parametrize("skip", [0.0, 1.0, 0.37, 40.0])
@pytest.mark.parametrize("seed", range(6))
def test_what_we_write_plays_the_same_when_read_back(seed, skip, tmp_path):
    saved = recurrent_capture(seed, skip=skip, knobs=("gain", "tone")[: seed % 3])
    save_capture(tmp_path / "amp.aidax", saved)
    back = open_capture(tmp_path / "amp.aidax")
    x = excitation(saved.config, FRAMES, seed)
    right = played(saved, x)
    assert np.abs(played(back, x) - right).max() <= 1e-6 * max(1.0, np.abs(right).max())
    assert dataclasses.replace(back.config, skip=skip) == saved.config
    assert back.config.skip == pytest.approx(skip, rel=1e-12)
    assert back.card == dataclasses.replace(CARD, source="amp.aidax, RTNeural JSON")
    written = json.loads((tmp_path / "amp.aidax").read_text())
    assert error_db(play_by_hand(written, x), right) < PARITY_DB


@pytest.mark.parametrize("seed", range(4))
def test_a_file_written_twice_has_the_same_numbers(seed, tmp_path):
    saved = recurrent_capture(seed, skip=1.0)
    save_capture(tmp_path / "one.aidax", saved)
    save_capture(tmp_path / "two.aidax", open_capture(tmp_path / "one.aidax"))
    one, two = (json.loads((tmp_path / f"{name}.aidax").read_text()) for name in ("one", "two"))
    assert one["layers"] == two["layers"]


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"knobs": ("a", "b", "c")}, "has 3 knobs; an .aidax file can have 2"),
        ({"skip": -1.0}, "adds -1 times the sound"),
        ({"skip": 1e-6}, "adds 1e-06 times the sound"),
    ],
)
def test_what_the_format_cannot_say_is_refused(changes, says, tmp_path):
    with pytest.raises(CaptureError, match=says) as refusal:
        save_capture(tmp_path / "amp.aidax", recurrent_capture(1, **changes))
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "amp.aidax").exists()


def test_a_wavenet_is_refused(tmp_path):
    with pytest.raises(CaptureError, match="holds recurrent nets only"):
        save_capture(tmp_path / "amp.aidax", open_capture(small_capture(tmp_path / "amp.onnx")))


def lstm_layer(content: dict) -> dict:
    return content["layers"][0]


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda m: m.update(in_skip=2), "in_skip is 2; it should be a whole number from 0 to 1"),
        (lambda m: m.update(in_gain="loud"), "in_gain is 'loud'; it should be a number"),
        (lambda m: m.update(out_gain=1e308), "out_gain is 1e.308; it should be a number"),
        (lambda m: m.update(in_shape=[]), "in_shape.last is missing"),
        (lambda m: m.update(in_shape=[None, 0]), "in_shape.last is 0"),
        (lambda m: m.update(in_shape=[None, 10**9]), "from 1 to 17"),
        (lambda m: m.update(in_shape=7), "in_shape is 7; it should be a list"),
        (lambda m: m.update(layers=[]), "0 layers is not possible"),
        (lambda m: m.update(layers=[7]), "layers.0 is 7; it should be an object"),
        (lambda m: m.update(layers=lstm_layer(m)), "layers is an object; it should be a list"),
        (lambda m: m["layers"].pop(), "6 rows of sound"),
        (lambda m: lstm_layer(m).pop("type"), "layers.0.type is missing"),
        (lambda m: lstm_layer(m).update(type="conv2d"), "layers.0.type is 'conv2d'; it should be one of dense, time"),
        (lambda m: lstm_layer(m).update(activation="relu"), "should be tanh"),
        (lambda m: m["layers"][1].update(activation="tan"), "layers.1.activation is 'tan'; it should be one of linear, tanh"),
        (lambda m: lstm_layer(m).update(shape=[None, 7]), "layers.0.shape is 7; it should end in 6"),
        (lambda m: lstm_layer(m).pop("weights"), "layers.0.weights is missing"),
        (lambda m: lstm_layer(m)["weights"].clear(), "layers.0.weights is a list of 0; it should hold 2 lists"),
        (lambda m: lstm_layer(m)["weights"][2].pop(), "layers.0.weights.2 is '23'; it should be 24"),
        (lambda m: lstm_layer(m)["weights"][1].pop(), "layers.0.weights.0 is '1 x 24'; it should be 1 x 20"),
        (lambda m: lstm_layer(m)["weights"][0][0].pop(), "layers.0.weights.0 is '1 x 23'; it should be 1 x 24"),
        (lambda m: lstm_layer(m)["weights"][1][3].pop(), "layers.0.weights.1 .*all rows equally long"),
        (lambda m: lstm_layer(m)["weights"][2].__setitem__(0, 1e39), "finite numbers of float32"),
        (lambda m: lstm_layer(m)["weights"][2].__setitem__(0, "1"), "should hold numbers"),
        (lambda m: m["layers"][1].update(type="prelu"), "layers.1.weights.0 is '6 x 1'; it should be 1 x any"),
        (lambda m: m["layers"][1].update(type="batchnorm", epsilon=1.0), "layers.1.weights.0 .*1 dimensions"),
        (lambda m: m["layers"][1].update(type="conv1d", groups=4), "layers.1.groups is 4; it should part 6 channels"),
        (lambda m: m["layers"][1].update(type="conv1d", kernel_size=[]), "layers.1.kernel_size is a list of 0"),
    ],
)
def test_a_mistake_is_told_with_its_place(spoil, says, tmp_path):
    content = recurrent(np.random.default_rng(14))
    opened(tmp_path, content)
    spoil(content)
    with pytest.raises(CaptureError, match=says) as refusal:
        opened(tmp_path, content)
    assert "amp.aidax" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_batchnorm_that_would_divide_by_nothing_is_refused(tmp_path):
    rng = np.random.default_rng(15)
    norm = layer(rng, "batchnorm", 1, 1, epsilon=-3.0)
    with pytest.raises(CaptureError, match=r"layers.0.epsilon is -3.0; it should be such"):
        opened(tmp_path, model([norm]))


def test_gains_beyond_float32_are_refused(tmp_path):
    dense = layer(np.random.default_rng(16), "dense", 1, 1)
    dense["weights"][0][0][0] = 3e38
    with pytest.raises(CaptureError, match=r"layers\.0\.weight holds a number that is not finite"):
        opened(tmp_path, model([dense], in_gain=60.0))


@pytest.mark.parametrize(
    "spoil, says",
    [
        (
            lambda s: s.update({"rec.weight_ih_l0": [[]]}),
            "rec.weight_ih_l0 is a list of 0; it should hold rows of 1 to 17 inputs",
        ),
        (lambda s: s.pop("rec.weight_hh_l0"), "rec.weight_hh_l0 is missing"),
        (lambda s: s["rec.weight_hh_l0"].pop(), "rec.weight_hh_l0 is '7 x 2'; it should have 3 or 4 rows"),
        (lambda s: s["rec.weight_ih_l0"].pop(), "rec.weight_ih_l0 is '7 x 1'; it should be 8 x 1"),
        (lambda s: s["rec.bias_ih_l0"].pop(), "rec.bias_ih_l0 is a list of 7; it should hold 8 numbers"),
        (
            lambda s: s.update({"rec.weight_ih_l0_reverse": [[1.0]]}),
            "weight_ih_l0_reverse is a list of 1; it should not be there",
        ),
        (lambda s: s.update({"lin.weight": [[1.0]]}), "lin.weight is 1; it should hear 2 channels"),
        (lambda s: s.update({"lin.weight": [1.0]}), "lin.weight is a list of 1; it should hold numbers in 2 dimensions"),
    ],
)
def test_a_mistake_in_torch_weights_is_told_with_its_place(spoil, says, tmp_path):
    shapes = {"rec.weight_ih_l0": (8, 1), "rec.weight_hh_l0": (8, 2), "rec.bias_ih_l0": (8,), "rec.bias_hh_l0": (8,)}
    state = {name: np.full(shape, 0.1).tolist() for name, shape in (shapes | {"lin.weight": (1, 2)}).items()}
    opened(tmp_path, state)
    spoil(state)
    with pytest.raises(CaptureError, match=says):
        opened(tmp_path, state)
