"""A capture gone wrong: its config and card, its weights, its graph, other files that it points to, its bytes."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from pydantic import TypeAdapter, ValidationError

from neuralamp.capture.formats.onnx import ARCHITECTURE, CARD, CONFIG
from neuralamp.errors import NetError
from neuralamp.nets import architectures
from neuralamp.nets.weights import count
from tests.fuzz.mutate_bytes import ODD_INTEGERS, spoil_bytes
from tests.fuzz.mutate_json import containers, spoil_json
from tests.fuzz.protobuf import flood, nested, spoil_message

MOST_WEIGHTS = 50_000  # numbers that a case brings along; a net of more would make large and slow cases of every kind
ODD_WEIGHTS = (1e-45, 1e-39, 1e20, 3e38, float("nan"), float("inf"))
Spoiler = Callable[[onnx.ModelProto, Random, Sequence[str]], None]


def _entries(model: onnx.ModelProto, *keys: str) -> list:
    return [entry for entry in model.metadata_props if not keys or entry.key in keys]


def _metadata(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    """Config or card as JSON gone wrong."""
    entry = rng.choice(_entries(model, rng.choice((CONFIG, CONFIG, CARD))) or [model.metadata_props.add()])
    entry.value = spoil_json(entry.value.encode() or b"{}", rng, paths).decode(errors="replace")


def _entry(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    entry = rng.choice(_entries(model))
    match rng.randrange(4):
        case 0:
            model.metadata_props.remove(entry)
        case 1:
            model.metadata_props.add(key=entry.key, value=rng.choice(("", "{}", entry.value)))
        case 2:
            entry.key = rng.choice(("", entry.key.upper(), CONFIG, CARD, "a\nb"))
        case 3:
            name = rng.choice((*architectures(), "", "..", "lstm.config", "a\nb\x1b[31m", "x" * 10_000))
            next((entry for entry in _entries(model, ARCHITECTURE)), entry).value = name


def _tensor(model: onnx.ModelProto, rng: Random) -> TensorProto:
    return rng.choice(model.graph.initializer)


def spoil_shape(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    tensor = _tensor(model, rng)
    match rng.randrange(4):
        case 0:
            tensor.dims.append(rng.choice((0, 1, -1, 2**31)))
        case 1:
            del tensor.dims[:]
        case 2 if tensor.dims:
            tensor.dims[0] ^= 1  # one more or one less
        case _ if tensor.dims:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice((-1, 0, 10**12, 2**31, 2**62, -(2**63), 2**63 - 1))


def spoil_numbers(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    tensor = _tensor(model, rng)
    match rng.randrange(6):
        case 0:
            tensor.raw_data = tensor.raw_data[: -rng.choice((1, 2, 3, 4, 8, 64))]
        case 1:
            tensor.raw_data += bytes(rng.choice((1, 2, 3, 4, 8, 64)))
        case 2:
            values = (
                np.frombuffer(tensor.raw_data, np.float32).copy() if len(tensor.raw_data) % 4 == 0 else np.ones(1, np.float32)
            )
            values[rng.randrange(max(1, values.size)) :][: rng.choice((1, 1000))] = rng.choice(ODD_WEIGHTS)
            tensor.raw_data = values.tobytes()
        case 3:
            values = len(tensor.raw_data) // 4 + rng.choice((-1, 0, 0, 1))
            tensor.ClearField("raw_data")
            tensor.float_data.extend([rng.choice((0.1, *ODD_WEIGHTS))] * values)
        case 4:
            tensor.data_type = rng.choice((*range(24), -1, 2**31 - 1))
        case 5:
            tensor.int64_data.extend([1] * 8)
            tensor.string_data.append(b"\0" * 64)


def spoil_external(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    """A weight that claims to lie in another file."""
    tensor = _tensor(model, rng)
    if rng.random() < 0.8:
        tensor.data_location = TensorProto.EXTERNAL
    if rng.random() < 0.5:
        tensor.ClearField("raw_data")
    facts = {
        "location": rng.choice([*paths, "", "/", "a\0b"]),
        "offset": rng.choice(("0", "-1", "x", str(2**63))),
        "length": "4096",
    }
    for key, value in list(facts.items())[: rng.choice((1, 3))]:
        tensor.external_data.add(key=key, value=value)


def spoil_tensor_name(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    one, other = _tensor(model, rng), _tensor(model, rng)
    match rng.randrange(4):
        case 0:
            one.name = other.name
        case 1:
            one.name = rng.choice(("", "a\nb", one.name + " ", "x" * 10_000))
        case 2:
            model.graph.initializer.remove(one)
        case 3:
            model.graph.initializer.extend([other] * rng.choice((1, 100)))


def _graph(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    graph = model.graph
    match rng.randrange(7):
        case 0:
            del graph.node[:]
        case 1:
            inside = graph.node[0].attribute.add(name="body", type=onnx.AttributeProto.GRAPH).g
            for _ in range(rng.choice((1, 10, 40))):
                inside = inside.node.add(op_type="Loop").attribute.add(name="body", type=onnx.AttributeProto.GRAPH).g
        case 2:
            del graph.initializer[:]
        case 3:
            model.ir_version = rng.choice(ODD_INTEGERS[:-2])
        case 4:
            rng.choice(graph.node).op_type = rng.choice(("", "PyOp", "a\nb"))
        case 5:
            graph.sparse_initializer.add().dims.extend([2**62] * 4)
        case 6:
            model.functions.add(name="f").node.extend(graph.node)


def _another_net(model: onnx.ModelProto, rng: Random, paths: Sequence[str]) -> None:
    """Another config, and weights that fit it: what opens must also play."""
    architecture = architectures().get(next((entry.value for entry in _entries(model, ARCHITECTURE)), ""))
    entries = _entries(model, CONFIG)
    if architecture is None or not entries:
        return
    entry = entries[0]
    try:
        whole = [json.loads(entry.value)]
        _turn_up(whole, rng)
        entry.value = json.dumps(whole[0])
        shapes = TypeAdapter(architecture.config).validate_json(entry.value, strict=True).weights()
    except (ValueError, RecursionError, ValidationError, NetError):
        return
    if count(shapes) <= MOST_WEIGHTS:
        values, peak = np.random.default_rng(rng.randrange(2**32)), rng.choice((0.3, 0.3, 10.0, 1e5, 1e30, 1e-39))
        weights = {name: values.uniform(-peak, peak, shape).astype(np.float32) for name, shape in shapes.items()}
        del model.graph.initializer[:]
        model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights.items())


def _turn_up(whole: list[Any], rng: Random) -> None:
    """Whole numbers made larger: deeper pasts, wider layers."""
    lists = [found for found in containers(whole) if isinstance(found, list)]
    tables = [found for found in containers(whole) if isinstance(found, dict)]
    for container in (*lists, *tables):
        for key, value in list(container.items() if isinstance(container, dict) else enumerate(container)):
            if type(value) is int and rng.random() < 0.2:
                container[key] = value * rng.choice((2, 10, 100, 10_000, 1_000_000))


SPOILERS: tuple[Spoiler, ...] = (
    _metadata, _metadata, _metadata, _entry, spoil_shape, spoil_numbers, spoil_numbers, spoil_external, spoil_external,
    spoil_tensor_name,
    _graph, _another_net, _another_net,
)  # fmt: skip


def spoil_onnx(data: bytes, rng: Random, paths: Sequence[str] = ()) -> bytes:
    """A capture gone wrong.

    paths  names of files that a reader must not follow; weights claim to lie there.
    """
    kind = rng.random()
    if kind < 0.1:
        return spoil_bytes(data, rng)
    if kind < 0.25:
        return spoil_message(data, rng)
    if kind < 0.27:
        return data + nested(rng.choice((7, 14, 25)), rng.choice((90, 1000, 30_000)))
    if kind < 0.271:
        return data + flood(rng.choice((1000, 4_000_000)), rng)
    model = onnx.ModelProto.FromString(data)
    for _ in range(rng.choice((1, 1, 1, 2))):
        if model.graph.initializer and model.graph.node and model.metadata_props:
            rng.choice(SPOILERS)(model, rng, paths)
    return model.SerializeToString()
