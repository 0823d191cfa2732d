"""The nonlinearities of dsp/activation.py in torch, by name, each called with its input and its numbers."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def fast_tanh(x: Tensor) -> Tensor:
    """The rational function of dsp/activation.py."""
    size = x.abs()
    above = x * (2.45550750702956 * (1.0 + size) + (0.893229853513558 + 0.821226666969744 * size) * x**2)
    return above / (2.44506634652299 + (2.44506634652299 + x**2) * (x + 0.814642734961073 * x * size).abs())


def leaky_hard_tanh(x: Tensor, lowest: float, highest: float, below: float, above: float) -> Tensor:
    """x between its two corners, and lines of their own slopes beyond."""
    low = lowest + below * (x - lowest)
    high = highest + above * (x - highest)
    return torch.where(x < lowest, low, torch.where(x > highest, high, x))


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "linear": lambda x: x,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": functional.relu,
    "leaky_relu": functional.leaky_relu,
    "silu": functional.silu,
    "hard_tanh": functional.hardtanh,
    "hard_swish": functional.hardswish,
    "softsign": functional.softsign,
    "fast_tanh": fast_tanh,
    "leaky_hard_tanh": leaky_hard_tanh,
    "elu": functional.elu,
}
