"""What does one step of training cost in our kernels, and what in torch eager?

    python training/bench/step.py
    python training/bench/step.py --net "A2 full" --rounds 20 --json

A step is the way forward, the mean square error, and the way back; the optimiser is the same for both and left out. The two take
turns, so that whatever else the machine does meets both. CPU-seconds are those of one thread (medians); the wall clock is told
for one thread and for two, and how far the gradients lie apart.
"""

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass

import torch

from neuralamp.learn.fused import fused
from neuralamp.nets import architecture_of
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.wavenet.config import WaveNetConfig

NETS = [name for name, config in IN_THE_WILD.items() if isinstance(config, WaveNetConfig)]
LEVEL = 0.3  # RMS of the noise that both hear


@dataclass(frozen=True)
class Figures:
    """Of one net: CPU-seconds and wall seconds of a step, and the largest relative error of a gradient."""

    net: str
    batch: int
    frames: int
    torch_cpu_seconds: float
    kernels_cpu_seconds: float
    ratio: float
    one_thread_seconds: float
    two_threads_seconds: float
    scaling: float
    gradient_error: float


def main() -> int:
    arguments = _arguments()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = IN_THE_WILD[arguments.net]
    net = architecture_of(config).module(config)
    x = LEVEL * torch.randn(arguments.batch, config.inputs, config.settling_frames + arguments.frames)
    target = LEVEL * torch.randn(arguments.batch, 1, arguments.frames)
    answers = {"torch": net, "kernels": fused(net, 1), "two threads": fused(net, 2)}

    def step(name: str) -> tuple[float, float]:
        """CPU-seconds and seconds of one step; its gradients stay in the net."""
        net.zero_grad()
        cpu, wall = time.process_time(), time.perf_counter()
        torch.nn.functional.mse_loss(answers[name](x, config.settling_frames), target).backward()
        return time.process_time() - cpu, time.perf_counter() - wall

    _tell(f"{arguments.net}, {arguments.batch} x {arguments.frames} frames; compiling where it is the first time")
    gradients = []
    for name in ("torch", "kernels"):
        step(name)
        gradients.append({weight: p.grad.clone() for weight, p in net.named_parameters() if p.grad is not None})
    right, found = gradients
    step("two threads")
    error = max((float((found[k] - right[k]).norm() / right[k].norm()) for k in right if right[k].norm() > 0), default=0.0)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in answers}
    for done in range(arguments.rounds):
        for name in answers:
            times[name].append(step(name))
        last = {name: each[-1][0] for name, each in times.items()}
        _tell(f"round {done + 1} of {arguments.rounds}: torch {last['torch']:.2f}, kernels {last['kernels']:.2f} CPU-s")
    cpu = {name: statistics.median(cpu for cpu, _ in each) for name, each in times.items()}
    wall = {name: statistics.median(wall for _, wall in each) for name, each in times.items()}
    figures = Figures(
        arguments.net,
        arguments.batch,
        arguments.frames,
        cpu["torch"],
        cpu["kernels"],
        statistics.median(a / b for (a, _), (b, _) in zip(times["torch"], times["kernels"], strict=True)),
        wall["kernels"],
        wall["two threads"],
        statistics.median(a / b for (_, a), (_, b) in zip(times["kernels"], times["two threads"], strict=True)),
        error,
    )
    if arguments.json:
        print(json.dumps(asdict(figures)))
        return 0
    print(f"torch eager   {figures.torch_cpu_seconds:.3f} CPU-s a step")
    print(f"our kernels   {figures.kernels_cpu_seconds:.3f} CPU-s a step: {figures.ratio:.1f} times cheaper")
    print(f"wall clock    {figures.one_thread_seconds:.3f} s on one thread, {figures.two_threads_seconds:.3f} s on two: ", end="")
    print(f"{figures.scaling:.2f} times faster")
    print(f"gradients     within {figures.gradient_error:.0e} of torch's")
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=NETS, default="A1 standard")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--frames", type=int, default=8192, help="that count, behind the warm-up")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of the table; progress goes to stderr")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
