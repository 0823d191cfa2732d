"""A small pair and small recipes, as files and as they are read."""

from pathlib import Path

import pytest

from neuralamp.audio import Audio, write_audio
from neuralamp.learn.pair import Pair
from neuralamp.learn.recipe import Recipe, read_recipe
from tests.learn.small import LSTM, SAMPLE_RATE, TRAINING, WAVENET, clipped, pair_of, strummed


@pytest.fixture(scope="session")
def small_pair() -> Pair:
    return pair_of(seed=1)


@pytest.fixture(scope="session")
def other_pair() -> Pair:
    return pair_of(seed=2)


@pytest.fixture(scope="session")
def small_files(tmp_path_factory) -> tuple[Path, Path]:
    """The small pair as files."""
    folder, di = tmp_path_factory.mktemp("takes"), strummed(4.0, seed=1)
    for name, take in (("di.wav", di), ("amped.wav", clipped(di))):
        write_audio(folder / name, Audio(take[None], SAMPLE_RATE))
    return folder / "di.wav", folder / "amped.wav"


@pytest.fixture
def write_recipe(tmp_path):
    """Text to a recipe file; returns its path."""

    def write(text: str, name: str = "small") -> Path:
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(params=[WAVENET, LSTM], ids=["wavenet", "lstm"])
def small_recipe(request, write_recipe) -> Recipe:
    return read_recipe(write_recipe(request.param + TRAINING))
