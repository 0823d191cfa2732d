"""Named weights: a table from name to float32 array, checked against what a config says it needs."""

import math
from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np

from neuralamp.errors import NetError

MOST_WEIGHTS = 2_500_000  # twelve times the largest capture in the wild; more is a mistake or an attack
MOST_NAMES = 20_000  # a hundred and forty times the largest in the wild; a second to check and lay out, however small they are
MOST_FLOATS = 2**24  # 64 MiB, and as much again for what a reset brings back; the largest in the wild has 0.1 MiB
MOST_SETTLING_WORK = 5e9  # thirty times the largest in the wild; half a second to a second and a half of one core
WORK_OF_A_WEIGHT = 20  # multiplications' worth of a frame for each named weight, however small: what its loops cost to enter
WORK_OF_AN_ACTIVATION = 20  # multiplications' worth

Weights = Mapping[str, np.ndarray]
Shapes = Mapping[str, tuple[int, ...]]


class Sized(Protocol):
    """What every config says of the size of its net, and of the nets inside it.

    work    multiplications' worth of a frame, groups taken as the full matrices that a kernel makes of them.
    floats  numbers that it remembers, or works on within a tile of frames.
    """

    @property
    def work(self) -> int: ...

    @property
    def floats(self) -> int: ...

    @property
    def settling_frames(self) -> int: ...

    def weights(self) -> Shapes: ...


def count(shapes: Shapes) -> int:
    """How many numbers these weights hold."""
    return sum(math.prod(shape) for shape in shapes.values())


def products(shapes: Shapes) -> int:
    """Multiplications that a frame takes: one for each number of a matrix or a convolution."""
    return sum(math.prod(shape) for shape in shapes.values() if len(shape) > 1)


def check_size(net: Sized) -> None:
    """Raise NetError for a net that would take seconds or gigabytes to be made, or to come to rest before its first note."""
    shapes = net.weights()
    if (numbers := count(shapes)) > MOST_WEIGHTS:
        raise NetError(f"this net would have {numbers} weights; {MOST_WEIGHTS} is the most that is possible")
    if len(shapes) > MOST_NAMES:
        raise NetError(f"this net would have {len(shapes)} matrices and biases; {MOST_NAMES} is the most that is possible")
    if net.floats > MOST_FLOATS:
        raise NetError(f"this net would have to remember {net.floats} numbers; {MOST_FLOATS} is the most that is possible")
    if net.work > MOST_WEIGHTS:
        raise NetError(f"this net would multiply {net.work} times a frame; {MOST_WEIGHTS} times is the most that is possible")
    work = net.settling_frames * (net.work + WORK_OF_A_WEIGHT * len(shapes))
    if work > MOST_SETTLING_WORK:
        raise NetError(
            f"this net would need {work:.1e} multiplications to come to rest ({net.settling_frames} frames with {numbers} "
            f"weights); {MOST_SETTLING_WORK:.1e} is the most that is possible"
        )


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
