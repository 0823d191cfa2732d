"""Recipes: the shipped ones are what they say, a slip of the pen is told in one line."""

import pytest

from neuralamp.errors import RecipeError
from neuralamp.learn.recipe import find_recipe, read_recipe, recipes
from neuralamp.nets.weights import count

SMALLEST = """
architecture = "lstm"
hidden = 4
steps = 10
batch = 2
segment_frames = 64
learning_rate = 0.01
"""


def test_every_shipped_recipe_can_be_found_by_name():
    assert {"wavenet-standard", "wavenet-feather", "wavenet-nano", "lstm-16", "lstm-40", "gru-16"} <= set(recipes())
    for name in recipes():
        assert find_recipe(name).name == name


@pytest.mark.parametrize(
    ("name", "weights", "hears"),
    [  # the numbers of the captures in the wild: weights, and frames that one frame of output has heard
        ("wavenet-standard", 13802, 4093),
        ("wavenet-feather", 3026, 4093),
        ("wavenet-nano", 842, 4093),
        ("lstm-16", 4 * 16 * (1 + 16 + 2) + 17, 1),
        ("lstm-40", 4 * 40 * (1 + 40 + 2) + 41, 1),
        ("gru-16", 3 * 16 * (1 + 16 + 2) + 17, 1),
    ],
)
def test_shipped_shapes_are_those_in_the_wild(name, weights, hears):
    config = find_recipe(name).config
    assert count(config.weights()) == weights
    assert config.receptive_field == hears


def test_every_shipped_recipe_says_what_it_is_for():
    for file in recipes().values():
        assert file.read_text().startswith("# ")


def test_an_unknown_key_lists_the_known_ones(write_recipe):
    with pytest.raises(RecipeError, match=r"unknown key learning_rat; known are .*learning_rate.*hidden"):
        read_recipe(write_recipe(SMALLEST + "learning_rat = 0.1\n"))


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(RecipeError, match=r"recipe marshall is unknown; known are .*wavenet-standard"):
        find_recipe("marshall")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('hidden = "many"', "hidden"),
        ("hidden = 0", "0 cells are not possible"),
        ("batch = 0", "batch"),
        ("batch = 2.5", "batch"),
        ("learning_rate = nan", "learning_rate"),
        ("learning_rate = -0.01", "learning_rate"),
        ("loss_esr = inf", "loss_esr"),
        ("rise = 1.5", "rise"),
        ('cell = "rnn"', "cell rnn is unknown; known are lstm, gru"),
        ('architecture = "transformer"', "known are lstm, wavenet"),
        ('name = "other"', "unknown key name"),
        ("steps =", "not TOML"),
    ],
)
def test_an_impossible_value_is_told_by_its_key_in_one_line(write_recipe, line, told):
    key = line.split(" =")[0]
    kept = "".join(f"{other}\n" for other in SMALLEST.splitlines() if not other.startswith(f"{key} "))
    with pytest.raises(RecipeError, match=told) as caught:
        read_recipe(write_recipe(kept + line + "\n"))
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(write_recipe):
    with pytest.raises(RecipeError, match="steps"):
        read_recipe(write_recipe(SMALLEST.replace("steps = 10", "")))


def test_arrays_and_dilations_of_a_wavenet_belong_together(write_recipe):
    text = SMALLEST.replace('"lstm"', '"wavenet"').replace("hidden = 4", "channels = [4, 2]\ndilations = [[1, 2]]")
    with pytest.raises(RecipeError, match="channels for 2 layer arrays and dilations for 1"):
        read_recipe(write_recipe(text))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read"):
        find_recipe(tmp_path / "absent.toml")
