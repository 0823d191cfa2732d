"""The optimiser: every direction of a matrix counts the same, and a training taken up again goes on as it was."""

import copy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from neuralamp.learn.optimiser import Muon, orthogonal  # noqa: E402


@pytest.mark.parametrize("shape", [(3, 16, 48), (2, 48, 16), (1, 8, 8)])
def test_all_directions_count_the_same(shape):
    torch.manual_seed(1)
    stretched = torch.randn(shape) * torch.logspace(0, -2, shape[2])
    sizes = torch.linalg.svdvals(orthogonal(stretched))
    assert sizes.max() < 1.3 and sizes.min() > 0.3  # from 1 to 1/100 and less before


def net() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv1d(1, 4, 3), nn.Tanh(), nn.Conv1d(4, 4, 3), nn.Tanh(), nn.Conv1d(4, 1, 1))


def learn(module: nn.Module, optimiser: torch.optim.Optimizer, steps: int) -> float:
    generator = torch.Generator().manual_seed(3)
    loss = torch.tensor(0.0)
    for _ in range(steps):
        x = torch.randn((4, 1, 50), generator=generator)
        loss = (module(x) - torch.tanh(x[..., 2:-2] - 0.5 * x[..., 1:-3])).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return loss.item()


def test_it_learns_in_fewer_steps_than_adam():
    ours, theirs = net(), net()
    reached = learn(ours, Muon(ours.parameters(), lr=0.02), 200)
    assert reached < 0.5 * learn(theirs, torch.optim.Adam(theirs.parameters(), lr=0.02), 200)


def test_a_learning_taken_up_again_goes_on_as_it_was():
    whole, halves = net(), net()
    learn(whole, optimiser := Muon(whole.parameters()), 10)
    learn(whole, optimiser, 10)
    learn(halves, first := Muon(halves.parameters()), 10)
    second = Muon(halves.parameters())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    learn(halves, second, 10)
    assert all(torch.equal(one, other) for one, other in zip(whole.parameters(), halves.parameters(), strict=True))


def test_what_has_no_gradient_stays():
    module = net()
    before = module[0].weight.detach().clone()
    module[0].weight.requires_grad_(False)
    learn(module, Muon(module.parameters()), 3)
    assert torch.equal(module[0].weight, before)
