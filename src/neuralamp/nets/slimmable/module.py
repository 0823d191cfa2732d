"""The slimmable net that learns, in torch: all sizes at once, each frame answered by the one that is wanted."""

import torch
from torch import Tensor, nn

from neuralamp.nets import architecture_of
from neuralamp.nets.slimmable.config import SlimmableConfig


class Slimmable(nn.Module):
    """Nets whose parameters bear the names of `SlimmableConfig.weights()`."""

    def __init__(self, config: SlimmableConfig):
        super().__init__()
        self.config = config
        self.parts = nn.ModuleList(architecture_of(part.net).module(part.net) for part in config.parts)

    def forward(self, x: Tensor, warm_up: int) -> Tensor:
        """(batch, inputs, warm_up + frames) -> (batch, outputs, frames)."""
        size = x[:, 1:2, warm_up:]
        heard = torch.cat((x[:, :1], x[:, 2:]), dim=1)
        y = self.parts[-1](heard, warm_up)
        for part, net in zip(reversed(self.config.parts[:-1]), reversed(self.parts[:-1]), strict=True):
            y = torch.where(size < part.up_to, net(heard, warm_up), y)
        return y


MODULE = Slimmable
