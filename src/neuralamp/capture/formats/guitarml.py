"""GuitarML's and Proteus's JSON: torch's weights of one recurrent net and a linear layer, as their trainer leaves them.

Played as   y = net(x), + x where skip is 1;   the further inputs of a net are knobs.

Sources: github.com/Alec-Wright/Automated-GuitarAmpModelling (the trainer's SimpleRNN); github.com/GuitarML/Proteus, README.md and
src/PluginProcessor.cpp, where recordings are made and nets are run at 44100 Hz.
"""

import json

import numpy as np

from neuralamp import __version__
from neuralamp.capture.capture import Capture
from neuralamp.capture.content import Content
from neuralamp.capture.json_facts import read_card, read_knobs, write_card
from neuralamp.errors import CaptureError
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.weights import check_shapes

NAME = "GuitarML, Proteus (.json)"
ENDINGS = (".json",)
SAMPLE_RATE = 44100
MOST_INPUTS = 17  # the sound and 16 knobs; Proteus has one or two
MODULES = {"cells": "rec", "head": "lin"}
"""Our names of the net's two parts, and theirs."""


def recognises(content: Content) -> bool:
    """A description of the net and its weights."""
    return content.is_json and "model_data" in content.table and "state_dict" in content.table


def read(content: Content) -> Capture:
    """Every weight has torch's name and shape already."""
    model = content.table
    shape, state = model.table("model_data"), model.table("state_dict")
    cell = shape.text("unit_type").lower()
    if cell not in ("lstm", "gru"):
        shape.fail("unit_type", "should be LSTM or GRU", shape.get("unit_type"))
    inputs = shape.integer("input_size", 1, most=MOST_INPUTS)
    config = LstmConfig(
        hidden=shape.integer("hidden_size"),
        layers=shape.integer("num_layers", 1),
        cell=cell,
        skip=float(shape.integer("skip", 0, least=0, most=1)),
        knobs=read_knobs(model, inputs - 1),
        outputs=shape.integer("output_size", 1, most=1),
    )
    biased = shape.flag("bias_fl", True)
    weights = {}
    for ours, size in config.weights().items():
        if biased or "bias" not in ours:
            weights[ours] = state.array(_theirs(ours), len(size))
        else:
            weights[ours] = np.zeros(size, np.float32)
    check_shapes({_theirs(name): size for name, size in config.weights().items()}, _shapes(weights))
    known = {_theirs(name) for name in weights}
    if unknown := next((key for key in state.value if key not in known), None):
        state.fail(unknown, "should not be there: a net of this size has no such weight", state.get(unknown))
    source = f"{content.path.name}, GuitarML JSON"
    card, warnings = read_card(model, "metadata", "model_data", source=source, usual_rate=SAMPLE_RATE)
    return Capture(config, weights, card, warnings)


def _theirs(name: str) -> str:
    """cells.weight_ih_l0 -> rec.weight_ih_l0."""
    module, _, weight = name.partition(".")
    return f"{MODULES[module]}.{weight}"


def _shapes(weights: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    return {_theirs(name): array.shape for name, array in weights.items()}


def write(capture: Capture) -> bytes:
    """A recurrent net as GuitarML's players open it. Raises CaptureError for what such a file cannot hold."""
    config = capture.config
    if not isinstance(config, LstmConfig):
        raise CaptureError("a GuitarML file holds recurrent nets only; this net is none, so give the file another ending")
    if config.skip not in (0.0, 1.0):
        raise CaptureError(f"its net adds {config.skip:g} times what came in; a GuitarML file can say once or not at all")
    model = {
        "model_data": {
            "model": "SimpleRNN",
            "input_size": config.inputs,
            "skip": int(config.skip),
            "output_size": config.outputs,
            "unit_type": config.cell.upper(),
            "num_layers": config.layers,
            "hidden_size": config.hidden,
            "bias_fl": True,
        },
        "state_dict": {
            _theirs(name): capture.weights[name].tolist() for name in config.weights() if not name.startswith("initial.")
        },
        "metadata": write_card(capture.card, config.knobs),
        "writer": f"neuralamp {__version__}",
    }
    return json.dumps(model).encode()
