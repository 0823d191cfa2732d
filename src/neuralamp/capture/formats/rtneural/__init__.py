"""RTNeural's JSON of a keras model and AIDA-X's, which adds gains and metadata; and the torch weights of RTNeural's own examples.

AIDA-X plays   x <- g_in x;   y = net(x), + x where in_skip is 1;   y <- g_out y   with both gains in decibels.

Sources: github.com/jatinchowdhury18/RTNeural, RTNeural/model_loader.h; github.com/AidaDSP/AIDA-X, src/aidadsp-plugin.cpp.
"""

import json

import numpy as np

from neuralamp import __version__
from neuralamp.capture.capture import Capture
from neuralamp.capture.content import Content
from neuralamp.capture.formats.rtneural import keras, torch_weights
from neuralamp.capture.formats.rtneural.stack import Stack
from neuralamp.capture.json_facts import read_card, read_knobs, write_card
from neuralamp.capture.json_table import Table
from neuralamp.errors import CaptureError
from neuralamp.nets.lstm.config import LstmConfig

NAME = "RTNeural JSON, AIDA-X (.aidax)"
ENDINGS = (".aidax",)
SAMPLE_RATE = 48000  # what AIDA-X takes where a file names none
SILENT_DB, LOUDEST_DB = -90.0, 200.0
"""A gain at or below the first is 0 for AIDA-X; one above the second is no gain of an amp."""
MOST_KNOBS = 2  # that AIDA-X can turn


def recognises(content: Content) -> bool:
    """A keras model's shape and layers, or torch's weights and nothing else."""
    if not content.is_json:
        return False
    return ("in_shape" in content.table and "layers" in content.table) or torch_weights.recognises(content.table)


def read(content: Content) -> Capture:
    """Cells of one width and a linear layer behind them as an LstmConfig, which plays fastest; others as a SequentialConfig."""
    model = content.table
    source = f"{content.path.name}, RTNeural JSON"
    if "in_shape" not in model:
        stack = torch_weights.read(model)
        config, weights = stack.net(read_knobs(model, stack.inputs - 1))
        card, warnings = read_card(Table({}, ""), source=source, usual_rate=SAMPLE_RATE)
        return Capture(config, weights, card, (*warnings, torch_weights.WARNING))
    gain_in, gain_out = _gain(model, "in_gain"), _gain(model, "out_gain")
    skip = model.integer("in_skip", 0, least=0, most=1) * gain_in * gain_out
    stack = Stack(keras.inputs(model), gain_in)
    keras.read_layers(model, stack)
    stack.amplify(gain_out)
    config, weights = stack.net(read_knobs(model, stack.inputs - 1), skip)
    card, warnings = read_card(model, "metadata", source=source, usual_rate=SAMPLE_RATE)
    return Capture(config, weights, card, warnings)


def _gain(model: Table, key: str) -> float:
    """Decibels as a linear gain; 1 where there are none."""
    decibels = model.number(key, 0.0)
    if abs(decibels) > LOUDEST_DB:
        model.fail(key, f"should be a gain in dB, from -{LOUDEST_DB:g} to {LOUDEST_DB:g}", model.get(key))
    return 10.0 ** (decibels / 20.0) if decibels > SILENT_DB else 0.0


def write(capture: Capture) -> bytes:
    """A recurrent net as AIDA-X opens it. Raises CaptureError for what such a file cannot hold."""
    config = capture.config
    if not isinstance(config, LstmConfig):
        raise CaptureError("an .aidax file holds recurrent nets only; this net is none, so give the file another ending")
    if len(config.knobs) > MOST_KNOBS:
        raise CaptureError(f"its net has {len(config.knobs)} knobs; an .aidax file can have {MOST_KNOBS}")
    gain_db = 20.0 * np.log10(config.skip) if config.skip > 0.0 else 0.0
    if config.skip < 0.0 or not SILENT_DB < gain_db < LOUDEST_DB:
        raise CaptureError(f"its net adds {config.skip:g} times the sound that came in, which an .aidax file cannot say")
    model = {
        "in_shape": [None, None, config.inputs],
        "in_skip": int(config.skip > 0.0),
        "samplerate": capture.card.sample_rate,
        "metadata": write_card(capture.card, config.knobs),
        "layers": keras.write_layers(config, capture.weights, 10.0 ** (gain_db / 20.0)),
        "writer": f"neuralamp {__version__}",
    }
    if gain_db:
        model["out_gain"] = gain_db
    return json.dumps(model).encode()
