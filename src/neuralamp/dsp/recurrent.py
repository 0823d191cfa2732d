"""Recurrent cells over rows of frames: what they hear for a whole tile at once, what they remember frame by frame.

A step waits for the one before it, so what counts is not how much is computed but how long its longest path is: each gate of
LANES cells, a block, is a vector of its own; the sum over the past runs in SPLITS chains; a product of nonlinearities is one
quotient. The order of gates is torch's.
"""

import math

import numpy as np

from neuralamp.dsp.jit import LANES, inlined, kernel
from neuralamp.dsp.lanes import columns, fold, load_over_zeros, transposed
from neuralamp.dsp.nonlinear import ONE, power, tanh_ratio
from neuralamp.dsp.rows import TILE, copy
from neuralamp.dsp.vector import VECTOR_BYTES, add_product, fma, grid, load, numbers, store

GATES = {"lstm": 4, "gru": 3}
"""The cells there are, and how many gates each has: i f g o, and r z n."""

LOG2_E = 1.0 / math.log(2.0)
PLACES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
WIDEST = 16  # lanes of the widest vectors that there are
SPLITS = 4 if LANES == WIDEST else 2  # chains for each gate: together as many sums as fit in registers

# What the gates' weights are multiplied by, so that sigmoid(x) = 1 / (1 + 2^t) with t = -x / ln 2. One that is turned around
# gives what a cell loses, sigmoid(-x).
FACTORS = {"lstm": (-LOG2_E, LOG2_E, 1.0, -LOG2_E), "gru": (-LOG2_E, LOG2_E, 1.0)}
FIRST = {"lstm": 3, "gru": 1}  # gates that are waited for; the sums of the others run beside what is made of them
HEARD = 4  # vectors of W x + b for each block of cells: i f g o, or r z and for n two, one the bias of what r lets through

# The fields of a layer's row in a table: how many vectors its cells take, how many of the last outputs they hear, and where in
# the flat weights and states its parts begin.
CELLS = ["lstm", "blocks", "steps", "heard_weights", "heard_bias", "past_weights", "state"]


def padded(cells: int, whole: int = LANES) -> int:
    """As many cells as fill whole vectors."""
    return -(-cells // whole) * whole


def most_floats(hidden: int) -> int:
    """Numbers that a layer remembers or works on within a tile, with the widest vectors that there are."""
    return padded(hidden, WIDEST) * (3 + (1 + TILE) + HEARD * TILE + 2 * TILE)


def arranged(kind: str, weight_ih, weight_hh, bias_ih, bias_hh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W (in, blocks, HEARD, LANES), b (blocks, HEARD, LANES) and U of a layer; zero for cells that fill up a vector.

    U is, block by block, (steps, gates, LANES) of the gates that are waited for, then of the others.
    """
    gates, hidden = GATES[kind], weight_hh.shape[1]
    scale = np.array(FACTORS[kind])[:, None, None]

    def scaled(part: np.ndarray) -> np.ndarray:
        return np.pad(scale * part.reshape(gates, hidden, -1), ((0, 0), (0, padded(hidden) - hidden), (0, 0)))

    w, u, b, b_past = scaled(weight_ih), scaled(weight_hh), scaled(bias_ih), scaled(bias_hh)
    if kind == "gru":
        w, b = np.insert(w, 2, 0.0, axis=0), np.concatenate([b[:2] + b_past[:2], b_past[2:], b[2:]])
    else:
        b = b + b_past
    w, b, u = (part.reshape(len(part), -1, LANES, part.shape[2]).transpose(3, 1, 0, 2) for part in (w, b, u))
    u = np.pad(u, ((0, padded(hidden, SPLITS) - hidden), (0, 0), (0, 0), (0, 0))).transpose(1, 0, 2, 3)
    parts = (u[:, :, : FIRST[kind]], u[:, :, FIRST[kind] :])
    return w, b, np.concatenate([part.reshape(len(u), -1) for part in parts], axis=1)


@inlined
def gates_of(chains, row, heard, weights, h, steps):
    """W x + b + U h, a vector for each of the gates that take `row` bytes; W x + b is at `heard`, the last outputs are at `h`."""
    total = load_over_zeros(chains, heard)
    for _ in range(0, steps, SPLITS):
        total = fma(numbers(chains, h), load(chains, weights, row), total)
        weights += SPLITS * row
        h += 4 * SPLITS
    return columns(fold(total))


@inlined
def remember(cells, change):
    """Add to the cells at an address, which are kept as the sum of a number and what its rounding lost. Returns their number.

    A cell that forgets a thousandth a frame would else remember the rounding of its gate for a thousand frames.
    """
    one = grid(1, 1)
    before = load(one, cells, 0)
    change = change + load(one, cells + VECTOR_BYTES, 0)
    after = before + change
    added = after - before
    store(cells, 0, after)
    store(cells + VECTOR_BYTES, 0, (before - (after - added)) + (change - added))
    return after


@kernel
def lstm(frames, blocks, steps, weights, heard, past, cells):
    """i f g o = W x + b + U h + b';  c = sigmoid(f) c + sigmoid(i) tanh(g);  h = sigmoid(o) tanh(c).

    c loses its share sigmoid(-f) instead of keeping sigmoid(f), for the reason that `remember` gives.
    """
    first, last = 3 * VECTOR_BYTES, VECTOR_BYTES
    for _ in range(frames):
        u, c, after = weights, cells, past + VECTOR_BYTES * blocks
        for _ in range(blocks):
            i, f, g = gates_of(grid(SPLITS, 3), first, heard, u, past, steps)
            above, below = tanh_ratio(g)
            gained = above / (below * (ONE + power(i)))
            lost = load(grid(1, 1), c, 0) / (ONE + power(f))
            (o,) = gates_of(grid(SPLITS, 1), last, heard + first, u + first * steps, past, steps)
            above, below = tanh_ratio(remember(c, gained - lost))
            store(after, 0, above / (below * (ONE + power(o))))
            u += (first + last) * steps
            heard += first + last
            c += 2 * VECTOR_BYTES
            after += VECTOR_BYTES
        past += VECTOR_BYTES * blocks


@kernel
def gru(frames, blocks, steps, weights, heard, past, cells):
    """r z = sigmoid(W x + b + U h + b');  n = tanh(W x + b + r (U h + b'));  h = (1 - z) n + z h.

    h moves by sigmoid(-z) of the way to n, for the reason that `remember` gives.
    """
    first, last = VECTOR_BYTES, 2 * VECTOR_BYTES
    for _ in range(frames):
        u, exact, after = weights, cells, past + VECTOR_BYTES * blocks
        for _ in range(blocks):
            (r,) = gates_of(grid(SPLITS, 1), first, heard, u, past, steps)
            z, n = gates_of(grid(SPLITS, 2), last, heard + first, u + first * steps, past, steps)
            heard += first + last
            above, below = tanh_ratio(load(grid(1, 1), heard, 0) + n / (ONE + power(r)))
            way = fma(-load(grid(1, 1), exact, 0), below, above)
            store(after, 0, remember(exact, way / (below * (ONE + power(z)))))
            u += (first + last) * steps
            heard += VECTOR_BYTES
            exact += 2 * VECTOR_BYTES
            after += VECTOR_BYTES
        past += VECTOR_BYTES * blocks


@kernel
def hear(weights, bias, blocks, x, stride, channels, gates, frames):
    """W x + b, HEARD vectors for each block, frame after frame at `gates`; the rows of x lie `stride` bytes apart."""
    block = VECTOR_BYTES * HEARD
    for n in range(0, frames, SPLITS):
        for b in range(0, block * blocks, block):
            total, w, numbers_of_x = load(grid(SPLITS, HEARD), bias + b, 0), weights + b, x + 4 * n
            for _ in range(channels):
                total = add_product(total, numbers_of_x, w)
                w += block * blocks
                numbers_of_x += stride
            store(gates + block * blocks * n + b, block * blocks, total)


@kernel
def recur(layer, net, heard, out, frames, vectors):
    """The rows at `out` = the outputs of the cells that hear the rows at `heard`; both end to end, of this many vectors.

    `net` has the addresses of its weights and states, and of two work spaces: what the gates hear, and the outputs frame by
    frame, behind those of the frame before.
    """
    row, stride = VECTOR_BYTES * layer.blocks, VECTOR_BYTES * vectors
    weights, bias = net.weights + 4 * layer.heard_weights, net.weights + 4 * layer.heard_bias
    hear(weights, bias, layer.blocks, heard, stride, layer.channels, net.gates, LANES * vectors)
    state = net.states + 4 * layer.state
    copy(state, net.past, LANES * layer.blocks)
    if layer.lstm:
        lstm(frames, layer.blocks, layer.steps, net.weights + 4 * layer.past_weights, net.gates, net.past, state + row)
    else:
        gru(frames, layer.blocks, layer.steps, net.weights + 4 * layer.past_weights, net.gates, net.past, state + row)
    copy(net.past + row * frames, state, LANES * layer.blocks)
    for b in range(layer.blocks):
        for v in range(vectors):
            square = load(grid(LANES, 1), net.past + row * (1 + LANES * v) + VECTOR_BYTES * b, row)
            store(out + stride * LANES * b + VECTOR_BYTES * v, stride, transposed(square))
