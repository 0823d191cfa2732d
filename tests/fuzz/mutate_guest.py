"""A stranger's graph gone wrong: operators, wires, attributes, ports, shapes, weights, its bytes."""

from collections.abc import Callable, Sequence
from random import Random

import onnx
from onnx import AttributeProto, TensorProto, helper

from neuralamp.guest.graph import OPERATORS
from tests.fuzz.mutate_bytes import spoil_bytes
from tests.fuzz.mutate_onnx import spoil_external, spoil_numbers, spoil_shape, spoil_tensor_name
from tests.fuzz.protobuf import nested, spoil_message

NAMES = (*sorted(OPERATORS), "Loop", "If", "Scan", "PyOp", "Resize", "", "a\nb")
INTEGERS = (0, -1, 1, 2, 3, 7, 1000, 10**6, 2**31 - 1, 2**31, 2**40, 2**62, -(2**31), -(2**63), 2**63 - 1)
Spoiler = Callable[[onnx.ModelProto, Random, Sequence[str]], None]


def _operator(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    rng.choice(model.graph.node).op_type = rng.choice(NAMES)


def _wire(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    """An end of a node at another name: of a node, a weight, a port, or of nothing."""
    graph = model.graph
    named = [name for node in graph.node for name in (*node.input, *node.output)] + [tensor.name for tensor in graph.initializer]
    node = rng.choice(graph.node)
    ends = rng.choice((node.input, node.output))
    match rng.randrange(3):
        case 0 if ends:
            ends[rng.randrange(len(ends))] = rng.choice([*named, "", "nothing"])
        case 1 if ends:
            del ends[rng.randrange(len(ends))]
        case _:
            ends.append(rng.choice([*named, ""]))


def _attribute(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    node = rng.choice(model.graph.node)
    known = list(node.attribute)
    if known and rng.random() < 0.7:
        attribute = rng.choice(known)
        if attribute.type == AttributeProto.INTS and attribute.ints and rng.random() < 0.8:
            attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(INTEGERS)
        elif attribute.type == AttributeProto.INT:
            attribute.i = rng.choice(INTEGERS)
        elif attribute.type == AttributeProto.FLOATS and attribute.floats:
            attribute.floats[0] = rng.choice((0.0, -1.0, 1e38, float("nan"), float("inf")))
        elif attribute.type == AttributeProto.STRINGS and attribute.strings:
            attribute.strings[0] = rng.choice((b"Tanh", b"Softsign", b"", b"\xff"))
        else:
            node.attribute.remove(attribute)
        return
    name = rng.choice(("axis", "axes", "dilations", "pads", "strides", "group", "kernel_shape", "perm", "hidden_size",
                       "direction", "alpha", "activations", "auto_pad", "clip", "keepdims"))  # fmt: skip
    value = rng.choice(
        (rng.choice(INTEGERS), [rng.choice(INTEGERS) for _ in range(rng.randrange(1, 4))], 1.5, "reverse", [0.5], ["Tanh"])
    )
    node.attribute.append(helper.make_attribute(name, value))


def _port(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    ports = rng.choice((model.graph.input, model.graph.output))
    if not ports:
        return
    port = rng.choice(ports)
    tensor = port.type.tensor_type
    match rng.randrange(6):
        case 0 if tensor.shape.dim:
            rng.choice(tensor.shape.dim).dim_value = rng.choice(INTEGERS)
        case 1 if tensor.shape.dim:
            rng.choice(tensor.shape.dim).dim_param = rng.choice(("frames", "batch", "", "a\nb"))
        case 2:
            tensor.elem_type = rng.choice((0, 1, 7, 10, 11, 24, 99))
        case 3:
            port.name = rng.choice(("x", "y", "h0", "hn", "", "a\nb", "x" * 5000))
        case 4:
            ports.append(port)
        case _:
            ports.remove(port)


def _state(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    """What a state is, going in and coming out alike: the last ports, where there are more than the sound's."""
    size, ends = (
        rng.choice(INTEGERS),
        [ports[-1].type.tensor_type for ports in (model.graph.input, model.graph.output) if len(ports) > 1],
    )
    for tensor in ends:
        if tensor.shape.dim:
            tensor.shape.dim[-1].dim_value = size


def _node(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    graph = model.graph
    node = rng.choice(graph.node)
    match rng.randrange(4):
        case 0:
            graph.node.remove(node)
        case 1:
            graph.node.append(node)
        case 2:
            node.domain = rng.choice(("com.microsoft", "ai.onnx.ml", "a\nb"))
        case 3:
            last = graph.node[-1].output[0] if graph.node[-1].output else ""
            graph.node.extend(helper.make_node("Tanh", [last], [f"more{k}"]) for k in range(rng.choice((1, 300, 3000))))


def _version(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    if model.opset_import and rng.random() < 0.8:
        model.opset_import[0].version = rng.choice((-1, 0, 1, 5, 6, 7, 9, 11, 13, 18, 21, 22, 23, 99, 2**62))
    else:
        model.ir_version = rng.choice((0, 1, 3, 4, 7, 9, 11, 99, 2**31))


def _fact(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    value = rng.choice(("44100", "1e308", "nan", "", "a\nb", "x" * 10_000))
    model.metadata_props.add(key=rng.choice(("sample_rate", "name", "", "a\nb")), value=value)


def _constant(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    """A weight that becomes a vast one when the graph is played."""
    graph = model.graph
    size = rng.choice(([10**4, 10**4], [2**31], [2**20, 2**20], [-1], [2**62, 2]))
    value = helper.make_tensor("v", TensorProto.FLOAT, [1], [0.5])
    graph.initializer.append(helper.make_tensor("vast size", TensorProto.INT64, [len(size)], size))
    graph.node.insert(0, helper.make_node("ConstantOfShape", ["vast size"], ["vast"], value=value))
    node = rng.choice(graph.node)
    if node.input and node.op_type != "ConstantOfShape":
        node.input[rng.randrange(len(node.input))] = "vast"


SPOILERS: tuple[Spoiler, ...] = (
    _operator, _wire, _attribute, _attribute, _port, _port, _state, _node, _version, _fact, _constant, spoil_numbers,
    spoil_numbers, spoil_shape, spoil_external, spoil_tensor_name,
)  # fmt: skip
OF_WEIGHTS = (spoil_numbers, spoil_shape, spoil_external, spoil_tensor_name)


def spoil_guest(data: bytes, rng: Random, paths: Sequence[str] = ()) -> bytes:
    """A graph gone wrong.

    paths  names of files that must not be followed; weights claim to lie there.
    """
    kind = rng.random()
    if kind < 0.1:
        return spoil_bytes(data, rng)
    if kind < 0.2:
        return spoil_message(data, rng)
    if kind < 0.21:
        return data + nested(rng.choice((7, 14, 25)), rng.choice((90, 1000, 30_000)))
    model = onnx.ModelProto.FromString(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        spoiler = rng.choice(SPOILERS)
        if model.graph.node and (model.graph.initializer or spoiler not in OF_WEIGHTS):
            spoiler(model, rng, paths)
    return model.SerializeToString()
