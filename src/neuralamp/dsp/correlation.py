"""The adjoints of matrices and sums over time: how much every weight moves what comes out.

With dy the gradient of y = b + W x, row by row of frames:  dW[o][i] = sum_t dy_o[t] x_i[t],  db[o] = sum_t dy_o[t]. The gradient
of x is a matrix again, W transposed (dsp/rows.py). A sum is a whole vector while it grows, each lane a part of it that never
sees the others; `fold_lanes` adds the lanes at the end. So what is summed keeps one order.
"""

from neuralamp.dsp.jit import floats_at, inlined, kernel
from neuralamp.dsp.lanes import sum_of_lanes
from neuralamp.dsp.nonlinear import ZERO
from neuralamp.dsp.rows import HIGH, in_blocks
from neuralamp.dsp.vector import VECTOR_BYTES, add_outer, fma, grid, load, smaller, store


@kernel
def outer_block(grid, o, i, total, stride, dy, dy_row, dy_step, x, x_row, x_step, steps):
    place = total + stride * o + VECTOR_BYTES * i
    sums = load(grid, place, stride)
    y, z = dy + dy_row * o, x + x_row * i
    for _ in range(steps):
        sums = add_outer(sums, y, dy_row, z, x_row)
        y += dy_step
        z += x_step
    store(place, stride, sums)


@kernel
def add_outer_products(total, stride, dy, dy_row, dy_step, width, x, x_row, x_step, count, steps):
    """total[o][i] += dy_o[0] x_i[0] + dy_o[1] x_i[1] + ...: `width` rows at dy, `count` at x, a vector of parts for each sum.

    stride         bytes from total[o] to total[o + 1].
    dy_row, x_row  bytes from a row to the next; dy_step, x_step  from a vector of it to the next, of `steps`: an odd number of
                   cache lines, else a row shares a few places in the first-level cache.
    """
    in_blocks(outer_block, width, count, (total, stride, dy, dy_row, dy_step, x, x_row, x_step, steps))


@kernel
def correlate(total, dy, dy_stride, width, x, x_stride, count, vectors):
    """`add_outer_products` of rows of frames: total[o][i] += sum_t dy_o[t] x_i[t]."""
    stride = VECTOR_BYTES * count
    add_outer_products(total, stride, dy, dy_stride, VECTOR_BYTES, width, x, x_stride, VECTOR_BYTES, count, vectors)


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
def fold_lanes(total, y, count):
    """The `count` numbers at y = the sums whose parts are the vectors at `total`."""
    folded = floats_at(y, count)
    for k in range(count):
        folded[k] = sum_of_lanes(load(grid(1, 1), total + VECTOR_BYTES * k, 0))
