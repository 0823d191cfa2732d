"""Rows of frames and matrices times them: what the layers of nets are made of.

A row is a stretch of frames of one channel. Rows lie `stride` bytes apart; those of a work space end to end, up to TILE frames
long. Kernels work on whole vectors: behind a row's last frame there is room for the rest of one, whose numbers mean nothing.
Places are addresses, and each frame's sums keep one order, so no cut of the stream can be heard.
"""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import LANES, floats_at, inlined, kernel
from neuralamp.dsp.vector import VECTOR_BYTES, add_product, fma, grid, load, numbers, store

TILE = 64  # frames worked on at once: the rows of a layer stay in the first-level cache
# Rows and vectors of a block, and rows of one that is a single vector wide: sums, and what they are made of, fit in registers.
TALL, WIDE, HIGH = 4, (2 if LANES == 8 else 4), 8
NOTHING = np.int64(0)  # the address of no rows; of numpy's type, since numba compiles a kernel anew for every literal 0
ONE = np.float32(1.0)


@inlined
def vectors_of(frames):
    """How many vectors hold this many frames."""
    return (frames + LANES - 1) // LANES


@inlined
def take_in(inputs, channels, frames, start, count, rows, stride):
    """Frames from `start` on of a node's inputs, (channels, frames), to the rows at `rows`."""
    for c in range(channels):
        floats_at(rows + stride * c, count)[:] = carray(inputs[c], frames)[start : start + count]


@inlined
def give_out(rows, stride, skip, outputs, channels, inputs, frames, start, count):
    """The rows at `rows`, + skip times a node's first input, to its outputs, (channels, frames), from `start` on."""
    x = carray(inputs[0], frames)
    for o in range(channels):
        sound, y = floats_at(rows + stride * o, count), carray(outputs[o], frames)
        for n in range(count):
            y[start + n] = fma(skip, x[start + n], sound[n])


@inlined
def in_blocks(block, width, vectors, arguments):
    """Call block(grid, o, v, *arguments) for every part of `width` rows of this many vectors, from row o and vector v on."""
    v = 0
    while v + WIDE <= vectors:
        o = 0
        while o + TALL <= width:
            block(grid(TALL, WIDE), o, v, *arguments)
            o += TALL
        if width - o == 3:
            block(grid(3, WIDE), o, v, *arguments)
        elif width - o == 2:
            block(grid(2, WIDE), o, v, *arguments)
        elif width - o == 1:
            block(grid(1, WIDE), o, v, *arguments)
        v += WIDE
    while v < vectors:
        o = 0
        while o + HIGH <= width:
            block(grid(HIGH, 1), o, v, *arguments)
            o += HIGH
        if width - o >= TALL:
            block(grid(TALL, 1), o, v, *arguments)
            o += TALL
        if width - o == 3:
            block(grid(3, 1), o, v, *arguments)
        elif width - o == 2:
            block(grid(2, 1), o, v, *arguments)
        elif width - o == 1:
            block(grid(1, 1), o, v, *arguments)
        v += 1


@inlined
def add_products(total, weights, step, x, stride, count):
    """total + weights_0 x_0 + weights_1 x_1 + ..., in this order; weights lie `step` bytes apart, rows `stride`."""
    end = x + stride * count
    while x != end:  # LLVM would unroll a loop over range(count), and be slower where there are few rows
        total = add_product(total, weights, x)
        weights += step
        x += stride
    return total


@kernel
def matrix_block(grid, o, v, y, stride, onto, onto_stride, weights, bias, width, x, x_stride, count):
    column = VECTOR_BYTES * v
    total = numbers(grid, bias + 4 * o)
    total = add_products(total, weights + 4 * o, 4 * width, x + column, x_stride, count)
    if onto:
        total = load(grid, onto + onto_stride * o + column, onto_stride) + total
    store(y + stride * o + column, stride, total)


@inlined
def matrix(y, stride, onto, onto_stride, weights, bias, width, x, x_stride, count, vectors):
    """The `width` rows at y = the rows at `onto` + (bias + W x), W stored (in, out); all places are addresses.

    The product is summed by itself, so that its rounding is that of small numbers. `onto` may be y, or 0 for nothing.
    """
    arguments = (y, stride, onto, onto_stride, weights, bias, width, x, x_stride, count)
    in_blocks(matrix_block, width, vectors, arguments)


@inlined
def copy(x, y, frames):
    """As many vectors as these frames need, from one address to another."""
    for k in range(vectors_of(frames)):
        store(y + VECTOR_BYTES * k, 0, load(grid(1, 1), x + VECTOR_BYTES * k, 0))


@inlined
def copy_rows(x, x_stride, y, y_stride, rows, frames):
    """Rows from one place to another."""
    for c in range(rows):
        copy(x + c * x_stride, y + c * y_stride, frames)


@kernel
def add(x, y, count):
    """y += x, `count` vectors that lie end to end."""
    for k in range(0, VECTOR_BYTES * count, VECTOR_BYTES):
        store(y + k, 0, load(grid(1, 1), y + k, 0) + load(grid(1, 1), x + k, 0))


@kernel
def multiply(x, y, count):
    """y *= x, `count` vectors that lie end to end."""
    for k in range(0, VECTOR_BYTES * count, VECTOR_BYTES):
        store(y + k, 0, load(grid(1, 1), y + k, 0) * load(grid(1, 1), x + k, 0))


@kernel
def multiply_add(a, x, y, count):
    """y = a y + x, `count` vectors that lie end to end."""
    for k in range(0, VECTOR_BYTES * count, VECTOR_BYTES):
        store(y + k, 0, fma(load(grid(1, 1), a + k, 0), load(grid(1, 1), y + k, 0), load(grid(1, 1), x + k, 0)))


@kernel
def blend(gate, x, y, count):
    """y = gate x + (1 - gate) y, `count` vectors that lie end to end."""
    for k in range(0, VECTOR_BYTES * count, VECTOR_BYTES):
        g = load(grid(1, 1), gate + k, 0)
        store(y + k, 0, fma(g, load(grid(1, 1), x + k, 0), (ONE - g) * load(grid(1, 1), y + k, 0)))


@kernel
def blend_adjoint(gate, x, z, dx, d_gate, dz, count):
    """In place, with dx at first the gradient of a blend of x and z: dx and dz those of x and z, d_gate that of the gate.

    Where z is 0 for nothing, of gate times x alone.
    """
    for k in range(0, VECTOR_BYTES * count, VECTOR_BYTES):
        g, dy, other = load(grid(1, 1), gate + k, 0), load(grid(1, 1), dx + k, 0), load(grid(1, 1), x + k, 0)
        store(dx + k, 0, g * dy)
        if z:
            store(dz + k, 0, (ONE - g) * dy)
            other = other - load(grid(1, 1), z + k, 0)
        store(d_gate + k, 0, other * dy)


@kernel
def scale(factor, y, count):
    """y *= a number, `count` vectors that lie end to end."""
    for k in range(0, VECTOR_BYTES * count, VECTOR_BYTES):
        store(y + k, 0, factor * load(grid(1, 1), y + k, 0))
