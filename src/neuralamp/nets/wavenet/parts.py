"""The parts of a layer that look at one tile of frames alone, with the work space and the tables of whoever plays it.

Places are addresses. The rows of a work space lie end to end, `net.stride` bytes apart: as many as this tile's vectors take.
"""

import numpy as np

from neuralamp.dsp.jit import inlined, kernel
from neuralamp.dsp.nonlinear import activate_rows
from neuralamp.dsp.rings import convolve
from neuralamp.dsp.rows import NOTHING, add, blend, copy, copy_rows, matrix, multiply, multiply_add
from neuralamp.nets.wavenet.layers import GATINGS, PLACES

NONE, GATED, BLENDED = range(len(GATINGS))
CONV_IN, CONV_OUT, MIXIN_IN, MIXIN_OUT, ACTIVATION_IN, ACTIVATION_OUT, RESIDUAL_OUT, HEAD_1X1_OUT = np.arange(len(PLACES))


@kernel
def product(net, y, weights, bias, width, x, count):
    """The `width` rows of the work space y = bias + W times the `count` rows of the work space x."""
    matrix(y, net.stride, NOTHING, NOTHING, weights, bias, width, x, net.stride, count, net.vectors)


@kernel
def modulate(layer, place, net, rows, stride):
    """The rows at `rows`, `stride` bytes apart: row 0, 1, ... of (width, frames) <- row (W c + b) + (V c + d)."""
    width, shifts = layer.film_widths[place], layer.film_shifts[place]
    factors = (1 + shifts) * width  # the scales, then the shifts
    weights = net.weights + 4 * layer.films[place]
    biases = weights + 4 * factors * net.conditions
    product(net, net.film, weights, biases, factors, net.condition, net.conditions)
    for c in range(width):
        factor, shift = net.film + net.stride * c, net.film + net.stride * (width + c)
        if shifts:
            multiply_add(factor, shift, rows + stride * c, net.vectors)
        else:
            multiply(factor, rows + stride * c, net.vectors)


@inlined
def mixes_apart(layer):
    """Whether a modulation stands between the convolution and the mixin: they cannot be one product then."""
    return layer.films[CONV_OUT] >= 0 or layer.films[MIXIN_IN] >= 0 or layer.films[MIXIN_OUT] >= 0


@inlined
def convolve_layer(layer, net):
    """z = conv(ring), + mixin(condition) where no modulation comes between."""
    conditions = 0 if mixes_apart(layer) else net.conditions
    mixin = net.weights + 4 * layer.mixin
    convolve(net.z, net.stride, layer.conv, net.weights, mixin, net.condition, net.stride, conditions, net.vectors)


@kernel
def mix_apart(layer, net):
    """z += mixin(condition) where a modulation comes between, with the modulations around both."""
    z, films, condition = net.z, layer.films, net.condition
    mixin, no_bias, width = net.weights + 4 * layer.mixin, net.weights + 4 * layer.mixin_bias, layer.conv.width
    if films[CONV_OUT] >= 0:
        modulate(layer, CONV_OUT, net, z, net.stride)
    if films[MIXIN_IN] >= 0:
        condition = net.modulated
        copy_rows(net.condition, net.stride, condition, net.stride, net.conditions, net.frames)
        modulate(layer, MIXIN_IN, net, condition, net.stride)
    product(net, net.mixed, mixin, no_bias, width, condition, net.conditions)
    if films[MIXIN_OUT] >= 0:
        modulate(layer, MIXIN_OUT, net, net.mixed, net.stride)
    add(net.mixed, z, width * net.vectors)


@inlined
def shape(layer, net):
    """z -> a, in place in the first `bottleneck` rows of z: activation and gate, as LayerArray has them."""
    z, rows = net.z, layer.bottleneck
    if layer.films[ACTIVATION_IN] >= 0:
        modulate(layer, ACTIVATION_IN, net, z, net.stride)
    count = rows * net.vectors
    numbers = net.weights + 4 * layer.activation_numbers
    if layer.gating == NONE:
        activate_rows(layer.activation, numbers, 4 * layer.activation_step, z, z, rows, net.vectors)
    else:
        gate = z + rows * net.stride
        activate_rows(layer.gate, net.weights + 4 * layer.gate_numbers, 4 * layer.gate_step, gate, gate, rows, net.vectors)
        activate_rows(layer.activation, numbers, 4 * layer.activation_step, z, net.mixed, rows, net.vectors)
        if layer.gating == GATED:
            multiply(gate, net.mixed, count)
            copy_rows(net.mixed, net.stride, z, net.stride, rows, net.frames)
        else:
            blend(gate, net.mixed, z, count)
    if layer.films[ACTIVATION_OUT] >= 0:
        modulate(layer, ACTIVATION_OUT, net, z, net.stride)


@inlined
def add_skip(layer, net, head):
    """The sum that the head reads += a, through the layer's own 1x1 where it has one."""
    a = net.z
    if layer.head_1x1 >= 0:
        weights, bias, a = net.weights + 4 * layer.head_1x1, net.weights + 4 * layer.head_1x1_bias, net.mixed
        product(net, a, weights, bias, head.conv.channels, net.z, layer.bottleneck)
        if layer.films[HEAD_1X1_OUT] >= 0:
            modulate(layer, HEAD_1X1_OUT, net, a, net.stride)
    add(a, net.skip, head.conv.channels * net.vectors)


@inlined
def pass_on(layer, net, x, x_stride, y, y_stride):
    """The rows at y = the residual stream behind a layer: the rows at x, plus a through the 1x1 where it has one."""
    if layer.residual < 0:
        copy_rows(x, x_stride, y, y_stride, layer.conv.channels, net.frames)
        return
    weights, bias = net.weights + 4 * layer.residual, net.weights + 4 * layer.residual_bias
    if layer.films[RESIDUAL_OUT] >= 0:
        a = net.mixed
        product(net, a, weights, bias, layer.conv.channels, net.z, layer.bottleneck)
        modulate(layer, RESIDUAL_OUT, net, a, net.stride)
        for c in range(layer.conv.channels):
            copy(x + c * x_stride, y + c * y_stride, net.frames)
            add(a + c * net.stride, y + c * y_stride, net.vectors)
        return
    matrix(y, y_stride, x, x_stride, weights, bias, layer.conv.channels, net.z, net.stride, layer.bottleneck, net.vectors)
