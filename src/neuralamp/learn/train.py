"""The training loop: a pair and a recipe in, a capture out, the same one however often it is broken off and resumed."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.errors import CaptureError, TrainingError
from neuralamp.learn.budget import read_budget
from neuralamp.learn.checkpoint import Checkpoint, checkpoint_path, open_checkpoint, save_checkpoint
from neuralamp.learn.export import export
from neuralamp.learn.interrupt import ctrl_c_is_a_request
from neuralamp.learn.learner import LEAST_RATE, Learner, learning_rate
from neuralamp.learn.listen import listen
from neuralamp.learn.pair import Pair
from neuralamp.learn.recipe import Recipe

# Of torch, one: tensors of 16 channels are too small to share. The kernels of learn/fused.py have threads of their own, which
# change no bit.
THREADS = 1
CALIBRATION_SECONDS, CALIBRATION_STEPS = 2.0, 10


@dataclass(frozen=True)
class Progress:
    """How far a training is: held-out ratios as last heard and at best, None before the first hearing."""

    step: int
    steps: int
    loss: float
    esr: float | None
    best_esr: float | None
    seconds_left: float


@dataclass(frozen=True)
class TrainingReport:
    """What came of a training; the ratios are of the held-out part, through the player.

    steps      done, of which `best_step` gave the iterate that was exported.
    parity_db  how far the player's difference from torch lies under the sound.
    finished   False where Ctrl-C stopped it: the same command then goes on.
    """

    file: Path
    esr: float
    esr_preemphasis: float
    steps: int
    best_step: int
    cpu_seconds: float
    wall_seconds: float
    latency_frames: int
    polarity: int
    parity_db: float
    finished: bool


Report = Callable[[Progress], None]


def train(
    pair: Pair,
    output: Path | str,
    recipe: Recipe,
    *,
    budget: str | None = None,
    seed: int = 0,
    card: Card | None = None,
    report: Report = lambda progress: None,
) -> TrainingReport:
    """Learn the pair, write the capture `output` with its card, and say how close it came.

    budget  steps ("2000") or time ("2m"); the recipe's steps where it is None.
    card    what else is known about the amp; the facts of the training are filled in.

    A checkpoint beside `output` is taken up where it stopped, bit for bit, and deleted once the capture stands. Ctrl-C ends the
    training after the step and exports the best iterate so far. Raises TrainingError, RecipeError, PairError or CaptureError.
    """
    began_wall, began_cpu = time.monotonic(), _cpu_seconds()
    output = _possible(Path(output))
    if not 0 <= seed < 2**32:
        raise TrainingError(f"seed {seed} is not possible; give a number from 0 to {2**32 - 1}")
    torch.set_num_threads(THREADS)
    torch.backends.cudnn.deterministic = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    learner = Learner(pair, recipe, seed, device)

    path, asked = checkpoint_path(output), read_budget(budget or str(recipe.steps))
    same: dict[str, Any] = {
        "pair": pair.fingerprint, "recipe": recipe.text(), "seed": seed, "budget": asked.text, "threads": THREADS,
    }  # fmt: skip
    if path.exists():
        run = open_checkpoint(path, **same)
        learner.net.load_state_dict(run.net)
        learner.optimiser.load_state_dict(run.optimiser)
    else:
        steps = asked.steps or _calibrated_steps(asked.seconds or 0.0, pair, recipe, device)
        run = Checkpoint(**same, steps=steps)
    cpu_before, wall_before = run.cpu_seconds - began_cpu, run.wall_seconds - began_wall

    def keep() -> None:
        run.net, run.optimiser = learner.net.state_dict(), learner.optimiser.state_dict()
        run.cpu_seconds, run.wall_seconds = _cpu_seconds() + cpu_before, time.monotonic() + wall_before
        save_checkpoint(path, run)

    esr = None
    first, started = run.step, time.monotonic()
    with ctrl_c_is_a_request() as stop:
        while run.step < run.steps and not stop.is_set():
            loss = learner.step(run.step, learning_rate(recipe, run.step, run.steps))
            run.step += 1
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss} at step {run.step}; lower learning_rate in the recipe (it is {recipe.learning_rate})"
                )
            if run.step % recipe.listen_every == 0 or run.step == run.steps:
                esr = _keep_if_best(run, learner, pair)
            if run.step % recipe.checkpoint_every == 0 or run.step == run.steps:
                keep()
            left = (time.monotonic() - started) / (run.step - first) * (run.steps - run.step)
            report(Progress(run.step, run.steps, loss, esr, run.best_esr if run.best else None, left))

        finished = run.step == run.steps
        if not finished:
            keep()  # before this hearing, which a resumed training shall not know of
            _keep_if_best(run, learner, pair)
        facts = replace(card or Card(name=output.stem), recipe=recipe.name, steps=run.best_step, seed=seed)
        weights = {name: tensor.numpy() for name, tensor in run.best.items()}
        exported = export(output, Capture(recipe.config, weights, facts), pair)
        if finished:
            path.unlink(missing_ok=True)
    return TrainingReport(
        file=output,
        esr=exported.esr,
        esr_preemphasis=exported.esr_preemphasis,
        steps=run.step,
        best_step=run.best_step,
        cpu_seconds=_cpu_seconds() + cpu_before,
        wall_seconds=time.monotonic() + wall_before,
        latency_frames=pair.latency_frames,
        polarity=pair.polarity,
        parity_db=exported.parity_db,
        finished=finished,
    )


def _calibrated_steps(seconds: float, pair: Pair, recipe: Recipe, device: torch.device) -> int:
    """How many steps, with their hearings, this machine does in what is left of `seconds` after it has tried.

    The first step and the first hearing may compile kernels, half a minute once on a machine: they do not count.
    """
    learner = Learner(pair, recipe, 0, device)
    learner.step(0, recipe.learning_rate * LEAST_RATE)
    listen(recipe.config, learner.weights, pair)
    began = time.monotonic()
    listen(recipe.config, learner.weights, pair)
    hearing = time.monotonic() - began
    times: list[float] = []
    while sum(times) < CALIBRATION_SECONDS and len(times) < CALIBRATION_STEPS:
        before = time.monotonic()
        learner.step(len(times), recipe.learning_rate * LEAST_RATE)
        times.append(time.monotonic() - before)
    left = seconds - (time.monotonic() - began)
    return max(1, int(left / (float(np.median(times)) + hearing / recipe.listen_every)))


def _keep_if_best(run: Checkpoint, learner: Learner, pair: Pair) -> float:
    """The held-out ratio of the net as it stands, which becomes the best iterate where it is the lowest so far."""
    esr = listen(learner.recipe.config, learner.weights, pair)
    if not run.best or esr < run.best_esr:
        run.best = {name: tensor.detach().cpu().clone() for name, tensor in learner.net.state_dict().items()}
        run.best_esr, run.best_step = esr, run.step
    return esr


def _possible(output: Path) -> Path:
    """The output path, before an hour is spent on what cannot be written."""
    if output.suffix != ".onnx":
        raise CaptureError(f"{output.name} does not end in .onnx; a capture is an .onnx file")
    if not output.parent.is_dir():
        raise CaptureError(f"the folder {output.parent} is not there; make it or choose another")
    if not os.access(output.parent, os.W_OK):
        raise CaptureError(f"nothing can be written into the folder {output.parent}; choose another")
    return output


def _cpu_seconds() -> float:
    """Of all threads of this process so far."""
    times = os.times()
    return times.user + times.system
