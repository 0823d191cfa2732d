"""What learned is what travels is what plays."""

import dataclasses

import numpy as np
import onnx
import onnxruntime
import pytest

from neuralamp import nets
from neuralamp.nets import architectures, stream_at_rest
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import LayerArray
from neuralamp.nets.weights import count
from tests.nets.random_nets import RANDOM, excitation, learned_net
from tests.sound import cuts, error_db, play_in_cuts

FRAMES = 4000
# The issue of every form: an error 100 dB below a signal of unit RMS is inaudible under any amp's own noise.
PARITY_DB = -100.0
SEEDS = range(8)


def run_in_onnxruntime(config, weights, x: np.ndarray, cut: list[int]) -> np.ndarray:
    """(inputs, frames) through the travelling form, state by state, from rest: (1, frames). Defaults are not fed at first."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = nets.graph(config, weights).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    state = {entry.name: np.zeros(entry.shape, np.float32) for entry in session.get_inputs()[1:]}
    silence = np.zeros((config.inputs, config.settling_frames), np.float32)
    silence[1:] = x[1:, :1]
    played, start = [], 0
    buffers = [silence] if silence.shape[1] else []
    for length in cut:
        buffers.append(x[:, start : start + length])
        start += length
    for buffer in buffers:
        y, *after = session.run(None, {"x": buffer[None], **state})
        names = [entry.name.removeprefix("next.") for entry in session.get_outputs()[1:]]
        state = dict(zip(names, after, strict=True))
        played.append(y[0])
    return np.concatenate(played, axis=1)[:, silence.shape[1] :]


def play(config, weights, x: np.ndarray, cut: list[int]) -> np.ndarray:
    return play_in_cuts(stream_at_rest(config, weights, x[1:, 0]), x, 1, cut)


def assert_parity(config, seed: int):
    rng = np.random.default_rng(seed)
    x = excitation(config, FRAMES, seed)
    weights, right = learned_net(config, x, seed)
    travelled = run_in_onnxruntime(config, weights, x, cuts(FRAMES, rng, longest=2048))
    played = play(config, weights, x, cuts(FRAMES, rng))
    assert error_db(travelled, right) < PARITY_DB
    assert error_db(played, right) < PARITY_DB


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("architecture", architectures())
def test_what_learned_is_what_plays(architecture, seed):
    assert_parity(RANDOM[architecture](np.random.default_rng(1000 + seed)), seed)


@pytest.mark.parametrize("name", IN_THE_WILD)
def test_the_sizes_in_the_wild_play_what_they_learned(name):
    assert_parity(IN_THE_WILD[name], seed=3)


@pytest.mark.parametrize("name", ["A1 nano", "A2 lite", "LSTM 2x16", "GRU 1x16"])
def test_any_cut_of_the_stream_sounds_the_same(name):
    config = IN_THE_WILD[name]
    x = excitation(config, FRAMES, seed=4)
    weights, _ = learned_net(config, x, seed=4)
    whole = play(config, weights, x, [FRAMES])
    for seed in range(4):
        assert np.array_equal(play(config, weights, x, cuts(FRAMES, np.random.default_rng(seed))), whole)
    assert np.array_equal(play(config, weights, x, [1] * FRAMES), whole)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("architecture", architectures())
def test_any_cut_of_a_random_net_sounds_the_same(architecture, seed):
    config = RANDOM[architecture](np.random.default_rng(2000 + seed))
    x = excitation(config, FRAMES, seed)
    weights, _ = learned_net(config, x, seed)
    cut = cuts(FRAMES, np.random.default_rng(seed))
    assert np.array_equal(play(config, weights, x, cut), play(config, weights, x, [FRAMES]))


@pytest.mark.parametrize("name", ["A1 nano", "A2 lite", "LSTM 2x16", "GRU 1x16"])
def test_onnxruntime_hardly_hears_a_cut(name):
    config = IN_THE_WILD[name]
    x = excitation(config, FRAMES, seed=5)
    weights, _ = learned_net(config, x, seed=5)
    whole = run_in_onnxruntime(config, weights, x, [FRAMES])
    cut = run_in_onnxruntime(config, weights, x, cuts(FRAMES, np.random.default_rng(5), longest=1024))
    assert np.abs(cut - whole).max() < 5e-6  # of unit RMS: its kernels choose other sums for other lengths


def test_the_sizes_in_the_wild_have_their_numbers_of_weights():
    numbers = {name: count(config.weights()) for name, config in IN_THE_WILD.items()}
    assert numbers["A1 standard"] == 13802
    assert numbers["A1 feather"] == 3026
    assert numbers["A1 nano"] == 842
    assert IN_THE_WILD["A1 standard"].receptive_field == 1 + 2 * 2 * 1023
    assert IN_THE_WILD["A2 full"].receptive_field == 1 + 5 * (3 * 409) + 14 * 14 + 15


@pytest.mark.parametrize("name", IN_THE_WILD)
def test_the_graph_passes_the_checker_and_names_its_weights(name):
    config = IN_THE_WILD[name]
    weights, _ = learned_net(config, excitation(config, 500, 1), 1)
    model = nets.graph(config, weights)
    onnx.checker.check_model(model, full_check=True)
    named = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    assert {name: named[name] for name in config.weights()} == config.weights()


class TestPlantedFaults:
    """Each must be heard: a parity test that passes these would pass anything."""

    def fault_db(self, config, spoil, seed=6) -> float:
        x = excitation(config, FRAMES, seed)
        weights, right = learned_net(config, x, seed)
        config, weights = spoil(config, dict(weights))
        return error_db(play(config, weights, x, [FRAMES]), right)

    def test_no_fault_is_not_heard(self):
        assert self.fault_db(LstmConfig(8), lambda config, weights: (config, weights)) < PARITY_DB

    @pytest.mark.parametrize("gates", [(0, 1), (1, 2), (2, 3)])
    def test_two_gates_swapped(self, gates):
        def spoil(config, weights):
            order = np.arange(4)
            order[list(gates)] = order[list(gates)[::-1]]
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
                value = weights[f"cells.{name}"]
                weights[f"cells.{name}"] = value.reshape(4, 8, -1)[order].reshape(value.shape)
            return config, weights

        assert self.fault_db(LstmConfig(8), spoil) > PARITY_DB

    def test_a_dilation_off_by_one(self):
        def spoil(config, weights):
            array = config.arrays[0]
            later = (*array.dilations[:-1], array.dilations[-1] + 1)
            return WaveNetConfig((dataclasses.replace(array, dilations=later),)), weights

        config = WaveNetConfig((LayerArray(4, (3, 3), (1, 64), ("tanh", "tanh")),))
        assert self.fault_db(config, spoil) > PARITY_DB

    @pytest.mark.parametrize("name", ["A1 nano", "LSTM 1x16"])
    def test_a_forgotten_history(self, name):
        config = IN_THE_WILD[name]
        x = excitation(config, FRAMES, seed=7)
        weights, right = learned_net(config, x, seed=7)
        halves = [play(config, weights, part, [part.shape[1]]) for part in np.array_split(x, 2, axis=1)]
        assert error_db(np.concatenate(halves, axis=1), right) > PARITY_DB
