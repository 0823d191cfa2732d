"""Named weights: a table from name to float32 array, checked against what a config says it needs."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from neuralamp.errors import NetError

Weights = Mapping[str, np.ndarray]
Shapes = Mapping[str, tuple[int, ...]]


def count(shapes: Shapes) -> int:
    """How many numbers these weights hold."""
    return sum(math.prod(shape) for shape in shapes.values())


def check_weights(shapes: Shapes, weights: Weights) -> None:
    """Raise NetError unless every weight is there, has its shape, and is a finite float32."""
    check_shapes(shapes, {name: array.shape for name, array in weights.items()})
    for name, array in weights.items():
        if array.dtype != np.float32:
            raise NetError(f"weight {name} is {array.dtype}; it should be float32")
        if not np.isfinite(array).all():
            raise NetError(f"weight {name} holds a number that is not finite; train or download the capture again")


def check_shapes(shapes: Shapes, found: Shapes) -> None:
    """Raise NetError at the first weight that is missing, unknown, or of another shape."""
    for name in shapes:
        if name not in found:
            raise NetError(f"weight {name} is missing; the config asks for {len(shapes)} weights, {len(found)} are there")
        if tuple(found[name]) != tuple(shapes[name]):
            raise NetError(f"weight {name} has shape {tuple(found[name])}; the config asks for {tuple(shapes[name])}")
    for name in found:
        if name not in shapes:
            raise NetError(f"weight {name} is not part of a net of this config")


def in_order(shapes: Shapes, weights: Weights) -> Iterator[np.ndarray]:
    """The arrays in the order in which the config names them, denormal numbers flushed to zero.

    Real captures hold denormal weights, and each would cost a kernel tens of times a normal one.
    """
    tiny = np.finfo(np.float32).tiny
    for name in shapes:
        array = weights[name]
        yield np.where(np.abs(array) < tiny, np.float32(0.0), array)
