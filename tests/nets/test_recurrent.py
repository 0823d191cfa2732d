"""Recurrent nets of any width, with one layer and more, against torch in float64."""

import math

import numpy as np
import pytest

from neuralamp.nets import architecture_of
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialConfig, SequentialLayer
from tests.nets.random_nets import excitation
from tests.nets.test_beginnings import learned, played
from tests.sound import cuts, error_db, play_in_cuts

FRAMES = 300
PARITY_DB = -100.0  # as in test_parity.py
WIDTHS = (1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 20, 24, 31, 32, 33, 40, 64, 65)  # around whole vectors of every processor


def random_weights(config, seed: int) -> dict[str, np.ndarray]:
    """Weights as torch spreads them at first, three times as large: the cells are driven into their curves."""
    rng = np.random.default_rng(seed)
    bound = 3.0 / math.sqrt(max(shape[-1] for shape in config.weights().values()))
    return {name: rng.uniform(-bound, bound, shape).astype(np.float32) for name, shape in config.weights().items()}


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("hidden", WIDTHS)
def test_cells_of_any_width_play_what_they_learned(hidden, cell):
    config = LstmConfig(hidden, layers=2, cell=cell, knobs=("gain", "tone"), skip=0.5)
    weights, x = random_weights(config, hidden), excitation(config, FRAMES, hidden)
    right = learned(config, weights, x)
    assert error_db(played(config, weights, x), right) < PARITY_DB
    node = architecture_of(config).stream(config, weights)
    assert np.array_equal(play_in_cuts(node, x, 1, cuts(FRAMES, np.random.default_rng(hidden))), played(config, weights, x))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("hidden", [3, 16, 21])
def test_layers_of_different_widths_play_what_they_learned(hidden, cell):
    layers = (SequentialLayer("conv", 5), SequentialLayer(cell, hidden), SequentialLayer(cell, 6), SequentialLayer("conv", 1))
    config = SequentialConfig(layers)
    weights, x = random_weights(config, hidden), excitation(config, FRAMES, hidden)
    assert error_db(played(config, weights, x), learned(config, weights, x)) < PARITY_DB


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_slow_memory_does_not_gather_the_rounding_of_its_gate(cell):
    """A gate that lets go of e^-8 a frame remembers 3000 frames, and how each of them was rounded.

    -142 dB with what rounding lost added again, as with float64; -126 dB without.
    """
    config = LstmConfig(6, cell=cell)
    weights, x = random_weights(config, 2), excitation(config, 20_000, 2)
    weights = {name: 0.3 * value if value.ndim == 2 and name.startswith("cells") else value for name, value in weights.items()}
    slow = slice(6, 12)  # f of an LSTM's i f g o, z of a GRU's r z n
    weights["cells.bias_ih_l0"][slow], weights["cells.bias_hh_l0"][slow] = 8.0, 0.0
    if cell == "lstm":
        weights["cells.bias_ih_l0"][:6] = -7.0
    assert error_db(played(config, weights, x), learned(config, weights, x)) < -138.0
