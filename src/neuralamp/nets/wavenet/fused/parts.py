"""The adjoints of the parts of a layer that look at one tile of frames alone: of wavenet/parts.py, one by one."""

import numpy as np

from neuralamp.dsp.correlation import correlate, row_sums, slope_sums
from neuralamp.dsp.jit import floats_at, inlined, kernel
from neuralamp.dsp.nonlinear import activate_rows
from neuralamp.dsp.rows import NOTHING, add, blend, blend_adjoint, copy_rows, matrix, multiply
from neuralamp.dsp.slopes import FROM_VALUE, activate_rows_adjoint
from neuralamp.dsp.vector import VECTOR_BYTES
from neuralamp.nets.wavenet.fused.tables import SPAN
from neuralamp.nets.wavenet.parts import (
    ACTIVATION_IN,
    ACTIVATION_OUT,
    CONV_OUT,
    GATED,
    HEAD_1X1_OUT,
    MIXIN_IN,
    MIXIN_OUT,
    NONE,
    RESIDUAL_OUT,
    modulate,
    product,
)  # fmt: skip


@inlined
def clear(y, rows):
    floats_at(y, rows * SPAN)[:] = np.float32(0.0)


@inlined
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
def modulate_adjoint(layer, back, place, net, s, ds):
    """In place: the gradient of s (W c + b) + (V c + d) -> that of s; adds to the sums, and to the condition's gradient."""
    width, shifts = layer.film_widths[place], layer.film_shifts[place]
    factors = (1 + shifts) * width
    weights, slopes = net.weights + 4 * layer.films[place], net.film_slopes
    biases = weights + 4 * factors * net.conditions
    product(net, net.film, weights, biases, factors, net.condition, net.conditions)
    for part in range(1 + shifts):
        copy_rows(ds, net.stride, slopes + net.stride * part * width, net.stride, width, SPAN)
    multiply(s, slopes, width * net.vectors)
    multiply(net.film, ds, width * net.vectors)
    gradient, biases_gradient = back.films_gradient[place], back.film_biases_gradient[place]
    matrix_gradient(net, gradient, biases_gradient, slopes, factors, net.condition, net.conditions)
    if net.wants_condition:
        dc = net.d_condition
        matrix_adjoint(net, back.films_adjoint[place], slopes, factors, dc, net.conditions, dc)


@inlined
def value_adjoint(layer, back, net, skip_width, goes_on):
    """d_value = the gradient of a layer's value, from those of the skip sum and of the stream behind it."""
    a, da, onto = net.z, net.d_value, net.d_skip
    if layer.head_1x1 >= 0:
        dh, onto = net.work, da
        copy_rows(net.d_skip, net.stride, dh, net.stride, skip_width, SPAN)
        if layer.films[HEAD_1X1_OUT] >= 0:
            weights, bias = net.weights + 4 * layer.head_1x1, net.weights + 4 * layer.head_1x1_bias
            product(net, net.mixed, weights, bias, skip_width, a, layer.bottleneck)
            modulate_adjoint(layer, back, HEAD_1X1_OUT, net, net.mixed, dh)
        matrix_gradient(net, back.head_1x1_gradient, back.head_1x1_bias_gradient, dh, skip_width, a, layer.bottleneck)
        matrix_adjoint(net, back.head_1x1_adjoint, dh, skip_width, da, layer.bottleneck, NOTHING)
    if layer.residual >= 0 and goes_on:
        dr = net.d_stream
        if layer.films[RESIDUAL_OUT] >= 0:
            dr = net.work
            copy_rows(net.d_stream, net.stride, dr, net.stride, layer.conv.channels, SPAN)
            weights, bias = net.weights + 4 * layer.residual, net.weights + 4 * layer.residual_bias
            product(net, net.mixed, weights, bias, layer.conv.channels, a, layer.bottleneck)
            modulate_adjoint(layer, back, RESIDUAL_OUT, net, net.mixed, dr)
        matrix_gradient(net, back.residual_gradient, back.residual_bias_gradient, dr, layer.conv.channels, a, layer.bottleneck)
        matrix_adjoint(net, back.residual_adjoint, dr, layer.conv.channels, da, layer.bottleneck, onto)
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
        copy_rows(kept, net.stride, z, net.stride, layer.conv.width, SPAN)
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
        blend_adjoint(gate, value, z if layer.gating != GATED else NOTHING, dz, d_gate, net.d_value, count)
        nonlinearity_adjoint(
            layer.gate, gate_numbers, gate_step, back.gate_slopes_gradient, net, gate_z, gate, d_gate, rows
        )  # fmt: skip
    nonlinearity_adjoint(layer.activation, numbers, step, back.slopes_gradient, net, z, value, dz, rows)
    if layer.gating not in (NONE, GATED):
        add(net.d_value, dz, count)
    if layer.films[ACTIVATION_IN] >= 0:
        modulate_adjoint(layer, back, ACTIVATION_IN, net, kept, dz)


@inlined
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
        copy_rows(net.d_z, net.stride, dm, net.stride, layer.conv.width, SPAN)
        product(net, net.mixed, weights, no_bias, layer.conv.width, c, net.conditions)
        modulate_adjoint(layer, back, MIXIN_OUT, net, net.mixed, dm)
    matrix_gradient(net, back.mixin_gradient, -1, dm, layer.conv.width, c, net.conditions)
    if films[MIXIN_IN] >= 0:
        matrix_adjoint(net, back.mixin_adjoint, dm, layer.conv.width, net.raw, net.conditions, NOTHING)
        modulate_adjoint(layer, back, MIXIN_IN, net, net.condition, net.raw)
        add(net.raw, dc, net.conditions * net.vectors)
    elif net.wants_condition:
        matrix_adjoint(net, back.mixin_adjoint, dm, layer.conv.width, dc, net.conditions, dc)
    if films[CONV_OUT] >= 0:
        modulate_adjoint(layer, back, CONV_OUT, net, net.kept_tile + net.stride * back.kept_conv, net.d_z)
    row_sums(sums_at(net, back.bias_gradient), net.d_z, net.stride, layer.conv.width, net.vectors)
