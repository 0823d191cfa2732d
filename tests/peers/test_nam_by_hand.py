"""The judge judged: the reading by hand against renders of the reference player."""

import json

import numpy as np
import pytest
import soundfile

from tests.peers.nam_by_hand import play_by_hand
from tests.sound import error_db

SECONDS = 2
"""All of the input's first swell; the rest says the same again and costs as much."""

# The player works in float32. Most of its nets come within 120 to 145 dB of float64; 110 leaves room for the small LSTM.
WITHIN_DB = -110.0
# This LSTM's head takes large numbers from each other: its own equations in numpy's float32 are 103 dB from float64, two
# builds of the reference player 97 dB from each other.
WITHIN_DB_OF = {"BossLSTM-1x16.wav": -95.0}


def test_every_golden_render_is_met(recordings):
    folder = recordings / "golden"
    x, sample_rate = soundfile.read(folder / "input.wav", frames=SECONDS * 48000)
    errors = {}
    for row in json.loads((folder / "nam" / "renders.json").read_text()):
        model = json.loads((folder / "nam" / row["model"]).read_text())
        assert model.get("sample_rate", sample_rate) == sample_rate
        render, _ = soundfile.read(folder / "nam" / row["render"], frames=len(x))
        errors[row["render"]] = error_db(play_by_hand(model, x, row["size"])[0], render)
    assert len(errors) == 20
    assert {name: db for name, db in errors.items() if db > WITHIN_DB_OF.get(name, WITHIN_DB)} == {}


@pytest.mark.parametrize("extra", [-1, 1])
@pytest.mark.parametrize("name", ["core_lstm", "core_wavenet_a2_max", "BossWN-nano"])
def test_a_weight_too_many_or_too_few_is_refused(name, extra, recordings):
    model = json.loads((recordings / "golden" / "nam" / f"{name}.nam").read_text())
    model["weights"] = model["weights"][:extra] if extra < 0 else [*model["weights"], 0.5]
    with pytest.raises(ValueError, match="the shape asks for"):
        play_by_hand(model, np.zeros(8))
