"""A delay line that may be read between its frames: the past of echoes, choruses and reverberation.

A line is a row of a power of two of numbers, and `written`, how many frames have been put into it since the beginning.
"""

import numpy as np

from neuralamp.dsp.jit import inlined


def line_size(longest_frames: float) -> int:
    """Frames of memory for delays of up to `longest_frames`, those that a read between frames looks at included."""
    return 1 << int(np.ceil(np.log2(longest_frames + 4.0)))


@inlined
def put(line, written, x):
    """Write the frame of number `written`; the caller counts on."""
    line[written & (line.size - 1)] = x


@inlined
def take(line, written, delay):
    """The frame `delay` whole frames behind the newest one, of which there are `written`: 0 is the newest."""
    return line[(written - 1 - delay) & (line.size - 1)]


@inlined
def take_between(line, written, delay):
    """The same at a delay of 1 or more that is not whole: the cubic through the four frames around it (Lagrange).

    Half way between two frames, where it is dullest, it is 0.03 dB down at a tenth of the sample rate and 1.1 dB at a quarter.
    """
    whole = int(delay)
    u = delay - whole
    last = line.size - 1
    newest = written - 1 - whole
    a, b = line[(newest + 1) & last], line[newest & last]
    c, d = line[(newest - 1) & last], line[(newest - 2) & last]
    # weights of the frames at -1, 0, 1, 2 for a point at u
    return (
        a * (-u * (u - 1.0) * (u - 2.0) / 6.0)
        + b * ((u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0)
        + c * (-u * (u + 1.0) * (u - 2.0) / 2.0)
        + d * (u * (u + 1.0) * (u - 1.0) / 6.0)
    )


@inlined
def begin(line):
    """Silence before the first frame, for a line that nobody clears: what `recalled_between` may look at beyond its end."""
    for n in range(1, 4):
        line[line.size - n] = 0.0


@inlined
def recalled(line, written, delay):
    """`take` from a line that nobody clears: silence before its first frame."""
    return take(line, written, delay) if delay < written else 0.0


@inlined
def recalled_between(line, written, delay):
    """`take_between` from a line that nobody clears but `begin`."""
    return take_between(line, written, delay) if delay < written + 1.0 else 0.0
