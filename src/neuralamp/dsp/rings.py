"""Dilated causal convolutions over rows of frames, each with the past that it still hears.

What a convolution hears lies in a ring: rows of `ring_frames` frames, the first TILE of which are repeated behind the end, so
that any read of up to TILE frames is one contiguous stretch.
"""

import numpy as np

from neuralamp.dsp.jit import inlined, kernel
from neuralamp.dsp.rows import TILE, add_products, copy_rows, in_blocks
from neuralamp.dsp.vector import VECTOR_BYTES, numbers, store, zeros

SPARE = 16  # frames behind a ring's repeated part: the rest of the last vector, of the widest that there are

# What a kernel is told of a convolution: the address of its ring, the frame in it where this tile is written, and where in the
# flat weights its parts begin. Weights lie as (taps, in, out). After `taps_in_sum` taps what was summed is added to the whole and
# begins anew.
FIELDS = ("ring", "position", "channels", "ring_frames", "stride", "taps", "dilation", "width", "weight", "bias", "taps_in_sum")
RING = np.dtype([(name, np.int64) for name in FIELDS])


def ring_size(past_frames: int, tile: int) -> tuple[int, int]:
    """Frames of the ring that a past needs where tiles are worked on, and how many floats its rows lie apart."""
    # Whole tiles: buffers that are tiles themselves then meet the ring's end between two of them.
    ring_frames = -(-(past_frames + tile + SPARE) // tile) * tile
    # An odd number of cache lines (16 floats) apart, so that the rows do not compete for the same cache sets.
    return ring_frames, ((ring_frames + tile + SPARE) // 16 | 1) * 16


SUM = 8  # products that are at least summed by themselves: a hot capture, with sums of 48 in every layer, errs 4 dB less


@kernel
def convolve_block(grid, o, v, y, stride, conv, weights, mixin, condition, condition_stride, conditions):
    column, step = VECTOR_BYTES * v, 4 * conv.width
    w = weights + 4 * (conv.weight + o)
    total, part = numbers(grid, weights + 4 * (conv.bias + o)), zeros(grid)
    start = conv.position - (conv.taps - 1) * conv.dilation
    if start < 0:
        start += conv.ring_frames
    left = conv.taps_in_sum
    for _ in range(conv.taps):
        part = add_products(part, w, step, conv.ring + 4 * start + column, conv.stride, conv.channels)
        w += step * conv.channels
        start += conv.dilation
        if start >= conv.ring_frames:
            start -= conv.ring_frames
        left -= 1
        if left == 0:
            total = total + part
            part = zeros(grid)
            left = conv.taps_in_sum
    part = add_products(part, mixin + 4 * o, step, condition + column, condition_stride, conditions)
    store(y + stride * o + column, stride, total + part)


@inlined
def convolve(y, stride, conv, weights, mixin, condition, condition_stride, conditions, vectors):
    """The rows at y = the convolution that a RING describes, oldest tap first, + W c with W (in, out) at `mixin`.

    conditions  how many rows there are at `condition`; 0 for none.
    """
    arguments = (y, stride, conv, weights, mixin, condition, condition_stride, conditions)
    in_blocks(convolve_block, conv.width, vectors, arguments)


@inlined
def newest(conv):
    """The address of a ring's first row where this tile is written; the other rows lie `conv.stride` bytes apart."""
    return conv.ring + 4 * conv.position


@inlined
def mirror(conv, frames):
    """After a tile was written: bring what ran over the ring's end to its start, and its start behind its end."""
    if conv.position < TILE or conv.position + frames > conv.ring_frames:
        mirror_ends(conv, frames)


@kernel
def mirror_ends(conv, frames):
    position = conv.position
    over = position + frames - conv.ring_frames
    end = 4 * conv.ring_frames
    if over > 0:
        copy_rows(conv.ring + end, conv.stride, conv.ring, conv.stride, conv.channels, over)
    if position < TILE:
        first = conv.ring + 4 * position
        copy_rows(first, conv.stride, first + end, conv.stride, conv.channels, min(frames, TILE - position))


@inlined
def advance(conv, frames):
    """The next tile is written behind this one."""
    conv.position += frames
    if conv.position >= conv.ring_frames:
        conv.position -= conv.ring_frames


@inlined
def go_to(conv, frame):
    """The tile that begins at this frame is written next; for those who do not go from tile to tile."""
    conv.position = frame % conv.ring_frames


@inlined
def repeat_start(conv, tile):
    """`mirror` where all tiles are whole, as long as the part of the ring that is repeated."""
    if conv.position == 0:
        copy_rows(conv.ring, conv.stride, conv.ring + 4 * conv.ring_frames, conv.stride, conv.channels, tile)
