"""The linear net that plays: a direct sum for short responses, a partitioned convolution without latency for long ones."""

import numpy as np
from numba import carray

from neuralamp.dsp.convolution import BLOCK, HEAD, convolution_memory, convolution_tables, convolution_taps
from neuralamp.dsp.convolution import convolve as convolve_partitions
from neuralamp.dsp.jit import as_pointer, floats_at
from neuralamp.dsp.node import POINTER, Node, State, aligned_zeros, node
from neuralamp.dsp.rings import RING, advance, convolve, mirror, newest
from neuralamp.dsp.rows import NOTHING, TILE, vectors_of
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.packing import Packer, table
from neuralamp.nets.weights import Weights, check_weights, in_order

MOST_DIRECT_TAPS = 64  # beyond, the partitions, whose direct head alone has 256 taps, are soon the cheaper ones
DIRECT = State(conv=POINTER, weights=POINTER, rings=POINTER, out=POINTER)
PARTITIONED = State(
    clock=int, partitions=int, bias=float,
    head=POINTER, tail=POINTER, weights=POINTER, twiddles=POINTER,
    recent=POINTER, spectra=POINTER, total=POINTER, ready=POINTER,
)  # fmt: skip


@node(DIRECT)
def play_direct(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    conv = carray(as_pointer(net.conv), 1, RING)[0]
    x, y = carray(inputs[0], frames), carray(outputs[0], frames)
    start = 0
    while start < frames:
        count = min(TILE, frames - start)
        floats_at(newest(conv), count)[:] = x[start : start + count]
        mirror(conv, count)
        convolve(net.out, 0, conv, net.weights, NOTHING, NOTHING, NOTHING, NOTHING, vectors_of(count))
        advance(conv, count)
        y[start : start + count] = floats_at(net.out, count)
        start += count


@node(PARTITIONED)
def play_partitioned(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    head, tail = floats_at(net.head, HEAD), floats_at(net.tail, (net.partitions, 2, BLOCK))
    tables = floats_at(net.weights, (2, BLOCK)), floats_at(net.twiddles, (2, BLOCK))
    recent, spectra = floats_at(net.recent, HEAD + BLOCK), floats_at(net.spectra, (net.partitions, 2, BLOCK))
    total, ready = floats_at(net.total, (2, BLOCK)), floats_at(net.ready, (2, BLOCK))
    x, y = carray(inputs[0], frames), carray(outputs[0], frames)
    convolve_partitions(x, y, net.clock, head, tail, tables, (recent, spectra, total, ready))
    net.clock += frames
    bias = np.float32(net.bias)
    for n in range(frames):
        y[n] += bias


def stream(config: LinearConfig, weights: Weights) -> Node:
    """The net as a node: one row of sound in, one out. All past is zero: let it settle on silence first."""
    check_weights(config.weights(), weights)
    impulse, *biases = in_order(config.weights(), weights)
    bias = biases[0] if biases else np.zeros(1, np.float32)
    if config.taps <= MOST_DIRECT_TAPS:
        named = {"conv.weight": impulse[None, None, ::-1], "conv.bias": bias}
        packer = Packer({name: array.shape for name, array in named.items()}, named)
        conv = packer.convolution("conv", 1, 1, config.taps, 1)
        rings, packed = packer.rings(), packer.weights()
        memory = {"conv": table([conv], RING), "rings": rings, "out": aligned_zeros(TILE)}
        return Node(play_direct, memory=memory, constants={"weights": packed})
    head, tail = convolution_taps(impulse)
    return Node(
        play_partitioned,
        {"partitions": len(tail), "bias": float(bias[0])},
        memory={name: array[0] for name, array in convolution_memory(1, len(tail)).items()},
        constants={"head": head, "tail": tail, **convolution_tables()},
    )
