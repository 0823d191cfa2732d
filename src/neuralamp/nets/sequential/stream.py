"""The sequential net that plays: tile by tile through its layers, recurrent ones frame by frame within the tile."""

import numpy as np
from numba import carray

from neuralamp.dsp.activation import activate, exp
from neuralamp.dsp.jit import as_pointer, doubles_at, floats_at, fma, kernel
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.dsp.recurrent import MOST_GATE_ROWS, PLACES, gru_step, lstm_step
from neuralamp.dsp.rings import RING, TILE, add_rows, convolve, mirror, newest
from neuralamp.nets.packing import ACTIVATION, Packer, Row, table
from neuralamp.nets.sequential.config import KINDS, SOFTMAX, SequentialConfig, SequentialLayer
from neuralamp.nets.weights import Weights

CONV, POINTWISE, LSTM, GRU = range(len(KINDS))
ROW = 4 * TILE  # bytes from one row of a work space to the next
ZERO = np.float32(0.0)

# `state` is where the h and c of a recurrent layer begin among those of all layers.
LAYER = np.dtype([(name, np.int64) for name in [*RING, *ACTIVATION, "kind", "softmax", *PLACES, "state"]])
STATE = State(
    frame=int, inputs=int, outputs=int, skip=float, layer_count=int, weight_count=int,
    layers=POINTER, weights=POINTER, rings=POINTER, h=POINTER, c=POINTER, x=POINTER, gates=POINTER, heard=POINTER, out=POINTER,
)  # fmt: skip


@kernel
def convolve_rows(layer, weights, heard, out, frame, frames):
    """The rows at `out` = the convolution of the rows at `heard`."""
    if layer.taps == 1:  # hears no past, and needs no ring
        for o in range(layer.width):
            y = floats_at(out + ROW * o, frames)
            y[:] = weights[layer.bias + o] if layer.bias >= 0 else ZERO
            add_rows(y, weights, layer.weight + o * layer.channels, heard, TILE, layer.channels)
        return
    for c in range(layer.channels):
        newest(layer, c, frame, frames)[:] = floats_at(heard + ROW * c, frames)
    mirror(layer, frame, frames)
    for o in range(layer.width):
        convolve(floats_at(out + ROW * o, frames), weights, o, layer, frame)


@kernel
def step_rows(layer, weights, net, heard, out, frames):
    """The rows at `out` = the outputs of the cells that hear the rows at `heard`, frame by frame."""
    x = floats_at(net.x, layer.channels)
    h, c = floats_at(net.h + 4 * layer.state, layer.width), doubles_at(net.c + 8 * layer.state, layer.width)
    gates = floats_at(net.gates, MOST_GATE_ROWS * layer.width)
    heard_rows, out_rows = floats_at(heard, layer.channels * TILE), floats_at(out, layer.width * TILE)
    for n in range(frames):
        for k in range(layer.channels):
            x[k] = heard_rows[k * TILE + n]
        if layer.kind == LSTM:
            lstm_step(layer, weights, x, h, c, gates)
        else:
            gru_step(layer, weights, x, h, c, gates)
        for o in range(layer.width):
            out_rows[o * TILE + n] = h[o]


@kernel
def softmax(rows, channels, frames):
    """Each row <- exp(row - the largest) / the sum of exp(row - the largest), frame by frame, in place."""
    for n in range(frames):
        y = floats_at(rows + 4 * n, (channels - 1) * TILE + 1)
        largest = y[0]
        for c in range(1, channels):
            largest = max(largest, y[c * TILE])
        total = ZERO
        for c in range(channels):
            y[c * TILE] = exp(y[c * TILE] - largest)
            total += y[c * TILE]
        for c in range(channels):
            y[c * TILE] /= total


@kernel
def activate_rows(layer, weights, heard, out, frames):
    """The rows at `out` = the activation of the rows at `heard`, which may be the same."""
    for o in range(layer.width):
        numbers = weights[layer.activation_numbers + o * layer.activation_step :]
        activate(layer.activation, numbers, floats_at(heard + ROW * o, frames), floats_at(out + ROW * o, frames))
    if layer.softmax:
        softmax(out, layer.width, frames)


@node(STATE)
def play(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    layers = carray(as_pointer(net.layers), net.layer_count, LAYER)
    weights = floats_at(net.weights, net.weight_count)
    skip = np.float32(net.skip)
    start = 0
    while start < frames:
        count = min(TILE, frames - start)
        heard, out = net.heard, net.out
        for c in range(net.inputs):
            floats_at(heard + ROW * c, count)[:] = carray(inputs[c], frames)[start : start + count]
        for i in range(net.layer_count):
            layer = layers[i]
            if layer.kind == POINTWISE:
                activate_rows(layer, weights, heard, out, count)
            else:
                if layer.kind == CONV:
                    convolve_rows(layer, weights, heard, out, net.frame, count)
                else:
                    step_rows(layer, weights, net, heard, out, count)
                activate_rows(layer, weights, out, out, count)
            heard, out = out, heard
        x = carray(inputs[0], frames)
        for o in range(net.outputs):
            sound, y = floats_at(heard + ROW * o, count), carray(outputs[o], frames)
            for n in range(count):
                y[start + n] = fma(skip, x[start + n], sound[n])
        net.frame += count
        start += count


def _row(packer: Packer, name: str, layer: SequentialLayer, width: int, state: int) -> Row:
    """The row of LAYER for one layer; what its kind does not have is -1."""
    softmax = layer.activation == SOFTMAX
    row: Row = dict.fromkeys(LAYER.names or (), -1)
    row |= {"ring": 0, "channels": width, "width": layer.channels, "taps": 1, "state": state}
    row |= {"kind": KINDS.index(layer.kind), "softmax": int(softmax)}
    if layer.kind == "conv":
        row |= packer.convolution(name, width, layer.channels, layer.kernel_size, layer.dilation, layer.groups)
    if layer.recurrent:
        row |= {place: packer.columns(f"{name}.{place}") for place in PLACES[:2]}
        row |= {place: packer.vector(f"{name}.{place}") for place in PLACES[2:]}
    return row | packer.activation("activation", "linear" if softmax else layer.activation, f"{name}.slopes")


def stream(config: SequentialConfig, weights: Weights) -> Node:
    """The net as a node: rows of sound and knobs in, sound out. Pasts and states are zero: let it settle on silence first."""
    packer = Packer(config.weights(), weights)
    rows: list[Row] = []
    cells = 0
    for i, ((width, channels), layer) in enumerate(zip(config.widths, config.layers, strict=True)):
        rows.append(_row(packer, f"layers.{i}", layer, width, cells))
        cells += channels if layer.recurrent else 0
    rings = packer.rings(rows)
    packed = packer.weights()
    widest = max(max(widths) for widths in config.widths)
    return Node(
        play,
        {
            "inputs": config.inputs,
            "outputs": config.outputs,
            "skip": config.skip,
            "layer_count": len(rows),
            "weight_count": packed.size,
        },
        memory={
            "rings": rings,
            "h": np.zeros(cells, np.float32),
            "c": np.zeros(cells, np.float64),
            "x": np.zeros(widest, np.float32),
            "gates": np.zeros(MOST_GATE_ROWS * widest, np.float32),
            "heard": np.zeros((widest, TILE), np.float32),
            "out": np.zeros((widest, TILE), np.float32),
        },
        constants={"layers": table(rows, LAYER), "weights": packed},
    )
