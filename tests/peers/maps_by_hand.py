"""What the nets of a .nam file are made of, by hand: the list of weights, causal convolutions, modulation, activations."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Json = dict[str, Any]


class Width(NamedTuple):
    """How many channels there are in the file, and how many of them, from the first on, a slimmed net keeps."""

    full: int
    kept: int

    def times(self, count: int) -> "Width":
        return Width(count * self.full, count * self.kept)


class Weights:
    """The flat list, taken from the front. The player holds float32, so a weight is rounded to it first."""

    def __init__(self, values: list[float]):
        self.values = np.asarray(values, np.float32).astype(np.float64)
        self.taken = 0

    def take(self, *shape: int) -> np.ndarray:
        values = self.values[self.taken : self.taken + math.prod(shape)]
        self.taken += math.prod(shape)
        if len(values) < math.prod(shape):
            raise ValueError(f"the shape asks for {self.taken} weights or more, the file has {len(self.values)}")
        return values.reshape(shape)

    def end(self) -> None:
        if self.taken != len(self.values):
            raise ValueError(f"the shape asks for {self.taken} weights, the file has {len(self.values)}")


class Map:
    """A causal convolution, a 1x1 being one of a single tap: y[o, n] = bias[o] + sum_i,k weight[o, i, k] x[i, n - (taps-1-k) d].

    Weights lie [group][out][in][tap], the oldest tap first, then the bias. A slimmed map keeps its first rows and columns.
    """

    def __init__(
        self,
        weights: Weights,
        into: Width,
        out: Width,
        *,
        bias: bool,
        taps: int = 1,
        dilation: int = 1,
        groups: int = 1,
    ):
        if groups > 1 and (into.kept, out.kept) != (into.full, out.full):
            raise ValueError("a map in groups cannot be slimmed")
        if into.full % groups or out.full % groups:
            raise ValueError(f"{into.full} channels into {out.full} do not divide into {groups} groups")
        rows, columns = out.full // groups, into.full // groups
        self.weight = np.zeros((out.full, into.full, taps))
        for group in range(groups):
            block = np.s_[group * rows : (group + 1) * rows, group * columns : (group + 1) * columns]
            self.weight[block] = weights.take(rows, columns, taps)
        self.weight = self.weight[: out.kept, : into.kept]
        self.bias = weights.take(out.full)[: out.kept, None] if bias else 0.0
        self.taps, self.dilation = taps, dilation

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(into, frames) -> (out, frames)"""
        frames, reach = x.shape[1], (self.taps - 1) * self.dilation
        past = np.concatenate([np.zeros((len(x), reach)), x], axis=1)
        y = np.zeros((len(self.weight), frames)) + self.bias
        for k in range(self.taps):
            y += self.weight[:, :, k] @ past[:, k * self.dilation : k * self.dilation + frames]
        return y


class Film:
    """Feature-wise modulation: y = x * scale + shift, both made from the condition by one biased 1x1, scale first."""

    def __init__(self, said: Json, weights: Weights, condition: Width, width: Width):
        self.shifts = said.get("shift", True)
        self.map = Map(weights, condition, width.times(1 + self.shifts), bias=True, groups=said.get("groups", 1))

    def __call__(self, x: np.ndarray, condition: np.ndarray) -> np.ndarray:
        moved = self.map(condition)
        return x * moved[: len(x)] + (moved[len(x) :] if self.shifts else 0.0)


# Activations


def prelu(z: np.ndarray, said: Json) -> np.ndarray:
    slopes = np.atleast_1d(said.get("negative_slope", said.get("negative_slopes", 0.01)))
    return np.where(z > 0.0, z, slopes[: len(z), None] * z)


def leaky_hard_tanh(z: np.ndarray, said: Json) -> np.ndarray:
    low, high = said.get("min_val", -1.0), said.get("max_val", 1.0)
    below = (z - low) * said.get("min_slope", 0.01) + low
    above = (z - high) * said.get("max_slope", 0.01) + high
    return np.where(z < low, below, np.where(z > high, above, z))


def fast_tanh(z: np.ndarray, said: Json) -> np.ndarray:
    size = np.abs(z)
    over = z * (2.45550750702956 + 2.45550750702956 * size + (0.893229853513558 + 0.821226666969744 * size) * z**2)
    under = 2.44506634652299 + (2.44506634652299 + z**2) * np.abs(z + 0.814642734961073 * z * size)
    return over / under


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * z)


ACTIVATIONS: dict[str, Callable[[np.ndarray, Json], np.ndarray]] = {
    "Tanh": lambda z, said: np.tanh(z),
    "Hardtanh": lambda z, said: np.clip(z, -1.0, 1.0),
    "Fasttanh": fast_tanh,
    "ReLU": lambda z, said: np.maximum(z, 0.0),
    "LeakyReLU": lambda z, said: np.where(z > 0.0, z, said.get("negative_slope", 0.01) * z),
    "PReLU": prelu,
    "Sigmoid": lambda z, said: sigmoid(z),
    "SiLU": lambda z, said: z * sigmoid(z),
    "Hardswish": lambda z, said: z * np.clip(z + 3.0, 0.0, 6.0) / 6.0,
    "LeakyHardtanh": leaky_hard_tanh,
    "LeakyHardTanh": leaky_hard_tanh,
    "Softsign": lambda z, said: z / (1.0 + np.abs(z)),
}
"""z (channels, frames) and what the file says of the activation -> (channels, frames)."""


def activate(said: str | Json, z: np.ndarray) -> np.ndarray:
    said = {"type": said} if isinstance(said, str) else said
    return ACTIVATIONS[said["type"]](z, said)
