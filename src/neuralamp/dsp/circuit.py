"""Resistors and capacitors as filters: from the polynomials of a circuit's analysis to numbers that may glide.

Trapezoidal integration keeps the circuit's structure (see dsp/svf.py): it is stable however its values move. Frequencies are bent
as there, exactly right at the pole.

Source: V. Zavalishin, "The Art of VA Filter Design", 2018, chapters 3 and 4.
"""

import math

from neuralamp.dsp.jit import inlined

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
def one_pole(x, a, below, above, memory, k):
    """One frame through `first_order`: y = above x + below v with the low-pass v. memory[k] is the capacitor's charge."""
    step = a * (x - memory[k])
    v = memory[k] + step
    memory[k] = v + step
    return above * x + below * v
