"""What a training needs to go on as if nothing had happened, in one file that is whole or absent."""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from neuralamp.audio import atomic_path
from neuralamp.errors import TrainingError

FORMAT = 1
State = dict[str, Any]


@dataclass
class Checkpoint:
    """A training between two steps.

    pair, recipe, seed, budget  what it learns and how, as text: a resumed training must say the same.
    threads                     of torch: sums run in another order with another number.
    steps, step                 to do in all, done so far.
    net, optimiser              torch's own state.
    best, best_esr, best_step   the iterate that did best on the held-out part, its ratio there and its step.
    cpu_seconds, wall_seconds   used so far.
    """

    pair: str
    recipe: str
    seed: int
    budget: str
    threads: int
    steps: int
    step: int = 0
    net: State = field(default_factory=dict)
    optimiser: State = field(default_factory=dict)
    best: State = field(default_factory=dict)
    best_esr: float = math.inf
    best_step: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0


def checkpoint_path(output: Path) -> Path:
    """Beside the capture that is to be: amp.onnx learns in amp.checkpoint."""
    return output.with_suffix(".checkpoint")


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write it under another name, bring it to the disk, then let it take its place."""
    state = {each.name: getattr(checkpoint, each.name) for each in fields(checkpoint)}
    try:
        with atomic_path(path) as partial:
            torch.save({"format": FORMAT, **state}, partial)
    except (OSError, RuntimeError) as reason:  # torch makes a RuntimeError of a full disk
        raise TrainingError(f"{path} cannot be written ({str(reason)[:60]}); check the folder and the free space") from None


def open_checkpoint(path: Path, **asked: str | int) -> Checkpoint:
    """The training that stopped here; TrainingError where it is of another pair, recipe, seed or budget than `asked`."""
    advice = f"take another output name, or delete {path} to begin anew"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state.pop("format") != FORMAT:
            raise TrainingError(f"{path} is a checkpoint of another version of neuralamp; {advice}")
        checkpoint = Checkpoint(**state)
    except TrainingError:
        raise
    except Exception:  # noqa: BLE001 - torch names no error for a broken file: zip, pickle, key and type errors all occur
        raise TrainingError(f"{path} is not a checkpoint of a training; {advice}") from None
    for name, value in asked.items():
        if getattr(checkpoint, name) != value:
            raise TrainingError(f"{path} is the checkpoint of another {name}{_both(getattr(checkpoint, name), value)}; {advice}")
    return checkpoint


def _both(then: str | int, now: str | int) -> str:
    """Both values where they are short enough to be read."""
    return f" ({then}, now {now})" if len(f"{then}{now}") < 40 else ""
