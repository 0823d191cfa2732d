"""Graphs as strangers make them: small, by hand, with what they should sound like beside them."""

import itertools
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from neuralamp.nets import graph
from tests.nets.random_nets import excitation, learned_net

Shape = tuple[int | str, ...]


class Sketch:
    """A graph put down line by line."""

    def __init__(self, **inputs: Shape):
        self.inputs, self.outputs = dict(inputs), {}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._numbers = itertools.count()

    def __call__(self, operator: str, *inputs: str, into: str = "", outputs: int = 1, **attributes) -> str:
        """A node; the name of its first output."""
        number = next(self._numbers)
        first = into or f"v{number}"
        names = [first, *(f"{first}.{k}" for k in range(1, outputs))]
        self.nodes.append(helper.make_node(operator, inputs, names, name=f"{operator.lower()}_{number}", **attributes))
        return first

    def constant(self, value, kind=np.float32, name: str = "") -> str:
        name = name or f"c{next(self._numbers)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def model(self, opset: int = 17, **outputs: Shape) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "stranger",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in self.inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
            self.constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def write(path: Path, model: onnx.ModelProto) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


TAPS = np.random.default_rng(7).uniform(-0.4, 0.4, (2, 3)).astype(np.float32)
DILATIONS = (5, 40)
PAST = 2 * sum(DILATIONS)  # frames that `convolution` hears back


def convolution(pads: tuple[int, int] | None, frames: int | str = "frames") -> onnx.ModelProto:
    """Two dilated convolutions of three taps with a tanh and a bias between; `pads` are a share of what the past needs."""
    g = Sketch(x=(1, 1, frames))
    y = "x"
    for taps, dilation in zip(TAPS, DILATIONS, strict=True):
        padding = [side * dilation for side in pads or (0, 0)]
        y = g("Conv", y, g.constant(taps[None, None]), g.constant([0.1]), dilations=[dilation], pads=padding)
        y = g("Tanh", y)
    g("Identity", y, into="y")
    return g.model(y=(1, 1, "out"))


def convolved(x: np.ndarray) -> np.ndarray:
    """What `convolution` means: (frames,) from rest on silence, in float64."""
    y = np.pad(x.astype(np.float64), (1000, 0))
    for taps, dilation in zip(TAPS.astype(np.float64), DILATIONS, strict=True):
        past = np.pad(y, (2 * dilation, 0))
        y = np.tanh(0.1 + sum(taps[k] * past[k * dilation : k * dilation + y.size] for k in range(3)))
    return y[1000:]


FORGETS = 0.5


def one_pole(frames: int | str = "frames") -> onnx.ModelProto:
    """y[n] = x[n] + y[n-1] / 2 by an RNN that clips nothing: a state in, a state out."""
    g = Sketch(x=(1, frames, 1), h0=(1, 1, 1))
    steps = g("Transpose", "x", perm=[1, 0, 2])
    w, r = g.constant([[[1.0]]]), g.constant([[[FORGETS]]])
    rnn = g("RNN", steps, w, r, "", "", "h0", outputs=2, hidden_size=1, activations=["Affine"], activation_alpha=[1.0],
            activation_beta=[0.0])  # fmt: skip
    g("Identity", f"{rnn}.1", into="hn")
    g("Transpose", g("Squeeze", rnn, g.constant([1], np.int64)), perm=[1, 0, 2], into="y")
    return g.model(y=(1, frames, 1), hn=(1, 1, 1))


def poled(x: np.ndarray) -> np.ndarray:
    """What `one_pole` means: (frames,) from zero."""
    y, last = np.empty(x.size), 0.0
    for n, value in enumerate(x):
        y[n] = last = value + FORGETS * last
    return y


def ours_without_its_marks(config, seed: int = 1) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """One of our nets as a stranger might have exported it, scaled to unit RMS on `excitation`; and its weights."""
    weights, _ = learned_net(config, excitation(config, 8000, seed), seed)
    model = graph(config, weights)
    model.producer_name = "someone"
    return model, weights


def matrix_chain(length: int) -> onnx.ModelProto:
    """A sound multiplied with a long product of large matrices: each takes a fifth of a second, and nothing may be left out."""
    g = Sketch(x=(1, 1, "frames"))
    last = matrix = g("ConstantOfShape", g.constant([2000, 2000], np.int64), value=helper.make_tensor("v", 1, [1], [1e-4]))
    for _ in range(length):
        last = g("MatMul", last, matrix)
    g("Mul", "x", g("ReduceMean", last, keepdims=0), into="y")
    return g.model(y=(1, 1, "frames"))


def greedy_when_loud() -> onnx.ModelProto:
    """y = x, and beside it numbers by the million for each step that x is louder than full scale."""
    g = Sketch(x=(1, 1, "frames"))
    power = g("ReduceMean", g("Mul", "x", "x"), axes=[0, 1, 2], keepdims=0)
    size = g("Cast", g("Add", g("Mul", power, g.constant(1000.0)), g.constant(1.0)), to=TensorProto.INT64)
    shape = g("Concat", g.constant([1000], np.int64), g("Unsqueeze", size, g.constant([0], np.int64)), axis=0)
    many = g("Expand", g.constant([[1.0]]), shape)
    g("Add", "x", g("Mul", g("ReduceMean", many, keepdims=0), g.constant(0.0)), into="y")
    return g.model(y=(1, 1, "frames"))
