"""The WaveNet that plays: layer by layer over tiles of frames, every convolution with the past that it still hears."""

import numpy as np
from numba import carray

from neuralamp.dsp.activation import activate
from neuralamp.dsp.jit import address_of, as_pointer, call_node, floats_at, fma, integers_at, kernel
from neuralamp.dsp.node import POINTER, Node, State, node, row_addresses
from neuralamp.dsp.rings import TILE, add_rows, convolve, mirror, newest
from neuralamp.nets import architecture_of
from neuralamp.nets.nested import within
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import GATINGS
from neuralamp.nets.wavenet.tables import HEAD, LAYER, POST, Tables
from neuralamp.nets.weights import Weights

NONE, GATED, BLENDED = range(len(GATINGS))
CONV_IN, CONV_OUT, MIXIN_IN, MIXIN_OUT, ACTIVATION_IN, ACTIVATION_OUT, RESIDUAL_OUT, HEAD_1X1_OUT = range(8)
ROW = 4 * TILE  # bytes from one row of a work space to the next
ZERO, ONE = np.float32(0.0), np.float32(1.0)

STATE = State(
    frame=int, inputs=int, outputs=int, head_scale=float, layer_count=int, head_count=int, post_count=int, weight_count=int,
    condition_net=int, condition_state=int, condition_channels=int,
    layers=POINTER, heads=POINTER, posts=POINTER, weights=POINTER, rings=POINTER,
    heard=POINTER, condition=POINTER, condition_rows=POINTER, mixed=POINTER, mixed_rows=POINTER,
    stream=POINTER, z=POINTER, film=POINTER, out=POINTER,
)  # fmt: skip


@kernel
def add_condition(y, weights, first, rows, count):
    """y += the mixin of the condition, whose rows lie at these addresses."""
    for c in range(count):
        x = floats_at(rows[c], y.size)
        w = weights[first + c]
        for n in range(y.size):
            y[n] = fma(w, x[n], y[n])


@kernel
def modulate(layer, place, weights, net, rows, stride, frames):
    """The rows at `rows`, `stride` bytes apart: row 0, 1, ... of (width, frames) <- row (W c + b) + (V c + d)."""
    film, width = layer.films[place], layer.film_widths[place]
    condition, count = integers_at(net.condition_rows, net.condition_channels), net.condition_channels
    scale, shift = floats_at(net.film, frames), floats_at(net.film + ROW, frames)
    shifts = layer.film_shifts[place]
    biases = film + (1 + shifts) * width * count
    for c in range(width):
        y = floats_at(rows + c * stride, frames)
        scale[:] = weights[biases + c]
        add_condition(scale, weights, film + c * count, condition, count)
        if shifts:
            shift[:] = weights[biases + width + c]
            add_condition(shift, weights, film + (width + c) * count, condition, count)
            for n in range(frames):
                y[n] = fma(y[n], scale[n], shift[n])
        else:
            for n in range(frames):
                y[n] *= scale[n]


@kernel
def shape(layer, weights, z, frames):
    """z -> a, in place in the first `bottleneck` rows of z: activation and gate, as LayerArray has them."""
    for c in range(layer.bottleneck):
        a = floats_at(z + ROW * c, frames)
        numbers = weights[layer.activation_numbers + c * layer.activation_step :]
        if layer.gating == NONE:
            activate(layer.activation, numbers, a, a)
            continue
        gate = floats_at(z + ROW * (layer.bottleneck + c), frames)
        activate(layer.gate, weights[layer.gate_numbers + c * layer.gate_step :], gate, gate)
        activated = floats_at(z + ROW * layer.width, frames)  # the spare row behind z
        activate(layer.activation, numbers, a, activated)
        if layer.gating == GATED:
            for n in range(frames):
                a[n] = activated[n] * gate[n]
        else:
            for n in range(frames):
                a[n] = fma(gate[n], activated[n], (ONE - gate[n]) * a[n])


@kernel
def hear(layer, weights, net, frame, frames):
    """What a modulated convolution hears: the residual stream, which stays as it is, modulated into the ring."""
    for c in range(layer.channels):
        newest(layer, c, frame, frames)[:] = floats_at(net.stream + ROW * c, frames)
    # The ring's own rows are modulated in place: its newest frames lie `stride` floats apart, as rows do.
    first = layer.ring + 4 * (frame % layer.ring_frames)
    modulate(layer, CONV_IN, weights, net, first, 4 * layer.stride, frames)


@kernel
def mix_condition(layer, weights, net, frames):
    """z += mixin(condition), with the modulations around both."""
    condition, count = integers_at(net.condition_rows, net.condition_channels), net.condition_channels
    if layer.films[CONV_OUT] >= 0:
        modulate(layer, CONV_OUT, weights, net, net.z, ROW, frames)
    rows = condition
    if layer.films[MIXIN_IN] >= 0:
        rows = integers_at(net.mixed_rows, count)
        for c in range(count):
            floats_at(rows[c], frames)[:] = floats_at(condition[c], frames)
        modulate(layer, MIXIN_IN, weights, net, net.mixed, ROW, frames)
    if layer.films[MIXIN_OUT] >= 0:
        mixin = net.mixed + ROW * count  # behind the modulated condition
        for o in range(layer.width):
            y = floats_at(mixin + ROW * o, frames)
            y[:] = ZERO
            add_condition(y, weights, layer.mixin + o * count, rows, count)
        modulate(layer, MIXIN_OUT, weights, net, mixin, ROW, frames)
        for o in range(layer.width):
            y, z = floats_at(mixin + ROW * o, frames), floats_at(net.z + ROW * o, frames)
            for n in range(frames):
                z[n] += y[n]
    else:
        for o in range(layer.width):
            add_condition(floats_at(net.z + ROW * o, frames), weights, layer.mixin + o * count, rows, count)
    if layer.films[ACTIVATION_IN] >= 0:
        modulate(layer, ACTIVATION_IN, weights, net, net.z, ROW, frames)


@kernel
def mixed_1x1(weights, net, matrix, biases, width, bottleneck, frames):
    """The rows of `mixed` = a 1x1 convolution of a; summed by itself, so that its rounding is that of small numbers."""
    for c in range(width):
        y = floats_at(net.mixed + ROW * c, frames)
        y[:] = weights[biases + c]
        add_rows(y, weights, matrix + c * bottleneck, net.z, TILE, bottleneck)


@kernel
def add_skip(layer, weights, net, head, frames):
    """The ring that the head reads += a, through the layer's own 1x1 where it has one."""
    rows = net.z
    if layer.head_1x1 >= 0:
        rows = net.mixed
        mixed_1x1(weights, net, layer.head_1x1, layer.head_1x1_bias, head.channels, layer.bottleneck, frames)
        if layer.films[HEAD_1X1_OUT] >= 0:
            modulate(layer, HEAD_1X1_OUT, weights, net, net.mixed, ROW, frames)
    for c in range(head.channels):
        skip, a = newest(head, c, net.frame, frames), floats_at(rows + ROW * c, frames)
        for n in range(frames):
            skip[n] += a[n]


@kernel
def incoming(layer, net, c, frames):
    """Where channel `c` of a layer's input is: in its ring, or where `hear` looks for it."""
    if layer.films[CONV_IN] >= 0:
        return floats_at(net.stream + ROW * c, frames)
    return newest(layer, c, net.frame, frames)


@kernel
def pass_on(layer, following, weights, net, last, frames):
    """The residual stream behind a layer: what came in, plus a through the 1x1 where it has one."""
    if layer.residual >= 0:
        mixed_1x1(weights, net, layer.residual, layer.residual_bias, layer.channels, layer.bottleneck, frames)
        if layer.films[RESIDUAL_OUT] >= 0:
            modulate(layer, RESIDUAL_OUT, weights, net, net.mixed, ROW, frames)
    for c in range(layer.channels):
        x = incoming(layer, net, c, frames)
        y = floats_at(net.stream + ROW * c, frames) if last else incoming(following, net, c, frames)
        if layer.residual >= 0:
            added = floats_at(net.mixed + ROW * c, frames)
            for n in range(frames):
                y[n] = x[n] + added[n]
        else:
            y[:] = x


@kernel
def play_array(head, layers, weights, net, frames):
    """One layer array on one tile: the stream of the array before (the input, for the first) -> its own, skips in its ring."""
    first = layers[head.first_layer]
    for c in range(first.channels):
        # `out`, where the stream is wanted: the other channels still read the stream of the array before
        y = floats_at(net.out + ROW * c, frames) if first.films[CONV_IN] >= 0 else newest(first, c, net.frame, frames)
        y[:] = ZERO
        if head.first_layer == 0:
            add_condition(y, weights, head.rechannel + c * net.inputs, integers_at(net.heard, net.inputs), net.inputs)
        else:
            add_rows(y, weights, head.rechannel + c * head.stream_channels, net.stream, TILE, head.stream_channels)
    if first.films[CONV_IN] >= 0:
        for c in range(first.channels):
            floats_at(net.stream + ROW * c, frames)[:] = floats_at(net.out + ROW * c, frames)
    for i in range(head.first_layer, head.first_layer + head.layers):
        layer = layers[i]
        if layer.films[CONV_IN] >= 0:
            hear(layer, weights, net, net.frame, frames)
        mirror(layer, net.frame, frames)
        for o in range(layer.width):
            convolve(floats_at(net.z + ROW * o, frames), weights, o, layer, net.frame)
        mix_condition(layer, weights, net, frames)
        shape(layer, weights, net.z, frames)
        if layer.films[ACTIVATION_OUT] >= 0:
            modulate(layer, ACTIVATION_OUT, weights, net, net.z, ROW, frames)
        add_skip(layer, weights, net, head, frames)
        last = i + 1 == head.first_layer + head.layers
        pass_on(layer, layers[i if last else i + 1], weights, net, last, frames)
    mirror(head, net.frame, frames)


@kernel
def play_post_head(net, weights, frames):
    """The layers behind the head, in the rows of `out`."""
    posts = carray(as_pointer(net.posts), max(net.post_count, 1), POST)
    for i in range(net.post_count):
        post = posts[i]
        for c in range(post.channels):
            numbers = weights[post.activation_numbers + c * post.activation_step :]
            activate(post.activation, numbers, floats_at(net.out + ROW * c, frames), newest(post, c, net.frame, frames))
        mirror(post, net.frame, frames)
        for o in range(post.width):
            convolve(floats_at(net.out + ROW * o, frames), weights, o, post, net.frame)


@node(STATE)
def play(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    layers = carray(as_pointer(net.layers), net.layer_count, LAYER)
    heads = carray(as_pointer(net.heads), net.head_count, HEAD)
    weights = floats_at(net.weights, net.weight_count)
    heard = integers_at(net.heard, net.inputs)
    condition_rows = integers_at(net.condition_rows, net.condition_channels)
    head_scale = np.float32(net.head_scale)
    start = 0
    while start < frames:
        count = min(TILE, frames - start)
        for c in range(net.inputs):
            heard[c] = address_of(inputs[c]) + 4 * start
            if net.condition_net == 0:
                condition_rows[c] = heard[c]
        if net.condition_net:
            call_node(net.condition_net, net.heard, net.condition_rows, count, net.condition_state)
        for a in range(net.head_count):
            head = heads[a]
            for c in range(head.channels):
                skip = newest(head, c, net.frame, count)
                if a == 0:
                    skip[:] = ZERO
                else:  # the head of the array before
                    skip[:] = floats_at(net.out + ROW * c, count)
            play_array(head, layers, weights, net, count)
            for o in range(head.width):
                convolve(floats_at(net.out + ROW * o, count), weights, o, head, net.frame)
        for o in range(heads[net.head_count - 1].width):
            y = floats_at(net.out + ROW * o, count)
            for n in range(count):
                y[n] *= head_scale
        play_post_head(net, weights, count)
        for o in range(net.outputs):
            carray(outputs[o], frames)[start : start + count] = floats_at(net.out + ROW * o, count)
        net.frame += count
        start += count


def stream(config: WaveNetConfig, weights: Weights) -> Node:
    """The net as a node: rows of sound and knobs in, sound out. All past is zero: let it settle on silence first."""
    tables = Tables(config, weights)
    inner = [architecture_of(net).stream(net, within(prefix, weights)) for prefix, net in config.inner.items()]
    condition = np.zeros((config.condition_channels, TILE), np.float32)
    mixed = np.zeros((tables.widest, TILE), np.float32)
    return Node(
        play,
        {
            "inputs": config.inputs,
            "outputs": config.outputs,
            "head_scale": weights["head_scale"][0],
            "layer_count": len(tables.layers),
            "head_count": len(tables.heads),
            "post_count": len(config.post_head),
            "weight_count": tables.weights.size,
            "condition_net": inner[0].kernel.address if inner else 0,
            "condition_state": inner[0].address if inner else 0,
            "condition_channels": config.condition_channels,
        },
        memory={
            "rings": tables.rings,
            "heard": np.zeros(config.inputs, np.int64),
            "condition": condition,
            "condition_rows": row_addresses(condition),
            "mixed": mixed,
            "stream": np.zeros((tables.widest, TILE), np.float32),
            "z": np.zeros((tables.widest, TILE), np.float32),
            "film": np.zeros((2, TILE), np.float32),
            "out": np.zeros((tables.widest, TILE), np.float32),
        },
        constants={
            "layers": tables.layers,
            "heads": tables.heads,
            "posts": tables.posts,
            "weights": tables.weights,
            "mixed_rows": row_addresses(mixed),
        },
        inner=inner,
    )
