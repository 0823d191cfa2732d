"""The good files that cases are made of, small, so that a case is fast and a failure can be kept."""

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card, write_card
from neuralamp.capture.file import save_capture
from neuralamp.learn.recipe import recipes
from neuralamp.nets import architectures
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.weights import count
from neuralamp.resources import shipped
from tests.blocks.samples import small_capture
from tests.capture.formats.rtneural_models import random_model, recurrent
from tests.capture.nam_files import ARCHITECTURES, random_nam
from tests.sound import noise

NETS = 3  # of each architecture
MOST_WEIGHTS, MOST_WORK = 2000, 20e6  # of a seed: so its case has some kilobytes, and settles in milliseconds
MOST_LETTERS = 8000  # of a seed in JSON
CARD = Card(name="seed", maker="us", gear_type="amp", input_level_dbu=12.5, steps=10, esr=0.01, date="2024-05-17")

LANES = """name = "two lanes"

[[chain]]
box = "gate"
threshold = -60.0

[[chain]]
[[chain.lanes]]
[[chain.lanes.chain]]
box = "level"
level = -3.0

[[chain.lanes]]
[[chain.lanes.chain]]
box = "cab"
ir = "cab.wav"
normalise = true
"""
AMP = """[[chain]]
box = "amp"
capture = "amp.onnx"
input = 3.0

[[chain]]
box = "eq"
low_cut = 80.0
"""
WAVES = (
    ("WAV", "PCM_16", 1), ("WAV", "FLOAT", 1), ("WAV", "PCM_24", 2), ("WAV", "IMA_ADPCM", 1), ("RF64", "PCM_16", 1),
    ("W64", "FLOAT", 1), ("AIFF", "PCM_16", 2), ("FLAC", "PCM_16", 1), ("OGG", "VORBIS", 1), ("CAF", "ALAC_16", 1),
    ("AU", "ULAW", 1), ("MP3", "MPEG_LAYER_III", 1),
)  # fmt: skip


def captures(folder: Path) -> list[Path]:
    """Some of every architecture, with random shapes and weights."""
    from tests.nets.random_nets import RANDOM  # loads torch, which has no place in the child that opens these files

    made = []
    for name in architectures():
        rng = np.random.default_rng(1)
        while len(made) < NETS * (1 + list(architectures()).index(name)):
            config = RANDOM[name](rng)
            if count(config.weights()) <= MOST_WEIGHTS and config.settling_frames * count(config.weights()) <= MOST_WORK:
                made.append(folder / f"{name}-{len(made)}.onnx")
                save_capture(made[-1], Capture(config, _weights(config, rng), CARD))
    return made


def nams(folder: Path) -> list[Path]:
    """.nam files of every architecture, with every option, and one of the shape that most small captures in the wild have."""
    made = []
    for architecture in ARCHITECTURES:
        wishes = {"sample_rate": 48000} | ({} if architecture == "SlimmableContainer" else {"outputs": 1})
        models = filter(_is_small, (random_nam(architecture, seed, **wishes) for seed in itertools.count()))
        wanted = 8 if architecture == "WaveNet" else 3
        made += [_written(folder / f"{architecture}-{i}.nam", model) for i, model in enumerate(itertools.islice(models, wanted))]
    made.append(_written(folder / "condition.nam", random_nam("WaveNet", 3, outputs=1, condition_dsp=True, slimmable=False)))
    made.append(_written(folder / "slimmable.nam", random_nam("WaveNet", 4, outputs=1, slimmable=True, condition_dsp=False)))
    nano = IN_THE_WILD["A1 nano"]
    save_capture(folder / "nano.nam", Capture(nano, _weights(nano, np.random.default_rng(2)), CARD))
    return [*made, folder / "nano.nam"]


def _is_small(model: dict) -> bool:
    return len(json.dumps(model)) < MOST_LETTERS


def _written(path: Path, model: dict) -> Path:
    """Blanks behind it make its length what `open_json` wants for all that it may do: then every kernel is compiled by a seed."""
    text = json.dumps(model)
    path.write_text(text + " " * (-len(text) % 24))
    return path


def rtneurals(folder: Path) -> list[Path]:
    """keras's order with every kind of layer, AIDA-X's extras, and torch's names and shapes."""
    rng = np.random.default_rng(3)
    made = [_written(folder / f"layers-{i}.aidax", random_model(rng)) for i in range(8)]
    aidax = recurrent(rng, "gru", 5, in_skip=1, in_gain=3.0, out_gain=-3.0, metadata={"name": "a", "samplerate": "44100"})
    made.append(_written(folder / "aidax.aidax", aidax))
    for name, config in (("lstm", LstmConfig(3, layers=2)), ("knobs", LstmConfig(3, skip=1.0, knobs=("gain", "tone")))):
        made.append(folder / f"{name}.aidax")
        save_capture(made[-1], Capture(config, _weights(config, rng), CARD))
    cells = {key: value for key, value in torch_names(LstmConfig(3, layers=2, cell="gru"), rng).items() if "bias" not in key}
    made.append(_written(folder / "torch.aidax", cells))
    conv = {"a.weight": [[[0.1, 0.2]], [[0.3, -0.2]]], "a.bias": [0.1, 0.2], "b.weight": [[0.5, 0.4]], "b.bias": [0.1]}
    return [*made, _written(folder / "torch-conv.aidax", conv)]


def torch_names(config: LstmConfig, rng: np.random.Generator) -> dict[str, list]:
    """A state dict as torch would write it."""
    names = {"cells": "rec", "head": "lin"}
    weights = {name.partition("."): array.tolist() for name, array in _weights(config, rng).items()}
    return {f"{names[module]}.{weight}": numbers for (module, _, weight), numbers in weights.items()}


def guitarmls(folder: Path) -> list[Path]:
    """Both kinds of cells, with and without knobs, and one whose layers have no biases."""
    rng, made = np.random.default_rng(4), []
    for cell, knobs in (("lstm", ()), ("lstm", ("gain",)), ("gru", ()), ("gru", ("gain", "tone"))):
        config = LstmConfig(4, cell=cell, skip=1.0, knobs=knobs)
        made.append(folder / f"{cell}-{len(knobs)}.json")
        save_capture(made[-1], Capture(config, _weights(config, rng), CARD))
    state = {key: value for key, value in torch_names(LstmConfig(4), rng).items() if "bias" not in key}
    shape = {"model": "SimpleRNN", "input_size": 1, "skip": 1, "output_size": 1, "unit_type": "LSTM", "num_layers": 1,
             "hidden_size": 4, "bias_fl": False}  # fmt: skip
    return [*made, _written(folder / "bare.json", {"model_data": shape, "state_dict": state})]


def guests(folder: Path) -> list[Path]:
    """Graphs as strangers make them: with states and without, of fixed and of any length, padded by themselves and not."""
    from tests.guest.graphs import Sketch, convolution, one_pole, ours_without_its_marks  # loads torch
    from tests.guest.graphs import write as write_graph

    small = Sketch(x=("frames",))
    small("Tanh", small("Mul", "x", small.constant(2.0)), into="y")
    graphs = {
        "tanh": small.model(y=("frames",)),
        "padded": convolution((2, 0)),
        "bare": convolution(None),
        "fixed": convolution((2, 0), frames=512),
        "pole": one_pole(),
        "fixed-pole": one_pole(frames=32),
        "lstm": ours_without_its_marks(LstmConfig(3))[0],
    }
    return [write_graph(folder / f"{name}.onnx", model) for name, model in graphs.items()]


def _weights(config: Any, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {name: rng.uniform(-0.3, 0.3, shape).astype(np.float32) for name, shape in config.weights().items()}


def rigs(folder: Path) -> list[Path]:
    """The shipped ones, and small ones with what they name."""
    small_capture(folder / "amp.onnx")
    _sound(folder / "cab.wav", "WAV", "PCM_16", 1)
    made = [folder / "lanes.toml", folder / "amp.toml"]
    for path, text in zip(made, (LANES, AMP), strict=True):
        path.write_text(text)
    for path in shipped("amp_models").glob("rigs/*"):
        made += [folder / path.name] if path.suffix == ".toml" else []
        shutil.copy(path, folder / path.name)
    return made


def impulses(folder: Path) -> list[Path]:
    return [
        _sound(folder / f"{container}-{coding}.wav", container, coding, channels) for container, coding, channels in WAVES[:8]
    ]


def takes(folder: Path) -> list[Path]:
    return [_sound(folder / f"{container}-{coding}.wav", container, coding, channels) for container, coding, channels in WAVES]


def _sound(path: Path, container: str, coding: str, channels: int) -> Path:
    """200 frames that fade. Readers look at what is in a file, not at its ending."""
    sound = noise(channels, 200, seed=1, peak=0.5).T * np.linspace(1.0, 0.0, 200)[:, np.newaxis]
    soundfile.write(path, sound, 48000, format=container, subtype=coding)
    return path


def cards(folder: Path) -> list[Path]:
    write_card(folder / "full.toml", CARD)
    write_card(folder / "bare.toml", Card())
    return [folder / "full.toml", folder / "bare.toml"]


def recipe_files(folder: Path) -> list[Path]:
    return [Path(shutil.copy(path, folder)) for path in recipes().values()]
