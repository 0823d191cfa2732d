"""The recurrent net that learns, in torch."""

import math

import torch
from torch import Tensor, nn

from neuralamp.nets.lstm.config import LstmConfig

# Frames over which a fresh net's cells remember, spread evenly in the logarithm up to this. With torch's own biases all forget
# within two frames, and a small net never finds an amp's slow high-pass: a crunch amp's ESR stayed at 0.27, and came to 0.001 so.
LONGEST_MEMORY_FRAMES = 300


class Lstm(nn.Module):
    """A recurrent net whose parameters bear the names of `LstmConfig.weights()`."""

    def __init__(self, config: LstmConfig):
        super().__init__()
        self.config = config
        cells = nn.LSTM if config.cell == "lstm" else nn.GRU
        self.cells = cells(config.inputs, config.hidden, config.layers, batch_first=True)
        if config.initial_state:
            names = [f"{state}_l{i}" for i in range(config.layers) for state in config.states]
            self.initial = nn.ParameterDict({name: torch.zeros(config.hidden) for name in names})
        self.head = nn.Linear(config.hidden, config.outputs)
        for i in range(config.layers):
            self._spread_memories(i)

    def forward(self, x: Tensor, warm_up: int) -> Tensor:
        """(batch, inputs, warm_up + frames) -> (batch, outputs, frames).

        The first `warm_up` frames bring the state to where the music has it; no gradient flows through them.
        """
        steps = x.transpose(1, 2)  # (batch, frames, inputs)
        state = self._beginning(len(x)) if self.config.initial_state else None
        if warm_up:
            with torch.no_grad():
                state = self.cells(steps[:, :warm_up], state)[1]
        y = self.head(self.cells(steps[:, warm_up:], state)[0]).transpose(1, 2)
        return y + self.config.skip * x[:, :1, warm_up:]

    def _beginning(self, batch: int) -> Tensor | tuple[Tensor, ...]:
        """The initial states, each (layers, batch, hidden), as the cells take them."""
        states = [
            torch.stack([self.initial[f"{state}_l{i}"] for i in range(self.config.layers)])[:, None].expand(-1, batch, -1)
            for state in self.config.states
        ]
        states = [state.contiguous() for state in states]
        return states[0] if self.config.cell == "gru" else tuple(states)

    @torch.no_grad()
    def _spread_memories(self, layer: int) -> None:
        """Biases of the gate that keeps, b = log T, and of an LSTM's gate that lets in, -b, for memories of T frames.

        Source: Tallec and Ollivier, "Can recurrent neural networks warp time?", 2018; there T is spread evenly.
        """
        hidden = self.config.hidden
        first, second = (getattr(self.cells, f"{name}_l{layer}") for name in ("bias_ih", "bias_hh"))
        keeps = slice(hidden, 2 * hidden)  # f of an LSTM's i f g o, z of a GRU's r z n
        first[keeps] = torch.rand(hidden) * math.log(LONGEST_MEMORY_FRAMES)
        second[keeps] = 0.0
        if self.config.cell == "lstm":
            first[:hidden] = -first[keeps]
            second[:hidden] = 0.0


MODULE = Lstm
