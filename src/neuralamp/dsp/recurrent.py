"""Recurrent cells, one frame at a time: all gates of a layer side by side in vectors.

A layer is a record of places in the flat weights (`weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`). Its matrices are stored
(in, gates), so that one input's share goes to all gates in one pass. The order of gates is torch's.
"""

import numpy as np

from neuralamp.dsp.jit import kernel
from neuralamp.dsp.nonlinear import sigmoid, tanh
from neuralamp.dsp.vector import fma

GATES = {"lstm": 4, "gru": 3}
"""The cells there are, and how many gates each has: i f g o, and r z n."""

MOST_GATE_ROWS = 6  # times `hidden`: what a step needs as its work space, 4 an LSTM, 2 x 3 a GRU
PLACES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@kernel
def add_columns(y, weights, first, x):
    """y += the matrix at `first`, stored (in, out), times x."""
    for i in range(x.size):
        column = weights[first + i * y.size : first + (i + 1) * y.size]
        value = x[i]
        for o in range(y.size):
            y[o] = fma(column[o], value, y[o])


@kernel
def lstm_step(layer, weights, x, h, c, gates):
    """i f g o = W x + b + U h + b';  c = sigmoid(f) c + sigmoid(i) tanh(g);  h = sigmoid(o) tanh(c).

    c loses its share sigmoid(-f) instead of keeping sigmoid(f), and is float64: a cell that forgets a thousandth a frame would
    else remember the rounding of its gate for a thousand frames.
    """
    hidden, rows = h.size, 4 * h.size
    for o in range(rows):
        gates[o] = weights[layer.bias_ih + o] + weights[layer.bias_hh + o]
    add_columns(gates[:rows], weights, layer.weight_ih, x)
    add_columns(gates[:rows], weights, layer.weight_hh, h)
    for o in range(hidden):
        lost = np.float64(sigmoid(-gates[hidden + o])) * c[o]
        c[o] += np.float64(sigmoid(gates[o])) * np.float64(tanh(gates[2 * hidden + o])) - lost
        h[o] = sigmoid(gates[3 * hidden + o]) * tanh(np.float32(c[o]))


@kernel
def gru_step(layer, weights, x, h, exact, gates):
    """r z = sigmoid(W x + b + U h + b');  n = tanh(W x + b + r (U h + b'));  h = (1 - z) n + z h.

    `exact` is h in float64, and moves by sigmoid(-z) of the way to n, for the reason that lstm_step gives.
    """
    hidden, rows = h.size, 3 * h.size
    from_input, from_past = gates[:rows], gates[rows : 2 * rows]
    for o in range(rows):
        from_input[o] = weights[layer.bias_ih + o]
        from_past[o] = weights[layer.bias_hh + o]
    add_columns(from_input, weights, layer.weight_ih, x)
    add_columns(from_past, weights, layer.weight_hh, h)
    for o in range(hidden):
        r = sigmoid(from_input[o] + from_past[o])
        move = sigmoid(-(from_input[hidden + o] + from_past[hidden + o]))
        candidate = tanh(fma(r, from_past[2 * hidden + o], from_input[2 * hidden + o]))
        exact[o] += np.float64(move) * (np.float64(candidate) - exact[o])
        h[o] = np.float32(exact[o])
