"""Layers of a keras model as RTNeural's JSON has them, and recurrent ones back into it.

keras stores matrices as (in, out) and convolutions as (taps, in / groups, out). Its gates are i f c o for an LSTM, as torch's,
and z r h for a GRU, where torch has r z n.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from neuralamp.capture.formats.rtneural.stack import MOST_INPUTS, Stack
from neuralamp.capture.json_table import Table
from neuralamp.dsp.recurrent import GATES
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialLayer
from neuralamp.nets.weights import Weights

ACTIVATIONS = {
    "": "linear",
    "linear": "linear",
    "tanh": "tanh",
    "relu": "relu",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "elu": "elu",
}
GATE_ORDER = {"lstm": (0, 1, 2, 3), "gru": (1, 0, 2)}
"""keras's gates in the order in which torch has them, and the other way round."""


def inputs(model: Table) -> int:
    """Rows that the net hears: the last entry of the shape of its input."""
    shape = model.items("in_shape")
    held = Table({"last": shape[-1] if shape else None}, "in_shape")
    return held.integer("last", most=MOST_INPUTS)


def read_layers(model: Table, stack: Stack) -> None:
    """All layers onto the stack."""
    for layer in model.tables("layers"):
        kind = layer.text("type")
        if kind not in READERS:
            layer.fail("type", f"should be one of {', '.join(READERS)}", kind)
        with layer.blamed():
            READERS[kind](layer, stack)
        shape = layer.get("shape")
        if isinstance(shape, list) and shape and shape[-1] != stack.width:
            layer.fail("shape", f"should end in {stack.width}, as its weights do", shape[-1])


def _numbers(layer: Table, i: int, *shape: int) -> np.ndarray:
    """The i-th of a layer's weights, of this shape; -1 is any length."""
    weights = layer.items("weights")
    if i >= len(weights):
        layer.fail("weights", f"should hold {i + 1} lists or more", weights)
    array = layer.as_array(f"weights.{i}", weights[i], len(shape))
    if any(wanted not in (-1, found) for wanted, found in zip(shape, array.shape, strict=True)):
        wanted = " x ".join("any" if length == -1 else str(length) for length in shape)
        layer.fail(f"weights.{i}", f"should be {wanted}", " x ".join(map(str, array.shape)))
    return array


def _activation(layer: Table) -> str:
    name = layer.text("activation", "")
    if name not in ACTIVATIONS:
        layer.fail("activation", f"should be one of {', '.join(filter(None, ACTIVATIONS))}, or an empty text", name)
    return ACTIVATIONS[name]


def _last(layer: Table, key: str, default: int) -> int:
    """A whole number, alone or the last of a list."""
    if key not in layer:
        return default
    numbers = layer.integers(key)
    return numbers[-1] if numbers else layer.fail(key, "should hold a number", [])


def _dense(layer: Table, stack: Stack) -> None:
    kernel = _numbers(layer, 0, stack.width, -1)
    _add_conv(layer, stack, kernel[None], 1, 1)


def _conv1d(layer: Table, stack: Stack) -> None:
    taps, dilation, groups = _last(layer, "kernel_size", 0), _last(layer, "dilation", 1), _last(layer, "groups", 1)
    if stack.width % groups:
        layer.fail("groups", f"should part {stack.width} channels", groups)
    kernel = _numbers(layer, 0, taps or -1, stack.width // groups, -1)
    _add_conv(layer, stack, kernel, dilation, groups)


def _add_conv(layer: Table, stack: Stack, kernel: np.ndarray, dilation: int, groups: int) -> None:
    """A kernel (taps, in / groups, out) and the bias behind it, if there is one."""
    taps, _, channels = kernel.shape
    weights = {"weight": kernel.transpose(2, 1, 0)}
    if len(layer.items("weights")) > 1:
        weights["bias"] = _numbers(layer, 1, channels)
    stack.add(SequentialLayer("conv", channels, taps, dilation, groups, "bias" in weights, _activation(layer)), **weights)


def _cells(layer: Table, stack: Stack) -> None:
    kind = layer.text("type")
    if _activation(layer) not in ("linear", "tanh"):
        layer.fail("activation", "should be tanh, which is all that RTNeural's cells have", layer.get("activation"))
    recurrent = _numbers(layer, 1, -1, -1)
    hidden = len(recurrent)
    rows = GATES[kind] * hidden
    kernel, recurrent = _numbers(layer, 0, stack.width, rows), _numbers(layer, 1, hidden, rows)
    biases = np.zeros((2, rows), np.float32)
    if len(layer.items("weights")) > 2:
        if kind == "gru":  # keras's own option reset_after, which gives a GRU two rows of biases and torch's equations
            biases = _numbers(layer, 2, 2, rows)
        else:
            biases[0] = _numbers(layer, 2, rows)
    stack.add(
        SequentialLayer(kind, hidden),
        weight_ih=_reordered(kernel, kind).T,
        weight_hh=_reordered(recurrent, kind).T,
        bias_ih=_reordered(biases[0], kind),
        bias_hh=_reordered(biases[1], kind),
    )


def _reordered(numbers: np.ndarray, kind: str) -> np.ndarray:
    """(..., gates hidden) with its gates from keras's order to torch's, or the other way round."""
    return np.concatenate([np.split(numbers, GATES[kind], axis=-1)[k] for k in GATE_ORDER[kind]], axis=-1)


def _batchnorm(layer: Table, stack: Stack) -> None:
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, or without gamma and beta: a gain and a bias for each channel."""
    affine = len(layer.items("weights")) > 2
    rows = [_numbers(layer, i, stack.width).astype(np.float64) for i in range(4 if affine else 2)]
    gamma, beta = rows[:2] if affine else (1.0, 0.0)
    mean, variance = rows[-2:]
    spread = variance + layer.number("epsilon")
    if min(spread) <= 0.0:
        layer.fail("epsilon", "should be such that no variance plus epsilon is 0 or less", layer.get("epsilon"))
    with np.errstate(over="ignore", invalid="ignore"):  # what it makes of odd numbers, the check of the weights tells
        scale = gamma / np.sqrt(spread)
        offset = beta - mean * scale
    shape = SequentialLayer("conv", stack.width, groups=stack.width, activation=_activation(layer))
    stack.add(shape, weight=scale[:, None, None], bias=offset)


def _prelu(layer: Table, stack: Stack) -> None:
    slopes = _numbers(layer, 0, 1, -1)[0]
    if len(slopes) not in (1, stack.width):
        layer.fail("weights.0", f"should hold 1 or {stack.width} slopes", len(slopes))
    slopes = np.broadcast_to(slopes, stack.width)
    stack.add(SequentialLayer("pointwise", stack.width, activation="prelu"), slopes=slopes)


def _activate(layer: Table, stack: Stack) -> None:
    stack.add(SequentialLayer("pointwise", stack.width, activation=_activation(layer)))


READERS: dict[str, Callable[[Table, Stack], None]] = {
    "dense": _dense,
    "time-distributed-dense": _dense,
    "conv1d": _conv1d,
    "lstm": _cells,
    "gru": _cells,
    "batchnorm": _batchnorm,
    "prelu": _prelu,
    "activation": _activate,
}


def write_layers(config: LstmConfig, weights: Weights, louder: float) -> list[dict[str, Any]]:
    """The layers of a recurrent net, its head's output divided by `louder`: the gain behind it makes up for it."""
    layers = []
    for i in range(config.layers):
        kernel, recurrent = (_reordered(weights[f"cells.{name}_l{i}"].T, config.cell) for name in ("weight_ih", "weight_hh"))
        biases = [_reordered(weights[f"cells.{name}_l{i}"], config.cell) for name in ("bias_ih", "bias_hh")]
        # an LSTM adds its two biases before anything else, and keras has one of them
        bias = biases[0] + biases[1] if config.cell == "lstm" else np.stack(biases)
        layers.append(_layer(config.cell, config.hidden, kernel, recurrent, bias))
    head = [weights[f"head.{name}"].T.astype(np.float64) / louder for name in ("weight", "bias")]
    return [*layers, _layer("dense", config.outputs, *head)]


def _layer(kind: str, width: int, *weights: np.ndarray) -> dict[str, Any]:
    return {"type": kind, "activation": "", "shape": [None, None, width], "weights": [array.tolist() for array in weights]}
