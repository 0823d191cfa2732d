"""A torch state dict as JSON, as RTNeural's own examples have it: names and numbers, layers in the order of the file.

It says nothing of what lies between its layers; they are taken to follow each other directly.
"""

import numpy as np

from neuralamp.capture.formats.rtneural.stack import MOST_INPUTS, Stack
from neuralamp.capture.json_table import Table
from neuralamp.dsp.recurrent import GATES, PLACES
from neuralamp.nets.sequential.config import SequentialLayer

WARNING = "it is weights alone; its layers are taken to follow each other directly, without nonlinearities between them"
WEIGHTS = ("weight", "weight_ih_l0")
"""The last words of names, one of which every layer has."""
KINDS = {count: kind for kind, count in GATES.items()}
"""Cells by their number of gates."""


def recognises(model: Table) -> bool:
    """Lists only, some of them named as torch names weights."""
    names = [key.rpartition(".")[2] for key in model.value]
    return any(name in WEIGHTS for name in names) and all(isinstance(value, list) for value in model.value.values())


def inputs(model: Table) -> int:
    """Rows that the first layer hears."""
    key = next(key for key in model.value if key.rpartition(".")[2] in WEIGHTS)
    first = (model.items(key) or [None])[0]
    if not isinstance(first, list) or not 1 <= len(first) <= MOST_INPUTS:
        model.fail(key, f"should hold rows of 1 to {MOST_INPUTS} inputs", first)
    return len(first)


def read(model: Table) -> Stack:
    """Layer by layer, in the order in which the file first names them."""
    stack = Stack(inputs(model))
    modules: dict[str, list[str]] = {}
    for key in model.value:
        name, dot, weight = key.rpartition(".")
        modules.setdefault(name + dot, []).append(weight)
    for name, named in modules.items():
        read_layer = _cells if "weight_ih_l0" in named else _linear
        for known in read_layer(model, name, named, stack):
            named.remove(known)
        if named:
            model.fail(name + named[0], "should not be there: it belongs to no layer that is known", model.get(name + named[0]))
    return stack


def _cells(model: Table, name: str, named: list[str], stack: Stack) -> list[str]:
    """torch.nn.LSTM or GRU of any number of layers; returns the names that it has read."""
    read: list[str] = []
    while f"weight_ih_l{len(read) // len(PLACES)}" in named:
        layer = len(read) // len(PLACES)
        keys = [f"{place}_l{layer}" for place in PLACES]
        weight_ih, weight_hh = (model.array(name + key, 2) for key in keys[:2])
        rows, hidden = weight_hh.shape
        kind = KINDS.get(rows / hidden if hidden else 0)
        if kind is None:
            model.fail(name + keys[1], "should have 3 or 4 rows for each of its columns", f"{rows} x {hidden}")
        if weight_ih.shape != (rows, stack.width):
            model.fail(name + keys[0], f"should be {rows} x {stack.width}", " x ".join(map(str, weight_ih.shape)))
        biases = [_bias(model, name + key, rows) for key in keys[2:]]
        stack.add(SequentialLayer(kind, hidden), **dict(zip(PLACES, (weight_ih, weight_hh, *biases), strict=True)))
        read += keys
    return [key for key in read if key in named]


def _linear(model: Table, name: str, named: list[str], stack: Stack) -> list[str]:
    """torch.nn.Linear, (out, in), or torch.nn.Conv1d, (out, in / groups, taps); returns the names that it has read."""
    first = (model.items(f"{name}weight") or [None])[0]
    is_conv = isinstance(first, list) and bool(first) and isinstance(first[0], list)
    weight = model.array(f"{name}weight", 3 if is_conv else 2)
    if not is_conv:
        weight = weight[..., None]
    channels, heard, taps = weight.shape
    if not heard or stack.width % heard or (heard != stack.width and not is_conv):
        model.fail(f"{name}weight", f"should hear {stack.width} channels, or in a convolution a part of them", heard)
    biases = {"bias": _bias(model, f"{name}bias", channels)} if "bias" in named else {}
    stack.add(SequentialLayer("conv", channels, taps, 1, stack.width // heard, bool(biases)), weight=weight, **biases)
    return ["weight", *biases]


def _bias(model: Table, key: str, length: int) -> np.ndarray:
    """Numbers of this length; zeros where the layer was made without."""
    if key not in model:
        return np.zeros(length, np.float32)
    bias = model.array(key, 1)
    if len(bias) != length:
        model.fail(key, f"should hold {length} numbers", bias.tolist())
    return bias
