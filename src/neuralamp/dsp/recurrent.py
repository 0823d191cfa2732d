"""Recurrent cells over rows of frames: what they hear for a whole tile at once, what they remember frame by frame.

A step waits for the one before it, so what counts is not how much is computed but how long its longest path is: each gate of
LANES cells, a block, is a vector of its own; the sum over the past runs in SPLITS chains; a product of nonlinearities is one
quotient. The order of gates is torch's.
"""

import numpy as np

from neuralamp.dsp.jit import LANES, inlined, kernel
from neuralamp.dsp.lanes import columns, fold, transposed
from neuralamp.dsp.nonlinear import ONE, exp, tanh_ratio
from neuralamp.dsp.rows import TILE, copy, matrix
from neuralamp.dsp.vector import VECTOR_BYTES, fma, grid, load, numbers, store

GATES = {"lstm": 4, "gru": 3}
"""The cells there are, and how many gates each has: i f g o, and r z n."""

LSTM_GATES, GRU_GATES = GATES.values()
PLACES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
WIDEST = 16  # lanes of the widest vectors that there are
SPLITS = 4 if LANES == WIDEST else 2  # times the gates: as many sums as fit in registers

# The fields of a layer's row in a table: how many vectors its cells take, how many of the last outputs it hears, and where in the
# flat weights and states its parts begin.
CELLS = ["gates", "blocks", "steps", "weight_ih", "bias_ih", "no_bias", "past", "state"]


def padded(cells: int, whole: int = LANES) -> int:
    """As many cells as fill whole vectors."""
    return -(-cells // whole) * whole


def most_floats(kind: str, hidden: int) -> int:
    """Numbers that a layer remembers or works on within a tile, with the widest vectors that there are."""
    return padded(hidden, WIDEST) * (3 + TILE + 1 + GATES[kind] * TILE)


def arranged(kind: str, hidden: int, weights: np.ndarray) -> np.ndarray:
    """A matrix (gates of all cells, in), or a bias, as (in, blocks, gates, LANES): zero for cells that there are not."""
    by_gate = weights.reshape(GATES[kind], hidden, -1)
    full = np.zeros((GATES[kind], padded(hidden), by_gate.shape[2]), np.float32)
    full[:, :hidden] = by_gate
    return full.reshape(GATES[kind], -1, LANES, by_gate.shape[2]).transpose(3, 1, 0, 2)


def arranged_past(kind: str, hidden: int, weight_hh: np.ndarray, bias_hh: np.ndarray) -> np.ndarray:
    """U and b' as (blocks, SPLITS + steps, gates, LANES): where the chains begin, then a row for each cell that is heard."""
    bias, weights = arranged(kind, hidden, bias_hh), arranged(kind, hidden, weight_hh)
    rows = np.zeros((SPLITS + padded(hidden, SPLITS), *weights.shape[1:]), np.float32)
    rows[:1], rows[SPLITS : SPLITS + hidden] = bias, weights
    return rows.transpose(1, 0, 2, 3)


@inlined
def heard_back(chains, gates, weights, h, steps):
    """U h + b' of one block, where `h` is the address of the last outputs: a vector for each of the gates."""
    row = VECTOR_BYTES * gates
    total = load(chains, weights, row)
    for _ in range(0, steps, SPLITS):
        weights += SPLITS * row
        total = fma(numbers(chains, h), load(chains, weights, row), total)
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
    row, block = VECTOR_BYTES * blocks, VECTOR_BYTES * LSTM_GATES * (SPLITS + steps)
    for _ in range(frames):
        for b in range(blocks):
            i, f, g, o = heard_back(grid(SPLITS, LSTM_GATES), LSTM_GATES, weights + block * b, past, steps)
            heard_i, heard_f, heard_g, heard_o = columns(load(grid(1, LSTM_GATES), heard, 0))
            heard += VECTOR_BYTES * LSTM_GATES
            above, below = tanh_ratio(g + heard_g)
            gained = above / (below * (ONE + exp(-(i + heard_i))))
            place = cells + 2 * VECTOR_BYTES * b
            lost = load(grid(1, 1), place, 0) / (ONE + exp(f + heard_f))
            above, below = tanh_ratio(remember(place, gained - lost))
            store(past + row + VECTOR_BYTES * b, 0, above / (below * (ONE + exp(-(o + heard_o)))))
        past += row


@kernel
def gru(frames, blocks, steps, weights, heard, past, cells):
    """r z = sigmoid(W x + b + U h + b');  n = tanh(W x + b + r (U h + b'));  h = (1 - z) n + z h.

    h moves by sigmoid(-z) of the way to n, for the reason that `remember` gives.
    """
    row, block = VECTOR_BYTES * blocks, VECTOR_BYTES * GRU_GATES * (SPLITS + steps)
    for _ in range(frames):
        for b in range(blocks):
            r, z, n = heard_back(grid(SPLITS, GRU_GATES), GRU_GATES, weights + block * b, past, steps)
            heard_r, heard_z, heard_n = columns(load(grid(1, GRU_GATES), heard, 0))
            heard += VECTOR_BYTES * GRU_GATES
            above, below = tanh_ratio(heard_n + n / (ONE + exp(-(r + heard_r))))
            place = cells + 2 * VECTOR_BYTES * b
            way = fma(-load(grid(1, 1), place, 0), below, above)
            store(past + row + VECTOR_BYTES * b, 0, remember(place, way / (below * (ONE + exp(z + heard_z)))))
        past += row


@kernel
def recur(layer, net, heard, out, frames, vectors):
    """The rows at `out` = the outputs of the cells that hear the rows at `heard`; both end to end, of this many vectors.

    `net` has the addresses of its weights and states, and of two work spaces: what the gates hear, and the outputs frame by
    frame, behind those of the frame before.
    """
    row, stride = VECTOR_BYTES * layer.blocks, VECTOR_BYTES * vectors
    wide = row * layer.gates
    weights, bias, no_bias = net.weights + 4 * layer.weight_ih, net.weights + 4 * layer.bias_ih, net.weights + 4 * layer.no_bias
    # frames are rows here, and gates stand side by side: the rows that are heard take the part of the weights
    matrix(net.gates, wide, bias, 0, heard, no_bias, LANES * vectors, weights, wide, layer.channels, layer.gates * layer.blocks)
    state = net.states + 4 * layer.state
    copy(state, net.past, LANES * layer.blocks)
    cells, past = state + row, net.weights + 4 * layer.past
    if layer.gates == LSTM_GATES:
        lstm(frames, layer.blocks, layer.steps, past, net.gates, net.past, cells)
    else:
        gru(frames, layer.blocks, layer.steps, past, net.gates, net.past, cells)
    copy(net.past + row * frames, state, LANES * layer.blocks)
    for b in range(layer.blocks):
        for v in range(vectors):
            square = load(grid(LANES, 1), net.past + row * (1 + LANES * v) + VECTOR_BYTES * b, row)
            store(out + stride * LANES * b + VECTOR_BYTES * v, stride, transposed(square))
