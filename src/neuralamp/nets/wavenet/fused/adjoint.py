"""The way back: one segment, tile by tile from the last to the first, through all layers.

Everything behind a layer's nonlinearity looks at one frame alone, so a tile's values are made anew from what the way forward
kept. Gradients of what convolutions made wait in rings for the frames that they heard; outside the module's frames they are 0.
"""

import numpy as np
from numba import carray

from neuralamp.dsp.correlation import correlate, fold, row_sums, slope_sums
from neuralamp.dsp.jit import as_pointer, float_at, floats_at, flush_denormals, kernel, set_float_mode, spliced
from neuralamp.dsp.nonlinear import activate_rows
from neuralamp.dsp.rings import convolve, newest, repeat_start
from neuralamp.dsp.rows import add, blend, blend_adjoint, copy_rows, matrix, multiply, scale
from neuralamp.dsp.slopes import FROM_VALUE, activate_rows_adjoint
from neuralamp.dsp.vector import VECTOR_BYTES
from neuralamp.nets.wavenet.fused.forward import NET, active, find_value, hear, tables_of, take_tile
from neuralamp.nets.wavenet.fused.tables import SPAN
from neuralamp.nets.wavenet.parts import (
    ACTIVATION_IN,
    ACTIVATION_OUT,
    CONV_IN,
    CONV_OUT,
    GATED,
    HEAD_1X1_OUT,
    MIXIN_IN,
    MIXIN_OUT,
    NONE,
    RESIDUAL_OUT,
    modulate,
    pass_on,
)  # fmt: skip


@spliced
def clear(y, rows):
    floats_at(y, rows * SPAN)[:] = np.float32(0.0)


@spliced
def sums_at(net, place):
    """The address of the sums from a place on."""
    return net.gradients + VECTOR_BYTES * place


@kernel
def matrix_gradient(net, weight, bias, dy, width, x, count):
    """Add this tile to the sums of a matrix (width, count) and, where there is one, of its bias."""
    correlate(sums_at(net, weight), dy, net.stride, width, x, net.stride, count, net.vectors)
    if bias >= 0:
        row_sums(sums_at(net, bias), dy, net.stride, width, net.vectors)


@kernel
def matrix_adjoint(net, weight, dy, width, dx, count, onto):
    """The `count` rows at dx = the rows at `onto` + W' dy, W (width, count) among the weights of the way back."""
    weights, no_bias = net.back_weights + 4 * weight, net.back_weights
    matrix(dx, net.stride, onto, net.stride, weights, no_bias, count, dy, net.stride, width, net.vectors)


@kernel
def convolution_adjoint(back, net, dy, x, dx):
    """dx = the gradient of the rows x that a convolution heard, from dy of this tile and of those to come; adds to its sums."""
    position = net.frame % back.ring_frames
    copy_rows(dy, net.stride, newest(back, position), back.stride, back.channels, SPAN)
    repeat_start(back, position, SPAN)
    newest_tap = position + (back.taps - 1) * back.dilation
    convolve(dx, net.stride, back, net.back_weights, newest_tap, 0, 0, 0, 0, net.vectors)
    tap = sums_at(net, back.weight_gradient + back.taps * back.channels * back.width)
    for _ in range(back.taps):
        tap -= VECTOR_BYTES * back.channels * back.width
        correlate(tap, newest(back, position), back.stride, back.channels, x, net.stride, back.width, net.vectors)
        position += back.dilation
        if position >= back.ring_frames:
            position -= back.ring_frames


@kernel
def modulate_adjoint(layer, back, place, net, s, ds):
    """In place: the gradient of s (W c + b) + (V c + d) -> that of s; adds to the sums, and to the condition's gradient."""
    width, shifts = layer.film_widths[place], layer.film_shifts[place]
    factors = (1 + shifts) * width
    weights, slopes = net.weights + 4 * layer.films[place], net.film_slopes
    biases = weights + 4 * factors * net.conditions
    matrix(net.film, net.stride, 0, 0, weights, biases, factors, net.condition, net.stride, net.conditions, net.vectors)
    for part in range(1 + shifts):
        copy_rows(ds, net.stride, slopes + net.stride * part * width, net.stride, width, SPAN)
    multiply(s, slopes, width * net.vectors)
    multiply(net.film, ds, width * net.vectors)
    gradient, biases_gradient = back.films_gradient[place], back.film_biases_gradient[place]
    matrix_gradient(net, gradient, biases_gradient, slopes, factors, net.condition, net.conditions)
    if net.wants_condition:
        dc = net.d_condition
        matrix_adjoint(net, back.films_adjoint[place], slopes, factors, dc, net.conditions, dc)


@spliced
def value_adjoint(layer, back, net, skip_width, goes_on):
    """d_value = the gradient of a layer's value, from those of the skip sum and of the stream behind it."""
    a, da, onto = net.z, net.d_value, net.d_skip
    if layer.head_1x1 >= 0:
        dh, onto = net.work, da
        copy_rows(net.d_skip, net.stride, dh, net.stride, skip_width, SPAN)
        if layer.films[HEAD_1X1_OUT] >= 0:
            weights, bias = net.weights + 4 * layer.head_1x1, net.weights + 4 * layer.head_1x1_bias
            matrix(net.mixed, net.stride, 0, 0, weights, bias, skip_width, a, net.stride, layer.bottleneck, net.vectors)
            modulate_adjoint(layer, back, HEAD_1X1_OUT, net, net.mixed, dh)
        matrix_gradient(net, back.head_1x1_gradient, back.head_1x1_bias_gradient, dh, skip_width, a, layer.bottleneck)
        matrix_adjoint(net, back.head_1x1_adjoint, dh, skip_width, da, layer.bottleneck, 0)
    if layer.residual >= 0 and goes_on:
        dr = net.d_stream
        if layer.films[RESIDUAL_OUT] >= 0:
            dr = net.work
            copy_rows(net.d_stream, net.stride, dr, net.stride, layer.channels, SPAN)
            weights, bias = net.weights + 4 * layer.residual, net.weights + 4 * layer.residual_bias
            matrix(net.mixed, net.stride, 0, 0, weights, bias, layer.channels, a, net.stride, layer.bottleneck, net.vectors)
            modulate_adjoint(layer, back, RESIDUAL_OUT, net, net.mixed, dr)
        matrix_gradient(net, back.residual_gradient, back.residual_bias_gradient, dr, layer.channels, a, layer.bottleneck)
        matrix_adjoint(net, back.residual_adjoint, dr, layer.channels, da, layer.bottleneck, onto)
    elif layer.head_1x1 < 0:
        copy_rows(net.d_skip, net.stride, da, net.stride, layer.bottleneck, SPAN)


@kernel
def nonlinearity_adjoint(code, numbers, step, slopes, net, z, value, dy, rows):
    """In place: the gradient of what a nonlinearity gave -> that of z; adds to the sums of a PReLU's slopes."""
    if slopes >= 0:
        slope_sums(sums_at(net, slopes), dy, z, net.stride, rows, net.vectors)
    activate_rows_adjoint(code, numbers, step, value if code in FROM_VALUE else z, dy, dy, rows, net.vectors)


@kernel
def shape_adjoint(layer, back, net):
    """d_z = the gradient of what a layer's nonlinearity was given, from that of its value."""
    rows, dz = layer.bottleneck, net.d_z
    kept, count = net.kept_tile + net.stride * back.kept, rows * net.vectors
    numbers, step = net.weights + 4 * layer.activation_numbers, 4 * layer.activation_step
    if back.keeps_value:
        activate_rows_adjoint(layer.activation, numbers, step, kept, net.d_value, dz, rows, net.vectors)
        return
    z, value, gate = kept, net.first, net.second
    if layer.films[ACTIVATION_IN] >= 0:
        z = net.bent
        copy_rows(kept, net.stride, z, net.stride, layer.width, SPAN)
        modulate(layer, ACTIVATION_IN, net, z, net.stride)
    activate_rows(layer.activation, numbers, step, z, value, rows, net.vectors)
    gate_z, gate_numbers, gate_step = z + net.stride * rows, net.weights + 4 * layer.gate_numbers, 4 * layer.gate_step
    if layer.gating != NONE:
        activate_rows(layer.gate, gate_numbers, gate_step, gate_z, gate, rows, net.vectors)
    if layer.films[ACTIVATION_OUT] >= 0:
        raw = net.raw
        copy_rows(z if layer.gating not in (NONE, GATED) else value, net.stride, raw, net.stride, rows, SPAN)
        if layer.gating == GATED:
            multiply(gate, raw, count)
        elif layer.gating != NONE:
            blend(gate, value, raw, count)
        modulate_adjoint(layer, back, ACTIVATION_OUT, net, raw, net.d_value)
    copy_rows(net.d_value, net.stride, dz, net.stride, rows, SPAN)
    if layer.gating != NONE:
        d_gate = dz + net.stride * rows
        blend_adjoint(gate, value, z if layer.gating != GATED else 0, dz, d_gate, net.d_value, count)
        nonlinearity_adjoint(
            layer.gate, gate_numbers, gate_step, back.gate_slopes_gradient, net, gate_z, gate, d_gate, rows
        )  # fmt: skip
    nonlinearity_adjoint(layer.activation, numbers, step, back.slopes_gradient, net, z, value, dz, rows)
    if layer.gating not in (NONE, GATED):
        add(net.d_value, dz, count)
    if layer.films[ACTIVATION_IN] >= 0:
        modulate_adjoint(layer, back, ACTIVATION_IN, net, kept, dz)


@spliced
def mix_adjoint(layer, back, net):
    """d_z -> the gradient of what the convolution made, in place; adds to the mixin's sums and the condition's gradient."""
    films, c, dm, dc = layer.films, net.condition, net.d_z, net.d_condition
    weights, no_bias = net.weights + 4 * layer.mixin, net.weights + 4 * layer.mixin_bias
    if films[MIXIN_IN] >= 0:
        c = net.modulated
        copy_rows(net.condition, net.stride, c, net.stride, net.conditions, SPAN)
        modulate(layer, MIXIN_IN, net, c, net.stride)
    if films[MIXIN_OUT] >= 0:
        dm = net.work
        copy_rows(net.d_z, net.stride, dm, net.stride, layer.width, SPAN)
        matrix(net.mixed, net.stride, 0, 0, weights, no_bias, layer.width, c, net.stride, net.conditions, net.vectors)
        modulate_adjoint(layer, back, MIXIN_OUT, net, net.mixed, dm)
    matrix_gradient(net, back.mixin_gradient, -1, dm, layer.width, c, net.conditions)
    if films[MIXIN_IN] >= 0:
        matrix_adjoint(net, back.mixin_adjoint, dm, layer.width, net.raw, net.conditions, 0)
        modulate_adjoint(layer, back, MIXIN_IN, net, net.condition, net.raw)
        add(net.raw, dc, net.conditions * net.vectors)
    elif net.wants_condition:
        matrix_adjoint(net, back.mixin_adjoint, dm, layer.width, dc, net.conditions, dc)
    if films[CONV_OUT] >= 0:
        modulate_adjoint(layer, back, CONV_OUT, net, net.kept_tile + net.stride * back.kept_conv, net.d_z)
    row_sums(sums_at(net, back.bias_gradient), net.d_z, net.stride, layer.width, net.vectors)


@spliced
def make_streams_anew(net):
    """What every layer of this tile heard, in `streams`, and what it gave, as `find_value` finds it."""
    layers, heads, _, layer_backs, head_backs, _ = tables_of(net)
    before = net.heard
    for a in range(net.head_count):
        head, head_back = heads[a], head_backs[a]
        x, channels = net.streams + net.stride * layer_backs[head.first_layer].stream, layers[head.first_layer].channels
        weights, no_bias = net.weights + 4 * head.rechannel, net.weights + 4 * head.rechannel_bias
        matrix(x, net.stride, 0, 0, weights, no_bias, channels, before, net.stride, head.stream_channels, net.vectors)
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


@spliced
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
        clear(net.d_z, layer.width)
    x = stream = net.streams + net.stride * back.stream
    if layer.films[CONV_IN] >= 0:
        x = net.bent
        copy_rows(stream, net.stride, x, net.stride, layer.channels, SPAN)
        modulate(layer, CONV_IN, net, x, net.stride)
    convolution_adjoint(back, net, net.d_z, x, net.d_x)
    if layer.films[CONV_IN] >= 0:
        modulate_adjoint(layer, back, CONV_IN, net, stream, net.d_x)
    add(net.d_x, net.d_stream, layer.channels * net.vectors)


@spliced
def find_place(back, layer, net):
    """Let z be where `make_streams_anew` left a layer's value."""
    net.z = net.kept_tile + net.stride * back.kept if back.keeps_value else net.values + net.stride * back.value


@spliced
def array_adjoint(a, net):
    """d_out, of an array's head, and d_stream behind its layers -> d_out of the head before, d_stream of the array before."""
    layers, heads, _, layer_backs, head_backs, _ = tables_of(net)
    head, head_back = heads[a], head_backs[a]
    if not active(net, head_back.first):
        clear(net.d_out, head.width)
    elif head_back.bias_gradient >= 0:
        row_sums(sums_at(net, head_back.bias_gradient), net.d_out, net.stride, head.width, net.vectors)
    if active(net, head_back.skip_first):
        convolution_adjoint(head_back, net, net.d_out, net.kept_tile + net.stride * head_back.kept, net.d_skip)
    else:
        clear(net.d_skip, head.channels)
    for k in range(head.layers):
        i = head.first_layer + head.layers - 1 - k
        stream_first = layer_backs[i - 1].first if i > head.first_layer else head_back.stream_first
        layer_adjoint(layers[i], layer_backs[i], net, stream_first, head.channels, i + 1 < net.layer_count)
    copy_rows(net.d_skip, net.stride, net.d_out, net.stride, head.channels, SPAN)
    if active(net, head_back.stream_first):
        before = net.streams + net.stride * head_backs[a - 1].stream if a > 0 else net.heard
        channels = layers[head.first_layer].channels
        gradient = head_back.rechannel_gradient
        matrix_gradient(net, gradient, -1, net.d_stream, channels, before, head.stream_channels)
        if a > 0 or net.wants_input:
            copy_rows(net.d_stream, net.stride, net.work, net.stride, channels, SPAN)
            matrix_adjoint(net, head_back.rechannel_adjoint, net.work, channels, net.d_stream, head.stream_channels, 0)
    else:
        clear(net.d_stream, head.stream_channels)


@spliced
def post_adjoint(post, back, net):
    """d_out behind a layer behind the head -> in front of it."""
    if active(net, back.first):
        row_sums(sums_at(net, back.bias_gradient), net.d_out, net.stride, post.width, net.vectors)
    else:
        clear(net.d_out, post.width)
    if not active(net, back.heard_first):
        clear(net.d_out, post.channels)
        return
    kept, value = net.kept_tile + net.stride * back.kept, net.first
    numbers, step = net.weights + 4 * post.activation_numbers, 4 * post.activation_step
    activate_rows(post.activation, numbers, step, kept, value, post.channels, net.vectors)
    convolution_adjoint(back, net, net.d_out, value, net.d_x)
    nonlinearity_adjoint(post.activation, numbers, step, back.slopes_gradient, net, kept, value, net.d_x, post.channels)
    copy_rows(net.d_x, net.stride, net.d_out, net.stride, post.channels, SPAN)


@spliced
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
        count = heads[last].width * net.vectors
        copy_rows(net.d_out, net.stride, net.work, net.stride, heads[last].width, SPAN)
        multiply(net.kept_tile + net.stride * net.kept_head, net.work, count)
        row_sums(sums_at(net, net.head_scale_gradient), net.work, net.stride, 1, count)
        scale(float_at(net.back_weights + 4 * net.head_scale), net.d_out, count)
    clear(net.d_stream, layers[net.layer_count - 1].channels)
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
    fold(net.gradients, net.folded, net.sums)
    set_float_mode(mode)
