"""The nonlinearities of dsp/activation.py as ONNX operators."""

import numpy as np

from neuralamp.dsp.activation import parse
from neuralamp.nets.onnx_graph import GraphBuilder

OPERATORS = {
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "relu": "Relu",
    "softsign": "Softsign",
    "hard_swish": "HardSwish",
    "elu": "Elu",
}


def activate(builder: GraphBuilder, text: str, x: str, slopes: str) -> str:
    """An activation of x (1, channels, frames), as a config writes it; `slopes` names the weight that a PReLU has."""
    activation = parse(text)
    match activation.name:
        case "linear":
            return x
        case "leaky_relu":
            return builder.add("LeakyRelu", x, alpha=activation.numbers[0])
        case "prelu":  # its slopes are (channels,), and must lie along the channels of (1, channels, frames)
            return builder.add("PRelu", x, builder.add("Unsqueeze", slopes, builder.integers(1)))
        case "silu":
            return builder.add("Mul", x, builder.add("Sigmoid", x))
        case "hard_tanh":
            return _clip(builder, x, -1.0, 1.0)
        case "leaky_hard_tanh":
            return _leaky_hard_tanh(builder, x, *activation.numbers)
        case "fast_tanh":
            return _fast_tanh(builder, x)
        case name:
            return builder.add(OPERATORS[name], x)


def _number(builder: GraphBuilder, value: float) -> str:
    return builder.constant(np.array(value, np.float32))


def _clip(builder: GraphBuilder, x: str, *bounds: float) -> str:
    return builder.add("Clip", x, *(_number(builder, bound) for bound in bounds))


def _leaky_hard_tanh(builder: GraphBuilder, x: str, lowest: float, highest: float, below: float, above: float) -> str:
    """x between its corners, and lines beyond: chosen, not summed, as the corners may lie on either side of each other."""
    low, high = _number(builder, lowest), _number(builder, highest)
    under, over = (
        builder.add("Add", builder.add("Mul", builder.add("Sub", x, corner), _number(builder, slope)), corner)
        for corner, slope in ((low, below), (high, above))
    )
    upper = builder.add("Where", builder.add("Greater", x, high), over, x)
    return builder.add("Where", builder.add("Less", x, low), under, upper)


def _fast_tanh(builder: GraphBuilder, x: str) -> str:
    """The rational function of dsp/activation.py."""

    def add(*terms: str) -> str:
        return builder.add("Add", *terms)

    def times(*factors: str) -> str:
        return builder.add("Mul", *factors)

    a, b, c, d, e = (
        _number(builder, value)
        for value in (2.45550750702956, 0.893229853513558, 0.821226666969744, 2.44506634652299, 0.814642734961073)
    )
    size, square = builder.add("Abs", x), times(x, x)
    above = times(x, add(add(a, times(a, size)), times(add(b, times(c, size)), square)))
    bent = builder.add("Abs", add(x, times(e, times(x, size))))
    return builder.add("Div", above, add(d, times(add(d, square), bent)))
