"""The nonlinearities against float64."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from neuralamp.dsp.activation import NAMES, activate

X = np.linspace(-30.0, 30.0, 200_001).astype(np.float32)
TRUE = {
    "linear": lambda x: x,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": functional.relu,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.1),
    "silu": functional.silu,
    "hard_tanh": functional.hardtanh,
    "hard_swish": functional.hardswish,
    "softsign": functional.softsign,
}


def activated(name: str, x: np.ndarray) -> np.ndarray:
    y = np.empty_like(x)
    activate(NAMES.index(name), np.float32(0.1), x, y)
    return y


@pytest.mark.parametrize("name", NAMES)
def test_a_nonlinearity_is_exact_to_float32(name):
    right = TRUE[name](torch.from_numpy(X.astype(np.float64))).numpy()
    # tanh's fit errs by 3.1e-7 at most; the others are built on it, times the input at most, or on single float32 operations
    assert np.max(np.abs(activated(name, X) - right) / np.maximum(1.0, np.abs(X))) < 4e-7


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_alone_sounds_as_in_a_vector(name):
    alone = np.concatenate([activated(name, X[k : k + 1]) for k in range(0, X.size, 997)])
    assert np.array_equal(alone, activated(name, X)[::997])


def test_tanh_does_not_leave_its_range():
    x = np.array([-np.inf, -1e30, -9.0, 0.0, 9.0, 1e30, np.inf], np.float32)
    assert np.all(np.abs(activated("tanh", x)) <= 1.0 + 1e-7)
    assert activated("tanh", x)[3] == 0.0
