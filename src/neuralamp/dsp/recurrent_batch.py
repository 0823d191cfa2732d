"""Recurrent cells over a batch, and their adjoints: a sequence in each lane, so that a step is a matrix times whole vectors.

The equations are those of dsp/recurrent.py. What the adjoint needs of a step is kept in its record: rows, each a vector, at
places that `layer` tells in bytes. UNITS units are worked on at once, with all their gates in registers; `hidden` is a multiple
of that, and weights of units that only fill it up are zero.

An LSTM's gates stand in torch's order i f g o. A GRU's stand n r z p, where p is the past's part of n, U h + b' in front of the
gate r: what comes from below goes to the first three of them, the past to the last three.

layer   hidden   units, and rows of each gate
        heard    rows of what comes from below, at `below` in the same record
        h        the layer's output
        kept     c i f g o of UNITS units, or n r z p, then of the next ones: adjoints read a record from end to end
        weights  of UNITS units, then of the next ones: all their biases, what each row below weighs, and each of the past
"""

from neuralamp.dsp.jit import inlined, kernel, prefetch
from neuralamp.dsp.nonlinear import ONE, sigmoid, tanh
from neuralamp.dsp.rows import HIGH, WIDE
from neuralamp.dsp.vector import VECTOR_BYTES, add_product, fma, grid, load, numbers, store, zeros

UNITS = WIDE  # times four gates: as many sums as fit in registers
GATE_BYTES = 4 * UNITS  # of what a row weighs in one gate of UNITS units
ALL_BYTES = 4 * GATE_BYTES  # in all four
CACHE_LINE = 64
ROWS_BYTES = UNITS * VECTOR_BYTES
LSTM_KEEPS, GRU_KEEPS = 5, 4  # rows for each unit


@inlined
def rows_at(address):
    """UNITS rows that lie end to end."""
    return load(grid(UNITS, 1), address, VECTOR_BYTES)


@inlined
def put(address, rows):
    store(address, VECTOR_BYTES, rows)


@inlined
def biases(weights):
    """Where the sums of four gates begin."""
    return (
        numbers(grid(UNITS, 1), weights),
        numbers(grid(UNITS, 1), weights + GATE_BYTES),
        numbers(grid(UNITS, 1), weights + 2 * GATE_BYTES),
        numbers(grid(UNITS, 1), weights + 3 * GATE_BYTES),
    )


@inlined
def add_four_products(i, f, g, o, weights, x, count):
    """All sums + what `count` rows at x weigh in them."""
    for _ in range(count):
        i = add_product(i, weights, x)
        f = add_product(f, weights + GATE_BYTES, x)
        g = add_product(g, weights + 2 * GATE_BYTES, x)
        o = add_product(o, weights + 3 * GATE_BYTES, x)
        weights += ALL_BYTES
        x += VECTOR_BYTES
    return i, f, g, o


@kernel
def lstm_forward(layer, weights, before, now):
    """A step of every lane, from the record at `before` to that at `now`."""
    weights += layer.weights
    for u in range(0, layer.hidden * VECTOR_BYTES, ROWS_BYTES):
        i, f, g, o = biases(weights)
        weights += ALL_BYTES
        i, f, g, o = add_four_products(i, f, g, o, weights, now + layer.below, layer.heard)
        weights += ALL_BYTES * layer.heard
        i, f, g, o = add_four_products(i, f, g, o, weights, before + layer.h, layer.hidden)
        weights += ALL_BYTES * layer.hidden
        i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
        kept = layer.kept + LSTM_KEEPS * u
        c = fma(f, rows_at(before + kept), i * g)
        put(now + kept, c)
        put(now + kept + ROWS_BYTES, i)
        put(now + kept + 2 * ROWS_BYTES, f)
        put(now + kept + 3 * ROWS_BYTES, g)
        put(now + kept + 4 * ROWS_BYTES, o)
        put(now + layer.h + u, o * tanh(c))


@kernel
def lstm_adjoint(layer, before, now, slopes, dh, dc):
    """From the loss's slopes along h and c to those along the gates before their nonlinearity, and along c of the step before.

    dh is left as zeros: h of the step before is heard through the gates alone. tanh(c) is computed anew: to keep it costs more.
    """
    gate = layer.hidden * VECTOR_BYTES
    for u in range(0, gate, ROWS_BYTES):
        kept = layer.kept + LSTM_KEEPS * u
        c_before, tanh_c = rows_at(before + kept), tanh(rows_at(now + kept))
        i, f = rows_at(now + kept + ROWS_BYTES), rows_at(now + kept + 2 * ROWS_BYTES)
        g, o = rows_at(now + kept + 3 * ROWS_BYTES), rows_at(now + kept + 4 * ROWS_BYTES)
        along_h = rows_at(dh + u)
        along_c = fma(along_h * o, ONE - tanh_c * tanh_c, rows_at(dc + u))
        put(slopes + u, along_c * g * (i * (ONE - i)))
        put(slopes + u + gate, along_c * c_before * (f * (ONE - f)))
        put(slopes + u + 2 * gate, along_c * i * (ONE - g * g))
        put(slopes + u + 3 * gate, along_h * tanh_c * (o * (ONE - o)))
        put(dc + u, along_c * f)
        put(dh + u, zeros(grid(UNITS, 1)))


@kernel
def gru_forward(layer, weights, before, now):
    """A step of every lane, from the record at `before` to that at `now`."""
    weights += layer.weights
    for u in range(0, layer.hidden * VECTOR_BYTES, ROWS_BYTES):
        n, r, z, p = biases(weights)
        weights += ALL_BYTES
        x = now + layer.below
        for _ in range(layer.heard):
            n = add_product(n, weights, x)
            r = add_product(r, weights + GATE_BYTES, x)
            z = add_product(z, weights + 2 * GATE_BYTES, x)
            weights += ALL_BYTES
            x += VECTOR_BYTES
        x = before + layer.h
        for _ in range(layer.hidden):
            r = add_product(r, weights + GATE_BYTES, x)
            z = add_product(z, weights + 2 * GATE_BYTES, x)
            p = add_product(p, weights + 3 * GATE_BYTES, x)
            weights += ALL_BYTES
            x += VECTOR_BYTES
        r, z = sigmoid(r), sigmoid(z)
        n = tanh(fma(r, p, n))
        kept = now + layer.kept + GRU_KEEPS * u
        put(kept, n)
        put(kept + ROWS_BYTES, r)
        put(kept + 2 * ROWS_BYTES, z)
        put(kept + 3 * ROWS_BYTES, p)
        put(now + layer.h + u, fma(z, rows_at(before + layer.h + u) - n, n))


@kernel
def gru_adjoint(layer, before, now, slopes, dh):
    """From the loss's slopes along h to those along the gates before their nonlinearity; dh is left what bypasses the gates."""
    gate = layer.hidden * VECTOR_BYTES
    for u in range(0, gate, ROWS_BYTES):
        kept = now + layer.kept + GRU_KEEPS * u
        n, r = rows_at(kept), rows_at(kept + ROWS_BYTES)
        z, p = rows_at(kept + 2 * ROWS_BYTES), rows_at(kept + 3 * ROWS_BYTES)
        along_h = rows_at(dh + u)
        along_n = along_h * (ONE - z) * (ONE - n * n)
        put(slopes + u, along_n)
        put(slopes + u + gate, along_n * p * (r * (ONE - r)))
        put(slopes + u + 2 * gate, along_h * (rows_at(before + layer.h + u) - n) * (z * (ONE - z)))
        put(slopes + u + 3 * gate, along_n * r)
        put(dh + u, along_h * z)


@inlined
def matrix_block(grid, y, weights, width, x, count, soon):
    total = zeros(grid)
    for _ in range(count):
        total = add_product(total, weights, x)
        prefetch(soon)
        weights += 4 * width
        x += VECTOR_BYTES
        soon += CACHE_LINE
    store(y, VECTOR_BYTES, load(grid, y, VECTOR_BYTES) + total)


@kernel
def add_matrix(y, weights, width, x, count, soon):
    """The `width` rows at y += W x, W stored (in, out), while the memory at `soon` is brought near.

    Records are read once and come from main memory: to wait for them took as long as the product that an LSTM of 32 has here.
    """
    o = 0
    while o < width:
        at, column = y + VECTOR_BYTES * o, weights + 4 * o
        if o + HIGH <= width:
            matrix_block(grid(HIGH, 1), at, column, width, x, count, soon)
            o += HIGH
        elif o + UNITS <= width:
            matrix_block(grid(UNITS, 1), at, column, width, x, count, soon)
            o += UNITS
        else:
            matrix_block(grid(1, 1), at, column, width, x, count, soon)
            o += 1
        soon += CACHE_LINE * count
