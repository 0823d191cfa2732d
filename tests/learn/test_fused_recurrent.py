"""A recurrent net learns by the CPU's kernels what it would learn by torch."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from neuralamp.dsp.jit import LANES  # noqa: E402
from neuralamp.learn.fused_recurrent import fused_recurrent  # noqa: E402
from neuralamp.nets.lstm.config import LstmConfig  # noqa: E402
from neuralamp.nets.lstm.fused import PIECE, FusedLstm  # noqa: E402
from neuralamp.nets.lstm.module import Lstm  # noqa: E402
from tests.nets.random_nets import random_lstm  # noqa: E402

# Both sum in float32, in other orders. Over 100 random nets they differ by up to 6e-6, and both from float64 by up to 4e-6.
GRADIENT = 1e-4
SOUND = 5e-6  # of the loudest frame; measured up to 1.1e-6
SMALL = LstmConfig(hidden=9, layers=2, initial_state=True, skip=1.0, outputs=2, knobs=("gain",))


def net_of(config: LstmConfig, seed: int) -> Lstm:
    torch.manual_seed(seed)
    net = Lstm(config)
    if config.initial_state:
        for begins in net.initial.values():
            torch.nn.init.normal_(begins, std=0.5)
    return net


def sequences(config: LstmConfig, batch: int, frames: int, seed: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(batch, config.inputs, frames, generator=random)


def learn(net: Lstm, call, x: torch.Tensor, warm_up: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """What it answers, and the slopes of a loss that is no sum over frames along all that can have one."""
    net.zero_grad()
    x = x.clone().requires_grad_()
    y = call(x, warm_up)
    (y.sin().cumsum(dim=-1).square().mean() + y.mean()).backward()
    found = {name: weight.grad.clone() for name, weight in net.named_parameters() if weight.grad is not None}
    return y.detach(), found | {"x": x.grad}


def assert_as_torch(config: LstmConfig, batch: int, warm_up: int, frames: int, seed: int):
    net, x = net_of(config, seed), sequences(config, batch, warm_up + frames, seed)
    right, along = learn(net, net, x, warm_up)
    y, found = learn(net, fused_recurrent(net, config, threads=1), x, warm_up)
    assert (y - right).abs().max() <= SOUND * right.abs().max()
    assert found.keys() == along.keys()
    for name, slope in along.items():
        assert torch.linalg.vector_norm(found[name] - slope) <= GRADIENT * torch.linalg.vector_norm(slope), name
    assert not found["x"][:, :, :warm_up].any()


@pytest.mark.parametrize("seed", range(16))
def test_every_net_learns_what_torch_would_teach_it(seed):
    random = np.random.default_rng(seed)
    config = dataclasses.replace(random_lstm(random), outputs=int(random.integers(1, 10)))
    warm_up = int(random.choice([0, 0, 1, 2, 37]))
    assert_as_torch(config, int(random.integers(1, 2 * LANES + 2)), warm_up, int(random.integers(1, 3 * PIECE)), seed)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_segment_of_a_recipe_is_learned_to_its_first_frame(cell):
    assert_as_torch(LstmConfig(hidden=16, cell=cell), batch=16, warm_up=256, frames=2048, seed=3)


@pytest.mark.parametrize("config", [SMALL, LstmConfig(hidden=16, cell="gru")])
def test_two_threads_learn_bit_for_bit_what_one_does(config):
    net, x = net_of(config, seed=1), sequences(config, 3 * LANES + 1, 100, seed=1)
    y, alone = learn(net, fused_recurrent(net, config, threads=1), x, 20)
    for _ in range(3):
        same, together = learn(net, fused_recurrent(net, config, threads=2), x, 20)
        assert torch.equal(same, y)
        assert all(torch.equal(together[name], slope) for name, slope in alone.items())


def test_two_answers_at_once_do_not_disturb_each_other():
    net = net_of(SMALL, seed=2)
    call = fused_recurrent(net, SMALL, threads=1)
    one, two = (sequences(SMALL, 5, 60, seed).requires_grad_() for seed in (1, 2))
    call(one, 10).square().sum().backward()
    alone = one.grad.clone()
    one.grad = None
    first, second = call(one, 10), call(two, 10)
    second.square().sum().backward()
    first.square().sum().backward()
    assert torch.equal(one.grad, alone)


def test_a_step_takes_no_new_memory_for_what_it_remembers():
    net, x = net_of(SMALL, seed=2), sequences(SMALL, 5, 60, seed=1)
    kernels = FusedLstm(SMALL)
    weights = {name: weight.detach().numpy() for name, weight in net.named_parameters()}
    _, tape = kernels.forward(weights, x.numpy(), 0, 1)
    place, size = tape.records[0].ctypes.data, tape.records[0].size
    del tape
    others = [np.ones(size, np.float32) for _ in range(8)]  # would be given the memory, had it gone back to the system
    _, tape = kernels.forward(weights, x.numpy(), 10, 1)
    assert others and tape.records[0].ctypes.data == place


def test_a_learning_net_leaves_quiet_numbers_to_everyone_else():
    net, x = net_of(SMALL, seed=2), sequences(SMALL, 2, 20, seed=1)
    learn(net, fused_recurrent(net, SMALL, threads=1), x, 0)
    assert np.float32(1e-40) * np.ones(1, np.float32) > 0.0  # denormals are flushed inside the kernels only


def test_what_the_kernels_cannot_do_torch_does():
    net, x = net_of(SMALL, seed=4), sequences(SMALL, 3, 40, seed=4)
    call = fused_recurrent(net, SMALL, threads=1)
    with torch.no_grad():
        assert torch.equal(call(x, 8), net(x, 8))
    net.double()
    assert torch.equal(call(x.double(), 8), net(x.double(), 8))
