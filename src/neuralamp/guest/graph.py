"""What a stranger's graph may be: sound in and sound out, states that come back, known operators; the rest is refused by name.

Only the worker imports this: it is the one place where the bytes of a stranger are taken apart.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, numpy_helper

from neuralamp.errors import CaptureError
from neuralamp.guest.facts import LONGEST_TEXT, shown

# fmt: off
OPERATORS = frozenset((
    # What mixes channels, and what remembers. ReduceMean and ReduceSum norm channels; over time they look ahead, which is heard.
    "Conv", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "ReduceMean", "ReduceSum", "BatchNormalization", "LayerNormalization",
    # Sums, products and curves, number by number.
    "Add", "Sub", "Mul", "Div", "Neg", "Abs", "Sqrt", "Exp", "Log", "Pow", "Reciprocal", "Min", "Max", "Sign", "Erf",
    "Sin", "Cos", "Atan", "Tanh", "Sigmoid", "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Softplus", "Softsign",
    "Clip", "HardSigmoid", "HardSwish", "Gelu", "Mish", "ThresholdedRelu",
    # What moves numbers about, and what exporters write to reckon with shapes.
    "Concat", "Slice", "Split", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Pad", "Gather",
    "Expand", "Constant", "ConstantOfShape", "Shape", "Size", "Cast", "Where", "Equal", "Greater", "GreaterOrEqual",
    "Less", "LessOrEqual", "Not", "And", "Or",
))
# fmt: on
RECURRENT = ("LSTM", "GRU", "RNN")
MOST_NODES = 20_000
MOST_FRAMES = 2**18  # of a buffer, where a graph takes one length only: 5 s at 48 kHz
MOST_STATES, MOST_NUMBERS = 1000, 10_000_000  # how many states, and how many numbers in all of them together

NEXT_NAMES = ("next.{}", "next_{}", "new_{}", "{}_next", "{}_new", "{}_out", "out_{}", "{}_n", "{}n")
"""How exporters call what a state becomes."""

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Port:
    """An input or an output by its name; None is a dimension that the file leaves open."""

    name: str
    shape: Shape | None

    def __str__(self) -> str:
        sizes = [] if self.shape is None else ["any" if size is None else str(size) for size in self.shape]
        return f"{shown(self.name)} ({', '.join(sizes)})"


@dataclass(frozen=True)
class GraphState:
    """What is fed back from buffer to buffer, and what it is at first."""

    name: str
    becomes: str
    first: np.ndarray


@dataclass(frozen=True)
class Graph:
    """A graph that has passed.

    sound, time_axis  the input that hears, and which of its dimensions is time; the others are 1.
    answer            the output that sounds.
    """

    sound: Port
    time_axis: int
    answer: str
    states: tuple[GraphState, ...]
    operators: dict[str, int]
    weights: int
    metadata: dict[str, str]

    @property
    def frames(self) -> int | None:
        """The one length of buffer that the graph takes, or None for any."""
        return (self.sound.shape or ())[self.time_axis]


def read_graph(content: bytes) -> Graph:
    """Check a file's bytes, find what goes in and out. Raises CaptureError that names the first thing that cannot be played."""
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise CaptureError("it is not a whole ONNX file; it was cut short or is something else, so fetch it again") from None
    if not model.graph.node:
        raise CaptureError("it holds no graph; it was cut short or is something else, so fetch it again")
    _check_operators(model)
    _check_tensors(model.graph)
    sound, axis, answer, pairs = _ports(model.graph)
    if ((sound.shape or ())[axis] or 0) > MOST_FRAMES:
        raise CaptureError(f"its sound input {sound} wants buffers of more than {MOST_FRAMES} frames; export it with fewer")
    defaults = {tensor.name: tensor for tensor in model.graph.initializer}
    if len(pairs) > MOST_STATES:
        raise CaptureError(f"it has {len(pairs)} states; {MOST_STATES} is the most")
    states = tuple(GraphState(before.name, after.name, _first(before, defaults)) for before, after in pairs)
    if sum(state.first.size for state in states) > MOST_NUMBERS:
        raise CaptureError(f"its states are more than {MOST_NUMBERS} numbers; no amp needs so many")
    operators = Counter(node.op_type for node in model.graph.node)
    weights = sum(math.prod(tensor.dims) for tensor in model.graph.initializer)
    metadata = {shown(entry.key): shown(entry.value, LONGEST_TEXT) for entry in model.metadata_props[:100]}
    metadata["producer"] = shown(f"{model.producer_name} {model.producer_version}")
    return Graph(sound, axis, answer, states, dict(sorted(operators.items())), weights, metadata)


# -- what it computes --------------------------------------------------------------------------------------------------


def _check_operators(model: onnx.ModelProto) -> None:
    if model.functions:
        raise CaptureError(f"it defines a function, {shown(model.functions[0].name)}; export it with its functions written out")
    if model.training_info:
        raise CaptureError("it carries a training graph; export the net alone")
    if len(model.graph.node) > MOST_NODES:
        raise CaptureError(f"it has {len(model.graph.node)} nodes; {MOST_NODES} is the most")
    for node in model.graph.node:
        place = f"(node {shown(node.name or next(iter(node.output), ''))!r})"
        if node.domain not in ("", "ai.onnx"):
            raise CaptureError(
                f"its operator {shown(node.domain)}.{shown(node.op_type)} {place} is not one of ONNX's own; "
                "export it with standard operators only"
            )
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                raise CaptureError(
                    f"its operator {shown(node.op_type)} {place} holds a graph of its own; export it without branches and loops"
                )
        if node.op_type not in OPERATORS:
            raise CaptureError(
                f"its operator {shown(node.op_type)} {place} is not among those that are played; "
                "docs/guests.md lists them: export the bare net, without what was built around it"
            )
        direction = next((attribute.s for attribute in node.attribute if attribute.name == "direction"), b"forward")
        if node.op_type in RECURRENT and direction != b"forward":
            raise CaptureError(
                f"its operator {node.op_type} {place} runs {shown(direction)}, which needs "
                "the future; train a net that runs forward"
            )


def _check_tensors(graph: onnx.GraphProto) -> None:
    """Every weight lies in this one file."""
    if graph.sparse_initializer:
        raise CaptureError("it has sparse weights; export it with plain ones")
    for tensor in _tensors(graph):
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise CaptureError(f"its weight {shown(tensor.name)} lies in another file; export it as one file")


def _tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                raise CaptureError(f"its operator {node.op_type} holds a sparse tensor; export it with plain ones")
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


# -- what goes in and out ----------------------------------------------------------------------------------------------


def _ports(graph: onnx.GraphProto) -> tuple[Port, int, str, list[tuple[Port, Port]]]:
    """The sound input and its time axis, the sound output, and each state with what it becomes.

    States are found by name where an output bears a name of `NEXT_NAMES`; the rest by order, of equal shape.
    """
    weights = {tensor.name for tensor in graph.initializer}
    outputs = [_port(value) for value in graph.output]
    inputs = [_port(value) for value in graph.input if value.name not in weights]
    # Old files name every weight among the inputs; one that comes back as an output is a state with a default.
    floats = [value for value in graph.input if value.type.tensor_type.elem_type == TensorProto.FLOAT]
    inputs += [_port(value) for value in floats if value.name in weights and _next(_port(value), outputs)]
    pairs = []
    for port in inputs:
        if (after := _next(port, outputs)) is not None:
            pairs.append((port, after))
            outputs.remove(after)
    named = [before for before, _ in pairs]
    inputs = [port for port in inputs if port not in named]
    sound, axis = _sound(inputs)
    if not outputs:
        raise CaptureError("it has no output that could be the sound")
    answer, outputs = outputs[0], outputs[1:]
    for port in inputs:
        if port is sound:
            continue
        if not outputs or not _fits(port, outputs[0]):
            raise CaptureError(
                f"its input {port} is neither the sound nor a state that an output of the same shape follows; "
                "export a net of one sound input, with its knobs built in"
            )
        pairs.append((port, outputs.pop(0)))
    if outputs:
        raise CaptureError(f"its output {outputs[0]} belongs to no state; export a net of one sound output")
    return sound, axis, answer.name, pairs


def _port(value: onnx.ValueInfoProto) -> Port:
    if not isinstance(value.name, str):
        raise CaptureError(f"its {shown(value.name)} is named in no text that can be read; export the net again")
    if value.type.WhichOneof("value") != "tensor_type" or value.type.tensor_type.elem_type != TensorProto.FLOAT:
        raise CaptureError(f"its {shown(value.name)} is no tensor of float32; export the net in float32")
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return Port(value.name, None)
    return Port(value.name, tuple(size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim))


def _next(port: Port, outputs: Sequence[Port]) -> Port | None:
    """The output that a state becomes, by its name."""
    stems = {
        port.name,
        port.name.removesuffix("_in"),
        port.name.removesuffix("0").removesuffix("_"),
        port.name.removeprefix("in_"),
    }
    names = {form.format(stem) for form in NEXT_NAMES for stem in stems if stem}
    return next((output for output in outputs if output.name in names and _fits(port, output)), None)


def _fits(port: Port, output: Port) -> bool:
    if port.shape is None or output.shape is None:
        return port.shape is not None
    pairs = zip(port.shape, output.shape, strict=False)
    return len(port.shape) == len(output.shape) and all(a == b or a is None or b is None for a, b in pairs)


def _sound(inputs: Sequence[Port]) -> tuple[Port, int]:
    """Which input hears: the one whose time is open, else the first; and its time axis."""
    layouts = [(port, axis) for port in inputs if (axis := _time_axis(port.shape)) is not None]
    if len(found := [(port, axis) for port, axis in layouts if (port.shape or ())[axis] is None]) > 1:
        raise CaptureError(
            f"it has two sound inputs, {found[0][0]} and {found[1][0]}; export a net of one sound input, with its knobs built in"
        )
    if found or (layouts and layouts[0][0] is inputs[0]):
        return (found or layouts)[0]
    first = str(inputs[0]) if inputs else "none"
    raise CaptureError(
        f"its sound input cannot be told (its first input: {first}); it is one row of mono sound: "
        "(1, 1, frames), (1, frames, 1), (1, frames) or (frames)"
    )


def _time_axis(shape: Shape | None) -> int | None:
    """Which dimension of a mono row is time, or None for what is no mono row; the first of two or three is the batch, of one."""
    match shape:
        case (frames,):
            axis = 0
        case (1 | None, frames):
            axis = 1
        case (1 | None, 1, frames):
            axis = 2
        case (1 | None, frames, 1):
            axis = 1
        case _:
            return None
    return axis if frames is None or frames > 0 else None


def _first(port: Port, defaults: dict[str, TensorProto]) -> np.ndarray:
    """What a state is at first: its own default, or zeros; a dimension that is left open is a batch of one."""
    shape = tuple(1 if size is None else size for size in port.shape or ())
    if min(shape, default=1) < 0 or math.prod(shape) > MOST_NUMBERS:
        raise CaptureError(f"its state {port} is not possible; a state has at most {MOST_NUMBERS} numbers")
    if port.name not in defaults:
        return np.zeros(shape, np.float32)
    first = numpy_helper.to_array(defaults[port.name])
    if first.shape != shape or first.dtype != np.float32:
        raise CaptureError(f"its state {port} begins as {first.dtype} of shape {first.shape}; export the net again")
    return np.ascontiguousarray(first)
