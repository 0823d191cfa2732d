"""Ten thousand changes while a note sounds: rigs with echoes, snapshots, foot switches; nothing clicks, nothing is kept.

    python -m realtime.bench.switches                    10,000 changes, a minute
    python -m realtime.bench.switches --changes 300      the short form
    python -m realtime.bench.switches --live             in real time on JACK's dummy device, a quarter of an hour: what is lost

The note is a steady sine. The largest step from frame to frame while things change is held against the largest one of the same
rigs and snapshots while nothing does. Exit status 0 if it is at most 1.5 times as large and memory stays.

Live the machine itself may stand still for some milliseconds, and buffers are lost whoever plays. So stretches of changes take
turns with stretches of the same length without; what was lost in either is told, and what the audio thread was made to wait for:
pages of memory that the system had to bring, and turns on the processor that others took from it. Exit status 0 if memory stays
and no more was lost with changes than three times what chance adds to as many without.
"""

import argparse
import gc
import itertools
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
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
MOST_GROWTH_MB = 8.0
STRETCH = 400  # changes, 20 s

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

    @property
    def good(self) -> bool:
        return self.largest <= LARGEST * self.steady and self.growth_mb < MOST_GROWTH_MB

    def __str__(self) -> str:
        step = f"largest step {self.largest:.4f}, {self.largest / self.steady:.2f} times the steady {self.steady:.4f}"
        return f"{step}\nmemory {self.growth_mb:+.1f} MB, at most {self.most_plans} rigs in memory"


@dataclass
class Stretch:
    """Of all stretches of one kind: what the device lost, and what the audio thread waited for."""

    buffers: int = 0
    lost: int = 0
    page_faults: int = 0
    preemptions: int = 0
    waited_ms: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.lost} of {self.buffers} buffers lost; the audio thread had {self.page_faults} page faults, was "
            f"interrupted {self.preemptions} times and waited {self.waited_ms:.1f} ms for a processor"
        )


@dataclass(frozen=True)
class FoundLive:
    """What a run on a device found."""

    changing: Stretch
    still: Stretch
    growth_mb: float
    most_plans: int

    @property
    def good(self) -> bool:
        chance = 3.0 * math.sqrt(self.changing.lost + self.still.lost)
        return self.changing.lost - self.still.lost <= chance and self.growth_mb < MOST_GROWTH_MB

    def __str__(self) -> str:
        memory = f"memory {self.growth_mb:+.1f} MB, at most {self.most_plans} rigs in memory"
        return f"with changes: {self.changing}\nwithout:      {self.still}\n{memory}"


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


def run_on_device(changes: int, console: Console | None = None) -> FoundLive:
    """The changes in real time on the system's device. Its input is silent: what is counted are buffers and memory."""
    with tempfile.TemporaryDirectory() as folder:
        found_songs = songs(Path(folder))
        with Host(found_songs[0].rig) as host:
            time.sleep(1.0)
            board, thread = Board(host.engine, found_songs, ahead=True), busiest_real_time_thread()
            asked, before, most = acts(board), 0.0, 0
            changing, still = Stretch(), Stretch()
            for first in range(0, changes, STRETCH):
                count = min(STRETCH, changes - first)
                for stretch, what in ((changing, asked), (still, itertools.repeat(None))):
                    begin, noted = time.monotonic(), note_down(host, thread)
                    for k in range(count):
                        if message := next(what):
                            board.act(message)
                        most = max(most, host.engine.plans_in_memory)
                        time.sleep(max(0.0, begin + (k + 1) * EVERY / RATE - time.monotonic()))
                    add(stretch, noted, note_down(host, thread))
                if first <= changes // 10:
                    gc.collect()
                    before = memory_mb()
                if console:
                    console.print(f"{first + count} changes: {changing.lost} lost, {still.lost} without", highlight=False)
            board.close()
        return FoundLive(changing, still, memory_mb() - before, most)


def busiest_real_time_thread() -> Path:
    """The audio thread: of those that the system runs before all others, the one that has worked most."""
    threads = [path for path in Path("/proc/self/task").iterdir() if os.sched_getscheduler(int(path.name)) == os.SCHED_FIFO]
    if not threads:
        sys.exit("the audio thread has no real-time rights here; see `neuralamp doctor`")
    return max(threads, key=lambda path: int((path / "schedstat").read_text().split()[0]))


def note_down(host: Host, thread: Path) -> tuple[float, ...]:
    """What Stretch counts, as it stands."""
    meters = host.meters()
    faults = int((thread / "stat").read_text().rpartition(")")[2].split()[7])
    taken = next(line for line in (thread / "status").read_text().splitlines() if line.startswith("nonvoluntary"))
    waited_ms = int((thread / "schedstat").read_text().split()[1]) / 1e6
    return meters.callbacks, max(meters.input_xruns, meters.output_xruns), faults, int(taken.split()[1]), waited_ms


def add(stretch: Stretch, before: tuple[float, ...], after: tuple[float, ...]) -> None:
    """What has happened between two notes."""
    for field, first, last in zip(fields(stretch), before, after, strict=True):
        setattr(stretch, field.name, getattr(stretch, field.name) + last - first)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--live", action="store_true", help="on JACK's dummy device, in real time")
    parser.add_argument("--on-device", action="store_true", help=argparse.SUPPRESS)
    asked, console = parser.parse_args(), Console(stderr=True)
    if asked.live:
        return run_live(asked.changes)
    found = (run_on_device if asked.on_device else run)(asked.changes, console)
    print(found)
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main())
