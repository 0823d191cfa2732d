"""The adjoints of matrices and sums over time: how much every weight moves what comes out.

With dy the gradient of y = b + W x, row by row of frames:  dW[o][i] = sum_t dy_o[t] x_i[t],  db[o] = sum_t dy_o[t]. The gradient
of x is a matrix again, W transposed (dsp/rows.py). A sum is a whole vector while it grows, each lane a part of it that never
sees the others; `fold` adds the lanes at the end. So what is summed keeps one order.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from neuralamp.dsp.jit import LANES, floats_at, inlined, kernel
from neuralamp.dsp.nonlinear import ZERO
from neuralamp.dsp.rows import HIGH, in_blocks
from neuralamp.dsp.vector import (
    VECTOR_BYTES,
    Vectors,
    _at,
    _llvm,
    _load,
    _pack,
    fma,
    grid,
    load,
    smaller,
    store,
)  # fmt: skip


@intrinsic
def add_outer(typing, total, y, y_stride, x, x_stride):
    """total + y x: (row r, column c) gets vector r of those at y times vector c of those at x, each `stride` bytes apart."""

    def codegen(context, builder, signature, args):
        before, y, y_stride, x, x_stride = args
        down = [_load(builder, _at(builder, y, row, y_stride, 0)) for row in range(total.rows)]
        along = [_load(builder, _at(builder, x, column, x_stride, 0)) for column in range(total.columns)]
        fused = _llvm("fma")
        return _pack(
            builder,
            [
                fused(builder, down[row], along[column], builder.extract_value(before, k))
                for k, (row, column) in enumerate(total.places)
            ],
        )

    return total(total, types.int64, types.int64, types.int64, types.int64), codegen


@intrinsic
def sum_of_lanes(typing, vector):
    """All numbers of one vector added, in halves."""
    if not (isinstance(vector, Vectors) and len(vector.places) == 1):
        return None

    def codegen(context, builder, signature, args):
        lanes, half = builder.extract_value(args[0], 0), LANES // 2
        while half:
            low, high = (
                ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(first, first + half))) for first in (0, half)
            )
            nothing = ir.Constant(lanes.type, ir.Undefined)
            lanes = builder.fadd(builder.shuffle_vector(lanes, nothing, low), builder.shuffle_vector(lanes, nothing, high))
            half //= 2
        return builder.extract_element(lanes, ir.Constant(ir.IntType(32), 0))

    return types.float32(vector), codegen


@kernel
def correlate_block(grid, o, i, total, dy, dy_stride, x, x_stride, count, vectors):
    place, step = total + VECTOR_BYTES * (count * o + i), VECTOR_BYTES * count
    sums = load(grid, place, step)
    y, z = dy + dy_stride * o, x + x_stride * i
    for _ in range(vectors):
        sums = add_outer(sums, y, dy_stride, z, x_stride)
        y += VECTOR_BYTES
        z += VECTOR_BYTES
    store(place, step, sums)


@kernel
def correlate(total, dy, dy_stride, width, x, x_stride, count, vectors):
    """total[o][i] += sum_t dy_o[t] x_i[t]: `width` rows at dy, `count` rows at x, a vector of parts for each sum."""
    in_blocks(correlate_block, width, count, (total, dy, dy_stride, x, x_stride, count, vectors))


@kernel
def row_sums_block(grid, o, total, dy, dy_stride, vectors):
    place, y = total + VECTOR_BYTES * o, dy + dy_stride * o
    sums = load(grid, place, VECTOR_BYTES)
    for k in range(vectors):
        sums = sums + load(grid, y + VECTOR_BYTES * k, dy_stride)
    store(place, VECTOR_BYTES, sums)


@kernel
def row_sums(total, dy, dy_stride, width, vectors):
    """total[o] += sum_t dy_o[t], a vector of parts for each sum."""
    o = 0
    while o + HIGH <= width:  # as many at once as hide what an addition takes
        row_sums_block(grid(HIGH, 1), o, total, dy, dy_stride, vectors)
        o += HIGH
    while o < width:
        row_sums_block(grid(1, 1), o, total, dy, dy_stride, vectors)
        o += 1


@kernel
def slope_sums(total, dy, z, stride, width, vectors):
    """total[o] += sum_t dy_o[t] min(z_o[t], 0): the gradient of PReLU's slopes."""
    for o in range(width):
        sums = load(grid(1, 1), total + VECTOR_BYTES * o, 0)
        for k in range(stride * o, stride * o + VECTOR_BYTES * vectors, VECTOR_BYTES):
            sums = fma(load(grid(1, 1), dy + k, 0), smaller(load(grid(1, 1), z + k, 0), ZERO), sums)
        store(total + VECTOR_BYTES * o, 0, sums)


@inlined
def fold(total, y, count):
    """The `count` numbers at y = the sums whose parts are the vectors at `total`."""
    folded = floats_at(y, count)
    for k in range(count):
        folded[k] = sum_of_lanes(load(grid(1, 1), total + VECTOR_BYTES * k, 0))
