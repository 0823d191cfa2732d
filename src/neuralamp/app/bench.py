"""How fast nets and boxes play: each in the engine, as a guitarist hears it, against onnxruntime and torch in turn."""

import importlib.util
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from neuralamp import nets
from neuralamp.audio import Audio, write_audio
from neuralamp.block import FileSetting
from neuralamp.blocks import boxes
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import save_capture
from neuralamp.engine import Engine
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.weights import Weights
from neuralamp.rig import Rig, capture_rig

SAMPLE_RATE = 48000
BUFFERS = (16, 64, 128, 2048)
ROUNDS = 5
MOST_CPU_SECONDS = 0.15  # of one player in one round: torch in buffers of 16 frames is slower than the sound
IR_FRAMES = 8192  # the longest that a cab plays at 48 kHz

Player = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Row:
    """A net or a box in buffers of one size: seconds of sound in a CPU second; None where there is nothing to compare."""

    net: str
    buffer: int
    rtf: float
    rtf_onnxruntime: float | None = None
    rtf_torch: float | None = None


def measure(seconds: float, only: str = "") -> list[Row]:
    """Every net and every box with `only` in its name, in every size of buffer; medians of interleaved rounds."""
    x = (0.1 * np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, config in IN_THE_WILD.items():
            if only in name:
                weights = random_weights(config)
                path = Path(folder) / "net.onnx"
                save_capture(path, Capture(config, weights, Card(sample_rate=SAMPLE_RATE)))
                rows += [_net_row(name, config, weights, capture_rig(path), x, buffer) for buffer in BUFFERS]
        for name, rig in _box_rigs(Path(folder)):
            if only in name:
                rows += [Row(name, buffer, _interleaved([_ours(rig, x, buffer)])[0]) for buffer in BUFFERS]
    return rows


def _net_row(name: str, config: Any, weights: Weights, rig: Rig, x: np.ndarray, buffer: int) -> Row:
    contest = [_ours(rig, x, buffer), _in_buffers(onnxruntime_stream(config, weights), x, buffer)]
    if importlib.util.find_spec("torch") is not None:
        from neuralamp.learn.torch_stream import torch_stream

        contest.append(_in_buffers(torch_stream(config, weights), x, buffer))
    ours, theirs, *torchs = _interleaved(contest)
    return Row(name, buffer, ours, theirs, torchs[0] if torchs else None)


def _interleaved(contest: list[Callable[[], float]]) -> list[float]:
    """The median speed of each, after a round to warm up: what disturbs the machine for a while disturbs all of them."""
    rounds = [[play() for play in contest] for _ in range(ROUNDS + 1)]
    return [median(speeds) for speeds in zip(*rounds[1:], strict=True)]


def _ours(rig: Rig, x: np.ndarray, buffer: int) -> Callable[[], float]:
    """The engine cuts what it is given into its largest buffer, in compiled code, as a device would have it cut."""
    engine = Engine(rig, SAMPLE_RATE, max_frames=buffer)

    def play() -> float:
        start = time.thread_time()
        engine.play(x[np.newaxis])
        return x.size / SAMPLE_RATE / (time.thread_time() - start)

    return play


def _in_buffers(player: Player, x: np.ndarray, buffer: int) -> Callable[[], float]:
    cut = [x[at : at + buffer] for at in range(0, x.size - buffer + 1, buffer)]

    def play() -> float:
        start, played, spent = time.thread_time(), 0, 0.0
        for part in cut:
            player(part)
            played += part.size
            if (spent := time.thread_time() - start) > MOST_CPU_SECONDS:
                break
        return played / SAMPLE_RATE / spent

    return play


def onnxruntime_stream(config: Any, weights: Weights) -> Player:
    """(frames,) -> (frames,) through the graph of a capture file, states fed back, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = nets.graph(config, weights).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    state = {each.name: np.zeros(each.shape, np.float32) for each in session.get_inputs() if each.name != "x"}
    names = [each.name.removeprefix("next.") for each in session.get_outputs() if each.name != "y"]

    def play(x: np.ndarray) -> np.ndarray:
        y, *after = session.run(None, {"x": x[np.newaxis, np.newaxis], **state})
        state.update(zip(names, after, strict=True))
        return y[0, 0]

    return play


def random_weights(config: Any) -> Weights:
    """Weights spread as torch spreads them at first, by how many inputs each output sums."""
    rng = np.random.default_rng(0)
    weights = {}
    for name, shape in config.weights().items():
        bound = 1.0 / math.sqrt(max(math.prod(shape[1:]), 4))
        weights[name] = rng.uniform(-bound, bound, shape).astype(np.float32)
    return weights


def _box_rigs(folder: Path) -> list[tuple[str, Rig]]:
    """Every box alone, as it is set by default, except the amp, which the nets have measured."""
    ir = np.random.default_rng(1).standard_normal((1, IR_FRAMES)) * np.exp(-np.arange(IR_FRAMES) / 1000.0)
    write_audio(folder / "ir.wav", Audio(ir.astype(np.float32), SAMPLE_RATE))
    rigs = []
    for word, kind in boxes().items():
        if word != "amp":
            files = {name: folder / "ir.wav" for name, setting in kind.settings().items() if isinstance(setting, FileSetting)}
            rigs.append((word, Rig(word, (kind(**files),))))
    return rigs
