"""Recurrent, convolutional and linear nets as a .nam file holds them."""

from typing import Any

import numpy as np

from neuralamp.capture.formats.nam import activations
from neuralamp.capture.formats.nam.weights import Numbers
from neuralamp.capture.json_table import Table
from neuralamp.errors import CaptureError
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialConfig, SequentialLayer
from neuralamp.nets.weights import Weights

Net = tuple[Any, Weights]


def one_input(table: Table, *keys: str) -> None:
    """Raise CaptureError where a net wants to hear more than one signal."""
    for key in keys:
        if table.integer(key, 1) != 1:
            table.fail(key, "should be 1: an amp hears one signal", table.get(key))


def read_lstm(model: Table) -> Net:
    """A layer is one matrix for input and past, one bias, and where h and c begin."""
    table, numbers = model.table("config"), Numbers(model)
    one_input(table, "input_size", "in_channels")
    hidden, layers = table.integer("hidden_size"), table.integer("num_layers")
    config = LstmConfig(hidden, layers, outputs=table.integer("out_channels", 1), initial_state=True)
    weights: dict[str, np.ndarray] = {}
    for i in range(layers):
        width = 1 if i == 0 else hidden
        matrix = numbers.take((4 * hidden, width + hidden))
        weights[f"cells.weight_ih_l{i}"] = np.ascontiguousarray(matrix[:, :width])
        weights[f"cells.weight_hh_l{i}"] = np.ascontiguousarray(matrix[:, width:])
        weights[f"cells.bias_ih_l{i}"] = numbers.take((4 * hidden,))
        weights[f"cells.bias_hh_l{i}"] = np.zeros(4 * hidden, np.float32)
        weights[f"initial.h_l{i}"] = numbers.take((hidden,))
        weights[f"initial.c_l{i}"] = numbers.take((hidden,))
    weights["head.weight"] = numbers.take((config.outputs, hidden))
    weights["head.bias"] = numbers.take((config.outputs,))
    numbers.finish()
    return config, weights


def write_lstm(config: LstmConfig, weights: Weights) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The object under "config", and the numbers."""
    parts: list[np.ndarray] = []
    for i in range(config.layers):
        parts.append(np.concatenate((weights[f"cells.weight_ih_l{i}"], weights[f"cells.weight_hh_l{i}"]), axis=1))
        parts.append(weights[f"cells.bias_ih_l{i}"] + weights[f"cells.bias_hh_l{i}"])
        nothing = np.zeros(config.hidden, np.float32)
        parts += [weights.get(f"initial.{name}_l{i}", nothing) for name in ("h", "c")]
    table = {"input_size": 1, "hidden_size": config.hidden, "num_layers": config.layers}
    if config.outputs > 1:
        table["out_channels"] = config.outputs
    return table, [*parts, weights["head.weight"], weights["head.bias"]]


def read_convnet(model: Table) -> Net:
    """Blocks of a convolution with two taps, batch normalisation and activation, and a linear head."""
    table, numbers = model.table("config"), Numbers(model)
    one_input(table, "in_channels")
    channels, dilations, groups = table.integer("channels"), table.integers("dilations"), table.integer("groups", 1)
    normalised = table.flag("batchnorm")
    text, slopes = activations.read(table, "activation", table.get("activation"))
    blocks = [SequentialLayer("conv", channels, 2, dilation, groups, activation=text) for dilation in dilations]
    config = SequentialConfig((*blocks, SequentialLayer("conv", table.integer("out_channels", 1))))
    shapes, weights = config.weights(), {}
    for i in range(len(blocks)):
        weight, bias = f"layers.{i}.weight", f"layers.{i}.bias"
        weights[weight] = numbers.take(shapes[weight])
        if normalised:
            scale, offset = _normalisation(numbers, channels)
            with np.errstate(over="ignore", invalid="ignore"):  # what it makes of odd numbers, the check of the weights tells
                weights[weight] = (weights[weight] * scale[:, None, None]).astype(np.float32)
                weights[bias] = offset.astype(np.float32)
        else:
            weights[bias] = numbers.take((channels,))
        if slopes:
            if len(slopes) not in (1, channels):
                table.fail("activation", f"should have one slope, or one for each of the {channels} channels")
            weights[f"layers.{i}.slopes"] = np.array(np.broadcast_to(np.array(slopes, np.float32), (channels,)))
    last = len(blocks)
    weights[f"layers.{last}.weight"] = numbers.take(shapes[f"layers.{last}.weight"])
    weights[f"layers.{last}.bias"] = numbers.take(shapes[f"layers.{last}.bias"])
    numbers.finish()
    return config, weights


def is_convnet(config: SequentialConfig) -> bool:
    """Whether a net is blocks of one kind, of convolutions with two taps, and a linear head."""
    *blocks, head = config.layers
    kinds = {(block.kind, block.channels, block.kernel_size, block.groups, block.bias, block.activation) for block in blocks}
    one = blocks[0] if len(kinds) == 1 else None
    linear = head == SequentialLayer("conv", head.channels)
    return one is not None and (one.kind, one.kernel_size, one.bias) == ("conv", 2, True) and linear and config.skip == 0.0


def write_convnet(config: SequentialConfig, weights: Weights) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The object under "config", and the numbers, of a net that `is_convnet`."""
    *blocks, head = config.layers
    slopes = [weights[name] for i in range(len(blocks)) if (name := f"layers.{i}.slopes") in weights]
    if any(not np.array_equal(slopes[0], other) for other in slopes):
        raise CaptureError("its layers have slopes of their own, which a .nam file cannot say")
    table = {
        "channels": blocks[0].channels,
        "dilations": [block.dilation for block in blocks],
        "batchnorm": False,
        "activation": activations.write(blocks[0].activation, [float(slope) for slope in slopes[0]] if slopes else []),
        "groups": blocks[0].groups,
        "out_channels": head.channels,
    }
    return table, [weights[f"layers.{i}.{part}"] for i in range(len(config.layers)) for part in ("weight", "bias")]


def _normalisation(numbers: Numbers, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """(x - mean) weight / sqrt(variance + epsilon) + bias, as a scale and an offset that go into the convolution before."""
    mean, variance, weight, bias = (numbers.take((channels,)).astype(np.float64) for _ in range(4))
    epsilon = float(numbers.take((1,))[0])
    scale = weight / np.sqrt(np.maximum(variance + epsilon, np.finfo(np.float32).tiny))
    return scale, bias - scale * mean


def read_linear(model: Table) -> Net:
    """An impulse response, and perhaps an offset. How the file wants it computed changes nothing of the sound.

    Of several outputs, which only a net that conditions another can have, the first is the answer and the others are silent.
    """
    table, numbers = model.table("config"), Numbers(model)
    one_input(table, "in_channels")
    config, outputs = LinearConfig(table.integer("receptive_field"), table.flag("bias")), table.integer("out_channels", 1)
    weights = {name: numbers.take(shape) for name, shape in config.weights().items()}
    numbers.finish()
    if outputs == 1:
        return config, weights
    several = SequentialConfig((SequentialLayer("conv", outputs, config.taps),))
    matrices = {name: np.zeros(shape, np.float32) for name, shape in several.weights().items()}
    matrices["layers.0.weight"][0, 0] = weights["impulse"][::-1]  # a convolution's weights begin with the oldest
    matrices["layers.0.bias"][0] = weights["bias"][0] if config.bias else 0.0
    return several, matrices


def write_linear(config: LinearConfig, weights: Weights) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The object under "config", and the numbers."""
    return {"receptive_field": config.taps, "bias": config.bias}, [weights[name] for name in config.weights()]
