"""What every net and every box costs, against what it may cost (realtime/budgets.toml).

    python -m realtime.bench.budgets [--only NAME]

A cost is told in multiply-adds of a large matrix product, measured in turn with what is timed: the ratio stays where a machine is
slower or busier. The fastest of several rounds counts, since nothing makes a kernel faster than it is; what is over its budget
is measured again where its memory lies elsewhere, which can cost a half.
"""

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuralamp.app.bench import box_rigs, random_weights
from neuralamp.app.bench.machine import Sgemm
from neuralamp.app.bench.players import SAMPLE_RATE, Contestant, ours
from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import save_capture
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.rig import Rig, capture_rig

BUDGETS = Path(__file__).parents[1] / "budgets.toml"
BUFFER = 64
ROUNDS = 5
PLACES = 4
SECONDS = 0.5


@dataclass(frozen=True)
class Cost:
    """Multiply-adds' worth of a frame, and what it may be; 0 where no budget was written."""

    name: str
    cost: float
    budget: float


def read_budgets() -> dict[str, float]:
    """Every budget by the name of its net or box."""
    tables = tomllib.loads(BUDGETS.read_text(encoding="utf-8"))
    return {name: float(budget) for table in tables.values() for name, budget in table.items()}


def rigs(folder: Path) -> Iterator[tuple[str, Rig]]:
    """All that has a cost: every net in the amp box, and every other box."""
    for name, config in IN_THE_WILD.items():
        path = folder / f"{name}.onnx"
        save_capture(path, Capture(config, random_weights(config), Card(sample_rate=SAMPLE_RATE)))
        yield name, capture_rig(path)
    yield from box_rigs(folder)


def costs(only: str = "") -> Iterator[Cost]:
    """Measured one after the other, those with `only` in their name."""
    budgets = read_budgets()
    x = (0.1 * np.random.default_rng(0).standard_normal(round(SECONDS * SAMPLE_RATE))).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder, Sgemm() as sgemm:
        for name, rig in rigs(Path(folder)):
            if only in name:
                found: list[float] = []
                kept = []  # the memory of one is not given to the next
                while len(found) < PLACES and (not found or min(found) > budgets.get(name, 0.0)):
                    kept.append(ours(rig, x, BUFFER))
                    found.append(_cost(kept[-1], sgemm))
                yield Cost(name, min(found), budgets.get(name, 0.0))


def _cost(play: Contestant, sgemm: Sgemm) -> float:
    play()
    rtf, gflops = map(max, zip(*[(play(), sgemm()) for _ in range(ROUNDS)], strict=True))
    return gflops * 1e9 / 2 / (rtf * SAMPLE_RATE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only those with this in their name")
    over = False
    print(f"{'net or box':<16}{'cost':>10}{'budget':>10}")
    for found in costs(parser.parse_args().only):
        mark = "  over" if found.cost > found.budget else ""
        over |= bool(mark)
        print(f"{found.name:<16}{found.cost:>10.0f}{found.budget:>10.0f}{mark}", flush=True)
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
