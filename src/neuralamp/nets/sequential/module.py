"""The sequential net that learns, in torch: layer by layer, each with the state that it carries from stretch to stretch."""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuralamp.dsp.activation import parse
from neuralamp.dsp.recurrent import PLACES
from neuralamp.nets.sequential.config import SOFTMAX, SequentialConfig, SequentialLayer
from neuralamp.nets.torch_activation import FUNCTIONS

FIRST_SLOPE = 0.25  # of a PReLU that has learned nothing yet, as torch has it
State = tuple[Tensor, ...]


class Layer(nn.Module):
    """One layer on (batch, channels, frames), its parameters named as `SequentialLayer.weights` names them."""

    def __init__(self, layer: SequentialLayer, width: int):
        super().__init__()
        self.layer, self.width = layer, width
        # as torch's own layers begin
        bound = 1.0 / math.sqrt(layer.channels if layer.recurrent else width // layer.groups * layer.kernel_size)
        for name, shape in layer.weights("", width):
            slopes = torch.full(shape, FIRST_SLOPE)
            first = slopes if name == ".slopes" else torch.empty(shape).uniform_(-bound, bound)
            self.register_parameter(name[1:], nn.Parameter(first))

    def beginning(self, x: Tensor) -> State:
        """The state before anything was heard: the past of a convolution, the h, and c, of cells; all zero."""
        if self.layer.recurrent:
            zero = x.new_zeros(1, len(x), self.layer.channels)
            return (zero, zero) if self.layer.kind == "lstm" else (zero,)
        return (x.new_zeros(len(x), self.width, self.layer.past_frames),)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """(batch, channels, frames) and a state -> the same, later."""
        layer = self.layer
        if layer.recurrent:
            steps = x.transpose(1, 2)  # (batch, frames, channels)
            numbers: list[Tensor] = [self.get_parameter(place) for place in PLACES]
            options = (True, 1, 0.0, self.training, False, True)  # biased, layers, dropout, ..., one way, batch first
            if layer.kind == "lstm":
                y, *after = torch.lstm(steps, list(state), numbers, *options)
            else:
                y, *after = torch.gru(steps, state[0], numbers, *options)
            y, state = y.transpose(1, 2), tuple(after)
        elif layer.kind == "conv":
            x = torch.cat((state[0], x), dim=2)
            state = (x[..., x.shape[2] - layer.past_frames :],)
            weight, bias = self.get_parameter("weight"), self.get_parameter("bias") if layer.bias else None
            y = functional.conv1d(x, weight, bias, dilation=layer.dilation, groups=layer.groups)
        else:
            y = x
        return self._activated(y), state

    def _activated(self, y: Tensor) -> Tensor:
        if self.layer.activation == SOFTMAX:
            return torch.softmax(y, dim=1)
        if self.layer.has_slopes:
            return torch.where(y > 0, y, self.get_parameter("slopes")[:, None] * y)
        activation = parse(self.layer.activation)
        return FUNCTIONS[activation.name](y, *activation.numbers)


class Sequential(nn.Module):
    """Layers whose parameters bear the names of `SequentialConfig.weights()`."""

    def __init__(self, config: SequentialConfig):
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(Layer(layer, width) for (width, _), layer in zip(config.widths, config.layers, strict=True))

    def forward(self, x: Tensor, warm_up: int) -> Tensor:
        """(batch, inputs, warm_up + frames) -> (batch, outputs, frames).

        The first `warm_up` frames bring pasts and states to where the music has them; no gradient flows through them.
        """
        states: list[State] | None = None
        if warm_up:
            with torch.no_grad():
                states = self._play(x[..., :warm_up], states)[1]
        y, _ = self._play(x[..., warm_up:], states)
        return y + self.config.skip * x[:, :1, warm_up:]

    def _play(self, x: Tensor, states: list[State] | None) -> tuple[Tensor, list[State]]:
        """A stretch of sound through all layers, and the states that it leaves; they are at their beginning where none are."""
        after = []
        for i, layer in enumerate(self.layers):
            x, state = layer(x, cast(Layer, layer).beginning(x) if states is None else states[i])
            after.append(state)
        return x, after


MODULE = Sequential
