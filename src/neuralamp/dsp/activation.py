"""The nonlinearities of nets, in float32: the same for a frame in a vector and for a frame alone.

A config writes one as its name, and its numbers behind it where they are not the usual ones: "tanh", "leaky_relu 0.02".
"""

import math
from dataclasses import dataclass

import numpy as np

from neuralamp.dsp.jit import float_from_bits, fma, kernel
from neuralamp.errors import NetError

USUAL: dict[str, tuple[float, ...]] = {
    "linear": (),
    "tanh": (),
    "sigmoid": (),
    "relu": (),
    "leaky_relu": (0.01,),  # slope below zero
    "silu": (),
    "hard_tanh": (),
    "hard_swish": (),
    "softsign": (),
    "fast_tanh": (),
    "leaky_hard_tanh": (-1.0, 1.0, 0.01, 0.01),  # lowest, highest, slope below, slope above
    "prelu": (),  # its slopes are weights, one for each channel
    "elu": (),
}
"""Every activation that a net's config may name, and its numbers where the config gives none."""

NAMES = tuple(USUAL)
"""A kernel is told the place in this table."""

(
    LINEAR, TANH, SIGMOID, RELU, LEAKY_RELU, SILU, HARD_TANH, HARD_SWISH, SOFTSIGN, FAST_TANH, LEAKY_HARD_TANH, PRELU, ELU,
) = range(len(NAMES))  # fmt: skip
MOST_NUMBERS = max(map(len, USUAL.values()))


@dataclass(frozen=True)
class Activation:
    """A nonlinearity with its numbers."""

    name: str
    numbers: tuple[float, ...]

    @property
    def code(self) -> int:
        """What `activate` is told."""
        return NAMES.index(self.name)


def parse(text: str) -> Activation:
    """The activation that a config has written. Raises NetError for what is none."""
    name, *written = text.split() or [""]
    if name not in USUAL:
        raise NetError(f"activation {name[:40]} is unknown; known are {', '.join(NAMES)}")
    try:
        numbers = tuple(float(number) for number in written) or USUAL[name]
    except ValueError:
        numbers = ()
    if len(numbers) != len(USUAL[name]) or not all(map(math.isfinite, numbers)):
        raise NetError(f"activation {text[:80]!r} should be {name} with {len(USUAL[name])} finite numbers, or with none")
    return Activation(name, numbers)


def write(name: str, *numbers: float) -> str:
    """The text of an activation, as `parse` reads it."""
    return " ".join([name, *(repr(float(number)) for number in numbers)]) if numbers != USUAL[name] else name


ZERO, HALF, ONE, TWO, THREE, SIX = (np.float32(value) for value in (0.0, 0.5, 1.0, 2.0, 3.0, 6.0))

TANH_LIMIT = np.float32(9.1)  # float32's tanh has reached 1 there
EXP_LOWEST, EXP_HIGHEST, LOG2_E = np.float32(-87.0), np.float32(88.0), np.float32(1.0 / math.log(2.0))
LN_2_HIGH = np.float32(0.693359375)  # the first 9 bits of ln 2, so that n times it is exact; the rest is LN_2_LOW
LN_2_LOW = np.float32(math.log(2.0) - 0.693359375)
E3, E4, E5, E6, E7 = (np.float32(1.0 / math.factorial(k)) for k in range(3, 8))


@kernel
def split_exp(x):
    """(2^n, exp(r) - 1) with exp(x) = 2^n exp(r) and |r| <= ln(2)/2, by Taylor's series to r^7, for -87 <= x <= 88."""
    n = np.floor(fma(x, LOG2_E, HALF))
    r = fma(n, -LN_2_LOW, fma(n, -LN_2_HIGH, x))
    p = fma(r, fma(r, fma(r, fma(r, fma(r, E7, E6), E5), E4), E3), HALF)
    return float_from_bits(np.int32((np.int32(n) + 127) << 23)), fma(r * r, p, r)


@kernel
def exp(x):
    """exp(x) within 1.2e-7 of itself, for -87 <= x <= 88 and clamped there."""
    scale, above_one = split_exp(min(max(x, EXP_LOWEST), EXP_HIGHEST))
    return fma(above_one, scale, scale)


@kernel
def tanh(x):
    """tanh(x) = m / (m + 2), m = exp(2x) - 1, within 1.5e-7 and 2.4e-8 in the mean square: multiplications and one division.

    A rational function of x alone takes 0.7 of the time and errs twice as much: in a hot amp that is heard 3 dB higher.
    """
    x = min(max(x, -TANH_LIMIT), TANH_LIMIT)
    scale, above_one = split_exp(x + x)
    m = fma(above_one, scale, scale - ONE)
    return m / (m + TWO)


@kernel
def sigmoid(x):
    """1 / (1 + exp(-x)), within 2e-7 of itself on both sides: 1 - sigmoid(x) is had exactly as sigmoid(-x)."""
    return ONE / (ONE + exp(-x))


# The rational function that a file means by "Fasttanh": up to 1e-4 away from tanh, and part of such a capture's sound.
F0, F1, F2, F3, F4 = (
    np.float32(value) for value in (2.45550750702956, 0.893229853513558, 0.821226666969744, 2.44506634652299, 0.814642734961073)
)


@kernel
def fast_tanh(x):
    """x (a + a |x| + (b + c |x|) x^2) / (d + (d + x^2) |x + e x |x||)."""
    size = abs(x)
    square = x * x
    above = x * (F0 + F0 * size + (F1 + F2 * size) * square)
    return above / (F3 + (F3 + square) * abs(x + F4 * x * size))


@kernel
def leaky_hard_tanh(x, lowest, highest, below, above):
    """x between its two corners, and lines of their own slopes beyond."""
    if x < lowest:
        return fma(x - lowest, below, lowest)
    return fma(x - highest, above, highest) if x > highest else x


@kernel
def elu(x):
    """x above zero, exp(x) - 1 below."""
    return x if x > ZERO else exp(min(x, ZERO)) - ONE


@kernel
def activate(code, numbers, x, y):
    """y[n] = f(x[n]) for the activation NAMES[code] and its numbers (PReLU's: this channel's slope). x and y may be one array."""
    frames = y.size
    if code == TANH:
        for n in range(frames):
            y[n] = tanh(x[n])
    elif code == SIGMOID:
        for n in range(frames):
            y[n] = sigmoid(x[n])
    elif code == RELU:
        for n in range(frames):
            y[n] = max(x[n], ZERO)
    elif code in (LEAKY_RELU, PRELU):
        slope = numbers[0]
        for n in range(frames):
            y[n] = x[n] if x[n] > ZERO else slope * x[n]
    elif code == SILU:
        for n in range(frames):
            y[n] = x[n] * sigmoid(x[n])
    elif code == HARD_TANH:
        for n in range(frames):
            y[n] = min(max(x[n], -ONE), ONE)
    elif code == HARD_SWISH:
        for n in range(frames):
            y[n] = x[n] * min(max(x[n] + THREE, ZERO), SIX) / SIX
    elif code == SOFTSIGN:
        for n in range(frames):
            y[n] = x[n] / (ONE + abs(x[n]))
    elif code == FAST_TANH:
        for n in range(frames):
            y[n] = fast_tanh(x[n])
    elif code == LEAKY_HARD_TANH:
        lowest, highest, below, above = numbers[0], numbers[1], numbers[2], numbers[3]
        for n in range(frames):
            y[n] = leaky_hard_tanh(x[n], lowest, highest, below, above)
    elif code == ELU:
        for n in range(frames):
            y[n] = elu(x[n])
    else:
        for n in range(frames):
            y[n] = x[n]
