"""What training minimises: the measures of `dsp.measure` over a batch, in torch, weighed by the recipe.

Batches are (batch, 1, frames). Each loss is one ratio for the whole batch, without an epsilon: a silent segment among
others adds its error above the line and nothing below it, so the net learns to be quiet there. Only when every target
of the batch is digital silence is there nothing to divide by; then the mean square of the prediction against full scale
stands in, finite and small.
"""

import math
from dataclasses import dataclass, fields

import torch

from neuralamp.dsp.measure import POWER_FLOOR, PRE_EMPHASIS, RESOLUTIONS
from neuralamp.errors import RecipeError


def esr(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Error-to-signal ratio, sum (t - p)^2 / sum t^2 over the batch; `dsp.measure.esr` of its segments end to end."""
    return (target - predicted).square().mean() / _mean_square(target)


def esr_preemphasis(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """`esr` after y[n] = x[n] - 0.95 x[n-1], first frames of segments left out; see `dsp.measure.esr_preemphasis`."""
    return esr(_pre_emphasised(predicted), _pre_emphasised(target))


def dc(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The energy of the offset: mean over segments of (mean of t - p)^2, over the mean of t^2.

    Source: Wright et al., "Real-Time Guitar Amplifier Emulation with Deep Learning", 2020.
    """
    return (target - predicted).mean(dim=-1).square().mean() / _mean_square(target)


def mrstft(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Multi-resolution STFT distance of `dsp.measure.mrstft`, segments taken as channels of one take.

    Segments need more than 1024 frames: torch reflects half the longest FFT. Silence needs no care, magnitudes stop at
    1e-4.
    """
    distances = [_stft_distance(predicted, target, *resolution) for resolution in RESOLUTIONS]
    return torch.stack(distances).mean()


@dataclass(frozen=True)
class LossWeights:
    """How much each loss counts, as a recipe says it; called with a prediction and its target it is the weighted sum.

    Losses of weight 0 are not computed. RecipeError for a weight that is negative or no number, and when all are 0.
    """

    esr: float = 1.0
    esr_preemphasis: float = 0.0
    dc: float = 0.0
    mrstft: float = 0.0

    def __post_init__(self) -> None:
        for name, weight in self._weights():
            if not (math.isfinite(weight) and weight >= 0.0):
                raise RecipeError(f"the loss weight {name} is {weight}; give 0 or a positive number")
        if not any(weight for _, weight in self._weights()):
            names = ", ".join(name for name, _ in self._weights())
            raise RecipeError(f"every loss weight is 0, so there is nothing to learn from; give one of {names} a positive number")

    def __call__(self, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The weighted sum, a scalar tensor; predicted and target (batch, 1, frames)."""
        terms = [weight * LOSSES[name](predicted, target) for name, weight in self._weights() if weight]
        return torch.stack(terms).sum()

    def _weights(self) -> list[tuple[str, float]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]


LOSSES = {  # the name in a recipe -> what it computes
    "esr": esr,
    "esr_preemphasis": esr_preemphasis,
    "dc": dc,
    "mrstft": mrstft,
}


def _mean_square(target: torch.Tensor) -> torch.Tensor:
    """What an error is divided by: the mean square of the batch, or 1 (full scale) where it is digital silence."""
    energy = target.square().mean()
    return torch.where(energy > 0.0, energy, torch.ones_like(energy))


def _pre_emphasised(x: torch.Tensor) -> torch.Tensor:
    return x[..., 1:] - PRE_EMPHASIS * x[..., :-1]


def _stft_distance(predicted: torch.Tensor, target: torch.Tensor, fft: int, hop: int, window: int) -> torch.Tensor:
    """Spectral convergence plus log-magnitude L1 at one resolution, one ratio for the batch."""
    p, t = _magnitudes(predicted, fft, hop, window), _magnitudes(target, fft, hop, window)
    convergence = torch.linalg.vector_norm(t - p) / torch.linalg.vector_norm(t)
    return convergence + (t.log() - p.log()).abs().mean()


def _magnitudes(x: torch.Tensor, fft: int, hop: int, window: int) -> torch.Tensor:
    """(batch, 1, frames) to magnitudes (batch, bins, spectra)."""
    hann = torch.hann_window(window, dtype=x.dtype, device=x.device)
    spectrum = torch.stft(x.flatten(0, 1), fft, hop, window, hann, return_complex=True)
    return (spectrum.real.square() + spectrum.imag.square()).clamp(min=POWER_FLOOR).sqrt()
