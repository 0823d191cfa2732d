"""A .nam file that is wrong is refused in one line with the file, the place and the fault; what only decorates it is left out."""

import json
from pathlib import Path

import numpy as np
import pytest

from neuralamp.capture.file import open_capture
from neuralamp.engine import play_capture
from neuralamp.errors import CaptureError, RateError
from tests.capture.nam_files import random_nam

NET = {"version": "0.5.4", "architecture": "Linear", "config": {"receptive_field": 3, "bias": False}, "weights": [1, 0.5, 0.2]}
POST_HEAD = {"channels": 2, "out_channels": 1, "activation": "ReLU"}
EMPTY = {"dilations": [], "activation": "Tanh", "gating_mode": "none", "secondary_activation": None, "kernel_sizes": []}


def wavenet() -> dict:
    return random_nam("WaveNet", 3, outputs=1, condition_dsp=False, slimmable=False, post_head=False, sample_rate=48000)


def written(folder: Path, model: dict) -> Path:
    path = folder / "amp.nam"
    path.write_text(json.dumps(model))
    return path


def layer(model: dict) -> dict:
    return model["config"]["layers"][0]


def container(*bounds, **inner) -> dict:
    submodels = [{"max_value": bound, "model": NET | inner} for bound in bounds]
    return {"architecture": "SlimmableContainer", "config": {"submodels": submodels}, "weights": [], "sample_rate": 48000}


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda m: layer(m).update(channels=-3), "config.layers.0.channels is -3; it should be a whole number from 1 to"),
        (lambda m: layer(m).update(EMPTY), "config.layers.0: a layer array needs one kernel size"),
        (lambda m: layer(m).update(groups_input=7, channels=4), "config: conv from 4 to .* cannot be parted into 7 groups"),
        (lambda m: layer(m).update(activation={"type": "LeakyReLU", "negative_slope": 1e39}), "negative_slope is 1e.39"),
        (
            lambda m: layer(m).update(activation={"type": "PReLU", "negative_slopes": []}),
            "activation.negative_slopes is a list of 0",
        ),
        (lambda m: layer(m).update(activation={"type": "PReLU", "negative_slopes": [1e39]}), "finite numbers of float32"),
        (lambda m: layer(m).update(conv_pre_film={"active": True, "groups": 5}), "cannot be parted into 5 groups"),
        (lambda m: layer(m).update(slimmable={"method": "other"}), "config.layers.0.slimmable.method is 'other'"),
        (lambda m: m["config"].update(head=POST_HEAD | {"kernel_sizes": []}), "config.head.kernel_sizes is a list of 0"),
        (lambda m: m["config"].update(head=POST_HEAD | {"kernel_sizes": [3, 0]}), "config.head.kernel_sizes.1 is 0"),
        (lambda m: m["weights"].append(0.0), "weights holds"),
        (lambda m: m["weights"].pop(), "its config needs more"),
        (lambda m: m["weights"].__setitem__(0, "1"), "weights is a list of .* should hold numbers"),
        (lambda m: m.update(architecture="Transformer"), "architecture is 'Transformer'; it should be one of WaveNet"),
        (lambda m: m.update(config=[]), "config is a list of 0; it should be an object"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, spoil, says):
    model = wavenet()
    spoil(model)
    with pytest.raises(CaptureError, match=f"^{tmp_path}/amp.nam cannot be opened: .*{says}"):
        open_capture(written(tmp_path, model))


@pytest.mark.parametrize(
    "model, says",
    [
        (container(), "config.submodels is a list of 0; it should hold 1 to 64 nets"),
        (container(*range(65)), "config.submodels is a list of 65; it should hold 1 to 64 nets"),
        (container(0.5, 0.5, 1.0), "config: the parts of a slimmable net must stand in rising order"),
        (container(0.5), "config: the parts of a slimmable net must stand in rising order of size, the last at 1"),
        (container(0.5, "large"), "config.submodels.1.max_value is 'large'; it should be a number"),
        (container(1, sample_rate=44100), "config.submodels.0.model.sample_rate is 44100; it should be 48000"),
        (
            container(1, config={"receptive_field": 2**20, "bias": False}),
            "config.submodels.0.model.config: a linear net of 1048576",
        ),
    ],
)
def test_a_mistake_in_a_net_inside_is_told_with_its_place(tmp_path, model, says):
    with pytest.raises(CaptureError, match=f"^{tmp_path}/amp.nam cannot be opened: {says}"):
        open_capture(written(tmp_path, model))


def test_a_rate_that_cannot_be_resampled_is_told_with_the_file(tmp_path):
    path = written(tmp_path, NET | {"sample_rate": 1201})
    assert play_capture(path, np.ones(8, np.float32), 1201.0).any()
    with pytest.raises(RateError, match=f"^{tmp_path}/amp.nam cannot be played: 1201 Hz cannot be played at 48000 Hz"):
        play_capture(path, np.ones(8, np.float32), 48000.0)


@pytest.mark.parametrize("level", [1e30, -1e308, "loud", None, True, [3]])
def test_a_level_that_no_device_has_is_left_out(tmp_path, level):
    metadata = {"input_level_dbu": level, "output_level_dbu": 9.0, "loudness": level}
    card = open_capture(written(tmp_path, NET | {"metadata": metadata})).card
    assert (card.input_level_dbu, card.output_level_dbu, card.loudness_db) == (None, 9.0, None)
