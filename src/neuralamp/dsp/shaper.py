"""Waveshapers, antialiased: what bends a waveform, the clippers of every dirt box.

A shaper's output between two frames follows the curve f along the straight line from x0 to x1. What is played is the mean of it,
(F(x1) - F(x0)) / (x1 - x0) with the antiderivative F of f, which has fewer of the overtones that would fold down than f(x1).
Where x1 is close to x0 the quotient loses its digits, and the mean of f(x0) and f(x1) is the same to 1e-12.

f is any curve: a table of cubics that meet in value and slope, narrow near zero and wider with each octave, so that a diode's
millivolts and an op-amp's volts are both close to it. F is the exact integral of these cubics, which a closed form would be no
better than, and a circuit that can only be solved by iteration costs no more than a tanh.

The result is late by half a frame of the rate at which it runs. No memory but the frame before: a capacitor inside the clipper is
left out.

Sources: J. Parker, V. Zavalishin, E. Le Bivic, "Reducing the Aliasing of Nonlinear Waveshaping Using Continuous-Time
Convolution", DAFx 2016; S. Bilbao, F. Esqueda, J. Parker, V. Valimaki, "Antiderivative Antialiasing for Memoryless
Nonlinearities", IEEE Signal Processing Letters, 2017.
"""

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from neuralamp.dsp.jit import kernel

OCTAVE_BITS = 5  # 32 pieces to an octave
SMALLEST = 2.0**-7  # below it they are evenly wide
OCTAVES = 16
LARGEST = SMALLEST * 2.0**OCTAVES - SMALLEST  # 512: a straight line goes on from here
PIECES = OCTAVES << OCTAVE_BITS
NUMBERS = 8  # of a piece: where it begins, F there, four coefficients of f; a cache line
CLOSE = 1e-5  # frames nearer than this have no quotient
MEMORY = 3  # numbers that a shaper remembers: x, F(x), f(x)

_SHIFT = 52 - OCTAVE_BITS - 1  # of a float64's bits, so that exponent and octave's piece remain, and one bit for the side
ONE, TWO, THREE, FOUR, FIVE = (np.uint64(k) for k in range(1, 6))
THIRD = 1.0 / 3.0
_FIRST = int(np.float64(SMALLEST).view(np.int64)) >> _SHIFT


def shaper_table(curve: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(PIECES + 1, 2, NUMBERS) float64, for x >= 0 and for x < 0, of a smooth curve through 0 that is evaluated on arrays."""
    octaves, parts = 2.0 ** np.arange(OCTAVES)[:, None], 2.0**-OCTAVE_BITS * np.arange(1 << OCTAVE_BITS)
    edges = np.append((SMALLEST * octaves * (1.0 + parts)).ravel() - SMALLEST, LARGEST)
    at_rest = curve(np.zeros(1))  # what a circuit is solved to there may be off by its last digit
    return np.stack([_side(edges, lambda x: curve(x) - at_rest), _side(-edges, lambda x: curve(x) - at_rest)], axis=1)


def _side(edges: np.ndarray, curve: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The pieces of one side, from 0 outwards."""
    width = np.diff(edges)
    step = 1e-3 * np.append(width, width[-1])
    value = curve(edges)
    slope = (8.0 * (curve(edges + step) - curve(edges - step)) - curve(edges + 2 * step) + curve(edges - 2 * step)) / (
        12.0 * step
    )
    rise = np.diff(value) / width
    table = np.zeros((PIECES + 1, NUMBERS))
    table[:, 0], table[:, 2], table[:, 3] = edges, value, slope
    table[:-1, 4] = (3.0 * rise - 2.0 * slope[:-1] - slope[1:]) / width
    table[:-1, 5] = (slope[:-1] + slope[1:] - 2.0 * rise) / width**2
    a, b, c, d = table[:-1, 2:6].T
    table[1:, 1] = np.cumsum(width * (a + width * (b / 2.0 + width * (c / 3.0 + width * d / 4.0))))
    return table


@intrinsic
def _bits(typing, x):
    """The int64 that a float64 is."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@kernel
def shape(line, y, table, memory, integrals, values):
    """y[n] = the mean of f along the line from x[n - 1] to x[n].

    line               (1 + frames,) float64: room for the frame before, then x.
    y                  (frames,) float64.
    table              see `shaper_table`.
    memory             (MEMORY,) the frame before.
    integrals, values  (1 + frames,) float64, scratch.
    """
    rows = table.ravel()
    line[0], integrals[0], values[0] = memory[0], memory[1], memory[2]
    for n in range(1, line.size):
        x = line[n]
        piece = ((_bits(abs(x) + SMALLEST) >> _SHIFT) - _FIRST) & ~1
        row = np.uint64(NUMBERS * (min(max(piece, 0), 2 * PIECES) + (x < 0.0)))  # not negative: no need to count from the end
        t = x - rows[row]
        a, b, c, d = rows[row + TWO], rows[row + THREE], rows[row + FOUR], rows[row + FIVE]
        integrals[n] = rows[row + ONE] + t * (a + t * (0.5 * b + t * (THIRD * c + t * (0.25 * d))))
        values[n] = a + t * (b + t * (c + t * d))
    for n in range(y.size):
        moved = line[n + 1] - line[n]
        mean = 0.5 * (values[n] + values[n + 1])
        quotient = (integrals[n + 1] - integrals[n]) / moved
        y[n] = quotient if abs(moved) > CLOSE else mean
    memory[0], memory[1], memory[2] = line[y.size], integrals[y.size], values[y.size]
