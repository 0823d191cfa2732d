"""The capture file: one ONNX model that anyone can run, with its config and card in the metadata.

Opening it reads protobuf and nothing else: no code, no other file, and no allocation that the file's own size does not cover.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from pydantic import TypeAdapter, ValidationError

from neuralamp import __version__
from neuralamp.audio import atomic_path
from neuralamp.capture.card import Card
from neuralamp.errors import CaptureError, NetError
from neuralamp.nets import architecture_of, architectures
from neuralamp.nets.weights import Weights, check_shapes, check_weights
from neuralamp.settings import first_fault

ARCHITECTURE, CONFIG, CARD = "neuralamp.architecture", "neuralamp.config", "neuralamp.card"
# The largest net that a config allows has 10 MB of weights. Protobuf makes up to 84 bytes in memory of each in a hostile file.
MOST_BYTES = 10 * 2**20
MOST_LETTERS = 2**16  # of config or card; the largest config that is possible has 16 thousand


@dataclass(frozen=True)
class Capture:
    """One amp, learned: the shape of its net, its named weights, its card."""

    config: Any
    weights: Weights
    card: Card


def save_capture(path: Path | str, capture: Capture) -> None:
    """Write a capture whole or not at all."""
    path = Path(path)
    if path.suffix != ".onnx":
        raise CaptureError(f"{path.name} does not end in .onnx; a capture is an .onnx file")
    architecture = architecture_of(capture.config)
    model = architecture.graph(capture.config, capture.weights)
    card = asdict(capture.card) | {"writer": f"neuralamp {__version__}"}
    model.producer_version = __version__
    metadata = {ARCHITECTURE: architecture.name, CONFIG: json.dumps(asdict(capture.config)), CARD: json.dumps(card)}
    onnx.helper.set_model_props(model, metadata)
    with atomic_path(path) as partial:
        partial.write_bytes(model.SerializeToString())


def open_capture(path: Path | str) -> Capture:
    """Read a capture and hold its weights against its config. Raises CaptureError, in one line, for anything else."""
    path = Path(path)
    model = _read_model(path)
    try:
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        if ARCHITECTURE not in metadata:
            raise CaptureError("it is an ONNX model, but no capture: its metadata names no neuralamp.architecture")
        architecture = architectures().get(metadata[ARCHITECTURE])
        if architecture is None:
            raise CaptureError(
                f"its architecture {metadata[ARCHITECTURE][:40]!r} is unknown; known are {', '.join(architectures())}"
            )
        config = _validate(architecture.config, metadata.get(CONFIG, ""), "config")
        card = _validate(Card, metadata.get(CARD, ""), "card")
        weights = _read_weights(model, config)
    except (CaptureError, NetError) as reason:
        raise CaptureError(f"{path} cannot be opened: {reason}") from None
    return Capture(config, weights, card)


def _read_model(path: Path) -> onnx.ModelProto:
    """The protobuf of a file of bearable size."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise CaptureError(f"{path} is not a file; give the path of an .onnx capture")
        if size > MOST_BYTES:
            raise CaptureError(f"{path} has {size} bytes; a capture has at most {MOST_BYTES}")
        model = onnx.ModelProto.FromString(path.read_bytes())
    except OSError as reason:
        raise CaptureError(f"{path} cannot be read ({reason.strerror}); check the name") from None
    except DecodeError:
        raise CaptureError(f"{path} is not a whole ONNX file; it was cut short or is something else, so fetch it again") from None
    if not model.graph.node:
        raise CaptureError(f"{path} holds no graph; it was cut short or is something else, so fetch it again")
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
    weights = {name: np.ascontiguousarray(numpy_helper.to_array(tensors[name])) for name in shapes}
    check_weights(shapes, weights)
    return weights
