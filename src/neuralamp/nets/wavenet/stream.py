"""The WaveNet that plays: layer by layer over tiles of frames, every convolution with the past that it still hears.

Places are addresses. The rows of a work space lie end to end, `net.stride` bytes apart: as many as this tile's vectors take.
"""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import address_of, as_pointer, call_node, floats_at, inlined, integers_at, kernel
from neuralamp.dsp.node import POINTER, Node, State, aligned_zeros, node
from neuralamp.dsp.nonlinear import activate_rows
from neuralamp.dsp.rings import advance, convolve, mirror, newest
from neuralamp.dsp.rows import NOTHING, TILE, copy_rows, matrix, scale, take_in, vectors_of
from neuralamp.dsp.vector import VECTOR_BYTES
from neuralamp.nets import architecture_of
from neuralamp.nets.nested import within
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.parts import CONV_IN, add_skip, convolve_layer, mix_apart, mixes_apart, modulate, pass_on, shape
from neuralamp.nets.wavenet.tables import HEAD, LAYER, POST, Tables
from neuralamp.nets.weights import Weights

STATE = State(
    frames=int, vectors=int, stride=int, inputs=int, outputs=int, head_scale=float,
    layer_count=int, head_count=int, post_count=int,
    condition_net=int, condition_state=int, condition=int, conditions=int,
    layers=POINTER, heads=POINTER, posts=POINTER, weights=POINTER, rings=POINTER,
    heard=POINTER, heard_rows=POINTER, answer=POINTER, answer_rows=POINTER, modulated=POINTER,
    stream=POINTER, z=POINTER, mixed=POINTER, film=POINTER, skip=POINTER, out=POINTER,
)  # fmt: skip


@inlined
def play_array(head, layers, net):
    """One layer array on one tile: the stream of the array before (what is heard, for the first) -> its own, skips in `skip`.

    The stream goes from ring to ring; a layer whose convolution hears it modulated has it in `stream`, and the array's end too.
    """
    end = head.first_layer + head.layers
    layer = layers[head.first_layer]
    x, x_stride = newest(layer.conv), layer.conv.stride
    rechannel, no_bias = net.weights + 4 * head.rechannel, net.weights + 4 * head.rechannel_bias
    before = net.heard if head.first_layer == 0 else net.stream
    width, count = layer.conv.channels, head.stream_channels
    matrix(x, x_stride, NOTHING, NOTHING, rechannel, no_bias, width, before, net.stride, count, net.vectors)
    for i in range(head.first_layer, end):
        layer = layers[i]
        if layer.films[CONV_IN] >= 0:
            copy_rows(x, x_stride, net.stream, net.stride, layer.conv.channels, net.frames)
            modulate(layer, CONV_IN, net, x, x_stride)
            x, x_stride = net.stream, net.stride
        mirror(layer.conv, net.frames)
        convolve_layer(layer, net)
        if mixes_apart(layer):
            mix_apart(layer, net)
        advance(layer.conv, net.frames)
        shape(layer, net)
        add_skip(layer, net, head)
        if i + 1 < end:
            following = layers[i + 1].conv
            y, y_stride = newest(following), following.stride
        else:
            y, y_stride = net.stream, net.stride
        pass_on(layer, net, x, x_stride, y, y_stride)
        x, x_stride = y, y_stride


@kernel
def convolve_past(conv, net, x, y):
    """The rows at y = a convolution of the rows at x and of their past."""
    copy_rows(x, net.stride, newest(conv), conv.stride, conv.channels, net.frames)
    mirror(conv, net.frames)
    convolve(y, net.stride, conv, net.weights, NOTHING, NOTHING, NOTHING, NOTHING, net.vectors)
    advance(conv, net.frames)


@inlined
def play_tile(net):
    """The rows of `out` = what the net makes of the rows of `heard`."""
    layers = carray(as_pointer(net.layers), net.layer_count, LAYER)
    heads = carray(as_pointer(net.heads), net.head_count, HEAD)
    posts = carray(as_pointer(net.posts), max(net.post_count, 1), POST)
    floats_at(net.skip, heads[0].conv.channels * net.vectors * (VECTOR_BYTES // 4))[:] = np.float32(0.0)
    for a in range(net.head_count):
        if a > 0:  # the skip sum starts from the head of the array before
            copy_rows(net.out, net.stride, net.skip, net.stride, heads[a].conv.channels, net.frames)
        play_array(heads[a], layers, net)
        convolve_past(heads[a].conv, net, net.skip, net.out)
    scale(np.float32(net.head_scale), net.out, heads[net.head_count - 1].conv.width * net.vectors)
    for i in range(net.post_count):
        post = posts[i]
        numbers = net.weights + 4 * post.activation_numbers
        activate_rows(post.activation, numbers, 4 * post.activation_step, net.out, net.out, post.conv.channels, net.vectors)
        convolve_past(post.conv, net, net.out, net.out)


@node(STATE)
def play(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    heard_rows, answer_rows = integers_at(net.heard_rows, net.inputs), integers_at(net.answer_rows, net.conditions)
    start = 0
    while start < frames:
        count = min(TILE, frames - start)
        net.frames, net.vectors = count, vectors_of(count)
        net.stride = VECTOR_BYTES * net.vectors
        take_in(inputs, net.inputs, frames, start, count, net.heard, net.stride)
        net.condition = net.heard
        if net.condition_net:
            for c in range(net.inputs):
                heard_rows[c] = address_of(inputs[c]) + 4 * start
            for c in range(net.conditions):
                answer_rows[c] = net.answer + net.stride * c
            call_node(net.condition_net, net.heard_rows, net.answer_rows, count, net.condition_state)
            net.condition = net.answer
        play_tile(net)
        for o in range(net.outputs):
            carray(outputs[o], frames)[start : start + count] = floats_at(net.out + net.stride * o, count)
        start += count


def stream(config: WaveNetConfig, weights: Weights) -> Node:
    """The net as a node: rows of sound and knobs in, sound out. All past is zero: let it settle on silence first."""
    tables = Tables(config, weights)
    inner = [architecture_of(net).stream(net, within(prefix, weights)) for prefix, net in config.inner.items()]
    spaces = dict.fromkeys(("heard", "answer", "modulated", "stream", "z", "mixed", "skip", "out"), tables.widest)
    return Node(
        play,
        {
            "inputs": config.inputs,
            "outputs": config.outputs,
            "head_scale": weights["head_scale"][0],
            "layer_count": len(tables.layers),
            "head_count": len(tables.heads),
            "post_count": len(config.post_head),
            "condition_net": inner[0].kernel.address if inner else 0,
            "condition_state": inner[0].address if inner else 0,
            "conditions": config.condition_channels,
        },
        memory={
            "layers": tables.layers,  # a ring's position moves
            "heads": tables.heads,
            "posts": tables.posts,
            "rings": tables.rings,
            "heard_rows": np.zeros(config.inputs, np.int64),
            "answer_rows": np.zeros(config.condition_channels, np.int64),
            "film": aligned_zeros(2 * tables.widest, TILE),
        }
        | {name: aligned_zeros(rows, TILE) for name, rows in spaces.items()},
        constants={"weights": tables.weights},
        inner=inner,
    )
