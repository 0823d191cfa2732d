"""Every file of the workplaces is loaded by a test: the shelf, the rigs, the recipes."""

import numpy as np
import pytest

from neuralamp.capture.card import read_card
from neuralamp.capture.file import open_capture
from neuralamp.capture.shelf import find_capture, shelf
from neuralamp.engine import play_capture, render
from neuralamp.errors import CaptureError
from neuralamp.learn.recipe import find_recipe, recipes
from neuralamp.resources import shipped
from neuralamp.rig import read_rig
from tests.sound import error_db, noise

RIGS = sorted(shipped("amp_models").glob("rigs/*.toml"))


@pytest.mark.parametrize("name", shelf())
def test_a_capture_on_the_shelf_plays_its_probe(name):
    file = shelf()[name]
    card = open_capture(file).card
    assert card == read_card(file.with_name("card.toml"))
    with np.load(file.with_name("probe.npz")) as probe:
        played = play_capture(file, probe["x"], card.sample_rate)
        assert error_db(played, probe["y"]) < -120.0  # the same kernels on another processor: float32 rounding
        assert error_db(probe["y"], probe["x"]) > -20.0  # and the amp does something


def test_there_is_a_shelf_and_every_folder_of_it_is_loaded():
    folders = {path.name for path in shipped("amp_models").iterdir() if path.is_dir()}
    assert folders == {*shelf(), "rigs"}
    assert "crunch" in shelf()


@pytest.mark.parametrize("rig", RIGS, ids=lambda path: path.stem)
def test_a_rig_of_the_shelf_plays(rig):
    y = render(read_rig(rig), noise(1, 9600, seed=1, peak=0.3), 48000.0)
    assert 0.01 < np.sqrt(np.mean(np.square(y))) < 1.0


def test_there_is_a_rig():
    assert RIGS


def test_a_capture_is_found_by_name_or_by_path(tmp_path):
    assert find_capture("crunch") == shelf()["crunch"]
    assert find_capture(str(shelf()["crunch"])) == shelf()["crunch"]
    with pytest.raises(CaptureError, match=r"neither a file nor on the shelf; on the shelf are: .*crunch"):
        find_capture(tmp_path / "absent.onnx")


@pytest.mark.parametrize("name", recipes())
def test_a_shipped_recipe_is_a_recipe(name):
    assert find_recipe(name).name == name


def test_the_recipes_of_the_first_release_are_there():
    assert {"wavenet-standard", "wavenet-feather", "wavenet-nano", "lstm-16", "lstm-40", "gru-16"} <= set(recipes())
