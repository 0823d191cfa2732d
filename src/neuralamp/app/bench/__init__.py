"""How fast nets and boxes play: each in the engine, as a guitarist hears it, in turn with other players of the same net."""

import importlib.util
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from neuralamp.app.bench.machine import Sgemm, first_sound_seconds
from neuralamp.app.bench.players import SAMPLE_RATE, Contestant, in_buffers, onnxruntime_stream, ours, peer
from neuralamp.audio import Audio, write_audio
from neuralamp.block import FileSetting
from neuralamp.blocks import boxes
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import save_capture
from neuralamp.dsp.jit import LANES
from neuralamp.engine import Engine
from neuralamp.errors import CaptureError
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.weights import Weights
from neuralamp.rig import Rig, capture_rig

BUFFERS = (16, 64, 128, 2048)
ROUNDS = 7
IR_FRAMES = 8192  # the longest that a cab plays at 48 kHz
FIXED_BUFFER = 16
FULL_RIG = "a full rig"
FULL_RIG_BOXES = ("gate", "compressor", "overdrive", "amp", "cab", "eq", "chorus", "delay", "hall", "limiter")


@dataclass(frozen=True)
class Row:
    """A net or a box in buffers of one size: seconds of sound in a second of one core; None where there is nothing to compare.

    share  of what the net's multiplications alone would reach at the speed of sgemm.
    """

    net: str
    buffer: int
    rtf: float
    rtf_onnxruntime: float | None = None
    rtf_torch: float | None = None
    rtf_peer: float | None = None
    share: float | None = None


@dataclass(frozen=True)
class Bench:
    """What was measured.

    lanes          float32 numbers in a vector of this processor.
    sgemm_gflops   of one thread, 1024 x 1024 float32, in turn with the nets.
    first_sound_s  from the start of a process to its first sound, of a capture; None where no net was asked for.
    fixed_us       what a call of the whole chain costs before any box does something.
    """

    lanes: int
    sgemm_gflops: float
    first_sound_s: float | None
    fixed_us: float
    rows: list[Row]


def measure(
    seconds: float, only: str = "", peer_command: str | None = None, report: Callable[[str], None] = lambda what: None
) -> Bench:
    """Every net and every box with `only` in its name, in every size of buffer; medians of interleaved rounds.

    peer_command  another player's benchmark; see `players.peer`.
    report        is told what is measured next.
    """
    x = (0.1 * np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)
    rows: list[Row] = []
    gflops: list[float] = []
    first_sound = None
    with tempfile.TemporaryDirectory() as place, Sgemm() as sgemm:
        folder = Path(place)
        report("an empty rig")
        fixed = FIXED_BUFFER / SAMPLE_RATE / interleaved([ours(Rig("empty", ()), x, FIXED_BUFFER)])[0]
        for name, config in IN_THE_WILD.items():
            if only not in name:
                continue
            capture = Capture(config, random_weights(config), Card(sample_rate=SAMPLE_RATE))
            path = folder / "net.onnx"
            save_capture(path, capture)
            if first_sound is None:
                report("the first sound")
                Engine(capture_rig(path), SAMPLE_RATE).play(x[np.newaxis])  # its kernels are compiled then
                first_sound = first_sound_seconds(path)
            for buffer in BUFFERS:
                report(f"{name} in buffers of {buffer}")
                contest = _contest(capture, path, x, buffer, peer_command)
                speeds = dict(zip([*contest, "sgemm"], interleaved([*contest.values(), sgemm]), strict=True))
                gflops.append(speeds["sgemm"])
                limit = 1e9 * speeds["sgemm"] / (2 * multiplications(config) * SAMPLE_RATE)
                rows.append(
                    Row(
                        name,
                        buffer,
                        speeds["ours"],
                        speeds["onnxruntime"],
                        speeds.get("torch"),
                        speeds.get("peer"),
                        speeds["ours"] / limit,
                    )
                )
        for name, rig in box_rigs(folder):
            if only in name:
                for buffer in BUFFERS:
                    report(f"{name} in buffers of {buffer}")
                    rows.append(Row(name, buffer, interleaved([ours(rig, x, buffer)])[0]))
        return Bench(LANES, median(gflops or [sgemm()]), first_sound, 1e6 * fixed, rows)


def _contest(capture: Capture, path: Path, x: np.ndarray, buffer: int, peer_command: str | None) -> dict[str, Contestant]:
    """Who plays a capture, by name; torch where it is installed, the peer where a .nam file can hold the net."""
    config, weights = capture.config, capture.weights
    contest = {
        "ours": ours(capture_rig(path), x, buffer),
        "onnxruntime": in_buffers(onnxruntime_stream(config, weights), x, buffer),
    }
    if importlib.util.find_spec("torch") is not None:
        from neuralamp.learn.torch_stream import torch_stream

        contest["torch"] = in_buffers(torch_stream(config, weights), x, buffer)
    if peer_command is not None:
        model = path.with_suffix(".nam")
        try:
            save_capture(model, capture)
        except CaptureError:
            return contest
        contest["peer"] = peer(peer_command, model, buffer, x.size / SAMPLE_RATE)
    return contest


def interleaved(contest: list[Contestant]) -> list[float]:
    """The median speed of each, after a round to warm up: what disturbs the machine for a while disturbs all of them."""
    rounds = [[play() for play in contest] for _ in range(ROUNDS + 1)]
    return [median(speeds) for speeds in zip(*rounds[1:], strict=True)]


def multiplications(config: Any) -> int:
    """Multiply-adds that a net's matrices take for one frame: each of their numbers once."""
    return sum(math.prod(shape) for name, shape in config.weights().items() if "weight" in name)


def random_weights(config: Any) -> Weights:
    """Weights spread as torch spreads them at first, by how many inputs each output sums."""
    rng = np.random.default_rng(0)
    weights = {}
    for name, shape in config.weights().items():
        bound = 1.0 / math.sqrt(max(math.prod(shape[1:]), 4))
        weights[name] = rng.uniform(-bound, bound, shape).astype(np.float32)
    return weights


def box_rigs(folder: Path) -> Iterator[tuple[str, Rig]]:
    """Every box alone, as it is set by default, except the amp, which the nets have measured, and code of others."""
    ir = np.random.default_rng(1).standard_normal((1, IR_FRAMES)) * np.exp(-np.arange(IR_FRAMES) / 1000.0)
    write_audio(folder / "ir.wav", Audio(ir.astype(np.float32), SAMPLE_RATE))
    for word, kind in boxes().items():
        if word != "amp" and not kind.foreign:
            settings = kind.settings().items()
            needed = [name for name, setting in settings if isinstance(setting, FileSetting) and not setting.optional]
            yield word, Rig(word, (kind(**dict.fromkeys(needed, folder / "ir.wav")),))
    yield FULL_RIG, full_rig(folder)


def full_rig(folder: Path) -> Rig:
    """What a guitarist may have under the foot: ten boxes, the amp a standard WaveNet, the cab as long as one can be."""
    config = IN_THE_WILD["A1 standard"]
    save_capture(folder / "full.onnx", Capture(config, random_weights(config), Card(sample_rate=SAMPLE_RATE)))
    files = {"amp": {"capture": folder / "full.onnx"}, "cab": {"ir": folder / "ir.wav"}}
    return Rig(FULL_RIG, tuple(boxes()[word](**files.get(word, {})) for word in FULL_RIG_BOXES))
