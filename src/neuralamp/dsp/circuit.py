"""Resistors and capacitors as filters: from the polynomials of a circuit's analysis to numbers that may glide.

Trapezoidal integration keeps the circuit's structure (see dsp/svf.py): it is stable however its values move. Frequencies are bent
as there, exactly right at the pole.

Source: V. Zavalishin, "The Art of VA Filter Design", 2018, chapters 3 and 4.
"""

import math

from neuralamp.dsp.jit import inlined, kernel

POLE_VALUES = 3
HIGHEST = 0.49  # of the sample rate: tan(pi f / sample_rate) goes to infinity at 0.5


def corner_hz(ohms, farads):
    """1 / (2 pi R C)"""
    return 1.0 / (2.0 * math.pi * ohms * farads)


def first_order(low, high, pole_hz, sample_rate: float, xp):
    """H(s) = (low + high s/w) / (1 + s/w), the gains far below and far above the pole: (3,) values for `one_pole`."""
    g = _integrator_gain(pole_hz, sample_rate, xp)
    return xp.stack([g / (1.0 + g), (low - high) * xp.ones_like(g), high * xp.ones_like(g)])


def second_order(above, below, sample_rate: float, xp):
    """H(s) = (b0 + b1 s + b2 s^2) / (1 + a1 s + a2 s^2), with `above` = (b0, b1, b2) and `below` = (a1, a2): values for `svf`."""
    (b0, b1, b2), (a1, a2) = above, below
    root = xp.sqrt(a2)
    g = _integrator_gain(1.0 / (2.0 * math.pi * root), sample_rate, xp)
    k, m0 = a1 / root, b2 / a2 * xp.ones_like(root)
    return xp.stack([g, k, m0, b1 / root - k * m0, b0 - m0])


def _integrator_gain(frequency_hz, sample_rate: float, xp):
    """g = tan(pi f / sample_rate): where the analog corner must stand for the digital one to be at f."""
    return xp.tan(math.pi * xp.clip(frequency_hz / sample_rate, max=HIGHEST))


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
