"""The way back: one segment, tile by tile from the last to the first, through all layers.

Everything behind a layer's nonlinearity looks at one frame alone, so a tile's values are made anew from what the way forward
kept. Gradients of what convolutions made wait in rings for the frames that they heard; outside the module's frames they are 0.
"""

import numpy as np
from numba import carray

from neuralamp.dsp.correlation import correlate, fold_lanes, row_sums
from neuralamp.dsp.jit import as_pointer, float_at, floats_at, flush_denormals, inlined, kernel, set_float_mode
from neuralamp.dsp.nonlinear import activate_rows
from neuralamp.dsp.rings import convolve
from neuralamp.dsp.rows import NOTHING, add, copy_rows, multiply, scale
from neuralamp.dsp.vector import VECTOR_BYTES
from neuralamp.nets.wavenet.fused.forward import NET, active, find_value, hear, put_in_ring, tables_of, take_tile
from neuralamp.nets.wavenet.fused.parts import (
    clear,
    matrix_adjoint,
    matrix_gradient,
    mix_adjoint,
    modulate_adjoint,
    nonlinearity_adjoint,
    shape_adjoint,
    sums_at,
    value_adjoint,
)
from neuralamp.nets.wavenet.fused.tables import SPAN
from neuralamp.nets.wavenet.parts import (
    CONV_IN,
    modulate,
    pass_on,
    product,
)  # fmt: skip


@kernel
def convolution_adjoint(back, net, dy, x, dx):
    """dx = the gradient of the rows x that a convolution heard, from dy of this tile and of those to come; adds to its sums."""
    conv = back.conv
    put_in_ring(conv, net, dy)
    position = conv.position
    conv.position += (conv.taps - 1) * conv.dilation  # its newest tap is the last of those to come
    convolve(dx, net.stride, conv, net.back_weights, NOTHING, NOTHING, NOTHING, NOTHING, net.vectors)
    tap = sums_at(net, back.weight_gradient + conv.taps * conv.channels * conv.width)
    for _ in range(conv.taps):
        tap -= VECTOR_BYTES * conv.channels * conv.width
        correlate(tap, conv.ring + 4 * position, conv.stride, conv.channels, x, net.stride, conv.width, net.vectors)
        position += conv.dilation
        if position >= conv.ring_frames:
            position -= conv.ring_frames


@kernel
def make_streams_anew(net):
    """What every layer of this tile heard, in `streams`, and what it gave, as `find_value` finds it."""
    layers, heads, _, layer_backs, head_backs, _ = tables_of(net)
    before = net.heard
    for a in range(net.head_count):
        head, head_back = heads[a], head_backs[a]
        x, channels = net.streams + net.stride * layer_backs[head.first_layer].stream, layers[head.first_layer].conv.channels
        weights, no_bias = net.weights + 4 * head.rechannel, net.weights + 4 * head.rechannel_bias
        product(net, x, weights, no_bias, channels, before, head.stream_channels)
        for i in range(head.first_layer, head.first_layer + head.layers):
            if not active(net, layer_backs[i].first):
                return
            find_value(layers[i], layer_backs[i], net, True)
            last = i + 1 == head.first_layer + head.layers
            y = net.streams + net.stride * (head_back.stream if last else layer_backs[i + 1].stream)
            if i + 1 < net.layer_count:
                pass_on(layers[i], net, x, net.stride, y, net.stride)
            x = y
        before = x


@kernel
def layer_adjoint(layer, back, net, stream_first, skip_width, goes_on):
    """d_stream behind a layer -> in front of it; its sums. The layer may have frames to come when it has none here."""
    if not active(net, stream_first):
        return
    if active(net, back.first):
        find_place(back, layer, net)
        value_adjoint(layer, back, net, skip_width, goes_on)
        shape_adjoint(layer, back, net)
        mix_adjoint(layer, back, net)
    else:
        clear(net.d_z, layer.conv.width)
    x = stream = net.streams + net.stride * back.stream
    if layer.films[CONV_IN] >= 0:
        x = net.bent
        copy_rows(stream, net.stride, x, net.stride, layer.conv.channels, SPAN)
        modulate(layer, CONV_IN, net, x, net.stride)
    convolution_adjoint(back, net, net.d_z, x, net.d_x)
    if layer.films[CONV_IN] >= 0:
        modulate_adjoint(layer, back, CONV_IN, net, stream, net.d_x)
    add(net.d_x, net.d_stream, layer.conv.channels * net.vectors)


@inlined
def find_place(back, layer, net):
    """Let z be where `make_streams_anew` left a layer's value."""
    net.z = net.kept_tile + net.stride * back.kept if back.keeps_value else net.values + net.stride * back.value


@inlined
def array_adjoint(a, net):
    """d_out, of an array's head, and d_stream behind its layers -> d_out of the head before, d_stream of the array before."""
    layers, heads, _, layer_backs, head_backs, _ = tables_of(net)
    head, head_back = heads[a], head_backs[a]
    if not active(net, head_back.first):
        clear(net.d_out, head.conv.width)
    elif head_back.bias_gradient >= 0:
        row_sums(sums_at(net, head_back.bias_gradient), net.d_out, net.stride, head.conv.width, net.vectors)
    if active(net, head_back.skip_first):
        convolution_adjoint(head_back, net, net.d_out, net.kept_tile + net.stride * head_back.kept, net.d_skip)
    else:
        clear(net.d_skip, head.conv.channels)
    for k in range(head.layers):
        i = head.first_layer + head.layers - 1 - k
        stream_first = layer_backs[i - 1].first if i > head.first_layer else head_back.stream_first
        layer_adjoint(layers[i], layer_backs[i], net, stream_first, head.conv.channels, i + 1 < net.layer_count)
    copy_rows(net.d_skip, net.stride, net.d_out, net.stride, head.conv.channels, SPAN)
    if active(net, head_back.stream_first):
        before = net.streams + net.stride * head_backs[a - 1].stream if a > 0 else net.heard
        channels = layers[head.first_layer].conv.channels
        gradient = head_back.rechannel_gradient
        matrix_gradient(net, gradient, -1, net.d_stream, channels, before, head.stream_channels)
        if a > 0 or net.wants_input:
            copy_rows(net.d_stream, net.stride, net.work, net.stride, channels, SPAN)
            matrix_adjoint(net, head_back.rechannel_adjoint, net.work, channels, net.d_stream, head.stream_channels, NOTHING)
    else:
        clear(net.d_stream, head.stream_channels)


@inlined
def post_adjoint(post, back, net):
    """d_out behind a layer behind the head -> in front of it."""
    if active(net, back.first):
        row_sums(sums_at(net, back.bias_gradient), net.d_out, net.stride, post.conv.width, net.vectors)
    else:
        clear(net.d_out, post.conv.width)
    if not active(net, back.heard_first):
        clear(net.d_out, post.conv.channels)
        return
    kept, value = net.kept_tile + net.stride * back.kept, net.first
    numbers, step = net.weights + 4 * post.activation_numbers, 4 * post.activation_step
    activate_rows(post.activation, numbers, step, kept, value, post.conv.channels, net.vectors)
    convolution_adjoint(back, net, net.d_out, value, net.d_x)
    nonlinearity_adjoint(post.activation, numbers, step, back.slopes_gradient, net, kept, value, net.d_x, post.conv.channels)
    copy_rows(net.d_x, net.stride, net.d_out, net.stride, post.conv.channels, SPAN)


@inlined
def backward_tile(net):
    """From this tile of dy to the sums of all weights, and to d_stream and d_condition."""
    layers, heads, posts, _, head_backs, post_backs = tables_of(net)
    make_streams_anew(net)
    take_tile(net.dy, net.outputs, net.out_frames, net.frame - (net.tiles * SPAN - net.out_frames), net.d_out, net.stride)
    for k in range(net.post_count):
        i = net.post_count - 1 - k
        post_adjoint(posts[i], post_backs[i], net)
    last = net.head_count - 1
    if active(net, head_backs[last].first):
        count = heads[last].conv.width * net.vectors
        copy_rows(net.d_out, net.stride, net.work, net.stride, heads[last].conv.width, SPAN)
        multiply(net.kept_tile + net.stride * net.kept_head, net.work, count)
        row_sums(sums_at(net, net.head_scale_gradient), net.work, net.stride, 1, count)
        scale(float_at(net.back_weights + 4 * net.head_scale), net.d_out, count)
    clear(net.d_stream, layers[net.layer_count - 1].conv.channels)
    if net.wants_condition:
        clear(net.d_condition, net.conditions)
    for k in range(net.head_count):
        array_adjoint(last - k, net)


@kernel
def give_tile(x, rows, net, y):
    """Rows of this tile into those of a segment, from its first frame on."""
    start = net.frame - net.pad
    for c in range(rows):
        row = floats_at(y + 4 * net.item_frames * c, net.item_frames)
        row[max(start, 0) : start + SPAN] = floats_at(x + net.stride * c, SPAN)[max(-start, 0) :]


@kernel
def backward(address):
    """One segment back through the net of a NET record, which was its way forward."""
    mode = flush_denormals()
    net = carray(as_pointer(address), 1, NET)[0]
    floats_at(net.back_rings, net.back_ring_floats)[:] = np.float32(0.0)
    floats_at(net.gradients, net.sums * (VECTOR_BYTES // 4))[:] = np.float32(0.0)
    for k in range(net.tiles):
        hear(net, net.tiles - 1 - k)
        backward_tile(net)
        if net.wants_input:
            give_tile(net.d_stream, net.inputs, net, net.dx)
        if net.wants_condition:
            give_tile(net.d_condition, net.conditions, net, net.dc)
    fold_lanes(net.gradients, net.folded, net.sums)
    set_float_mode(mode)
