"""The sequential net that plays: tile by tile through its layers, recurrent ones frame by frame within the tile."""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import as_pointer, kernel
from neuralamp.dsp.node import POINTER, Node, State, aligned_zeros, node
from neuralamp.dsp.nonlinear import activate_rows, exp
from neuralamp.dsp.recurrent import CELLS, PLACES, padded, recur
from neuralamp.dsp.rings import FIELDS, RING, advance, convolve, mirror, newest
from neuralamp.dsp.rows import NOTHING, TILE, copy_rows, give_out, take_in, vectors_of
from neuralamp.dsp.vector import VECTOR_BYTES, grid, larger, load, store, zeros
from neuralamp.nets.packing import ACTIVATION, Packer, Row, table
from neuralamp.nets.sequential.config import KINDS, SOFTMAX, SequentialConfig, SequentialLayer
from neuralamp.nets.weights import Weights

CONV, POINTWISE, LSTM, GRU = range(len(KINDS))

LAYER = np.dtype([("conv", RING)] + [(name, np.int64) for name in ("channels", "width", *ACTIVATION, *CELLS, "kind", "softmax")])
STATE = State(
    inputs=int, outputs=int, skip=float, layer_count=int,
    layers=POINTER, weights=POINTER, rings=POINTER, states=POINTER, gates=POINTER, past=POINTER, heard=POINTER, out=POINTER,
)  # fmt: skip


@kernel
def convolve_rows(layer, net, heard, out, frames, vectors):
    """The rows at `out` = the convolution of the rows at `heard`."""
    stride = VECTOR_BYTES * vectors
    copy_rows(heard, stride, newest(layer.conv), layer.conv.stride, layer.channels, frames)
    mirror(layer.conv, frames)
    convolve(out, stride, layer.conv, net.weights, NOTHING, NOTHING, NOTHING, NOTHING, vectors)
    advance(layer.conv, frames)


@kernel
def softmax(rows, channels, vectors):
    """Each row <- exp(row - the largest) / the sum of exp(row - the largest), frame by frame, in place."""
    stride = VECTOR_BYTES * vectors
    one = grid(1, 1)
    for row in range(rows, rows + stride, VECTOR_BYTES):
        largest, total = load(one, row, 0), zeros(one)
        for c in range(1, channels):
            largest = larger(largest, load(one, row + c * stride, 0))
        for c in range(channels):
            y = exp(load(one, row + c * stride, 0) - largest)
            store(row + c * stride, 0, y)
            total = total + y
        for c in range(channels):
            store(row + c * stride, 0, load(one, row + c * stride, 0) / total)


@kernel
def finish_rows(layer, net, heard, out, vectors):
    """The rows at `out` = the activation of the rows at `heard`, which may be the same."""
    numbers = net.weights + 4 * layer.activation_numbers
    activate_rows(layer.activation, numbers, 4 * layer.activation_step, heard, out, layer.width, vectors)
    if layer.softmax:
        softmax(out, layer.width, vectors)


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
            layer = layers[i]
            if layer.kind == POINTWISE:
                finish_rows(layer, net, heard, out, vectors)
            else:
                if layer.kind == CONV:
                    convolve_rows(layer, net, heard, out, count, vectors)
                else:
                    recur(layer, net, heard, out, count, vectors)
                finish_rows(layer, net, out, out, vectors)
            heard, out = out, heard
        give_out(heard, stride, skip, outputs, net.outputs, inputs, frames, start, count)
        start += count


def _row(packer: Packer, name: str, layer: SequentialLayer, width: int) -> Row:
    """The row of LAYER for one layer; what its kind does not have is -1."""
    softmax = layer.activation == SOFTMAX
    row: Row = dict.fromkeys(LAYER.names or (), -1)
    row |= {"conv": dict.fromkeys(FIELDS, 0), "channels": width, "width": layer.channels}
    row |= {"kind": KINDS.index(layer.kind), "softmax": int(softmax)}
    if layer.kind == "conv":
        row["conv"] = packer.convolution(name, width, layer.channels, layer.kernel_size, layer.dilation, layer.groups)
    if layer.recurrent:
        row |= packer.cells(layer.kind, [f"{name}.{place}" for place in PLACES])
    return row | packer.activation("activation", "linear" if softmax else layer.activation, f"{name}.slopes")


def stream(config: SequentialConfig, weights: Weights) -> Node:
    """The net as a node: rows of sound and knobs in, sound out. Pasts and states are zero: let it settle on silence first."""
    packer = Packer(config.weights(), weights)
    rows = [
        _row(packer, f"layers.{i}", layer, width)
        for i, ((width, _), layer) in enumerate(zip(config.widths, config.layers, strict=True))
    ]
    rings = packer.rings()  # before the table is made, which tells where they are
    widest = max(padded(max(widths)) for widths in config.widths)
    return Node(
        play,
        {
            "inputs": config.inputs,
            "outputs": config.outputs,
            "skip": config.skip,
            "layer_count": len(rows),
        },
        memory={
            "layers": table(rows, LAYER),  # a ring's position moves
            "rings": rings,
            "heard": aligned_zeros(widest, TILE),
            "out": aligned_zeros(widest, TILE),
        }
        | packer.cell_memory(),
        constants={"weights": packer.weights()},
    )
