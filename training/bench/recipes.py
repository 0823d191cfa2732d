"""Which error does a recipe reach for how much CPU, and what does the public recipe take for the same?

    python -m training.bench.recipes ../shared/data
    python -m training.bench.recipes ../shared/data --pairs jcm diode --seeds 1 -o tried
    python -m training.bench.recipes --told -o recipes-bench

Every run is one line of FOLDER/runs.jsonl. Ctrl-C loses the run at hand only: the same command does what is not there yet. Told
are a table and FOLDER/recipes.png. All runs take hours; --longest and --epochs cut the longest of them.

Ours comes to its error at the end of its one cycle, so each of its budgets is a run of its own; the public recipe (16 x 8192
frames, mean square error, Adam at 4e-3 times 0.993 an epoch) is heard on its way. CPU-seconds are those of the steps, in kernels,
on one thread. What the public recipe costs in torch eager is told by the ratio of its whole steps, measured first, in turn.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

from neuralamp.learn.pair import Pair
from neuralamp.learn.recipe import find_recipe
from training.bench.pairs import LOADERS, load
from training.bench.recipes_told import tell
from training.bench.runs import PUBLIC, keep, learner_of, public_epoch, read, train

LADDER = (125, 250, 350, 500, 700, 1000, 1400, 2000, 4000, 8000)  # steps of ours
RECURRENT = ("boss_lstm", "diode")  # what a small recurrent net can learn
COST_ROUNDS = 6


def main() -> int:
    asked = _arguments()
    asked.output.mkdir(parents=True, exist_ok=True)
    runs, ratio = asked.output / "runs.jsonl", asked.output / "torch_over_kernels.json"
    if not asked.told:
        try:
            _run_all(asked, runs, ratio)
        except KeyboardInterrupt:
            print("stopped; the same command goes on with what is missing", file=sys.stderr)
            return 130
    if not (runs.exists() and ratio.exists()):
        print(f"{asked.output} holds no runs yet; name the folder of recordings, and let some run", file=sys.stderr)
        return 1
    tell(read(runs), json.loads(ratio.read_text()), asked.output / "recipes.png", Console())
    return 0


def _run_all(asked: argparse.Namespace, runs: Path, ratio: Path) -> None:
    torch.set_num_threads(1)  # tensors of 16 channels are too small to share
    for name in asked.pairs:
        print(f"{name}: its takes are made ready (half a minute where an amp of equations plays them)", file=sys.stderr)
        pair = load(name, asked.recordings)
        if not ratio.exists():
            ratio.write_text(json.dumps(_torch_over_kernels(pair)))
        there = {run.key for run in read(runs)}
        missing = [key for key in _wanted(name, pair, asked) if key not in there]
        with Progress(console=Console(stderr=True)) as progress:
            for _, recipe_name, seed, steps in missing:
                recipe = PUBLIC if recipe_name == PUBLIC.name else find_recipe(recipe_name)
                task = progress.add_task(f"{name}, {recipe_name}, seed {seed}", total=steps)
                run = train(name, pair, recipe, seed, steps, lambda step, task=task: progress.update(task, completed=step))
                keep(runs, run)


def _wanted(name: str, pair: Pair, asked: argparse.Namespace) -> Iterator[tuple[str, str, int, int]]:
    """The keys of a pair's runs, the short ones first."""
    for steps, seed in product([steps for steps in LADDER if steps <= asked.longest], range(asked.seeds)):
        yield name, "wavenet-standard", seed, steps
        if name in RECURRENT:
            yield name, "lstm-16", seed, steps
    if name not in RECURRENT and asked.epochs:
        for seed in range(asked.seeds):
            yield name, PUBLIC.name, seed, asked.epochs * public_epoch(pair)


def _torch_over_kernels(pair: Pair) -> float:
    """What a whole step of the public recipe costs in torch eager, by what it costs in kernels: drawing, both ways, Adam."""
    ours, theirs = (learner_of(pair, PUBLIC, seed=0) for _ in range(2))
    theirs.answer = theirs.net
    spent = []
    for step in range(COST_ROUNDS + 1):
        times = [time.process_time()]
        for learner in (theirs, ours):
            learner.step(step, PUBLIC.learning_rate)
            times.append(time.process_time())
        spent.append((times[1] - times[0]) / (times[2] - times[1]))
    return statistics.median(spent[1:])  # the first compiles


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "recordings", type=Path, nargs="?", help="the folder whose pairs/ holds di_train.flac, jcm_train.flac, ..."
    )
    parser.add_argument("--told", action="store_true", help="run nothing, tell what is there")
    parser.add_argument("--pairs", nargs="+", choices=LOADERS, default=list(LOADERS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--longest", type=int, default=LADDER[-1], help="steps of our longest run")
    parser.add_argument("--epochs", type=int, default=100, help="of the public recipe; 0 leaves it out")
    parser.add_argument("-o", "--output", type=Path, default=Path("recipes-bench"))
    asked = parser.parse_args()
    if not asked.told and not (asked.recordings and (asked.recordings / "pairs").is_dir()):
        parser.error(
            f"{asked.recordings or 'no folder'} holds no pairs/; name the folder of recordings, or tell what is there: --told"
        )
    return asked


if __name__ == "__main__":
    sys.exit(main())
