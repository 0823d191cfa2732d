"""What the nonlinearities of nets compute, in float32: written once for a number alone and for vectors of them."""

import math

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
from neuralamp.dsp.vector import (
    VECTOR_BYTES,
    fma,
    grid,
    larger,
    load,
    magnitude,
    smaller,
    store,
    where_positive,
    with_exponent,
)  # fmt: skip

ZERO, HALF, ONE, THREE, SIX = (np.float32(value) for value in (0.0, 0.5, 1.0, 3.0, 6.0))

TANH_LIMIT = np.float32(9.1)  # float32's tanh has reached 1 there
EXP_LIMIT, POWER_LIMIT = np.float32(87.0), np.float32(126.0)
LN_2, LOG2_E = np.float32(math.log(2.0)), np.float32(1.0 / math.log(2.0))
LN_2_HIGH = np.float32(0.693359375)  # the first 9 bits of ln 2, so that n times it is exact; the rest is LN_2_LOW
LN_2_LOW = np.float32(math.log(2.0) - 0.693359375)
SHIFT = np.float32(3 * 2**22 + 127)  # x + SHIFT has x + 127, rounded to a whole number, in its last bits
# exp(r) = 1 + r + r^2 (1/2 + E3 r + ... + E6 r^4) for |r| <= ln(2)/2, within 3.7e-9 of itself.
E3, E4, E5, E6 = (np.float32(value) for value in (0.16666534543, 0.04166724533, 0.00836744066, 0.00138631347))
# tanh(x) = x (1 + A1 x^2 + ... + A4 x^8) / (1 + B1 x^2 + ... + B4 x^8) for |x| <= 9.1, within 2.1e-8 of itself.
A1, A2, A3, A4 = (np.float32(value) for value in (0.133774832, 0.00349125196, 2.05327633e-05, 1.32399052e-08))
B1, B2, B3, B4 = (np.float32(value) for value in (0.467108041, 0.0258608162, 0.000327832706, 7.73147747e-07))


@inlined
def clamp(x, lowest, highest):
    """x, or the bound that it is beyond; what is no number stays none."""
    return smaller(highest, larger(lowest, x))


@inlined
def exp_parts(shifted, r):
    """(2^n, exp(r) - 1), for a whole number n from -126 to 127, given as n + SHIFT, and |r| <= ln(2)/2.

    The polynomial in pairs, which takes as many operations as nested but a shorter time where each waits for the one before.
    """
    square = r * r
    p = fma(square, fma(square, E6, fma(r, E5, E4)), fma(r, E3, HALF))
    return with_exponent(shifted), fma(square, p, r)


@inlined
def split_exp(x):
    """(2^n, exp(r) - 1) with exp(x) = 2^n exp(r), for -87 <= x <= 87."""
    shifted = fma(x, LOG2_E, SHIFT)
    n = shifted - SHIFT
    return exp_parts(shifted, fma(n, -LN_2_LOW, fma(n, -LN_2_HIGH, x)))


@inlined
def exp(x):
    """exp(x) within 1.2e-7 of itself, for -87 <= x <= 87 and clamped there."""
    scale, above_one = split_exp(clamp(x, -EXP_LIMIT, EXP_LIMIT))
    return fma(above_one, scale, scale)


@inlined
def power(x):
    """2^x within 1.2e-7 of itself, for -126 <= x <= 126 and clamped there: exp had sooner, where weights can be scaled."""
    x = clamp(x, -POWER_LIMIT, POWER_LIMIT)
    shifted = x + SHIFT
    scale, above_one = exp_parts(shifted, LN_2 * (x - (shifted - SHIFT)))
    return fma(above_one, scale, scale)


@inlined
def tanh(x):
    """tanh(x) = (exp(2x) - 1) / (exp(2x) + 1), within 1.5e-7 and 2.4e-8 in the mean square.

    A rational function of x alone takes 0.9 of the time and errs twice as much: in a hot amp that is heard 3 dB higher.
    """
    x = clamp(x, -TANH_LIMIT, TANH_LIMIT)
    scale, above_one = split_exp(x + x)
    return fma(above_one, scale, scale - ONE) / fma(above_one, scale, scale + ONE)


@inlined
def tanh_ratio(x):
    """(x A, B), whose ratio is tanh(x), A and B polynomials of x^2: had sooner than `tanh`, for those who wait for it."""
    x = clamp(x, -TANH_LIMIT, TANH_LIMIT)
    square = x * x
    fourth = square * square
    above = fma(fourth, fma(fourth, A4, fma(square, A3, A2)), fma(square, A1, ONE))
    below = fma(fourth, fma(fourth, B4, fma(square, B3, B2)), fma(square, B1, ONE))
    return x * above, below


@inlined
def sigmoid(x):
    """1 / (1 + exp(-x)), within 2e-7 of itself on both sides: 1 - sigmoid(x) is had exactly as sigmoid(-x)."""
    return ONE / (ONE + exp(-x))


# The rational function that a file means by "Fasttanh": up to 1e-4 away from tanh, and part of such a capture's sound.
F0, F1, F2, F3, F4 = (
    np.float32(value) for value in (2.45550750702956, 0.893229853513558, 0.821226666969744, 2.44506634652299, 0.814642734961073)
)


@inlined
def fast_tanh(x):
    """x (a + a |x| + (b + c |x|) x^2) / (d + (d + x^2) |x + e x |x||)."""
    size = magnitude(x)
    square = x * x
    above = x * (F0 + F0 * size + (F1 + F2 * size) * square)
    return above / (F3 + (F3 + square) * magnitude(x + F4 * x * size))


# Below, one for each name in dsp/activation.py: f(x, numbers), where `numbers` is the address of the activation's own.


@inlined
def _linear(x, numbers):
    return x


@inlined
def _tanh(x, numbers):
    return tanh(x)


@inlined
def _sigmoid(x, numbers):
    return sigmoid(x)


@inlined
def _relu(x, numbers):
    return larger(x, ZERO)


@inlined
def _leaky_relu(x, numbers):
    return where_positive(x, x, float_at(numbers) * x)


@inlined
def _silu(x, numbers):
    return x * sigmoid(x)


@inlined
def _hard_tanh(x, numbers):
    return clamp(x, -ONE, ONE)


@inlined
def _hard_swish(x, numbers):
    return x * clamp(x + THREE, ZERO, SIX) / SIX


@inlined
def _softsign(x, numbers):
    return x / (ONE + magnitude(x))


@inlined
def _fast_tanh(x, numbers):
    return fast_tanh(x)


@inlined
def _leaky_hard_tanh(x, numbers):
    """x between its two corners, and lines of their own slopes beyond."""
    lowest, highest, below, above = float_at(numbers), float_at(numbers + 4), float_at(numbers + 8), float_at(numbers + 12)
    line_below, line_above = fma(x - lowest, below, lowest), fma(x - highest, above, highest)
    return where_positive(lowest - x, line_below, where_positive(x - highest, line_above, x))


@inlined
def _elu(x, numbers):
    """x above zero, exp(x) - 1 below."""
    return where_positive(x, x, exp(smaller(x, ZERO)) - ONE)


@inlined
def each(function, numbers, x, y, count):
    """y = f(x), `count` vectors that lie end to end at these addresses, which may be the same."""
    end, by_fours = x + VECTOR_BYTES * count, x + VECTOR_BYTES * (count - 3)
    while x < by_fours:  # four at once hide each other's divisions
        store(y, 0, function(load(grid(1, 4), x, 0), numbers))
        x += 4 * VECTOR_BYTES
        y += 4 * VECTOR_BYTES
    while x < end:
        store(y, 0, function(load(grid(1, 1), x, 0), numbers))
        x += VECTOR_BYTES
        y += VECTOR_BYTES


@kernel
def activate(code, numbers, x, y, count):
    """y = f(x) for the activation of this code and the address of its numbers (PReLU's: this channel's slope); see `each`."""
    if code == TANH:
        each(_tanh, numbers, x, y, count)
    elif code == SIGMOID:
        each(_sigmoid, numbers, x, y, count)
    elif code == RELU:
        each(_relu, numbers, x, y, count)
    elif code in (LEAKY_RELU, PRELU):
        each(_leaky_relu, numbers, x, y, count)
    elif code == SILU:
        each(_silu, numbers, x, y, count)
    elif code == HARD_TANH:
        each(_hard_tanh, numbers, x, y, count)
    elif code == HARD_SWISH:
        each(_hard_swish, numbers, x, y, count)
    elif code == SOFTSIGN:
        each(_softsign, numbers, x, y, count)
    elif code == FAST_TANH:
        each(_fast_tanh, numbers, x, y, count)
    elif code == LEAKY_HARD_TANH:
        each(_leaky_hard_tanh, numbers, x, y, count)
    elif code == ELU:
        each(_elu, numbers, x, y, count)
    else:
        each(_linear, numbers, x, y, count)


@inlined
def activate_rows(code, numbers, step, x, y, rows, vectors):
    """`activate` on rows that lie end to end; `step` is 4 where each row has a number of its own, else 0."""
    if step == 0:
        activate(code, numbers, x, y, rows * vectors)
    else:
        for c in range(rows):
            row = VECTOR_BYTES * vectors * c
            activate(code, numbers + step * c, x + row, y + row, vectors)
