"""What every dirt box has in it: up to a fast clock, one bent waveform or two, and back (see dsp/oversample.py, dsp/shaper.py).

A box puts CLIPPER into its State, makes its node by `clipper_node`, and in its kernel walks tiles of at most TILE frames: each
channel's row of `tile` goes up with `raised`, through `bent`, and comes back to its row with `lowered`.
"""

from typing import Any

import numpy as np

from neuralamp.dsp.jit import doubles_at, integers_at, kernel
from neuralamp.dsp.node import POINTER, Node, NodeKernel
from neuralamp.dsp.oversample import TILE, fall, oversampling, rise
from neuralamp.dsp.shaper import MEMORY, NUMBERS, PIECES, shape

# bends: what each channel's shapers remember. tile: a row for each channel. fast: rows of scratch at the highest rate.
CLIPPER: dict[str, Any] = {
    "doublings": int, "most": int, "shift": int, "late": int, "numbers": int, "curves": int,
    "halves": POINTER, "taps": POINTER, "tables": POINTER, "filters": POINTER, "bends": POINTER, "tile": POINTER, "fast": POINTER,
}  # fmt: skip


def clipper_node(
    kernel: NodeKernel, values: dict[str, Any], sample_rate: float, channels: int, curves: list[np.ndarray], **memory: np.ndarray
) -> Node:
    """A node with all that CLIPPER says, for these shaper tables; its latency is its record's `late`."""
    clock = oversampling(sample_rate)
    filters = clock.memory(channels)
    sizes = {"doublings": clock.halves.size, "most": clock.taps.shape[1], "shift": clock.shift, "late": clock.latency_frames}
    return Node(
        kernel,
        values | sizes | {"numbers": filters.shape[1], "curves": len(curves)},
        memory={"filters": filters, "bends": np.zeros((channels, len(curves), MEMORY)), **memory},
        constants={"halves": clock.halves, "taps": clock.taps, "tables": np.stack(curves)},
        scratch={"tile": np.zeros((channels, TILE)), "fast": np.zeros((4, 1 + TILE * clock.factor))},
    )


@kernel
def tile_of(box):
    """(channels, TILE) float64: the frames on their way."""
    return doubles_at(box.tile, (box.channels, TILE))


@kernel
def raised(box, c, frames):
    """Channel c's tile at the highest rate: (1 + frames factor,), with room for the frame before."""
    size = frames << box.doublings
    line = doubles_at(box.fast, 1 + size)
    halves, taps = integers_at(box.halves, box.doublings), doubles_at(box.taps, (box.doublings, box.most))
    rise(tile_of(box)[c, :frames], line[1:], halves, taps, doubles_at(box.filters + 8 * c * box.numbers, box.numbers))
    return line


@kernel
def bent(box, c, curve, line):
    """A line from `raised` through one of the curves: (frames factor,), in other memory."""
    row = 8 * (1 + (TILE << box.doublings))
    y = doubles_at(box.fast + row, line.size - 1)
    integrals, values = doubles_at(box.fast + 2 * row, line.size), doubles_at(box.fast + 3 * row, line.size)
    table = doubles_at(box.tables + 8 * curve * (PIECES + 1) * 2 * NUMBERS, (PIECES + 1) * 2 * NUMBERS)
    shape(line, y, table, doubles_at(box.bends + 8 * MEMORY * (c * box.curves + curve), MEMORY), integrals, values)
    return y


@kernel
def lowered(box, c, y):
    """Back to channel c's tile."""
    halves, taps = integers_at(box.halves, box.doublings), doubles_at(box.taps, (box.doublings, box.most))
    x = tile_of(box)[c, : y.size >> box.doublings]
    fall(y, x, halves, taps, box.shift, doubles_at(box.filters + 8 * c * box.numbers, box.numbers))
