"""The WaveNet that learns, in torch."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from neuralamp.dsp.activation import parse
from neuralamp.nets import architecture_of
from neuralamp.nets.torch_activation import FUNCTIONS
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.layers import Film, LayerArray

HEAD_SCALE = 0.02  # keeps the first output near a guitar's level, as the captures in the wild have it
FIRST_SLOPE = 0.25  # of a PReLU that has learned nothing yet, as torch has it


class Nonlinearity(nn.Module):
    """An activation on (batch, channels, frames); a PReLU's slopes are its parameters."""

    def __init__(self, text: str, channels: int):
        super().__init__()
        self.activation = parse(text)
        if self.activation.name == "prelu":
            self.slopes = nn.Parameter(torch.full((channels,), FIRST_SLOPE))

    def forward(self, x: Tensor) -> Tensor:
        if self.activation.name == "prelu":
            return torch.where(x > 0, x, self.slopes[:, None] * x)
        return FUNCTIONS[self.activation.name](x, *self.activation.numbers)


class Modulation(nn.Conv1d):
    """From the condition to s -> s (W c + b), + (V c + d) where it shifts; both matrices in one convolution, scales first."""

    def __init__(self, film: Film, condition: int, width: int):
        super().__init__(condition, (1 + film.shift) * width, 1, groups=film.groups)
        self.shifts = film.shift

    def modulate(self, s: Tensor, condition: Tensor) -> Tensor:
        modulation = self(condition[..., -s.shape[-1] :])
        if not self.shifts:
            return s * modulation
        scale, shift = modulation.chunk(2, dim=1)
        return s * scale + shift


class Layer(nn.Module):
    """One dilated convolution with its condition, nonlinearity and 1x1s; the equations are in LayerArray."""

    def __init__(self, array: LayerArray, i: int, condition: int):
        super().__init__()
        width, self.gating = array.conv_channels(i), array.gatings[i]
        taps, dilation = array.kernel_sizes[i], array.dilations[i]
        self.conv = nn.Conv1d(array.channels, width, taps, dilation=dilation, groups=array.conv_groups)
        self.mixin = nn.Conv1d(condition, width, 1, bias=False, groups=array.mixin_groups)
        self.residual_1x1 = self.head_1x1 = None
        if array.residual_1x1:
            self.residual_1x1 = nn.Conv1d(array.bottleneck, array.channels, 1, groups=array.residual_groups)
        if array.head_1x1:
            self.head_1x1 = nn.Conv1d(array.bottleneck, array.head_1x1, 1, groups=array.head_1x1_groups)
        films = array.films_of(i)
        self.films = nn.ModuleDict(
            {place: Modulation(film, condition, array.film_width(place, i, condition)) for place, film in films.items()}
        )
        self.activation = Nonlinearity(array.activations[i], array.bottleneck)
        self.gate_activation: Nonlinearity | None = None
        if self.gating != "none":
            self.gate_activation = Nonlinearity(array.gate_activations[i], array.bottleneck)

    def forward(self, stream: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, channels, frames) -> residual stream and skip, shorter by this convolution's past."""

        def film(place: str, s: Tensor) -> Tensor:
            return cast(Modulation, self.films[place]).modulate(s, condition) if place in self.films else s

        z = film("conv_out", self.conv(film("conv_in", stream)))
        condition = condition[..., -z.shape[-1] :]
        z = z + film("mixin_out", self.mixin(film("mixin_in", condition)))
        a = film("activation_out", self._nonlinearity(film("activation_in", z)))
        stream = stream[..., -z.shape[-1] :]
        if self.residual_1x1 is not None:
            stream = stream + film("residual_out", self.residual_1x1(a))
        return stream, film("head_1x1_out", self.head_1x1(a)) if self.head_1x1 is not None else a

    def _nonlinearity(self, z: Tensor) -> Tensor:
        if self.gate_activation is None:
            return self.activation(z)
        z, gate = z.chunk(2, dim=1)
        gate = self.gate_activation(gate)
        gated = gate * self.activation(z)
        return gated if self.gating == "gated" else gated + (1.0 - gate) * z


class Array(nn.Module):
    """The layers of one width and their head."""

    def __init__(self, array: LayerArray, stream: int, condition: int):
        super().__init__()
        self.rechannel = nn.Conv1d(stream, array.channels, 1, bias=False)
        self.layers = nn.ModuleList(Layer(array, i, condition) for i in range(array.layers))
        self.head = nn.Conv1d(
            array.skip_channels,
            array.head_channels,
            array.head_kernel_size,
            dilation=array.head_dilation,
            bias=array.head_bias,
        )
        self.past_frames = array.layers_past_frames

    def forward(self, stream: Tensor, condition: Tensor, skip: Tensor | None) -> tuple[Tensor, Tensor]:
        stream = self.rechannel(stream)
        frames = stream.shape[-1] - self.past_frames  # every layer's skip is cut to what the shortest one has
        if skip is not None:
            frames = min(frames, skip.shape[-1])
            skip = skip[..., -frames:]
        for layer in self.layers:
            stream, a = layer(stream, condition)
            skip = a[..., -frames:] if skip is None else skip + a[..., -frames:]
        return stream, self.head(skip)


class PostHeadLayer(nn.Module):
    """A nonlinearity and a convolution behind the scaled head."""

    def __init__(self, text: str, channels_in: int, channels_out: int, kernel_size: int):
        super().__init__()
        self.activation = Nonlinearity(text, channels_in)
        self.conv = nn.Conv1d(channels_in, channels_out, kernel_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.activation(x))


class WaveNet(nn.Module):
    """A WaveNet whose parameters bear the names of `WaveNetConfig.weights()`."""

    def __init__(self, config: WaveNetConfig):
        super().__init__()
        self.config = config
        self.condition: Callable[[Tensor, int], Tensor] | None = None
        if config.condition is not None:
            self.condition = architecture_of(config.condition).module(config.condition)
        widths = [config.inputs, *(array.channels for array in config.arrays)]
        self.arrays = nn.ModuleList(
            Array(array, width, config.condition_channels) for array, width in zip(config.arrays, widths, strict=False)
        )
        self.post_head = nn.Sequential(
            *(
                PostHeadLayer(layer.activation, *widths, layer.kernel_size)
                for layer, widths in zip(config.post_head, config.post_widths, strict=True)
            )
        )
        self.head_scale = nn.Parameter(torch.tensor([HEAD_SCALE]))

    def forward(self, x: Tensor, warm_up: int) -> Tensor:
        """(batch, inputs, warm_up + frames) -> (batch, outputs, frames).

        The first `warm_up` frames are heard and not answered; there must be at least `settling_frames` of them.
        """
        if warm_up < self.config.settling_frames:
            raise ValueError(f"warm_up = {warm_up} frames; this WaveNet hears {self.config.settling_frames} frames back")
        own = self.config.own_settling_frames
        condition = x if self.condition is None else self.condition(x, warm_up - own)
        x, condition = x[..., warm_up - own :], condition[..., -(x.shape[-1] - warm_up + own) :]
        stream, head = self.arrays[0](x, condition, None)
        for array in self.arrays[1:]:
            stream, head = array(stream, condition, head)
        return self.post_head(self.head_scale * head)


MODULE = WaveNet
