"""Proof of real time: the compiled callback, called from a thread of C, makes no memory, takes no lock, calls no system.

    python -m realtime.bench.proof                          10^5 buffers, seconds
    python -m realtime.bench.proof --buffers 10000000       the whole proof, half an hour
    python -m realtime.bench.proof --fault malloc           shows that a fault is caught: must fail

Two runs, each in a process of its own. Counted: a library in front of the C library counts allocations, locks, files and the GIL
on the audio thread. Sealed: after a warm-up the Linux kernel lets the audio thread make no system call at all. Meanwhile a
Python thread changes rigs, recalls snapshots, turns knobs, bypasses, presses, records, mutes and panics. Exit status 0 if both
runs stay clean, 1 if not.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from neuralamp.engine import Board, Engine
from neuralamp.errors import EngineError
from neuralamp.live.plug import Plug
from neuralamp.messages import Bypass, Change, Loop, Message, Mute, Panic, Recall, Record, Turn
from neuralamp.setlist import Song
from realtime.bench.faults import COUNTED, FAULTS, SEALED, Fault
from realtime.bench.memory import memory_mb
from realtime.bench.native import CAUGHT, AudioThread, compiled, forbidden_calls
from realtime.bench.native import PLAIN as PLAIN_MODE
from realtime.bench.native import SEALED as SEALED_MODE
from realtime.bench.rigs import SAMPLE_RATE, changing_lengths, guitar_like, proof_rigs

SHORT = 100_000
REPORT_S = 5.0
SEED = 6


@dataclass
class Run:
    """What one process found.

    forbidden    calls by name, on the audio thread; for a sealed one the number of the system call that ended it.
    growth_mb    of the process's memory between its first tenth and its end.
    """

    proof: str
    buffers: int = 0
    seconds: float = 0.0
    rig_changes: int = 0
    snapshots: int = 0
    knob_turns: int = 0
    switches: int = 0
    recordings: int = 0
    most_plans: int = 0
    growth_mb: float = 0.0
    forbidden: dict[str, int] = field(default_factory=dict)
    trouble: str = ""

    @property
    def clean(self) -> bool:
        return not self.forbidden and not self.trouble


def prove(
    buffers: int = SHORT, fault: str = "none", console: Console | None = None, proofs: Iterable[str] = (COUNTED, SEALED)
) -> list[Run]:
    """The runs, side by side; progress on the console."""
    for library in ("interpose", "drive"):
        compiled(library)  # before two of them want to
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda proof: _run(proof, buffers, fault, console), proofs))


def _run(proof: str, buffers: int, fault: str, console: Console | None) -> Run:
    """One child process, read line by line: progress, then what it found."""
    environment = dict(os.environ)
    if proof == COUNTED:
        environment["LD_PRELOAD"] = str(compiled("interpose"))
    command = [sys.executable, "-m", "realtime.bench.proof", "--child", proof, "--buffers", str(buffers), "--fault", fault]
    with tempfile.TemporaryFile("w+") as complaints:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True, env=environment)
        assert child.stdout is not None
        found: dict = {}
        for line in child.stdout:
            if line.startswith("{"):
                found |= json.loads(line)
            elif console and line.startswith("at "):
                console.print(f"{proof}: {line.strip()}", highlight=False)
        status = child.wait()
        complaints.seek(0)
        last = complaints.read().strip().splitlines()[-1:]
    if status == CAUGHT:
        return Run(proof, forbidden={f"system call {found['system_call']}": 1})
    if status or "buffers" not in found:
        return Run(proof, trouble=f"the process ended with status {status}: {''.join(last)}")
    return Run(**found)


def child(proof: str, buffers: int, fault: str) -> Run:
    """In the child process: the audio thread plays, this one is the control thread."""
    with tempfile.TemporaryDirectory() as folder:
        rigs = proof_rigs(Path(folder), (Fault(fault),))
        engine = Engine(rigs[0], SAMPLE_RATE, max_frames=1024, live=True, device_inputs=2, input_map=(1,), device_outputs=4)
        board = Board(engine, [Song(rig.name, rig) for rig in rigs])
        for rig in (*rigs[1:], rigs[0]):  # from here on nothing is compiled; the last of them is the first to be played
            board.act(Change(rig.name))
        mode = SEALED_MODE if proof == SEALED else PLAIN_MODE
        plug = Plug(engine.device_outputs)  # as a device plays it
        plug.put(engine)
        thread = AudioThread(plug, guitar_like(12.0, inputs=2), changing_lengths(), buffers, mode)
        run = Run(proof, buffers)
        begin = time.monotonic()
        thread.start()
        _control(board, thread, run, begin)
        thread.join()
        run.seconds = time.monotonic() - begin
    if thread.refused:
        run.trouble = "the kernel allows no seccomp filter here"
    run.forbidden = forbidden_calls() if proof == COUNTED else {}
    return run


def _control(board: Board, thread: AudioThread, run: Run, begin: float) -> None:
    """Everything that a player may do, as fast as it can be done, until the audio thread has played its last buffer."""
    engine, tape, rng = board.engine, board.engine.open_tape(1.0), random.Random(SEED)
    said, early, stored = begin, None, 0
    while not thread.done:
        run.rig_changes += _done(board, Change("next"))
        for _ in range(2 + len(engine.plan.seats) // 2):  # a rig of one box is played in no time, and soon left
            kind = rng.choice(sorted(ACTS))
            if _done(board, ACTS[kind](engine, rng)):
                setattr(run, kind, getattr(run, kind) + 1)
            time.sleep(0.0005)
        _done(board, Panic() if rng.random() < 0.05 else Mute(rng.random() < 0.2))
        tape.read(stored, stored := tape.frames)
        engine.heard()
        run.most_plans = max(run.most_plans, engine.plans_in_memory)
        if early is None and thread.played > thread.buffers // 10:
            early = memory_mb()
        if time.monotonic() - said > REPORT_S:
            said = time.monotonic()
            speed = thread.played / (said - begin)
            print(f"at {100 * thread.played / thread.buffers:.0f} %, {speed:.0f} buffers a second", flush=True)
    run.growth_mb = memory_mb() - early if early is not None else 0.0


def _done(board: Board, message: Message) -> bool:
    """Whether there was room for it: now, or at a frame to come."""
    try:
        board.act(message, board.engine.meters().frames + 100 if isinstance(message, Bypass) else 0)
        return True
    except EngineError:  # the ring is full: the audio thread waits for a frame to come
        time.sleep(0.001)
        return False


def _turn(engine: Engine, rng: random.Random) -> Message:
    """Any knob of any box to anywhere."""
    seats = {label: seat for label, seat in engine.plan.seats.items() if seat.box.controls}
    label, seat = rng.choice(sorted(seats.items(), key=lambda item: item[0]))
    name, knob = rng.choice(sorted(seat.box.controls.items(), key=lambda item: item[0]))
    return Turn(label, name, rng.uniform(knob.low, knob.high))


def _switch(engine: Engine, rng: random.Random) -> Message:
    """Any box in or out, or an action of one that has some."""
    label = rng.choice(sorted(engine.plan.seats))
    actions = engine.plan.seats[label].box.actions
    return Loop(rng.choice(actions)) if actions else Bypass(label)


ACTS: dict[str, Callable[[Engine, random.Random], Message]] = {
    "knob_turns": _turn,
    "switches": _switch,
    "snapshots": lambda engine, rng: Recall("next"),
    "recordings": lambda engine, rng: Record(),
}
"""What is counted -> how it is asked for."""


def table(runs: list[Run], fault: str) -> Table:
    made = Table(title="Proof of real time" + (f", with the fault {fault}" if fault != "none" else ""))
    counted = ("rig changes", "snapshots", "knob turns", "switches", "recordings")
    for heading in ("run", "buffers", "seconds", *counted, "most plans", "memory", "forbidden", "verdict"):
        made.add_column(heading)
    for run in runs:
        forbidden = ", ".join(f"{name} {count}" for name, count in run.forbidden.items()) or run.trouble or "none"
        verdict = "[green]clean" if run.clean else "[red]not real time" if run.forbidden else "[red]no proof"
        counts = (getattr(run, name.replace(" ", "_")) for name in counted)
        numbers = (run.buffers, f"{run.seconds:.1f}", *counts, run.most_plans, f"{run.growth_mb:+.1f} MB")
        made.add_row(run.proof, *map(str, numbers), forbidden, verdict)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description="Proof of real time: no memory made, no lock taken, no system called.")
    parser.add_argument("--buffers", type=int, default=SHORT, help="how many to play in each run")
    parser.add_argument("--fault", choices=list(FAULTS), default="none", help="plant a fault: the proof must then fail")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--child", choices=[COUNTED, SEALED], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print("\n" + json.dumps(asdict(child(asked.child, asked.buffers, asked.fault))), flush=True)
        return
    console = Console(stderr=asked.json)
    runs = prove(asked.buffers, asked.fault, console)
    if asked.json:
        print(json.dumps({"fault": asked.fault, "runs": [asdict(run) | {"clean": run.clean} for run in runs]}))
    else:
        console.print(table(runs, asked.fault))
    sys.exit(0 if all(run.clean for run in runs) else 1)


if __name__ == "__main__":
    main()
