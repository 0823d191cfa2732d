"""Every reader of files that come from strangers: a row each. A new format is one more row, its door and its seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from neuralamp.audio import look_at_audio, read_audio
from neuralamp.blocks import boxes
from neuralamp.capture.card import read_card
from neuralamp.capture.file import open_capture
from neuralamp.engine import play_capture, render
from neuralamp.errors import NeuralAmpError
from neuralamp.learn.recipe import read_recipe
from neuralamp.nets import stream_at_rest
from neuralamp.rig import Rig, read_rig
from neuralamp.wave_chunks import missing_share, read_chunks
from tests.fuzz import seeds
from tests.fuzz.mutate_onnx import spoil_onnx
from tests.fuzz.mutate_sound import spoil_sound
from tests.fuzz.mutate_toml import spoil_toml

RATE = 48000.0
SOUND = np.linspace(-0.5, 0.5, 64, dtype=np.float32)[np.newaxis]


@dataclass(frozen=True)
class Reader:
    """One door for files.

    door     opens a file as a user's command does, makes what it holds ready, and plays a moment of sound through it.
    seeds    writes good files into a folder, and beside them what they name; returns the good ones.
    spoil    (a good file, random numbers, paths that must not be followed) -> a bad file.
    words    of which one must stand in a refusal, so that it is clear which file is meant.
    follows  whether reading the files that it names is its job.
    """

    name: str
    suffix: str
    door: Callable[[Path], None]
    seeds: Callable[[Path], list[Path]]
    spoil: Callable[[bytes, Random, Sequence[str]], bytes]
    words: Callable[[Path], list[str]] = lambda path: [path.name]
    follows: bool = False


def open_onnx(path: Path) -> None:
    capture = open_capture(path)
    if capture.config.knobs:  # the amp refuses these by name until it can turn them; the net has to play all the same
        node = stream_at_rest(capture.config, capture.weights, [0.5] * len(capture.config.knobs))
        node.play(np.repeat(SOUND, capture.config.inputs, axis=0), 1)
    else:
        play_capture(path, SOUND[0], capture.card.sample_rate)


def open_rig(path: Path) -> None:
    rig = read_rig(path)
    render(rig, SOUND, rig.plays_at() or RATE)


def rig_words(path: Path) -> list[str]:
    """The rig's file; where it can be read, its name and the files that it names, which may be the bad ones."""
    try:
        rig = read_rig(path)
    except NeuralAmpError:
        return [path.name]
    named = [str(value) for box in rig.boxes().values() for value in box.set.values()]
    return [path.name, rig.name, *named, *(Path(value).name for value in named)]


def open_impulse(path: Path) -> None:
    cab = boxes()["cab"]
    render(Rig("cabs", (cab(ir=path), cab(ir=path, normalise=True, trim=True))), SOUND, RATE)


def open_sound(path: Path) -> None:
    look_at_audio(path)
    take = read_audio(path)
    missing_share(path)
    read_chunks(path)
    if take.channels <= 2:
        render(Rig("level", (boxes()["level"](),)), take.samples[:, :64], take.sample_rate)


def open_card(path: Path) -> None:
    read_card(path).known()


def open_recipe(path: Path) -> None:
    recipe = read_recipe(path)
    _ = recipe.config.weights(), recipe.text(), recipe.warm_up


READERS = {
    reader.name: reader
    for reader in (
        Reader("onnx", ".onnx", open_onnx, seeds.captures, spoil_onnx),
        Reader("rig", ".toml", open_rig, seeds.rigs, spoil_toml, rig_words, follows=True),
        Reader("impulse", ".wav", open_impulse, seeds.impulses, spoil_sound),
        Reader("sound", ".wav", open_sound, seeds.takes, spoil_sound),
        Reader("card", ".toml", open_card, seeds.cards, spoil_toml),
        Reader("recipe", ".toml", open_recipe, seeds.recipe_files, spoil_toml),
    )
}
