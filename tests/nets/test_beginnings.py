"""Where a net's state begins: heard from the first frame, in every form, when nothing has settled yet.

Convolutions of a sequential net begin behind zeros, each of its own: what silence would make of them comes later.
"""

import numpy as np
import onnxruntime
import pytest
import torch

from neuralamp import nets
from neuralamp.nets import architecture_of
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialConfig, SequentialLayer
from tests.nets.random_nets import excitation, learned_net
from tests.sound import error_db

FRAMES = 300
PARITY_DB = -100.0  # as in test_parity.py

BEGINNINGS = {
    "lstm": LstmConfig(5, layers=2, initial_state=True, knobs=("gain",), skip=0.5),
    "gru": LstmConfig(5, layers=2, cell="gru", initial_state=True),
    "two outputs": LstmConfig(4, outputs=2, initial_state=True, skip=-1.0),
    "sequential": SequentialConfig(
        (
            SequentialLayer("conv", 4, kernel_size=3, dilation=20, activation="softmax"),
            SequentialLayer("gru", 3),
            SequentialLayer("conv", 4, kernel_size=5),
            SequentialLayer("lstm", 3, activation="tanh"),
            SequentialLayer("conv", 1),
        )
    ),
}


def learned(config, weights, x: np.ndarray) -> np.ndarray:
    """(inputs, frames) through the torch form, nothing heard before."""
    net = architecture_of(config).module(config)
    net.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    with torch.no_grad():
        return net.double()(torch.from_numpy(x.astype(np.float64))[None], 0)[0].numpy()


def travelled(config, weights, x: np.ndarray) -> np.ndarray:
    """(inputs, frames) through the travelling form; what has a default is not fed."""
    model = nets.graph(config, weights).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    state = {entry.name: np.zeros(entry.shape, np.float32) for entry in session.get_inputs()[1:]}
    return session.run(["y"], {"x": x[None], **state})[0][0]


def played(config, weights, x: np.ndarray) -> np.ndarray:
    return architecture_of(config).stream(config, weights).play(x, config.outputs)


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_net_begins_where_its_weights_say(name):
    config = BEGINNINGS[name]
    x = excitation(config, FRAMES, seed=1)
    weights, _ = learned_net(config, x, seed=1)
    right = learned(config, weights, x)
    assert right.shape == (config.outputs, FRAMES)
    assert error_db(travelled(config, weights, x), right) < PARITY_DB
    assert error_db(played(config, weights, x), right) < PARITY_DB


@pytest.mark.parametrize("state", ["initial.h_l1", "initial.c_l0"])
def test_another_beginning_is_heard(state):
    config = BEGINNINGS["lstm"]
    x = excitation(config, FRAMES, seed=1)
    weights, _ = learned_net(config, x, seed=1)
    right = learned(config, weights, x)
    elsewhere = dict(weights) | {state: np.zeros_like(weights[state])}
    assert error_db(played(config, elsewhere, x), right) > -60.0
    assert error_db(travelled(config, elsewhere, x), right) > -60.0
