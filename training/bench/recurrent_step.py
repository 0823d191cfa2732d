"""What a training step of a recurrent net costs on a CPU: torch's own, and the fused kernels, in turn in one process.

    python -m training.bench.recurrent_step [--rounds 15] [--batch 32] [--warm-up 1024] [--frames 2048] [--json]

A step hears `warm-up` frames of each sequence, learns from `frames` more through all of them, and moves the weights: loss,
gradients, Adam. Samples are those learned from. Processor time is that of all threads; it and the ratio are medians over the
rounds. One thread against two is time on the wall, the shortest of all rounds: others on the machine can only make it longer.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from neuralamp.learn.fused_recurrent import fused_recurrent
from neuralamp.learn.losses import LossWeights
from neuralamp.nets import architecture_of
from neuralamp.nets.lstm.config import LstmConfig

NETS = {
    "LSTM-32": LstmConfig(hidden=32),
    "GRU-32": LstmConfig(hidden=32, cell="gru"),
    "LSTM-16": LstmConfig(hidden=16),
}


@dataclass(frozen=True)
class Cost:
    """Of a net's step: Msamples learned from in a second of processor time, and milliseconds on the wall."""

    net: str
    torch_msamples: float
    fused_msamples: float
    ratio: float
    one_thread_ms: float
    two_threads_ms: float
    scaling: float


def measure(name: str, rounds: int, batch: int, warm_up: int, frames: int) -> Cost:
    """torch, one thread and two, again and again in this order; the first round of each only warms up."""
    torch.set_num_threads(1)  # tensors of this size are too small to share
    steps = [_step(NETS[name], threads, batch, warm_up, frames) for threads in (0, 1, 2)]
    times = np.array([[_timed(step) for step in steps] for _ in range(rounds + 1)])[1:]  # (rounds, steps, processor and wall)
    by_torch, by_one = times[:, 0, 0], times[:, 1, 0]
    alone, together = times[:, 1, 1].min(), times[:, 2, 1].min()
    samples = batch * frames / 1e6
    return Cost(
        name,
        torch_msamples=samples / float(np.median(by_torch)),
        fused_msamples=samples / float(np.median(by_one)),
        ratio=float(np.median(by_torch / by_one)),
        one_thread_ms=1e3 * float(alone),
        two_threads_ms=1e3 * float(together),
        scaling=float(alone / together),
    )


def _step(config: LstmConfig, threads: int, batch: int, warm_up: int, frames: int) -> Callable[[], None]:
    """A whole step of the optimiser, by the kernels on this many threads, or with 0 by torch."""
    torch.manual_seed(0)
    net = architecture_of(config).module(config)
    call = fused_recurrent(net, config, threads) if threads else net
    optimiser, loss_of = torch.optim.Adam(net.parameters(), fused=True), LossWeights()
    di = 0.3 * torch.randn(batch, 1, warm_up + frames)
    amped: Tensor = torch.tanh(4.0 * di[:, :, warm_up:])

    def step() -> None:
        loss_of(call(di, warm_up), amped).backward()
        optimiser.step()
        optimiser.zero_grad()

    return step


def _timed(step: Callable[[], None]) -> tuple[float, float]:
    """Seconds of processor time, of all threads, and seconds on the wall."""
    processor, wall = time.process_time(), time.perf_counter()
    step()
    return time.process_time() - processor, time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(description="The cost of a recurrent net's training step: torch against the fused kernels.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--warm-up", type=int, default=1024)
    parser.add_argument("--frames", type=int, default=2048)
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args()
    rows = [measure(name, asked.rounds, asked.batch, asked.warm_up, asked.frames) for name in NETS]
    if asked.json:
        print(json.dumps({"rows": [asdict(row) for row in rows]}))
        return
    made = Table(title=f"A step of {asked.batch} sequences, {asked.warm_up} frames of warm-up and {asked.frames} learned from")
    for heading in ("net", "torch", "fused", "ratio", "one thread", "two threads", "scaling"):
        made.add_column(heading)
    for row in rows:
        speeds = (f"{speed:.2f} M/CPU-s" for speed in (row.torch_msamples, row.fused_msamples))
        walls = (f"{wall:.1f} ms" for wall in (row.one_thread_ms, row.two_threads_ms))
        made.add_row(row.net, *speeds, f"{row.ratio:.1f}", *walls, f"{row.scaling:.2f}")
    Console().print(made)


if __name__ == "__main__":
    main()
