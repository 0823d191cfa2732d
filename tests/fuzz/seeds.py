"""The good files that cases are made of, small, so that a case is fast and a failure can be kept."""

import shutil
from pathlib import Path

import numpy as np
import soundfile

from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card, write_card
from neuralamp.capture.file import save_capture
from neuralamp.learn.recipe import recipes
from neuralamp.nets import architectures
from neuralamp.nets.weights import count
from neuralamp.resources import shipped
from tests.blocks.samples import small_capture
from tests.sound import noise

NETS = 3  # of each architecture
MOST_WEIGHTS, MOST_WORK = 2000, 20e6  # of a seed: so its case has some kilobytes, and settles in milliseconds
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
                weights = {key: rng.uniform(-0.3, 0.3, shape).astype(np.float32) for key, shape in config.weights().items()}
                made.append(folder / f"{name}-{len(made)}.onnx")
                save_capture(made[-1], Capture(config, weights, CARD))
    return made


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
