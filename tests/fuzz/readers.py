"""Every reader of files that come from strangers: a row each. A new format is one more row, its door and its seeds."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import onnxruntime

from neuralamp.audio import look_at_audio, read_audio
from neuralamp.blocks import boxes
from neuralamp.capture.card import read_card
from neuralamp.capture.file import open_capture
from neuralamp.engine import play_capture, render
from neuralamp.errors import CaptureError, NeuralAmpError
from neuralamp.files import read_small_file
from neuralamp.guest.experiments import experiment
from neuralamp.guest.facts import MOST_BYTES, one_line
from neuralamp.guest.graph import read_graph
from neuralamp.guest.guest import open_guest
from neuralamp.guest.stream import Session, Stream
from neuralamp.learn.recipe import read_recipe
from neuralamp.rig import Rig, read_rig
from neuralamp.wave_chunks import missing_share, read_chunks
from tests.fuzz import seeds
from tests.fuzz.mutate_captures import spoil_capture
from tests.fuzz.mutate_guest import spoil_guest
from tests.fuzz.mutate_onnx import spoil_onnx
from tests.fuzz.mutate_sound import spoil_sound
from tests.fuzz.mutate_toml import spoil_toml

RATE = 48000.0
ONNXRUNTIME = str(Path(onnxruntime.__file__).parent)
SOUND = np.linspace(-0.5, 0.5, 64, dtype=np.float32)[np.newaxis]


@dataclass(frozen=True)
class Reader:
    """One door for files.

    door     opens a file as a user's command does, makes what it holds ready, and plays a moment of sound through it.
    seeds    writes good files into a folder, and beside them what they name; returns the good ones.
    spoil    (a good file, random numbers, paths that must not be followed) -> a bad file.
    words    of which one must stand in a refusal, so that it is clear which file is meant.
    follows  whether reading the files that it names is its job.
    wall     the door of a player, where `door` is a worker's: a file may crash the worker, as long as this one
             opens it or refuses it in a line.
    """

    name: str
    suffix: str
    door: Callable[[Path], object]
    seeds: Callable[[Path], list[Path]]
    spoil: Callable[[bytes, Random, Sequence[str]], bytes]
    words: Callable[[Path], list[str]] = lambda path: [path.name]
    follows: bool = False
    wall: Callable[[Path], object] | None = None


def open_onnx(path: Path) -> None:
    capture = open_capture(path)
    play_capture(path, SOUND[0], capture.card.sample_rate)


def open_json(path: Path) -> None:
    """Played through the amp box; the file's length says whether at another rate, and whether its levels are asked for."""
    capture = open_capture(path)
    rate = 44100.0 if path.stat().st_size % 8 == 0 else RATE
    wanted = {"device_input_dbu": 12.0, "device_output_dbu": 12.0, "loudness_db": -18.0} if path.stat().st_size % 3 == 0 else {}
    render(Rig("amp", (boxes()["amp"](capture=path, **wanted),)), SOUND, rate)
    capture.check()


def open_stranger(path: Path) -> None:
    """All that the worker does with a graph, its refusal told as the player tells it."""
    try:
        graph = read_graph(read_small_file(path, MOST_BYTES, CaptureError))
    except CaptureError as reason:
        raise CaptureError(f"{path} cannot be played: {reason}") from None
    try:
        session = Session(path.read_bytes(), graph)
        findings = experiment(session)
        Stream(session, findings.past_frames).play(SOUND[0])
    except CaptureError as reason:
        raise CaptureError(f"{path} cannot be played: {reason}") from None
    except Exception as reason:
        if not traceback.extract_tb(reason.__traceback__)[-1].filename.startswith(ONNXRUNTIME):
            raise
        raise CaptureError(f"{path} cannot be played: onnxruntime cannot play it ({one_line(reason)})") from None


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
        Reader("nam", ".nam", open_json, seeds.nams, spoil_capture),
        Reader("rtneural", ".aidax", open_json, seeds.rtneurals, spoil_capture),
        Reader("guitarml", ".json", open_json, seeds.guitarmls, spoil_capture),
        Reader("rig", ".toml", open_rig, seeds.rigs, spoil_toml, rig_words, follows=True),
        Reader("impulse", ".wav", open_impulse, seeds.impulses, spoil_sound),
        Reader("sound", ".wav", open_sound, seeds.takes, spoil_sound),
        Reader("card", ".toml", open_card, seeds.cards, spoil_toml),
        Reader("recipe", ".toml", open_recipe, seeds.recipe_files, spoil_toml),
        Reader("guest", ".onnx", open_stranger, seeds.guests, spoil_guest, wall=open_guest),
    )
}
