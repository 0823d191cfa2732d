"""Captures of others play here as the reference player plays them."""

import json

import numpy as np
import pytest
import soundfile

from neuralamp.capture.capture import Capture
from neuralamp.capture.file import open_capture
from neuralamp.nets import architecture_of
from tests.capture.nam_files import random_nam, sizes_of
from tests.peers.nam_by_hand import play, play_by_hand
from tests.sound import error_db, noise

# At least 110 dB between the reference player's render and its difference from ours, for every file of the wild but one.
WITHIN_DB = -110.0
# Two builds of the reference player itself are 97 dB apart on this one, and it is 95.5 dB from its own equations in float64.
WITHIN_DB_OF = {"BossLSTM-1x16.wav": -95.0}
# float32 against float64 in small random nets: -113 dB is the worst of these. A fault of any option is heard above -60 dB.
RANDOM_WITHIN_DB = -105.0
SEEDS = {"WaveNet": 100, "LSTM": 4, "ConvNet": 30, "Linear": 8, "SlimmableContainer": 12}


def answer(capture: Capture, x: np.ndarray, size: float | None) -> np.ndarray:
    """(frames,) through the compiled stream, from rest, at this size where it has sizes."""
    knobs = [1.0 if size is None else size] if capture.knobs else []
    rows = np.vstack([x, *(np.full(x.size, knob) for knob in knobs)])
    return capture.start(knobs, x.size).play(rows, 1)[0]


def test_every_golden_capture_plays_as_in_the_reference_player(recordings):
    folder = recordings / "golden"
    x, _ = soundfile.read(folder / "input.wav", dtype="float32")
    errors = {}
    for row in json.loads((folder / "nam" / "renders.json").read_text()):
        render, _ = soundfile.read(folder / "nam" / row["render"])
        errors[row["render"]] = error_db(answer(open_capture(folder / "nam" / row["model"]), x, row["size"]), render)
    assert len(errors) == 20
    assert {name: db for name, db in errors.items() if db > WITHIN_DB_OF.get(name, WITHIN_DB)} == {}


@pytest.mark.parametrize("seed", range(4))
def test_a_recurrent_net_begins_where_its_file_says(seed, tmp_path):
    """Heard before it has settled, which no player lets anyone hear: from rest a wrong beginning is forgotten."""
    model, x = random_nam("LSTM", seed, outputs=1), noise(1, 200, seed=6, peak=0.5)
    (tmp_path / "random.nam").write_text(json.dumps(model))
    capture = open_capture(tmp_path / "random.nam")
    fresh = architecture_of(capture.config).stream(capture.config, capture.weights).play(x, 1)
    assert error_db(fresh, play(model, x.astype(np.float64), None)) < RANDOM_WITHIN_DB


def random_files(architecture: str):
    for seed in range(SEEDS[architecture]):
        yield seed, random_nam(architecture, seed, **({"outputs": 1} if architecture != "SlimmableContainer" else {}))


@pytest.mark.parametrize("architecture", SEEDS)
def test_any_mix_of_options_plays_as_it_does_by_hand(architecture, tmp_path):
    x = np.concatenate([np.zeros(100), noise(1, 1500, seed=5, peak=0.5)[0]]).astype(np.float32)
    path, errors = tmp_path / "random.nam", {}
    for seed, model in random_files(architecture):
        path.write_text(json.dumps(model))
        capture = open_capture(path)
        for size in sizes_of(model):
            errors[seed, size] = error_db(answer(capture, x, size), play_by_hand(model, x, size)[0])
    assert {which: db for which, db in errors.items() if db > RANDOM_WITHIN_DB} == {}
