"""The adjoints of dsp/nonlinear.py: how steep each is, from what went in or, where that is cheaper, from what came out."""

import numpy as np

from neuralamp.dsp.activation import (
    ELU,
    FAST_TANH,
    HARD_SWISH,
    HARD_TANH,
    LEAKY_HARD_TANH,
    LEAKY_RELU,
    PRELU,
    RELU,
    SIGMOID,
    SILU,
    SOFTSIGN,
    TANH,
)  # fmt: skip
from neuralamp.dsp.jit import float_at, inlined, kernel
from neuralamp.dsp.nonlinear import F0, F1, F2, F3, F4, HALF, ONE, THREE, ZERO, sigmoid
from neuralamp.dsp.vector import VECTOR_BYTES, grid, load, magnitude, store, where_positive

FROM_VALUE = (TANH, SIGMOID, ELU)
"""The activations whose slope is told by what they gave, f(z); the others' by what they were given, z."""

TWO, THIRD = np.float32(2.0), np.float32(1.0 / 3.0)


@inlined
def _linear(z, numbers):
    return where_positive(z, ONE, ONE)


@inlined
def _tanh(a, numbers):
    return ONE - a * a


@inlined
def _sigmoid(a, numbers):
    return a * (ONE - a)


@inlined
def _relu(z, numbers):
    return where_positive(z, ONE, ZERO)


@inlined
def _leaky_relu(z, numbers):
    return where_positive(z, ONE, float_at(numbers))


@inlined
def _silu(z, numbers):
    s = sigmoid(z)
    return s * (ONE + z * (ONE - s))


@inlined
def _hard_tanh(z, numbers):
    return where_positive(ONE - magnitude(z), ONE, ZERO)


@inlined
def _hard_swish(z, numbers):
    return where_positive(z - THREE, ONE, where_positive(z + THREE, THIRD * z + HALF, ZERO))


@inlined
def _softsign(z, numbers):
    below = ONE + magnitude(z)
    return ONE / (below * below)


@inlined
def _fast_tanh(z, numbers):
    """Of s p(s) / q(s) at s = |z|, which nonlinear.fast_tanh is."""
    s = magnitude(z)
    p = F0 + s * (F0 + s * (F1 + F2 * s))
    p_slope = F0 + s * (TWO * F1 + THREE * F2 * s)
    line, line_slope = s + F4 * s * s, ONE + TWO * F4 * s
    q = F3 + (F3 + s * s) * line
    q_slope = TWO * s * line + (F3 + s * s) * line_slope
    return ((p + s * p_slope) * q - s * p * q_slope) / (q * q)


@inlined
def _leaky_hard_tanh(z, numbers):
    lowest, highest, below, above = float_at(numbers), float_at(numbers + 4), float_at(numbers + 8), float_at(numbers + 12)
    return where_positive(lowest - z, below, where_positive(z - highest, above, ONE))


@inlined
def _elu(a, numbers):
    return where_positive(a, ONE, a + ONE)


@inlined
def each_slope(function, numbers, x, dy, dx, count):
    """dx = dy f'(x), `count` vectors that lie end to end at these addresses; dx may be dy."""
    for k in range(0, VECTOR_BYTES * count, VECTOR_BYTES):
        store(dx + k, 0, load(grid(1, 1), dy + k, 0) * function(load(grid(1, 1), x + k, 0), numbers))


@kernel
def activate_adjoint(code, numbers, x, dy, dx, count):
    """dx = dy f', with x what f gave for the codes in FROM_VALUE and what it was given for the others; see `each_slope`."""
    if code == TANH:
        each_slope(_tanh, numbers, x, dy, dx, count)
    elif code == SIGMOID:
        each_slope(_sigmoid, numbers, x, dy, dx, count)
    elif code == RELU:
        each_slope(_relu, numbers, x, dy, dx, count)
    elif code in (LEAKY_RELU, PRELU):
        each_slope(_leaky_relu, numbers, x, dy, dx, count)
    elif code == SILU:
        each_slope(_silu, numbers, x, dy, dx, count)
    elif code == HARD_TANH:
        each_slope(_hard_tanh, numbers, x, dy, dx, count)
    elif code == HARD_SWISH:
        each_slope(_hard_swish, numbers, x, dy, dx, count)
    elif code == SOFTSIGN:
        each_slope(_softsign, numbers, x, dy, dx, count)
    elif code == FAST_TANH:
        each_slope(_fast_tanh, numbers, x, dy, dx, count)
    elif code == LEAKY_HARD_TANH:
        each_slope(_leaky_hard_tanh, numbers, x, dy, dx, count)
    elif code == ELU:
        each_slope(_elu, numbers, x, dy, dx, count)
    else:
        each_slope(_linear, numbers, x, dy, dx, count)


@inlined
def activate_rows_adjoint(code, numbers, step, x, dy, dx, rows, vectors):
    """`activate_adjoint` on rows that lie end to end; `step` is 4 where each row has a number of its own, else 0."""
    if step == 0:
        activate_adjoint(code, numbers, x, dy, dx, rows * vectors)
    else:
        for c in range(rows):
            row = VECTOR_BYTES * vectors * c
            activate_adjoint(code, numbers + step * c, x + row, dy + row, dx + row, vectors)
