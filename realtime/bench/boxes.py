"""The table of boxes: what each costs, what a storm of denormals costs, how late it is, how much it aliases.

    python -m realtime.bench.boxes [--only NAME]          the table of docs/boxes.md; a quarter of an hour for all

Buffers of 64 frames at 48 kHz, mono, each box as it is set by default; medians of rounds in which noise, denormals and a tail
that dies into denormals are played in turn, each storm held against the noise of its round. Exit status 0 if no storm costs more
than 1.1 times the noise and the full rig less than 12 % of a core.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuralamp.app.bench import FULL_RIG, box_rigs
from neuralamp.app.bench.players import SAMPLE_RATE, playing
from neuralamp.engine import Engine
from realtime.bench.aliases import DRIVES, worst

BUFFER = 64
SECONDS = 0.5
ROUNDS = 25  # after one to warm up
MOST_STORM = 1.1
MOST_FULL_RIG = 0.12
DENORMAL = 1e-39


@dataclass(frozen=True)
class Figures:
    """Of one box: its share of a core, how many times that a storm of denormals costs, frames late, and the worst alias in dB at
    20 dB of drive and at full drive where it is a box of dirt.
    """

    name: str
    share: float
    storm: float
    latency_frames: int
    aliases_db: tuple[float, ...]

    @property
    def good(self) -> bool:
        return self.storm <= MOST_STORM and (self.name != FULL_RIG or self.share < MOST_FULL_RIG)

    def __str__(self) -> str:
        late = f"{self.latency_frames} ({1e3 * self.latency_frames / SAMPLE_RATE:.2f} ms)" if self.latency_frames else "0"
        aliases = " / ".join(f"{alias:.0f}" for alias in self.aliases_db)
        return f"| {self.name} | {100.0 * self.share:.2f} | {self.storm:.2f} | {late} | {aliases} |"


def figures(only: str = "") -> Iterator[Figures]:
    """Measured one box after the other, those with `only` in their name."""
    noise = (0.1 * np.random.default_rng(0).standard_normal(round(SECONDS * SAMPLE_RATE))).astype(np.float32)
    storm = (noise * DENORMAL).astype(np.float32)
    dying = np.where(np.arange(noise.size) < 480, noise, 0.0).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        for name, rig in box_rigs(Path(folder)):
            if only in name:
                engine = Engine(rig, SAMPLE_RATE, max_frames=BUFFER)
                contest = [playing(engine, x) for x in (noise, storm, dying)]
                rounds = np.array([[play() for play in contest] for _ in range(ROUNDS + 1)][1:])
                share = float(np.median(1.0 / rounds[:, 0]))
                worst_storm = float(np.median(rounds[:, :1] / rounds[:, 1:], axis=0).max())
                yield Figures(name, share, worst_storm, engine.latency_frames, aliases(name))


def aliases(name: str) -> tuple[float, ...]:
    """At 20 dB and at full drive, the worst of all settings of the other knobs."""
    return tuple(worst(name, drive_db, SAMPLE_RATE).worst_db for drive_db in (20.0, np.inf)) if name in DRIVES else ()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only those with this in their name")
    print("| box | % of a core | denormals, times | frames late | worst alias, dB |\n| --- | --- | --- | --- | --- |")
    good = True
    for found in figures(parser.parse_args().only):
        good &= found.good
        print(found, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
