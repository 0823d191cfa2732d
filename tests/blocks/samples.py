"""How each box is built for a test. A box that needs files has an entry in FILES; one without is built from its knobs alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from neuralamp.block import Block, FileSetting
from neuralamp.blocks import boxes
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import save_capture
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import LayerArray


def impulse_response(path: Path, channels: int = 1, frames: int = 3000, sample_rate: int = 48000, seed: int = 1) -> Path:
    """Write a response that begins at full level at its first frame and falls by 60 dB to its last; as loud as it comes in."""
    taps = np.random.default_rng(seed).standard_normal((frames, channels)) * np.logspace(0.0, -3.0, frames)[:, None]
    taps[0] = 1.0
    soundfile.write(path, taps / np.sqrt(np.sum(np.square(taps), axis=0)), sample_rate, subtype="FLOAT")
    return path


def small_capture(path: Path, sample_rate: float = 48000.0, seed: int = 1) -> Path:
    """Write a capture of a small WaveNet with random weights, about as loud as it is driven."""
    config = WaveNetConfig((LayerArray(4, (3, 2, 3), (1, 7, 90), ("tanh", "silu", "tanh")),))
    rng = np.random.default_rng(seed)
    weights = {name: rng.uniform(-0.5, 0.5, shape).astype(np.float32) for name, shape in config.weights().items()}
    save_capture(path, Capture(config, weights, Card(name="random", sample_rate=round(sample_rate))))
    return path


def _amp(folder: Path, sample_rate: float) -> dict[str, Any]:
    return {"capture": small_capture(folder / "capture.onnx", sample_rate)}


def _cab(folder: Path, sample_rate: float) -> dict[str, Any]:
    return {"ir": impulse_response(folder / "ir.wav", sample_rate=round(sample_rate))}


FILES: dict[str, Callable[[Path, float], dict[str, Any]]] = {"amp": _amp, "cab": _cab}
"""Box -> the file settings it is built from, written into a folder for one sample rate."""

EXEMPT = {"plugin": "code of others makes its sound, in a process of its own; tests/guest/ has what is promised of it"}
"""Box -> why the contract of boxes does not hold for it."""

NEVER_SILENT = frozenset({"amp", "metronome"})
"""Boxes that make a sound of their own in silence, as the biases of a net do, and a click."""

SWAYING = {"vibrato": 0.001}
"""Box -> seconds that its answer may begin later than told: a pitch sways where a delay does."""

RING_AHEAD = frozenset({"big_fuzz", "distortion", "fuzz", "octave_fuzz", "overdrive", "treble_booster"})
"""Boxes with filters of linear phase, as oversampling has: their answer swells for some frames before it is there."""


def sample(word: str, folder: Path, sample_rate: float = 48000.0) -> Block:
    """The box of this word, its files in the folder, its knobs at their defaults."""
    return boxes()[word](**FILES[word](folder, sample_rate) if word in FILES else {})


def without_a_sample() -> list[str]:
    """The boxes that need files and have no entry."""
    needy = [
        word
        for word, box in boxes().items()
        if any(isinstance(setting, FileSetting) and not setting.optional for setting in box.settings().values())
    ]
    return [word for word in needy if word not in FILES and word not in EXEMPT]
