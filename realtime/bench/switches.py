"""Ten thousand changes while a note sounds: rigs with echoes, snapshots, foot switches; nothing clicks, nothing is kept.

    python -m realtime.bench.switches                    10,000 changes, a minute
    python -m realtime.bench.switches --changes 300      the short form
    python -m realtime.bench.switches --live             in real time on JACK's dummy device, eight minutes: lost buffers count

The note is a steady sine. The largest step from frame to frame while things change is held against the largest one of the same
rigs and snapshots while nothing does. Exit status 0 if it is at most 1.5 times as large, memory stays and no buffer is lost.
"""

import argparse
import gc
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from neuralamp.engine import Board, Engine
from neuralamp.live import Host
from neuralamp.messages import Bypass, Change, Message, Recall
from neuralamp.setlist import Song, read_setlist
from realtime.bench.dummy import RATE, jack_server
from realtime.bench.memory import memory_mb

BUFFER = 64
EVERY = 2400  # frames between two changes: 50 ms, of which 20 are a fade
LARGEST = 1.5
NOTE_HZ = 196.0

RIGS = {
    "clean": """
        [[chain]]
        box = "compressor"
        [[chain]]
        box = "chorus"
        [[chain]]
        box = "delay"
        mix = 25.0
        [[snapshots]]
        name = "dry"
        chorus = { bypass = true }
        delay = { bypass = true }
        [[snapshots]]
        name = "wet"
        delay = { mix = 40.0, time = 300.0 }
    """,
    "crunch": """
        [[chain]]
        box = "gate"
        [[chain]]
        box = "amp"
        capture = "crunch"
        output = -6.0
        [[chain]]
        box = "hall"
        mix = 20.0
        [[snapshots]]
        name = "soft"
        amp = { input = -6.0, output = -3.0 }
        [[snapshots]]
        name = "hall off"
        hall = { bypass = true }
    """,
    "eq": """
        [[chain]]
        box = "eq"
        mid = 6.0
        [[snapshots]]
        name = "bass"
        eq = { bass = 6.0, mid = 0.0 }
        [[snapshots]]
        name = "off"
        eq = { bypass = true }
    """,
}


@dataclass(frozen=True)
class Found:
    """What a run found: steps from frame to frame, of the note while nothing changes and while all does; memory in MB."""

    changes: int
    steady: float
    largest: float
    growth_mb: float
    most_plans: int
    lost_buffers: int = 0

    @property
    def good(self) -> bool:
        return self.largest <= LARGEST * self.steady and self.growth_mb < 8.0 and self.lost_buffers == 0


def songs(folder: Path) -> tuple[Song, ...]:
    """The rigs as a set list."""
    for name, text in RIGS.items():
        (folder / f"{name}.toml").write_text("\n".join(line.strip() for line in text.splitlines()), encoding="utf-8")
    setlist = folder / "songs.toml"
    setlist.write_text("".join(f'[[songs]]\nname = "{name}"\nrig = "{name}.toml"\n' for name in RIGS), encoding="utf-8")
    return read_setlist(setlist)


def acts(board: Board) -> Iterator[Message]:
    """Changes for ever: of rig, of snapshot, of switch, in turn."""
    for k in itertools.count():
        if k % 4 == 0:
            yield Change("next")
        elif k % 4 == 3:
            yield Bypass(sorted(board.engine.plan.seats)[k // 4 % len(board.engine.plan.seats)])
        else:
            yield Recall("next")


def note(frames: int, first: int = 0) -> np.ndarray:
    """(1, frames) of the steady sine, from its frame `first` on."""
    return (0.2 * np.sin(2.0 * np.pi * NOTE_HZ / RATE * np.arange(first, first + frames)))[np.newaxis].astype(np.float32)


def largest_step(y: np.ndarray) -> float:
    return float(np.abs(np.diff(y.astype(np.float64))).max())


def steady_step(all_songs: tuple[Song, ...]) -> float:
    """The largest step of the note through any rig and snapshot, once it stands."""
    found = 0.0
    for song in all_songs:
        for snapshot in (None, *(snapshot.name for snapshot in song.rig.snapshots)):
            board = Board(Engine(song.rig, RATE, live=True), [Song(song.name, song.rig, snapshot)])
            y = board.engine.play(note(4 * RATE))
            found = max(found, largest_step(y[:, 2 * RATE :]))
    return found


def run(changes: int, console: Console | None = None) -> Found:
    """The changes offline, as fast as the engine plays, in buffers of 64 frames."""
    with tempfile.TemporaryDirectory() as folder:
        found_songs = songs(Path(folder))
        steady = steady_step(found_songs)
        board = Board(Engine(found_songs[0].rig, RATE, live=True), found_songs)
        engine, asked = board.engine, acts(board)
        last = engine.play(note(RATE))[:, -1:]
        largest, most, before, at = 0.0, 0, 0.0, RATE
        for k in range(changes):
            if k == changes // 10:
                gc.collect()
                before = memory_mb()
            board.act(next(asked))
            x = note(EVERY, at)
            y = np.concatenate([last, *(engine.play(x[:, n : n + BUFFER]) for n in range(0, EVERY, BUFFER))], axis=1)
            largest, last, at = max(largest, largest_step(y)), y[:, -1:], at + EVERY
            most = max(most, engine.plans_in_memory)
            if console and k % 1000 == 999:
                console.print(f"{k + 1} of {changes} changes", highlight=False)
        gc.collect()
        return Found(changes, steady, largest, memory_mb() - before, most)


def run_live(changes: int) -> int:
    """The changes in real time on JACK's dummy device, by a process of its own, which ends before the server does."""
    with jack_server() as environment:
        command = [sys.executable, "-m", "realtime.bench.switches", "--on-device", "--changes", str(changes)]
        return subprocess.run(command, env=environment, check=False).returncode


def run_on_device(changes: int, console: Console | None = None) -> Found:
    """The changes in real time on the system's device. Its input is silent: what is counted are buffers and memory."""
    with tempfile.TemporaryDirectory() as folder:
        found_songs = songs(Path(folder))
        with Host(found_songs[0].rig) as host:
            board = Board(host.engine, found_songs, ahead=True)
            asked, before, most = acts(board), 0.0, 0
            begin, first = time.monotonic(), host.meters()
            for k in range(changes):
                if k == changes // 10:
                    gc.collect()
                    before = memory_mb()
                board.act(next(asked))
                most = max(most, host.engine.plans_in_memory)
                time.sleep(max(0.0, begin + (k + 1) * EVERY / RATE - time.monotonic()))
                if console and k % 1000 == 999:
                    console.print(f"{k + 1} of {changes} changes", highlight=False)
            meters = host.meters()
            board.close()
        lost = max(meters.input_xruns - first.input_xruns, meters.output_xruns - first.output_xruns)
        return Found(changes, 1.0, 0.0, memory_mb() - before, most, lost)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--live", action="store_true", help="on JACK's dummy device, in real time")
    parser.add_argument("--on-device", action="store_true", help=argparse.SUPPRESS)
    asked, console = parser.parse_args(), Console(stderr=True)
    if asked.live:
        return run_live(asked.changes)
    found = (run_on_device if asked.on_device else run)(asked.changes, console)
    if not asked.on_device:
        print(f"largest step {found.largest:.4f}, {found.largest / found.steady:.2f} times the steady {found.steady:.4f}")
    print(f"memory {found.growth_mb:+.1f} MB, at most {found.most_plans} rigs in memory, {found.lost_buffers} buffers lost")
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main())
