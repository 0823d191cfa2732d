"""The recurrent net that learns, in torch."""

import torch
from torch import Tensor, nn

from neuralamp.nets.lstm.config import LstmConfig


class Lstm(nn.Module):
    """A recurrent net whose parameters bear the names of `LstmConfig.weights()`."""

    def __init__(self, config: LstmConfig):
        super().__init__()
        self.config = config
        cells = nn.LSTM if config.cell == "lstm" else nn.GRU
        self.cells = cells(config.inputs, config.hidden, config.layers, batch_first=True)
        self.head = nn.Linear(config.hidden, 1)

    def forward(self, x: Tensor, warm_up: int) -> Tensor:
        """(batch, inputs, warm_up + frames) -> (batch, 1, frames).

        The first `warm_up` frames bring the state to where the music has it; no gradient flows through them.
        """
        steps = x.transpose(1, 2)  # (batch, frames, inputs)
        state = None
        if warm_up:
            with torch.no_grad():
                state = self.cells(steps[:, :warm_up])[1]
        y = self.head(self.cells(steps[:, warm_up:], state)[0]).transpose(1, 2)
        return y + x[:, :1, warm_up:] if self.config.input_skip else y


MODULE = Lstm
