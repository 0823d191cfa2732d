"""Knobs that glide to where they were turned, in sample time, so that no buffer size can be heard."""

from neuralamp.dsp.jit import inlined, kernel
from neuralamp.units import time_coefficient

GLIDE_MS = 8.0  # the time constant of a knob's glide: fast under the finger, no zipper noise
ARRIVED = 1e-9  # of the goal, or of 1: what is nearer, 180 dB below, is there


def glide_coefficient(sample_rate: float) -> float:
    """The `slew` of every glide."""
    return float(time_coefficient(GLIDE_MS, sample_rate))


@inlined
def glide(now, goal, slew):
    """Where a value is one frame later: now + slew (goal - now), and at the goal once it is as good as there."""
    left = goal - now
    return goal if abs(left) <= ARRIVED * max(abs(goal), 1.0) else now + slew * left


@kernel
def glides(now, goal):
    """Whether any value of a row has not arrived."""
    away = False
    for k in range(now.size):
        away |= now[k] != goal[k]
    return away


@kernel
def amplify(x, y, fixed, now, goal, slew):
    """y = fixed g x with a gain g that glides from `now`; returns where it is then. x and y may be one array."""
    if now == goal:  # nearly always: nothing glides, and frames need not wait for each other
        gain = fixed * now
        for n in range(x.size):
            y[n] = x[n] * gain
        return now
    for n in range(x.size):
        now = glide(now, goal, slew)
        y[n] = x[n] * (fixed * now)
    return now
