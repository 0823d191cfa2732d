"""The peak of a sound, held as long as the swing of its lowest note lasts: what a dynamics box steers its gain by.

A rectified note falls to zero twice in each of its periods, and a gain that follows it there bends the note: distortion. The
largest of the last frames stands still under a steady note of any pitch above the lowest, so that no release is too fast.
"""

import math

import numpy as np

from neuralamp.dsp.jit import inlined

HOLD_MS = 12.2  # half a period of the lowest E of a bass, 41.2 Hz: one peak, up or down, is always in sight
MARKS = 4


def hold_rows(frames: float) -> np.ndarray:
    """(2, half + 1) float32 of memory for `held_peak` over at least so many frames, an even number: 2 half of them."""
    return np.zeros((2, math.ceil(frames / 2.0) + 1), np.float32)


@inlined
def held_peak(x, rows, marks):
    """The largest of x and of the 2 half - 1 numbers before it; none is below 0, and what is not a number counts for nothing.

    rows   (2, half + 1) float32, made by `hold_rows`; carried to the next frame, as the marks are.
    marks  (4,) float64: the place in both rows, the largest of this block, that of the block before, that of its end.

    Time is cut into blocks of `half` frames. The window is the end of the block before the last, all of the last one, and the
    beginning of this one. While a block fills, the last one is turned, from its end to its beginning, number by number, into what
    is the largest from there on; so it is ready when it becomes the block before the last. Every frame costs the same, after
    van Herk (1992) and Gil and Werman (1993), who turn a block at once.
    """
    half = rows.shape[1] - 1
    place = int(marks[0])
    this = 1 if place >= half else 0
    k = place - half * this
    turned = half - 1 - k
    marks[1] = x if x > marks[1] else marks[1]
    marks[3] = rows[1 - this, turned] if rows[1 - this, turned] > marks[3] else marks[3]
    rows[1 - this, turned] = marks[3]
    oldest = rows[this, k + 1]  # behind a block's last place stands a 0
    rows[this, k] = x
    largest = marks[1] if marks[1] > marks[2] else marks[2]
    if turned == 0:
        marks[2] = marks[1]
        marks[1] = 0.0
        marks[3] = 0.0
    marks[0] = place + 1.0 if place + 1 < 2 * half else 0.0
    return oldest if oldest > largest else largest
