"""A guitarist's units and the engine's: decibels, hertz, milliseconds to gains, coefficients, frames.

Every function takes `xp`, the array library that does the sum (numpy or torch, through the array API): numpy's value plays,
torch's gradient learns.
"""

import math

import numpy as np


def db_to_gain(db, xp=np):
    """Decibels to a linear amplitude: 10^(db/20)."""
    return xp.exp(db * (math.log(10.0) / 20.0))


def gain_to_db(gain: float) -> float:
    """A linear amplitude to decibels; minus infinity for silence."""
    return 20.0 * math.log10(gain) if gain > 0.0 else -math.inf


def time_coefficient(milliseconds, sample_rate: float, xp=np):
    """The `a` of y[n] += a (x[n] - y[n]) that covers 63 % of the way in `milliseconds`."""
    return 1.0 - xp.exp(-1000.0 / (milliseconds * sample_rate))


def ms_to_frames(milliseconds: float, sample_rate: float) -> int:
    """Milliseconds to whole frames, rounded to the nearest."""
    return round(milliseconds * 1e-3 * sample_rate)
