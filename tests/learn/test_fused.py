"""What the learning kernels answer and teach is what torch would: any loss, any optimiser, any net, however many threads."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from neuralamp.learn.fused import fused
from neuralamp.nets import architecture_of
from neuralamp.nets.in_the_wild import IN_THE_WILD
from neuralamp.nets.linear.config import LinearConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import LayerArray
from tests.nets.random_nets import random_wavenet

REPOSITORY = Path(__file__).parents[2]
# Of the length of each gradient: two float32 sums over some thousand frames, in different orders. Measured: 3e-5 at most over
# the random nets, where the terms nearly cancel; 6e-6 over the sizes in the wild.
GRADIENT_ERROR = 1e-4
ANSWER_ERROR = 1e-5  # of the largest sample; measured 6e-7


def module(config, seed: int = 0):
    torch.manual_seed(seed)
    net = architecture_of(config).module(config)
    with torch.no_grad():
        net.head_scale.fill_(0.7)
        for name, parameter in net.named_parameters():
            if "slopes" in name:
                parameter.uniform_(-0.2, 0.6)
    return net


def segments(config, frames: int, batch: int = 3, seed: int = 0, extra: int = 0) -> tuple[torch.Tensor, int]:
    """(batch, inputs, warm-up + frames) of noise, and its warm-up."""
    generator = torch.Generator().manual_seed(seed)
    warm_up = config.settling_frames + extra
    return 0.5 * torch.randn(batch, config.inputs, warm_up + frames, generator=generator), warm_up


def gradients(net, answer, x: torch.Tensor, warm_up: int) -> dict[str, torch.Tensor]:
    """The answer, and the gradient of everything by a loss that weighs every frame differently."""
    x = x.clone().requires_grad_()
    net.zero_grad()
    y = answer(x, warm_up)
    weights = torch.linspace(-1.0, 2.0, y.numel()).reshape(y.shape)
    ((y * weights).sum() + (y * y).sum()).backward()
    found = {name: parameter.grad for name, parameter in net.named_parameters()}
    silent = {name: torch.zeros_like(parameter) for name, parameter in net.named_parameters()}
    return {"answer": y.detach(), "x": x.grad} | {
        name: silent[name] if gradient is None else gradient.clone() for name, gradient in found.items()
    }


def assert_same(config, frames: int, seed: int = 0, extra: int = 0):
    net = module(config, seed)
    x, warm_up = segments(config, frames, seed=seed, extra=extra)
    right = gradients(net, net, x, warm_up)
    found = gradients(net, fused(net, threads=1), x, warm_up)
    scale = right["answer"].abs().max()
    assert (found.pop("answer") - right.pop("answer")).abs().max() < ANSWER_ERROR * scale
    for name, gradient in right.items():
        assert (found[name] - gradient).norm() <= GRADIENT_ERROR * gradient.norm(), name


@pytest.mark.parametrize("seed", range(24))
def test_any_net_learns_as_in_torch(seed):
    rng = np.random.default_rng(seed)
    assert_same(random_wavenet(rng), frames=int(rng.integers(1, 600)), seed=seed, extra=int(rng.integers(0, 50)))


@pytest.mark.parametrize("name", ["A1 standard", "A1 nano", "A2 full"])
def test_the_sizes_in_the_wild_learn_as_in_torch(name):
    assert_same(IN_THE_WILD[name], frames=700)


@pytest.mark.parametrize("frames", [1, 255, 256, 257, 513])
def test_segments_of_any_length_learn_the_same(frames):
    assert_same(WaveNetConfig.stacked((5, 3), ((1, 7), (2, 30))), frames)


def flattened(found: dict[str, torch.Tensor]) -> Iterator[np.ndarray]:
    for tensor in found.values():
        yield tensor.numpy()


@pytest.mark.parametrize("seed", [2, 11, 12])  # a plain one, one conditioned by a net, and one that is modulated too
def test_one_seed_one_result_however_many_threads(seed):
    config = random_wavenet(np.random.default_rng(seed))
    net = module(config)
    x, warm_up = segments(config, 500, batch=5)
    alone, again, shared = (gradients(net, fused(net, threads), x, warm_up) for threads in (1, 1, 2))
    for one, two, three in zip(flattened(alone), flattened(again), flattened(shared), strict=True):
        assert np.array_equal(one, two) and np.array_equal(one, three)


def test_a_step_leaves_nothing_behind_for_the_next():
    config = WaveNetConfig.stacked((4,), ((1, 2, 40),))
    net = module(config)
    answer = fused(net, threads=1)
    x, warm_up = segments(config, 300)
    first = gradients(net, answer, x, warm_up)
    gradients(net, answer, 100.0 * x[..., :200], warm_up)
    answer(torch.full_like(x, float("nan")), warm_up).sum().backward()
    again = gradients(net, answer, x, warm_up)
    assert all(np.array_equal(one, two) for one, two in zip(flattened(first), flattened(again), strict=True))


def test_two_answers_before_one_way_back_keep_apart():
    config = WaveNetConfig.stacked((4,), ((1, 2, 40),))
    net = module(config)
    x, warm_up = segments(config, 300)
    once = gradients(net, fused(net, 1), x, warm_up)
    answer = fused(net, 1)
    twice = gradients(net, lambda x, warm_up: answer(x, warm_up) + 0.0 * answer(-x, warm_up), x, warm_up)
    for name, gradient in once.items():
        assert (twice[name] - gradient).norm() <= 1e-6 * gradient.norm(), name  # the other's gradients are zeros of a sum


def test_what_has_no_kernels_is_the_module_itself():
    config = WaveNetConfig.stacked((4,), ((1, 2),))
    net = module(config).double()
    x, warm_up = segments(config, 50)
    assert torch.equal(fused(net)(x.double(), warm_up), net(x.double(), warm_up))
    with pytest.raises(ValueError, match="hears 6 frames back"):
        fused(module(config))(x, 5)
    linear = architecture_of(LinearConfig(10)).module(LinearConfig(10))
    assert fused(linear) is linear


def test_a_weight_changed_between_answer_and_way_back_is_told():
    config = WaveNetConfig.stacked((4,), ((1, 2),))
    net = module(config)
    x, warm_up = segments(config, 50)
    y = fused(net, 1)(x, warm_up)
    with torch.no_grad():
        net.head_scale.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_net_deaf_to_half_its_frames_has_no_gradient_from_them():
    """Arrays of which one hears further back than the other: frames that only the longer one has must not count twice."""
    array = LayerArray(3, (3,), (50,), ("tanh",), head_channels=3, head_kernel_size=4, head_dilation=60)
    config = WaveNetConfig((array, replace(array, kernel_sizes=(2,), dilations=(3,), head_channels=1)))
    assert_same(config, frames=400)


def test_the_bench_of_a_step_tells_its_figures():
    program = [sys.executable, str(REPOSITORY / "training" / "bench" / "step.py"), "--net", "A1 nano", "--json"]
    settings = ["--batch", "2", "--frames", "100", "--rounds", "1"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run(program + settings, capture_output=True, text=True, env=environment, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["ratio"] == figures["torch_cpu_seconds"] / figures["kernels_cpu_seconds"] > 0.0  # one round: its own median
    assert figures["gradient_error"] < GRADIENT_ERROR
    assert "round 1 of 1" in done.stderr
