"""The nonlinearities against float64."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from neuralamp.dsp.activation import NAMES, Activation, parse, write
from neuralamp.dsp.jit import LANES
from neuralamp.dsp.nonlinear import activate
from neuralamp.errors import NetError

X = np.linspace(-30.0, 30.0, 200_016).astype(np.float32)  # whole vectors of any processor
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
    "fast_tanh": lambda x: x * rational_above(x.abs()) / rational_below(x),
    "leaky_hard_tanh": lambda x: torch.where(x < -2, (x + 2) * 0.1 - 2, torch.where(x > 3, (x - 3) * 0.2 + 3, x)),
    "prelu": lambda x: functional.leaky_relu(x, 0.1),
    "elu": functional.elu,
}
NUMBERS = {"leaky_relu": (0.1,), "prelu": (0.1,), "leaky_hard_tanh": (-2.0, 3.0, 0.1, 0.2)}


def rational_above(size):
    return 2.45550750702956 * (1 + size) + (0.893229853513558 + 0.821226666969744 * size) * size**2


def rational_below(x):
    return 2.44506634652299 + (2.44506634652299 + x**2) * (x + 0.814642734961073 * x * x.abs()).abs()


def activated(name: str, x: np.ndarray) -> np.ndarray:
    """f(x), for as many numbers as fill whole vectors."""
    y = np.empty_like(x)
    numbers = np.array(NUMBERS.get(name, (0.0,)), np.float32)
    activate(NAMES.index(name), numbers.ctypes.data, x.ctypes.data, y.ctypes.data, x.size // LANES)
    return y


@pytest.mark.parametrize("name", NAMES)
def test_a_nonlinearity_is_exact_to_float32(name):
    right = TRUE[name](torch.from_numpy(X.astype(np.float64))).numpy()
    # tanh's fit errs by 3.1e-7 at most; the others are built on it, times the input at most, or on single float32 operations
    assert np.max(np.abs(activated(name, X) - right) / np.maximum(1.0, np.abs(X))) < 4e-7


@pytest.mark.parametrize("name", NAMES)
def test_where_in_a_vector_a_frame_lies_cannot_be_heard(name):
    together = activated(name, X)
    for k in range(0, X.size, 997):
        alone = np.zeros(LANES, np.float32)
        alone[k % LANES] = X[k - k % 7]
        assert activated(name, alone)[k % LANES] == together[k - k % 7]


def test_tanh_does_not_leave_its_range():
    x = np.zeros(16, np.float32)
    x[:7] = -np.inf, -1e30, -9.0, 0.0, 9.0, 1e30, np.inf
    assert np.all(np.abs(activated("tanh", x)) <= 1.0 + 1e-7)
    assert activated("tanh", x)[3] == 0.0


def test_an_activation_is_written_with_its_numbers_where_they_are_not_the_usual_ones():
    assert parse("leaky_relu 0.02") == Activation("leaky_relu", (0.02,))
    assert parse("leaky_relu") == Activation("leaky_relu", (0.01,))
    assert write("leaky_relu", 0.01) == "leaky_relu"
    assert parse(write("leaky_hard_tanh", -1.5, 0.1, 0.0, 1e-3)).numbers == (-1.5, 0.1, 0.0, 1e-3)
    assert write("tanh") == "tanh"


@pytest.mark.parametrize(
    "text", ["", "tan", "tanh 1", "leaky_relu x", "leaky_relu nan", "leaky_hard_tanh 1 2", "leaky_relu 1e999"]
)
def test_what_is_no_activation_is_refused(text):
    with pytest.raises(NetError, match="activation"):
        parse(text)
