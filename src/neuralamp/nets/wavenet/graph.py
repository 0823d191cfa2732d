"""The WaveNet that travels: an ONNX graph whose every convolution carries its own past from buffer to buffer."""

import numpy as np

from neuralamp.nets import architecture_of
from neuralamp.nets.onnx_activation import activate
from neuralamp.nets.onnx_graph import GraphBuilder
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import LayerArray


def draw(builder: GraphBuilder, config: WaveNetConfig, x: str, prefix: str) -> str:
    """x (1, inputs, frames) -> (1, outputs, frames); all pasts begin at zero."""
    condition = x
    for inside, net in config.inner.items():
        condition = architecture_of(net).draw(builder, net, x, prefix + inside)
    stream, head = x, ""
    for a, array in enumerate(config.arrays):
        stream, head = _array(builder, f"{prefix}arrays.{a}", array, stream, condition, head)
    y = builder.add("Mul", head, f"{prefix}head_scale")
    for i, ((width, _), layer) in enumerate(zip(config.post_widths, config.post_head, strict=True)):
        name = f"{prefix}post_head.{i}"
        y = activate(builder, layer.activation, y, f"{name}.activation.slopes")
        y = _convolve(builder, f"{name}.conv", y, width, layer.kernel_size, 1, biased=True, groups=1)
    return y


def _array(builder: GraphBuilder, name: str, array: LayerArray, stream: str, condition: str, skip: str) -> tuple[str, str]:
    """`skip` is the head of the array before, "" for the first."""
    stream = builder.add("Conv", stream, f"{name}.rechannel.weight")
    for i in range(array.layers):
        stream, a = _layer(builder, f"{name}.layers.{i}", array, i, stream, condition)
        skip = builder.add("Add", skip, a) if skip else a
    head = _convolve(
        builder, f"{name}.head", skip, array.skip_channels, array.head_kernel_size, array.head_dilation, array.head_bias, groups=1
    )
    return stream, head


def _layer(builder: GraphBuilder, name: str, array: LayerArray, i: int, stream: str, condition: str) -> tuple[str, str]:
    """The residual stream behind one layer, and what it gives to the skip sum."""
    films = array.films_of(i)

    def film(place: str, s: str) -> str:
        if place not in films:
            return s
        modulation = _conv_1x1(builder, f"{name}.films.{place}", condition, films[place].groups)
        if not films[place].shift:
            return builder.add("Mul", s, modulation)
        width = builder.width(f"{name}.films.{place}.bias") // 2
        scale = builder.add("Split", modulation, builder.integers(width, width), outputs=2, axis=1)
        return builder.add("Add", builder.add("Mul", s, scale), f"{scale}.1")

    taps, dilation = array.kernel_sizes[i], array.dilations[i]
    heard = film("conv_in", stream)
    z = _convolve(builder, f"{name}.conv", heard, array.channels, taps, dilation, biased=True, groups=array.conv_groups)
    mixin = builder.add("Conv", film("mixin_in", condition), f"{name}.mixin.weight", group=array.mixin_groups)
    z = builder.add("Add", film("conv_out", z), film("mixin_out", mixin))
    a = film("activation_out", _nonlinearity(builder, name, array, i, film("activation_in", z)))
    if array.residual_1x1:
        residual = film("residual_out", _conv_1x1(builder, f"{name}.residual_1x1", a, array.residual_groups))
        stream = builder.add("Add", stream, residual)
    if array.head_1x1:
        a = film("head_1x1_out", _conv_1x1(builder, f"{name}.head_1x1", a, array.head_1x1_groups))
    return stream, a


def _conv_1x1(builder: GraphBuilder, name: str, x: str, groups: int) -> str:
    return builder.add("Conv", x, f"{name}.weight", f"{name}.bias", group=groups)


def _convolve(
    builder: GraphBuilder, name: str, x: str, channels: int, taps: int, dilation: int, biased: bool, groups: int
) -> str:
    """A causal convolution that is given its past, and leaves the past of the next buffer."""
    x = builder.behind_past(f"{name}.past", x, channels, (taps - 1) * dilation)
    bias = [f"{name}.bias"] if biased else []
    return builder.add("Conv", x, f"{name}.weight", *bias, dilations=[dilation], group=groups)


def _nonlinearity(builder: GraphBuilder, name: str, array: LayerArray, i: int, z: str) -> str:
    slopes, gate_slopes = f"{name}.activation.slopes", f"{name}.gate_activation.slopes"
    if array.gatings[i] == "none":
        return activate(builder, array.activations[i], z, slopes)
    halves = builder.integers(array.bottleneck, array.bottleneck)
    z = builder.add("Split", z, halves, outputs=2, axis=1)
    gate = activate(builder, array.gate_activations[i], f"{z}.1", gate_slopes)
    gated = builder.add("Mul", gate, activate(builder, array.activations[i], z, slopes))
    if array.gatings[i] == "gated":
        return gated
    one = builder.constant(np.array(1.0, np.float32))
    return builder.add("Add", gated, builder.add("Mul", builder.add("Sub", one, gate), z))
