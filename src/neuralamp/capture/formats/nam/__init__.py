"""Neural Amp Modeler's .nam: JSON with an architecture's name, its config and one list of weights; file versions 0.5.0 to 0.7.0.

What a file holds is looked at, its version is not: files in the wild carry wrong ones.
"""

import json
from typing import Any

import numpy as np

from neuralamp import __version__
from neuralamp.capture.capture import Capture
from neuralamp.capture.content import Content
from neuralamp.capture.formats.nam import others, slimming, wavenet
from neuralamp.capture.formats.nam.metadata import read_card, write_metadata
from neuralamp.capture.formats.nam.weights import Numbers
from neuralamp.capture.json_table import Table
from neuralamp.errors import CaptureError
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.nested import within
from neuralamp.nets.sequential.config import SequentialConfig
from neuralamp.nets.slimmable.config import MOST_PARTS, Part, SlimmableConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.weights import Weights

NAME = "Neural Amp Modeler (.nam)"
ENDINGS = (".nam",)
OLDEST, NEWEST = "0.5.4", "0.7.0"
"""The version that any player since 2023 reads, and the one that everything here needs."""
MOST_DEPTH = 8  # files inside files; two is what captures in the wild have


def recognises(content: Content) -> bool:
    """An object that names an architecture and its config."""
    return content.is_json and "architecture" in content.table and "config" in content.table


def read(content: Content) -> Capture:
    """Any architecture of the format as a capture."""
    model = content.table
    config, weights = _read_net(model, 0)
    version = model.get("version")
    source = f"{content.path.name}, .nam {version[:16] if isinstance(version, str) else 'of no version'}"
    card, warnings = read_card(model, _inner_metadata(model), source)
    return Capture(config, weights, card, warnings)


def _read_net(model: Table, inside: int) -> others.Net:
    """The net of a file, or of a file in a file: those play at their full size."""
    if inside > MOST_DEPTH:
        raise CaptureError(f"{model.place} is a net in a net in a net; {MOST_DEPTH} deep is the most that is possible")
    architecture = model.text("architecture")
    if architecture == "WaveNet":
        return _read_wavenet(model, inside)
    if architecture == "SlimmableContainer":
        return _read_container(model, inside)
    readers = {"LSTM": others.read_lstm, "ConvNet": others.read_convnet, "Linear": others.read_linear}
    if architecture not in readers:
        known = ", ".join(("WaveNet", *readers, "SlimmableContainer"))
        model.fail("architecture", f"should be one of {known}", architecture)
    with model.table("config").blamed():
        return readers[architecture](model)


def _read_wavenet(model: Table, inside: int) -> others.Net:
    condition: Any = None
    weights: dict[str, np.ndarray] = {}
    if "condition_dsp" in model.table("config"):
        inner = model.table("config").table("condition_dsp")
        _check_rate(model, inner)
        condition, inner_weights = _read_net(inner, inside + 1)
        weights = {f"condition.{name}": values for name, values in inner_weights.items()}
    with model.table("config").blamed():
        config, slopes = wavenet.read_config(model, condition)
        weights |= wavenet.read_weights(config, slopes, Numbers(model))
        allowed = slimming.allowed_channels(model)
        slims = not inside and any(len(widths) > 1 for widths in allowed)
        return slimming.slimmed(config, weights, allowed) if slims else (config, weights)


def _read_container(model: Table, inside: int) -> others.Net:
    """Whole files in one, each for sizes below a value."""
    config = model.table("config")
    submodels = config.tables("submodels")
    if not 1 <= len(submodels) <= MOST_PARTS:
        config.fail("submodels", f"should hold 1 to {MOST_PARTS} nets", config.get("submodels"))
    parts: list[Part] = []
    weights: dict[str, np.ndarray] = {}
    for i, submodel in enumerate(submodels):
        inner = submodel.table("model")
        _check_rate(model, inner)
        if inside and i + 1 < len(submodels):
            continue
        net, net_weights = _read_net(inner, inside + 1)
        if inside:
            return net, net_weights
        parts.append(Part(submodel.number("max_value"), net))
        weights |= {f"parts.{i}.{name}": values for name, values in net_weights.items()}
    with config.blamed():
        slimmable = SlimmableConfig(tuple(parts))
    return slimmable, weights


def _check_rate(outer: Table, inner: Table) -> None:
    """Raise CaptureError where a net inside another was made for another sample rate."""
    rates = [table.number("sample_rate") for table in (outer, inner) if "sample_rate" in table]
    if len({*rates}) > 1:
        inner.fail("sample_rate", f"should be {rates[0]:g}, as the file has it", inner.get("sample_rate"))


def _inner_metadata(model: Table) -> dict[str, Any]:
    """What the largest net of a container says of itself: a container itself is often silent."""
    if model.text("architecture") != "SlimmableContainer":
        return {}
    metadata = model.table("config").tables("submodels")[-1].table("model").get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def write(capture: Capture) -> bytes:
    """A file that other players open. Raises CaptureError for nets that the format cannot say."""
    model = _write_net(capture.config, capture.weights, capture.card.sample_rate)
    model["metadata"] = write_metadata(capture.card)
    return json.dumps(model | {"writer": f"neuralamp {__version__}"}).encode()


def _write_net(config: Any, weights: Weights, sample_rate: int) -> dict[str, Any]:
    if config.knobs and not isinstance(config, SlimmableConfig):
        raise CaptureError(f"it has knobs ({', '.join(config.knobs)}), which a .nam file cannot have")
    numbers: list[np.ndarray] = []
    version = OLDEST
    match config:
        case WaveNetConfig():
            name, table = "WaveNet", wavenet.write_config(config, weights)
            numbers = wavenet.write_weights(config, weights)
            if config.condition is not None:
                table["condition_dsp"] = _write_net(config.condition, within("condition.", weights), sample_rate)
            if config.post_head or config.condition is not None or not all(map(wavenet.is_plain, config.arrays)):
                version = NEWEST
        case LstmConfig(cell="lstm", skip=0.0):
            name, (table, numbers) = "LSTM", others.write_lstm(config, weights)
        case LinearConfig():
            name, (table, numbers) = "Linear", others.write_linear(config, weights)
        case SequentialConfig() if others.is_convnet(config):
            name, (table, numbers) = "ConvNet", others.write_convnet(config, weights)
        case SlimmableConfig():
            name, version, table = "SlimmableContainer", NEWEST, _write_container(config, weights, sample_rate)
        case _:
            raise CaptureError("its net is none that a .nam file can say: WaveNet, LSTM without a skip, ConvNet, linear")
    flat = [float(number) for part in numbers for number in np.ravel(part)]
    return {"version": version, "architecture": name, "config": table, "weights": flat, "sample_rate": sample_rate}


def _write_container(config: SlimmableConfig, weights: Weights, sample_rate: int) -> dict[str, Any]:
    parts = enumerate(config.parts)
    models = [(part.up_to, _write_net(part.net, within(f"parts.{i}.", weights), sample_rate)) for i, part in parts]
    return {"submodels": [{"max_value": up_to, "model": model} for up_to, model in models]}
