"""The WaveNet that travels: an ONNX graph whose every convolution carries its own past from buffer to buffer."""

import numpy as np
import onnx

from neuralamp.nets.onnx_graph import INPUT, NEXT, OUTPUT, GraphBuilder
from neuralamp.nets.wavenet.config import LayerArray, WaveNetConfig
from neuralamp.nets.weights import Weights, check_weights

OPERATORS = {
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "relu": "Relu",
    "softsign": "Softsign",
    "hard_swish": "HardSwish",
}


def graph(config: WaveNetConfig, weights: Weights) -> onnx.ModelProto:
    """The net as an ONNX model: x (1, inputs, frames) and states -> y (1, 1, frames) and next states; all pasts begin at zero."""
    check_weights(config.weights(), weights)
    builder = GraphBuilder("wavenet", config.inputs, config.weights(), weights)
    stream, head = INPUT, ""
    for a, array in enumerate(config.arrays):
        stream, head = _array(builder, f"arrays.{a}", array, stream, head)
    builder.add("Mul", head, "head_scale", to=OUTPUT)
    return builder.model()


def _array(builder: GraphBuilder, name: str, array: LayerArray, stream: str, skip: str) -> tuple[str, str]:
    """`skip` is the head of the array before, "" for the first."""
    stream = builder.add("Conv", stream, f"{name}.rechannel.weight")
    for i in range(array.layers):
        layer = f"{name}.layers.{i}"
        taps, dilation = array.kernel_sizes[i], array.dilations[i]
        z = _convolve(builder, f"{layer}.conv", stream, array.channels, taps, dilation, biased=True)
        z = builder.add("Add", z, builder.add("Conv", INPUT, f"{layer}.mixin.weight"))
        a = _nonlinearity(builder, array, i, z)
        if array.residual_1x1:
            stream = builder.add("Add", stream, _conv_1x1(builder, f"{layer}.residual_1x1", a))
        a = _conv_1x1(builder, f"{layer}.head_1x1", a) if array.head_1x1 else a
        skip = builder.add("Add", skip, a) if skip else a
    head = _convolve(builder, f"{name}.head", skip, array.skip_channels, array.head_kernel_size, 1, biased=array.head_bias)
    return stream, head


def _conv_1x1(builder: GraphBuilder, name: str, x: str) -> str:
    return builder.add("Conv", x, f"{name}.weight", f"{name}.bias")


def _convolve(builder: GraphBuilder, name: str, x: str, channels: int, taps: int, dilation: int, biased: bool) -> str:
    """A causal convolution that is given its past, and leaves the past of the next buffer."""
    past_frames = (taps - 1) * dilation
    if past_frames:
        past = builder.state(f"{name}.past", (1, channels, past_frames))
        x = builder.add("Concat", past, x, axis=2)
        builder.last_frames(x, past_frames, to=NEXT + past)
    return builder.add("Conv", x, f"{name}.weight", *([f"{name}.bias"] if biased else []), dilations=[dilation])


def _nonlinearity(builder: GraphBuilder, array: LayerArray, i: int, z: str) -> str:
    if array.gatings[i] == "none":
        return _activate(builder, array.activations[i], array.negative_slope, z)
    halves = builder.integers(array.bottleneck, array.bottleneck)
    z = builder.add("Split", z, halves, outputs=2, axis=1)
    gate = _activate(builder, array.gate_activations[i], array.negative_slope, f"{z}.1")
    gated = builder.add("Mul", gate, _activate(builder, array.activations[i], array.negative_slope, z))
    if array.gatings[i] == "gated":
        return gated
    one = builder.constant(np.array(1.0, np.float32))
    return builder.add("Add", gated, builder.add("Mul", builder.add("Sub", one, gate), z))


def _activate(builder: GraphBuilder, name: str, slope: float, x: str) -> str:
    match name:
        case "linear":
            return x
        case "leaky_relu":
            return builder.add("LeakyRelu", x, alpha=slope)
        case "silu":
            return builder.add("Mul", x, builder.add("Sigmoid", x))
        case "hard_tanh":
            return builder.add("Clip", x, *(builder.constant(np.array(bound, np.float32)) for bound in (-1.0, 1.0)))
        case _:
            return builder.add(OPERATORS[name], x)
