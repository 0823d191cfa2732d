"""Slow oscillators that move other things: a phase that goes round, and what shape its way has.

A phase is counted in cycles, from 0 to 1, in float64. It is stepped from frame to frame in one order only, so that no buffer size
can be heard; a step may change at each frame. A second voice or channel has the same phase, turned on by a part of a cycle.
"""

import numpy as np

from neuralamp.dsp.jit import inlined

# sin(pi/2 t) = t (S0 + S1 t^2 + ... + S5 t^10) for -1 <= t <= 1, within 3e-11 of itself; the same on every processor.
S0, S1, S2 = 1.570796326768145, -0.645964095578059, 0.07969260371703785
S3, S4, S5 = -0.004681657795341669, 0.00016025469085184923, -3.431829227544089e-06


@inlined
def turned(phase, step):
    """The phase one step on, brought back between 0 and 1."""
    phase = phase + step
    return phase - np.floor(phase)


@inlined
def triangle(phase):
    """1 at the beginning of a cycle, -1 in its middle, straight between them."""
    return 4.0 * abs(phase - 0.5) - 1.0


@inlined
def rounded(t):
    """sin(pi/2 t) for t between -1 and 1: what makes a sine of a triangle."""
    u = t * t
    return t * (S0 + u * (S1 + u * (S2 + u * (S3 + u * (S4 + u * S5)))))


@inlined
def cosine(phase):
    """cos(2 pi phase): 1 at the beginning of a cycle, -1 in its middle."""
    return rounded(triangle(phase))
