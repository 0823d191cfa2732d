# ruff: noqa: T201 - a program that talks
"""Does a training that is killed again and again end with the weights of one that was left alone?

    python training/kill_and_resume.py DI AMPED --recipe wavenet-nano --steps 1200 --kills 20

Each kill is SIGKILL at a random moment; the next run takes up the checkpoint. Told are the steps that had to be repeated, kill by
kill. The exit code is 0 where all weights are equal, bit for bit, and no kill cost more than one checkpoint interval.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from neuralamp.capture.file import open_capture
from neuralamp.learn.pair import open_pair
from neuralamp.learn.recipe import find_recipe
from neuralamp.learn.train import Progress, train

LONGEST_WAIT_STEPS = 2.0  # behind a step's line before the kill, so that it falls anywhere within a step or a checkpoint


def main() -> int:
    arguments = _arguments()
    if arguments.output:
        _train(arguments)
        return 0
    random = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder, "whole.onnx"), Path(folder, "broken.onnx")
        steps, seconds = _run(arguments, whole)
        print(f"left alone: {len(steps)} steps")
        longest_wait = LONGEST_WAIT_STEPS * seconds / len(steps)
        repeated: list[int] = []
        last = 0
        for kill in range(1, arguments.kills + 1):
            kill_after, wait = random.integers(1, arguments.steps // arguments.kills + 1), random.uniform(0.0, longest_wait)
            first, end = _ends(_run(arguments, broken, kill_after, wait)[0], last)
            repeated.append(last + 1 - first)
            last = end
            print(f"kill {kill}: ran from step {first} to {last}, of which {repeated[-1]} were repeated")
        first, _ = _ends(_run(arguments, broken)[0], last)
        repeated.append(last + 1 - first)
        one, other = open_capture(whole).weights, open_capture(broken).weights
    equal = all(np.array_equal(one[name], other[name]) for name in one)
    interval = find_recipe(arguments.recipe).checkpoint_every
    kills = len(repeated) - 1
    print(f"{sum(repeated)} steps repeated after {kills} kills, {max(repeated)} at most; a checkpoint every {interval}")
    print("the weights are equal, bit for bit" if equal else "THE WEIGHTS DIFFER")
    return 0 if equal and max(repeated) <= interval else 1


def _ends(steps: list[int], last: int) -> tuple[int, int]:
    """The first and last step of a run; one behind the last step, where only the export was left, did none."""
    return (steps[0], steps[-1]) if steps else (last + 1, last)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("di")
    parser.add_argument("amped")
    parser.add_argument("--recipe", default="wavenet-nano")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the training and of the moments of the kills")
    parser.add_argument("--output", help="train into this file and say each step; how the program calls itself")
    return parser.parse_args()


def _train(arguments: argparse.Namespace) -> None:
    def say(now: Progress) -> None:
        print(now.step, flush=True)

    pair, recipe = open_pair(arguments.di, arguments.amped), find_recipe(arguments.recipe)
    train(pair, arguments.output, recipe, budget=str(arguments.steps), seed=arguments.seed, report=say)


def _run(arguments: argparse.Namespace, output: Path, kill_after: int = 0, wait: float = 0.0) -> tuple[list[int], float]:
    """The steps that one run did, and the seconds from the first to the last.

    It is killed `wait` seconds after `kill_after` of them where that is not 0.
    """
    settings = ("recipe", "steps", "kills", "seed")
    options = [text for name in settings for text in (f"--{name}", str(getattr(arguments, name)))]
    command = [sys.executable, __file__, arguments.di, arguments.amped, *options, "--output", str(output)]
    steps: list[int] = []
    began = last = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            steps.append(int(line))
            last = time.monotonic()
            began = began or last
            if len(steps) == kill_after:
                time.sleep(wait)
                process.kill()
    return steps, last - began


if __name__ == "__main__":
    sys.exit(main())
