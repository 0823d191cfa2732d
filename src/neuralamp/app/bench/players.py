"""Who plays a net in the bench: each gives seconds of sound made in a second of one core."""

import re
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neuralamp import nets
from neuralamp.engine import Engine
from neuralamp.errors import NeuralAmpError
from neuralamp.nets.weights import Weights
from neuralamp.rig import Rig

SAMPLE_RATE = 48000
LEAST_CPU_SECONDS = 0.03  # of one player in one round: shorter ones are lost in what disturbs a machine
MOST_CPU_SECONDS = 0.15  # torch in buffers of 16 frames is slower than the sound
PEER_SECONDS = 120.0

Contestant = Callable[[], float]
"""Plays once, and says how fast that was."""


class PeerError(NeuralAmpError):
    """Another player's benchmark that does not say what it should."""


def ours(rig: Rig, x: np.ndarray, buffer: int) -> Contestant:
    """The engine cuts what it is given into its largest buffer, in compiled code, as a device would have it cut."""
    return playing(Engine(rig, SAMPLE_RATE, max_frames=buffer), x)


def playing(engine: Engine, x: np.ndarray) -> Contestant:
    """An engine that may play other sounds too: where its memory lies can cost a fifth, and would be taken for the sound's."""

    def play() -> float:
        start, played = time.thread_time(), 0
        while (spent := time.thread_time() - start) < LEAST_CPU_SECONDS:
            engine.play(x[np.newaxis])
            played += x.size
        return played / SAMPLE_RATE / spent

    return play


def in_buffers(player: Callable[[np.ndarray], Any], x: np.ndarray, buffer: int) -> Contestant:
    """A player in Python, called for every buffer."""
    cut = [x[at : at + buffer] for at in range(0, x.size - buffer + 1, buffer)]

    def play() -> float:
        start, played, spent = time.thread_time(), 0, 0.0
        while spent < LEAST_CPU_SECONDS:
            for part in cut:
                player(part)
                played += part.size
                if (spent := time.thread_time() - start) > MOST_CPU_SECONDS:
                    break
        return played / SAMPLE_RATE / spent

    return play


def onnxruntime_stream(config: Any, weights: Weights) -> Callable[[np.ndarray], np.ndarray]:
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


def peer(command: str, model: Path, buffer: int, seconds: float) -> Contestant:
    """Any other player: a command line in which {model}, {frames} and {seconds} stand for a .nam file, the buffer and the sound.

    The last number that it prints must be the seconds of sound that it makes in a second of one core.
    """
    values = {"{model}": str(model), "{frames}": str(buffer), "{seconds}": str(seconds)}
    words = [re.sub(r"\{(?:model|frames|seconds)\}", lambda found: values[found[0]], word) for word in shlex.split(command)]
    line = shlex.join(words)

    def play() -> float:
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=PEER_SECONDS, check=False)
        except OSError as reason:
            raise PeerError(f"the peer does not run: {line}: {reason.strerror}") from None
        except subprocess.TimeoutExpired:
            raise PeerError(f"the peer took more than {PEER_SECONDS:.0f} s; ask it for less sound: {line}") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or [""]
            raise PeerError(f"the peer failed with exit code {done.returncode}: {line}: {said[-1]}")
        numbers = re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", done.stdout)
        if not numbers or not float(numbers[-1]) > 0.0:
            printed = repr(done.stdout.strip()[-80:]) if done.stdout.strip() else "nothing"
            raise PeerError(
                f"the last number that the peer prints should be its seconds of sound in a second; it printed {printed}"
            )
        return float(numbers[-1])

    return play
