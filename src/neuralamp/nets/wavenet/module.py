"""The WaveNet that learns, in torch."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuralamp.nets.wavenet.config import LayerArray, WaveNetConfig

HEAD_SCALE = 0.02  # keeps the first output near a guitar's level, as the captures in the wild have it

ACTIVATIONS = {
    "linear": lambda x, slope: x,
    "tanh": lambda x, slope: torch.tanh(x),
    "sigmoid": lambda x, slope: torch.sigmoid(x),
    "relu": lambda x, slope: functional.relu(x),
    "leaky_relu": lambda x, slope: functional.leaky_relu(x, slope),
    "silu": lambda x, slope: functional.silu(x),
    "hard_tanh": lambda x, slope: functional.hardtanh(x),
    "hard_swish": lambda x, slope: functional.hardswish(x),
    "softsign": lambda x, slope: functional.softsign(x),
}


class Layer(nn.Module):
    """One dilated convolution with its condition, nonlinearity and 1x1s; the equations are in LayerArray."""

    def __init__(self, array: LayerArray, i: int, inputs: int):
        super().__init__()
        width = array.conv_channels(i)
        self.array, self.i = array, i
        self.conv = nn.Conv1d(array.channels, width, array.kernel_sizes[i], dilation=array.dilations[i])
        self.mixin = nn.Conv1d(inputs, width, 1, bias=False)
        self.residual_1x1 = nn.Conv1d(array.bottleneck, array.channels, 1) if array.residual_1x1 else None
        self.head_1x1 = nn.Conv1d(array.bottleneck, array.head_1x1, 1) if array.head_1x1 else None

    def forward(self, stream: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, channels, frames) -> residual stream and skip, shorter by this convolution's past."""
        z = self.conv(stream)
        z = z + self.mixin(condition[..., -z.shape[-1] :])
        a = self._nonlinearity(z)
        stream = stream[..., -z.shape[-1] :]
        stream = stream + self.residual_1x1(a) if self.residual_1x1 is not None else stream
        return stream, self.head_1x1(a) if self.head_1x1 is not None else a

    def _nonlinearity(self, z: Tensor) -> Tensor:
        activate = ACTIVATIONS[self.array.activations[self.i]]
        slope, gating = self.array.negative_slope, self.array.gatings[self.i]
        if gating == "none":
            return activate(z, slope)
        z, gate = z.chunk(2, dim=1)
        gate = ACTIVATIONS[self.array.gate_activations[self.i]](gate, slope)
        return activate(z, slope) * gate if gating == "gated" else gate * activate(z, slope) + (1.0 - gate) * z


class Array(nn.Module):
    """The layers of one width and their head."""

    def __init__(self, array: LayerArray, stream: int, inputs: int):
        super().__init__()
        self.rechannel = nn.Conv1d(stream, array.channels, 1, bias=False)
        self.layers = nn.ModuleList(Layer(array, i, inputs) for i in range(array.layers))
        self.head = nn.Conv1d(array.skip_channels, array.head_channels, array.head_kernel_size, bias=array.head_bias)
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


class WaveNet(nn.Module):
    """A WaveNet whose parameters bear the names of `WaveNetConfig.weights()`."""

    def __init__(self, config: WaveNetConfig):
        super().__init__()
        self.config = config
        widths = [config.inputs, *(array.channels for array in config.arrays)]
        self.arrays = nn.ModuleList(
            Array(array, width, config.inputs) for array, width in zip(config.arrays, widths, strict=False)
        )
        self.head_scale = nn.Parameter(torch.tensor([HEAD_SCALE]))

    def forward(self, x: Tensor, warm_up: int) -> Tensor:
        """(batch, inputs, warm_up + frames) -> (batch, 1, frames).

        The first `warm_up` frames are heard and not answered; there must be at least `settling_frames` of them.
        """
        if warm_up < self.config.settling_frames:
            raise ValueError(f"warm_up = {warm_up} frames; this WaveNet hears {self.config.settling_frames} frames back")
        x = x[..., warm_up - self.config.settling_frames :]
        stream, head = self.arrays[0](x, x, None)
        for array in self.arrays[1:]:
            stream, head = array(stream, x, head)
        return self.head_scale * head


MODULE = WaveNet
