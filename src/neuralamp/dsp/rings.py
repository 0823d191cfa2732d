"""Dilated causal convolutions over rows of frames, each with the past that it still hears.

What a convolution hears lies in a ring: rows of `ring_frames` frames, the first TILE of which are repeated behind the end, so
that any read of up to TILE frames is one contiguous stretch.
"""

from neuralamp.dsp.jit import inlined, kernel
from neuralamp.dsp.rows import TILE, add_products, copy_rows, in_blocks
from neuralamp.dsp.vector import VECTOR_BYTES, numbers, store, zeros

SPARE = 16  # frames behind a ring's repeated part: the rest of the last vector, of the widest that there are

# The fields of a convolution's row in a table: the address of its ring, and where in the flat weights its parts begin. Weights
# lie as (taps, in, out). After `taps_in_sum` taps what was summed is added to the whole and begins anew.
RING = ["ring", "channels", "ring_frames", "stride", "taps", "dilation", "width", "weight", "bias", "taps_in_sum"]


def ring_size(past_frames: int, tile: int) -> tuple[int, int]:
    """Frames of the ring that a past needs where tiles are worked on, and how many floats its rows lie apart."""
    # Whole tiles: buffers that are tiles themselves then meet the ring's end between two of them.
    ring_frames = -(-(past_frames + tile + SPARE) // tile) * tile
    # An odd number of cache lines (16 floats) apart, so that the rows do not compete for the same cache sets.
    return ring_frames, ((ring_frames + tile + SPARE) // 16 | 1) * 16


SUM = 8  # products that are at least summed by themselves: a hot capture, with sums of 48 in every layer, errs 4 dB less


@kernel
def convolve_block(grid, o, v, y, stride, row, weights, position, mixin, condition, condition_stride, conditions):
    column, step = VECTOR_BYTES * v, 4 * row.width
    w = weights + 4 * (row.weight + o)
    total, part = numbers(grid, weights + 4 * (row.bias + o)), zeros(grid)
    start = position - (row.taps - 1) * row.dilation
    if start < 0:
        start += row.ring_frames
    left = row.taps_in_sum
    for _ in range(row.taps):
        part = add_products(part, w, step, row.ring + 4 * start + column, row.stride, row.channels)
        w += step * row.channels
        start += row.dilation
        if start >= row.ring_frames:
            start -= row.ring_frames
        left -= 1
        if left == 0:
            total = total + part
            part = zeros(grid)
            left = row.taps_in_sum
    part = add_products(part, mixin + 4 * o, step, condition + column, condition_stride, conditions)
    store(y + stride * o + column, stride, total + part)


@kernel
def convolve(y, stride, row, weights, position, mixin, condition, condition_stride, conditions, vectors):
    """The rows at y = the convolution that `row` of a table describes, oldest tap first, + W c with W (in, out) at `mixin`.

    position    in the ring of the tile's first frame; see `mirror`.
    conditions  how many rows there are at `condition`; 0 for none.
    """
    arguments = (y, stride, row, weights, position, mixin, condition, condition_stride, conditions)
    in_blocks(convolve_block, row.width, vectors, arguments)


@inlined
def newest(row, position):
    """The address of a ring's first row at a position: where this tile is written, `row.stride` bytes from row to row."""
    return row.ring + 4 * position


@kernel
def mirror(row, position, frames):
    """After a tile was written: bring what ran over the ring's end to its start, and its start behind its end."""
    over = position + frames - row.ring_frames
    end = 4 * row.ring_frames
    if over > 0:
        copy_rows(row.ring + end, row.stride, row.ring, row.stride, row.channels, over)
    if position < TILE:
        first = row.ring + 4 * position
        copy_rows(first, row.stride, first + end, row.stride, row.channels, min(frames, TILE - position))


@inlined
def repeat_start(row, position, tile):
    """`mirror` where all tiles are whole, as long as the part of the ring that is repeated."""
    if position == 0:
        copy_rows(row.ring, row.stride, row.ring + 4 * row.ring_frames, row.stride, row.channels, tile)
