"""The linear net that learns, in torch."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuralamp.nets.linear.config import LinearConfig


class Linear(nn.Module):
    """An impulse response whose parameters bear the names of `LinearConfig.weights()`."""

    def __init__(self, config: LinearConfig):
        super().__init__()
        self.config = config
        bound = 1.0 / math.sqrt(config.taps)  # as torch's own convolutions begin
        self.impulse = nn.Parameter(torch.empty(config.taps).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(1).uniform_(-bound, bound)) if config.bias else None

    def forward(self, x: Tensor, warm_up: int) -> Tensor:
        """(batch, 1, warm_up + frames) -> (batch, 1, frames).

        The first `warm_up` frames are heard and not answered; there must be at least `settling_frames` of them.
        """
        if warm_up < self.config.settling_frames:
            raise ValueError(f"warm_up = {warm_up} frames; this net hears {self.config.settling_frames} frames back")
        heard = x[..., warm_up - self.config.settling_frames :]
        return functional.conv1d(heard, self.impulse.flip(0)[None, None], self.bias)


MODULE = Linear
