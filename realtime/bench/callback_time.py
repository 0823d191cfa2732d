"""How long one callback keeps the processor: a histogram of its own time, beside a callback that does nothing.

    python -m realtime.bench.callback_time [--buffers 100000] [--frames 64] [--json]

Processor time of the thread (CLOCK_THREAD_CPUTIME_ID), not time on the wall: on a shared machine the longest wall time says how
busy the others were. The empty callback shows what the clock itself costs.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from neuralamp.engine import Engine
from realtime.bench.native import TIMED, AudioThread
from realtime.bench.rigs import SAMPLE_RATE, guitar_like, proof_rigs

QUANTILES = (0.5, 0.99, 0.9999)


@dataclass(frozen=True)
class Times:
    """Of one callback, in microseconds of processor time; the share is of what a buffer lasts."""

    name: str
    frames: int
    buffers: int
    p50_us: float
    p99_us: float
    p9999_us: float
    mean_share: float


def measure(buffers: int, frames: int) -> list[Times]:
    """The empty callback, then each rig of the proofs, all in buffers of one length."""
    take = guitar_like(12.0, inputs=1)
    rows = [_times("empty callback", None, take, buffers, frames)]
    with tempfile.TemporaryDirectory() as folder:
        for rig in proof_rigs(Path(folder)):
            rows.append(_times(rig.name, Engine(rig, SAMPLE_RATE, max_frames=1024, live=True), take, buffers, frames))
    return rows


def _times(name: str, engine: Engine | None, take: np.ndarray, buffers: int, frames: int) -> Times:
    thread = AudioThread(engine, take, [frames], buffers, TIMED)
    thread.start()
    thread.join()
    counted = np.cumsum(thread.histogram)
    quantiles = [float(np.searchsorted(counted, quantile * counted[-1])) / 1e3 for quantile in QUANTILES]
    mean_us = float(thread.histogram @ np.arange(thread.histogram.size)) / counted[-1] / 1e3
    return Times(name, frames, int(counted[-1]), *quantiles, mean_share=mean_us * 1e-6 * SAMPLE_RATE / frames)


def main() -> None:
    parser = argparse.ArgumentParser(description="Processor time of one callback: p50, p99, p99.99, beside an empty one.")
    parser.add_argument("--buffers", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args()
    rows = measure(asked.buffers, asked.frames)
    console = Console()
    if asked.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
        return
    made = Table(
        title=f"Processor time of a callback of {asked.frames} frames ({1e3 * asked.frames / SAMPLE_RATE:.2f} ms of sound)"
    )
    for heading in ("rig", "p50", "p99", "p99.99", "share of the buffer"):
        made.add_column(heading)
    for row in rows:
        times = (f"{time:.1f} us" for time in (row.p50_us, row.p99_us, row.p9999_us))
        made.add_row(row.name, *times, f"{100 * row.mean_share:.2f} %")
    console.print(made)


if __name__ == "__main__":
    main()
