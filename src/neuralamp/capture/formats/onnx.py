"""neuralamp's own capture: one ONNX model that anyone can run, with its config and card in the metadata."""

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from pydantic import TypeAdapter, ValidationError

from neuralamp import __version__, nets
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.content import MARK, Content
from neuralamp.errors import CaptureError
from neuralamp.nets.weights import Weights, check_shapes
from neuralamp.settings import first_fault

NAME = "neuralamp (.onnx)"
ENDINGS = (".onnx",)
ARCHITECTURE, CONFIG, CARD = MARK.decode(), "neuralamp.config", "neuralamp.card"
# The largest net that a config allows has 10 MB of weights. Protobuf makes up to 84 bytes in memory of each in a hostile file.
MOST_BYTES = 10 * 2**20
MOST_LETTERS = 2**16  # of config or card; the largest config that is possible has 16 thousand


def recognises(content: Content) -> bool:
    """Protobuf has no first bytes of its own: whatever is not JSON text."""
    return bool(content.data) and not content.is_json


def write(capture: Capture) -> bytes:
    """The travelling graph, with config and card beside it."""
    model = nets.graph(capture.config, capture.weights)
    card = asdict(capture.card) | {"writer": f"neuralamp {__version__}"}
    model.producer_version = __version__
    metadata = {
        ARCHITECTURE: nets.architecture_of(capture.config).name,
        CONFIG: TypeAdapter(type(capture.config)).dump_json(capture.config).decode(),
        CARD: json.dumps(card),
    }
    onnx.helper.set_model_props(model, metadata)
    return model.SerializeToString()


def read(content: Content) -> Capture:
    """Read a capture and hold its weights against its config."""
    model = _parse(content.data)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if ARCHITECTURE not in metadata:
        raise CaptureError("it is an ONNX model, but no capture: its metadata names no neuralamp.architecture")
    architecture = nets.architectures().get(metadata[ARCHITECTURE])
    if architecture is None:
        raise CaptureError(
            f"its architecture {metadata[ARCHITECTURE][:40]!r} is unknown; known are {', '.join(nets.architectures())}"
        )
    config = _validate(architecture.config, metadata.get(CONFIG, ""), "config")
    card = _validate(Card, metadata.get(CARD, ""), "card")
    return Capture(config, _read_weights(model, config), card)


def _parse(data: bytes) -> onnx.ModelProto:
    if len(data) > MOST_BYTES:
        raise CaptureError(f"it has {len(data)} bytes; a capture has at most {MOST_BYTES}")
    if MARK not in data:  # others' graphs are never parsed here
        raise CaptureError("it bears no mark of ours: it was cut short, or is a graph of others, which can only be re-amped")
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError:
        raise CaptureError("it is not a whole ONNX file; it was cut short or is something else, so fetch it again") from None
    if not model.graph.node:
        raise CaptureError("it holds no graph; it was cut short or is something else, so fetch it again")
    return model


def _validate(kind: type, text: str, what: str) -> Any:
    """Strictly typed JSON to a dataclass: no unknown key, no text for a number."""
    if len(text) > MOST_LETTERS:
        raise CaptureError(f"its {what} has {len(text)} letters; {MOST_LETTERS} is the most that is possible")
    try:
        return TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as reason:
        raise CaptureError(f"its {what} is not valid at {first_fault(reason, whole='its text')}") from None


def _read_weights(model: onnx.ModelProto, config: Any) -> Weights:
    """The initializers that the config names, sizes checked before any is turned into an array."""
    shapes = config.weights()
    tensors = {tensor.name: tensor for tensor in model.graph.initializer if tensor.name in shapes}
    check_shapes(shapes, {name: tuple(tensor.dims) for name, tensor in tensors.items()})
    for name, tensor in tensors.items():
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise CaptureError(f"weight {name} lies in another file; a capture is one file")
        if tensor.data_type != onnx.TensorProto.FLOAT:
            raise CaptureError(f"weight {name} is not float32")
        held = len(tensor.raw_data) // 4 if tensor.raw_data else len(tensor.float_data)
        if held != math.prod(shapes[name]) or len(tensor.raw_data) % 4:
            raise CaptureError(f"weight {name} holds {held} numbers; its shape {shapes[name]} needs {math.prod(shapes[name])}")
    return {name: np.ascontiguousarray(numpy_helper.to_array(tensors[name])) for name in shapes}
