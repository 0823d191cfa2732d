"""The recurrent net that plays: tile by tile, layer by layer, frame by frame within a layer."""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import as_pointer, kernel
from neuralamp.dsp.node import POINTER, Node, State, aligned_zeros, node
from neuralamp.dsp.recurrent import CELLS, PLACES, padded, recur
from neuralamp.dsp.rows import TILE, add_products, give_out, take_in, vectors_of
from neuralamp.dsp.vector import VECTOR_BYTES, grid, numbers, store
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.packing import Packer, table
from neuralamp.nets.weights import Weights

LAYER = np.dtype([(name, np.int64) for name in [*CELLS, "channels"]])
STATE = State(
    inputs=int, outputs=int, hidden=int, layer_count=int, skip=float, head=int, head_bias=int,
    layers=POINTER, weights=POINTER, states=POINTER, gates=POINTER, past=POINTER, heard=POINTER, out=POINTER,
)  # fmt: skip


@kernel
def head(net, heard, out, vectors):
    """The rows at `out` = W h + b."""
    weights, bias, stride = net.weights + 4 * net.head, net.weights + 4 * net.head_bias, VECTOR_BYTES * vectors
    for o in range(net.outputs):
        for v in range(0, stride, VECTOR_BYTES):
            sound = numbers(grid(1, 1), bias + 4 * o)
            store(out + stride * o + v, 0, add_products(sound, weights + 4 * net.hidden * o, 4, heard + v, stride, net.hidden))


@node(STATE)
def play(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    layers = carray(as_pointer(net.layers), net.layer_count, LAYER)
    skip = np.float32(net.skip)
    start = 0
    while start < frames:
        count = min(TILE, frames - start)
        vectors = vectors_of(count)
        stride = VECTOR_BYTES * vectors
        heard, out = net.heard, net.out
        take_in(inputs, net.inputs, frames, start, count, heard, stride)
        for i in range(net.layer_count):
            recur(layers[i], net, heard, out, count, vectors)
            heard, out = out, heard
        head(net, heard, out, vectors)
        give_out(out, stride, skip, outputs, net.outputs, inputs, frames, start, count)
        start += count


def stream(config: LstmConfig, weights: Weights) -> Node:
    """The net as a node: rows of sound and knobs in, sound out. Its state is where it begins: let it settle on silence first."""
    packer = Packer(config.weights(), weights)
    layers = []
    for i in range(config.layers):
        beginning = [f"initial.{state}_l{i}" for state in config.states] if config.initial_state else []
        row = packer.cells(config.cell, [f"cells.{place}_l{i}" for place in PLACES], beginning)
        layers.append(row | {"channels": config.inputs if i == 0 else config.hidden})
    head_weights, head_bias = packer.vector("head.weight"), packer.vector("head.bias")
    widest = max(config.inputs, config.outputs, padded(config.hidden))
    return Node(
        play,
        {
            "inputs": config.inputs,
            "outputs": config.outputs,
            "hidden": config.hidden,
            "layer_count": config.layers,
            "skip": config.skip,
            "head": head_weights,
            "head_bias": head_bias,
        },
        memory={"heard": aligned_zeros(widest, TILE), "out": aligned_zeros(widest, TILE)} | packer.cell_memory(),
        constants={"layers": table(layers, LAYER), "weights": packer.weights()},
    )
