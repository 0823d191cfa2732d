"""The losses say the same as the measures, and their slopes point the right way."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from neuralamp.dsp import measure  # noqa: E402
from neuralamp.errors import RecipeError  # noqa: E402
from neuralamp.learn import losses  # noqa: E402


def batch(*shape, seed=0, dtype=torch.float64):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape)).to(dtype)


@pytest.mark.parametrize("name", ["esr", "esr_preemphasis", "mrstft"])
def test_what_is_minimised_is_what_is_measured(name):
    target, predicted = batch(3, 1, 5000), batch(3, 1, 5000, seed=1)
    measured = getattr(measure, name)(predicted[:, 0].numpy(), target[:, 0].numpy())
    # float64 on both sides; only the order of the sums differs.
    assert getattr(losses, name)(predicted, target).item() == pytest.approx(measured, rel=1e-10)


def test_esr_in_the_precision_of_training():
    target = batch(16, 1, 8192, dtype=torch.float32)
    predicted = target + 0.01 * batch(16, 1, 8192, seed=1, dtype=torch.float32)
    measured = measure.esr(predicted[:, 0].numpy(), target[:, 0].numpy())
    # Sums of 131072 float32 terms, added pairwise by torch: 1e-6 with room.
    assert losses.esr(predicted, target).item() == pytest.approx(measured, rel=1e-5)


def test_our_spectral_loss_is_the_published_one():
    auraloss = pytest.importorskip("auraloss")
    target, predicted = batch(4, 1, 8192, dtype=torch.float32), batch(4, 1, 8192, seed=1, dtype=torch.float32)
    target[2] = 0.0
    expected = auraloss.freq.MultiResolutionSTFTLoss()(predicted, target).item()
    assert losses.mrstft(predicted, target).item() == pytest.approx(expected, rel=1e-6)  # float32 on both sides


def test_an_offset_is_heard_by_the_dc_loss_and_by_it_alone():
    target = batch(4, 1, 1000)
    target -= target.mean(dim=-1, keepdim=True)
    predicted = 0.5 * target
    assert losses.dc(predicted, target).item() < 1e-20  # float64 means of nought
    expected = 0.01 / target.square().mean().item()
    assert losses.dc(predicted + 0.1, target).item() == pytest.approx(expected, rel=1e-9)


def test_offsets_of_opposite_sign_do_not_cancel_across_the_batch():
    target = batch(2, 1, 1000)
    offset = torch.tensor([0.1, -0.1], dtype=torch.float64)[:, None, None]
    assert losses.dc(target + offset, target).item() == pytest.approx(0.01 / target.square().mean().item(), rel=1e-9)


@pytest.mark.parametrize("name", list(losses.LOSSES))
def test_the_slope_agrees_with_a_small_step(name):
    target, predicted = batch(2, 1, 1500), batch(2, 1, 1500, seed=1).requires_grad_()
    loss = losses.LOSSES[name]
    loss(predicted, target).backward()
    direction = batch(2, 1, 1500, seed=2)
    step = 1e-8 * direction  # so small that few bins cross a corner of |ln T - ln P|; rounding of a loss near 1 gives 1e-8
    with torch.no_grad():
        measured = (loss(predicted + step, target) - loss(predicted - step, target)).item() / 2e-8
    assert (predicted.grad * direction).sum().item() == pytest.approx(measured, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", list(losses.LOSSES))
def test_silence_in_a_batch_breaks_nothing(name):
    target, predicted = batch(2, 1, 1500), batch(2, 1, 1500, seed=1)
    target[0] = 0.0
    for silent in (target, torch.zeros_like(target)):
        x = predicted.clone().requires_grad_()
        value = losses.LOSSES[name](x, silent)
        value.backward()
        assert torch.isfinite(value) and value > 0.0
        assert torch.isfinite(x.grad).all() and x.grad.abs().max() > 0.0
    perfect = target.clone().requires_grad_()
    losses.LOSSES[name](perfect, target).backward()
    assert torch.isfinite(perfect.grad).all()


def test_the_recipe_mixes_the_losses():
    target, predicted = batch(2, 1, 1500), batch(2, 1, 1500, seed=1)
    mixed = losses.LossWeights(esr=1.0, esr_preemphasis=0.5, dc=2.0, mrstft=0.1)(predicted, target).item()
    expected = [1.0, 0.5, 2.0, 0.1] @ np.array([loss(predicted, target).item() for loss in losses.LOSSES.values()])
    assert mixed == pytest.approx(expected, rel=1e-12)
    assert losses.LossWeights()(predicted, target).item() == losses.esr(predicted, target).item()


def test_a_loss_of_no_weight_is_not_computed():
    short = batch(2, 1, 100)  # too short for the spectral loss, which would raise
    assert torch.isfinite(losses.LossWeights(esr=1.0, mrstft=0.0)(short, short + 1.0))


@pytest.mark.parametrize("weights", [{"esr": -1.0}, {"mrstft": float("nan")}, {"esr": 0.0}])
def test_impossible_weights_are_refused_in_words(weights):
    with pytest.raises(RecipeError, match="weight"):
        losses.LossWeights(**weights)
