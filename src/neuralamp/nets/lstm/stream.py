"""The recurrent net that plays: frame by frame, all gates of a layer side by side in vectors."""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import as_pointer, doubles_at, floats_at
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.dsp.recurrent import MOST_GATE_ROWS, PLACES, gru_step, lstm_step
from neuralamp.dsp.vector import fma
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.weights import Weights, check_weights, in_order

LAYER = np.dtype([(name, np.int64) for name in PLACES])
STATE = State(
    inputs=int, outputs=int, hidden=int, layer_count=int, lstm=int, skip=float, head=int, head_bias=int, weight_count=int,
    layers=POINTER, weights=POINTER, h=POINTER, c=POINTER, x=POINTER, gates=POINTER,
)  # fmt: skip


@node(STATE)
def play(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    layers = carray(as_pointer(net.layers), net.layer_count, LAYER)
    weights = floats_at(net.weights, net.weight_count)
    x = floats_at(net.x, net.inputs)
    gates = floats_at(net.gates, MOST_GATE_ROWS * net.hidden)
    hidden, rows, skip = net.hidden, net.outputs, np.float32(net.skip)
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
        for k in range(rows):
            row = weights[net.head + k * hidden : net.head + (k + 1) * hidden]
            sound = weights[net.head_bias + k]
            for o in range(hidden):
                sound = fma(row[o], below[o], sound)
            outputs[k][n] = fma(skip, x[0], sound)


def stream(config: LstmConfig, weights: Weights) -> Node:
    """The net as a node: rows of sound and knobs in, sound out. Its state is where it begins: let it settle on silence first."""
    check_weights(config.weights(), weights)
    places: dict[str, int] = {}
    packed: list[np.ndarray] = []
    for name, array in zip(config.weights(), in_order(config.weights(), weights), strict=True):
        places[name] = sum(part.size for part in packed)
        packed.append((array.T if name.startswith("cells.weight") else array).ravel())
    flat = np.concatenate(packed)
    layers = [tuple(places[f"cells.{place}_l{i}"] for place in PLACES) for i in range(config.layers)]
    begins = {state: np.zeros((config.layers, config.hidden), np.float32) for state in config.states}
    if config.initial_state:
        begins = {state: np.stack([weights[f"initial.{state}_l{i}"] for i in range(config.layers)]) for state in config.states}
    return Node(
        play,
        {
            "inputs": config.inputs,
            "outputs": config.outputs,
            "hidden": config.hidden,
            "layer_count": config.layers,
            "lstm": int(config.cell == "lstm"),
            "skip": config.skip,
            "head": places["head.weight"],
            "head_bias": places["head.bias"],
            "weight_count": flat.size,
        },
        memory={
            "h": begins["h"],
            "c": begins[config.states[-1]].astype(np.float64),  # a GRU's is its h, exact
            "x": np.zeros(config.inputs, np.float32),
            "gates": np.zeros(MOST_GATE_ROWS * config.hidden, np.float32),
        },
        constants={"layers": np.array(layers, LAYER), "weights": flat},
    )
