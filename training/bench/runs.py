"""One training of a benchmark, and the file in which many are kept."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from neuralamp.learn.fused import fused
from neuralamp.learn.learner import Learner, learning_rate
from neuralamp.learn.listen import listen
from neuralamp.learn.pair import Pair
from neuralamp.learn.recipe import Recipe, find_recipe

# What the public trainer of .nam files does: mean square error, Adam, a rate that falls a little each epoch, no clipping
PUBLIC = replace(
    find_recipe("wavenet-standard"),
    name="public",
    batch=16,
    segment_frames=8192,
    optimiser="adam",
    learning_rate=4e-3,
    clip=1e9,
)
PUBLIC_DECAY = 0.993
HEARD_A_DECADE = 12


@dataclass(frozen=True)
class Heard:
    """What came of some steps: CPU-seconds that they took, and the error-to-signal ratio on what was held out."""

    step: int
    cpu_seconds: float
    esr: float


@dataclass(frozen=True)
class Run:
    """One training of `steps` steps, the last hearing behind the last of them; none of a training that diverged."""

    pair: str
    recipe: str
    seed: int
    steps: int
    heard: tuple[Heard, ...]

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.pair, self.recipe, self.seed, self.steps


def read(file: Path) -> list[Run]:
    """Every run that is kept; none where there is no file."""
    lines = file.read_text().splitlines() if file.exists() else []
    runs = [json.loads(line) for line in lines]
    return [Run(**run | {"heard": tuple(Heard(**heard) for heard in run["heard"])}) for run in runs]


def keep(file: Path, run: Run) -> None:
    with file.open("a") as lines:
        lines.write(json.dumps(asdict(run)) + "\n")


def learner_of(pair: Pair, recipe: Recipe, seed: int) -> Learner:
    """In kernels on one thread, so that CPU-seconds are those of one core."""
    learner = Learner(pair, recipe, seed, torch.device("cpu"))
    learner.answer = fused(learner.net, 1)
    if recipe is PUBLIC:
        learner.loss_of = torch.nn.functional.mse_loss
    return learner


def public_epoch(pair: Pair) -> int:
    """Steps in which the public recipe hears as many frames as the pair has for training."""
    held_out = pair.held_out.stop - pair.held_out.start
    return (pair.frames - held_out) // (PUBLIC.batch * PUBLIC.segment_frames)


def train(name: str, pair: Pair, recipe: Recipe, seed: int, steps: int, done: Callable[[int], None]) -> Run:
    """One training, heard at its end; the public recipe also on its way, since its rate does not hang on its end."""
    learner = learner_of(pair, recipe, seed)
    hearings = {steps}
    if recipe is PUBLIC:
        hearings |= {round(10 ** (k / HEARD_A_DECADE)) for k in range(HEARD_A_DECADE * 5)}
    cpu, heard = 0.0, []
    for step in range(steps):
        before = time.process_time()
        loss = learner.step(step, _rate(pair, recipe, step, steps))
        cpu += time.process_time() - before
        if not math.isfinite(loss):
            break
        if step + 1 in hearings:
            heard.append(Heard(step + 1, cpu, listen(recipe.config, learner.weights, pair)))
        done(step + 1)
    return Run(name, recipe.name, seed, steps, tuple(heard))


def _rate(pair: Pair, recipe: Recipe, step: int, steps: int) -> float:
    if recipe is PUBLIC:
        return recipe.learning_rate * PUBLIC_DECAY ** (step // public_epoch(pair))
    return learning_rate(recipe, step, steps)
