"""The recurrent net that plays: frame by frame, all gates of a layer side by side in vectors."""

import numpy as np
from numba import carray

from neuralamp.dsp.activation import sigmoid, tanh
from neuralamp.dsp.jit import as_pointer, doubles_at, floats_at, fma, kernel
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.weights import Weights, check_weights, in_order

# One row a layer: how wide its input is, and where in the flat weights its parts begin. Matrices are stored (in, gates), so that
# one input's share goes to all gates in one pass.
LAYER = np.dtype([(name, np.int64) for name in ("inputs", "weight_ih", "weight_hh", "bias_ih", "bias_hh")])
STATE = State(
    inputs=int, hidden=int, layer_count=int, lstm=int, input_skip=int, head=int, weight_count=int,
    layers=POINTER, weights=POINTER, h=POINTER, c=POINTER, x=POINTER, gates=POINTER,
)  # fmt: skip


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


@node(STATE)
def play(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    layers = carray(as_pointer(net.layers), net.layer_count, LAYER)
    weights = floats_at(net.weights, net.weight_count)
    x = floats_at(net.x, net.inputs)
    gates = floats_at(net.gates, 6 * net.hidden)  # 4 an LSTM needs, 2 x 3 a GRU
    y = carray(outputs[0], frames)
    for n in range(frames):
        for k in range(net.inputs):
            x[k] = inputs[k][n]
        below = x
        for i in range(net.layer_count):
            h = floats_at(net.h + 4 * i * net.hidden, net.hidden)
            c = doubles_at(net.c + 8 * i * net.hidden, net.hidden)
            if net.lstm:
                lstm_step(layers[i], weights, below, h, c, gates)
            else:
                gru_step(layers[i], weights, below, h, c, gates)
            below = h
        sound = weights[net.head + net.hidden]
        for o in range(net.hidden):
            sound = fma(weights[net.head + o], below[o], sound)
        y[n] = sound + x[0] if net.input_skip else sound


def stream(config: LstmConfig, weights: Weights) -> Node:
    """The net as a node: rows of sound and knobs in, one row of sound out. The state is zero: let it settle on silence first."""
    check_weights(config.weights(), weights)
    places: dict[str, int] = {}
    packed: list[np.ndarray] = []
    for name, array in zip(config.weights(), in_order(config.weights(), weights), strict=True):
        places[name] = sum(part.size for part in packed)
        packed.append((array.T if name.startswith("cells.weight") else array).ravel())
    flat = np.concatenate(packed)
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    layers = [
        (config.inputs if i == 0 else config.hidden, *(places[f"cells.{part}_l{i}"] for part in parts))
        for i in range(config.layers)
    ]
    return Node(
        play,
        {
            "inputs": config.inputs,
            "hidden": config.hidden,
            "layer_count": config.layers,
            "lstm": int(config.cell == "lstm"),
            "input_skip": int(config.input_skip),
            "head": places["head.weight"],
            "weight_count": flat.size,
        },
        memory={
            "h": np.zeros((config.layers, config.hidden), np.float32),
            "c": np.zeros((config.layers, config.hidden), np.float64),
            "x": np.zeros(config.inputs, np.float32),
            "gates": np.zeros(6 * config.hidden, np.float32),
        },
        constants={"layers": np.array(layers, LAYER), "weights": flat},
    )
