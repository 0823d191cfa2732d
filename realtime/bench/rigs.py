"""What the proofs play: rigs with every box there is, captures of random weights, and a take that leaves nothing out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neuralamp.audio import Audio, write_audio
from neuralamp.block import Block, FileSetting
from neuralamp.blocks import boxes
from neuralamp.blocks.plugin import PluginBox
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import save_capture
from neuralamp.guest.link import ANSWERED, Link, publish
from neuralamp.guest.live import live_node
from neuralamp.guest.plugin import Plugin
from neuralamp.guest.plugin_facts import BUILT_IN, HELD, PluginFacts, PluginKnob
from neuralamp.messages import Bypass, Turn
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.sequential.config import SequentialConfig, SequentialLayer
from neuralamp.nets.slimmable.config import Part, SlimmableConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import PLACES, Film, LayerArray, PostLayer
from neuralamp.rig import Lanes, Rig, Snapshot

SAMPLE_RATE = 48000


MODULATED = LayerArray(
    4, (3,), (7,), ("prelu",), gatings=("blended",), head_1x1=2, head_channels=2, films=tuple(map(Film, PLACES))
)
RARE_NETS = {
    "modulated": WaveNetConfig((MODULATED,), condition=LstmConfig(3, outputs=2), post_head=(PostLayer(1, 2, "leaky_hard_tanh"),)),
    "sequential": SequentialConfig(
        (SequentialLayer("conv", 4, 3, 2, activation="elu"), SequentialLayer("gru", 3), SequentialLayer("conv", 1))
    ),
    "linear": LinearConfig(300),
    "slimmable": SlimmableConfig((Part(0.5, LstmConfig(3)), Part(1.0, IN_THE_WILD["A1 nano"]))),
}
"""One of each kind that other files bring; they play at a sample rate that is not their own."""
RARE_RATE = 44100


def random_capture(path: Path, config: Any, seed: int, sample_rate: int = SAMPLE_RATE) -> Path:
    """A capture whose weights are small random numbers: it sounds like nothing, and costs what a real one costs."""
    rng = np.random.default_rng(seed)
    weights = {name: rng.uniform(-0.3, 0.3, shape).astype(np.float32) for name, shape in config.weights().items()}
    save_capture(path, Capture(config, weights, Card(name=path.stem, sample_rate=sample_rate)))
    return path


def make_files(folder: Path) -> dict[str, list[Path]]:
    """What the boxes' file settings may be, by the name of the setting."""
    captures = [
        random_capture(folder / "nano.onnx", IN_THE_WILD["A1 nano"], seed=1),
        random_capture(folder / "lstm.onnx", LstmConfig(hidden=8), seed=2),
    ]
    taps = np.random.default_rng(3).standard_normal((2, 3000)) * np.logspace(0.0, -3.0, 3000)
    response = folder / "response.wav"
    write_audio(response, Audio((0.05 * taps).astype(np.float32), SAMPLE_RATE))
    return {"capture": captures, "ir": [response], "ir_b": [response]}


def rare_amps(folder: Path) -> tuple[Block, ...]:
    """An amp for every kind of net that stands nowhere else here."""
    files = (random_capture(folder / f"{name}.onnx", net, 5, RARE_RATE) for name, net in RARE_NETS.items())
    return tuple(boxes()["amp"](capture=file) for file in files)


SMALL = {"looper": {"seconds": 1.0}}
"""Box -> settings by which a plan stays small: what a proof sees growing is then no loop that one rig more happens to hold."""


def make_box(word: str, files: Mapping[str, list[Path]], choice: int = 0) -> Block:
    """A box by its word, its files the `choice`-th of those that fit."""
    kind = boxes()[word]
    possible = [name for name, setting in kind.settings().items() if isinstance(setting, FileSetting)]
    return kind(**{name: files[name][choice % len(files[name])] for name in possible}, **SMALL.get(word, {}))


class Hosted(PluginBox):
    """A plugin without its plugin: our own part of it, with a worker that has answered for ever, or with one that never does."""

    plugin, part, saved, stereo, latency_frames, tail = PluginBox.settings().values()  # a class has those it says itself

    def __init__(self, answers: bool):
        self.answers = answers
        super().__init__(plugin=f"{BUILT_IN}Nothing")

    def _opened(self, sample_rate):
        return NoPlugin(self.answers, sample_rate)


class NoPlugin(Plugin):
    """What would be played, if there were a worker."""

    def __init__(self, answers: bool, sample_rate: float):
        knob = PluginKnob("mix", 0.5, "", "nothing", (0.0, 1.0), (0.0, 1.0))
        super().__init__("nothing", "", sample_rate, PluginFacts("nothing", (knob,), 0, HELD, ""))
        self.answers, self.sample_rate = answers, sample_rate

    def start_live(self, channels, max_frames, goal, latency_frames):
        link = Link(channels, max_frames, latency_frames, HELD)
        publish(link.worker + ANSWERED, 2**62 if self.answers else 0)
        return live_node(link, self.sample_rate, keep=None), link, lambda: ""


def proof_rigs(folder: Path, more: tuple[Block, ...] = ()) -> list[Rig]:
    """Rigs to change between: every box in a row, with either capture; lanes; the amp; every net. `more` stands behind."""
    files, ours = make_files(folder), [word for word, kind in boxes().items() if not kind.foreign]
    rigs = [
        Rig("every box", (*(make_box(word, files) for word in ours), *more)),
        Rig("every box, recurrent", (*(make_box(word, files, choice=1) for word in reversed(ours)), *more)),
        Rig("lanes", (Lanes(((make_box("amp", files),), (make_box("amp", files, choice=1), make_box("level", files)))), *more)),
        Rig("amp", (make_box("amp", files), *more)),
        Rig("every net", (*rare_amps(folder), *more)),
        Rig("others", (Hosted(answers=True), Hosted(answers=False), *more)),
    ]
    return [replace(rig, snapshots=tuple(random_snapshot(rig, seed) for seed in (1, 2))) for rig in rigs]


def random_snapshot(rig: Rig, seed: int) -> Snapshot:
    """Every knob of a rig somewhere, every second box bypassed."""
    rng = np.random.default_rng(seed)
    acts: list[Turn | Bypass] = []
    for k, (label, box) in enumerate(rig.boxes().items()):
        acts += [Turn(label, name, rng.uniform(knob.low, knob.high)) for name, knob in box.controls.items()]
        acts.append(Bypass(label, k % 2 == seed % 2))
    return Snapshot(str(seed), tuple(acts))


def guitar_like(seconds: float, inputs: int, seed: int = 4) -> np.ndarray:
    """(inputs, frames) float32: plucks that die away into denormals, hum between them, clipped peaks, one NaN and one Inf."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * SAMPLE_RATE)
    take = np.zeros((inputs, frames))
    for start in range(0, frames, SAMPLE_RATE // 3):
        n = np.arange(frames - start)
        pitch = rng.choice([82.4, 110.0, 146.8, 196.0, 246.9, 329.6])
        take[:, start:] = rng.uniform(0.1, 1.5) * np.sin(2 * np.pi * pitch / SAMPLE_RATE * n) * np.exp(-n / 6000.0)
        take[:, start : start + 400] += 0.2 * rng.standard_normal((inputs, take[:, start : start + 400].shape[1]))
    take[:, frames // 2 :] *= 1e-39  # half of it is denormal
    take[:, : frames // 4] += 0.003 * np.sin(2 * np.pi * 50.0 / SAMPLE_RATE * np.arange(frames // 4))
    take[:, frames // 3], take[:, frames // 3 + 2000] = np.nan, np.inf
    return take.astype(np.float32)


def changing_lengths(seed: int = 5) -> list[int]:
    """Lengths of buffers: mostly 1 to 16 frames, some of the usual sizes, a few longer than the engine's own buffers."""
    rng = np.random.default_rng(seed)
    lengths = np.concatenate([rng.integers(1, 17, 4000), rng.choice([32, 64, 128, 256], 92), [1024, 1025, 1500, 2048]])
    return [int(length) for length in rng.permutation(lengths)]
