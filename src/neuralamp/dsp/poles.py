"""Resistors and capacitors as filters: from the polynomials of a circuit's analysis to numbers that may glide.

Trapezoidal integration keeps the circuit's structure (see dsp/svf.py): it is stable however its values move. Frequencies are bent
as there, exactly right at the pole.

Source: V. Zavalishin, "The Art of VA Filter Design", 2018, chapters 3 and 4.
"""

import math

from neuralamp.dsp.jit import inlined, kernel
from neuralamp.dsp.svf import integrator_gain

POLE_VALUES = 3


def corner_hz(ohms, farads):
    """1 / (2 pi R C)"""
    return 1.0 / (2.0 * math.pi * ohms * farads)


def first_order(low, high, pole_hz, sample_rate: float, xp):
    """H(s) = (low + high s/w) / (1 + s/w), the gains far below and far above the pole: (3,) values for `one_pole`."""
    g = integrator_gain(pole_hz, sample_rate, xp)
    return xp.stack([g / (1.0 + g), (low - high) * xp.ones_like(g), high * xp.ones_like(g)])


def second_order(above, below, sample_rate: float, xp):
    """H(s) = (b0 + b1 s + b2 s^2) / (1 + a1 s + a2 s^2), with `above` = (b0, b1, b2) and `below` = (a1, a2): values for `svf`."""
    (b0, b1, b2), (a1, a2) = above, below
    root = xp.sqrt(a2)
    g = integrator_gain(1.0 / (2.0 * math.pi * root), sample_rate, xp)
    k, m0 = a1 / root, b2 / a2 * xp.ones_like(root)
    return xp.stack([g, k, m0, b1 / root - k * m0, b0 - m0])


@inlined
def pole(x, a, below, above, held):
    """One frame through `first_order`: (above x + below v with the low-pass v, the capacitor's charge after it).

    The next frame waits for one multiplication and one addition only.
    """
    return above * x + below * (held + a * (x - held)), (1.0 - 2.0 * a) * held + 2.0 * a * x


@inlined
def one_pole(x, a, below, above, memory, k):
    """The same with the charge in memory[k]."""
    y, memory[k] = pole(x, a, below, above, memory[k])
    return y


@kernel
def two_poles(x, y, values, memory, k):
    """Frames through two of `first_order`, one behind the other, which do not glide.

    x, y    (frames,) float64.
    values  (6,) of the first, then of the second.
    memory  at k and k + 1 their charges.
    """
    a, below, above = values[0], values[1], values[2]
    b, below_b, above_b = values[3], values[4], values[5]
    first, second = memory[k], memory[k + 1]
    for n in range(x.size):
        middle, first = pole(x[n], a, below, above, first)
        y[n], second = pole(middle, b, below_b, above_b, second)
    memory[k], memory[k + 1] = first, second
