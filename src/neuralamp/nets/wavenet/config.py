"""The shape of a WaveNet, from which all its forms are built."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from neuralamp.dsp import activation
from neuralamp.errors import NetError
from neuralamp.nets.weights import check_size
from neuralamp.settings import NO_OTHER_KEYS

GATINGS = ("none", "gated", "blended")
MOST_LAYERS = 256  # of all arrays together; the largest in the wild has 23
MOST_PAST = 2**24  # floats that all its convolutions together may remember (64 MiB); the largest in the wild needs 0.1 MiB


@dataclass(frozen=True)
class LayerArray:
    """Layers of one width that share a skip sum and the head that reads it.

    With input s (what the array before left in its residual stream), condition c (the sound, then the knobs), layer by layer:

        z = conv(s) + mixin(c)               kernel_sizes[i] taps, dilations[i] frames apart, biased
        a = f(z)                             gating "none"
            f(z1) g(z2)                      gating "gated": z is twice as wide, g the gate's activation
            g(z2) f(z1) + (1 - g(z2)) z1     gating "blended"
        skip += a, or head_1x1(a)            where head_1x1 is not 0
        s += residual_1x1(a)                 s stays as it is where residual_1x1 is false
    and at the end   head = head_conv(skip)  head_kernel_size taps; the next array's skip sum starts from it.

    bottleneck   width of a; 0 means `channels`.
    head_1x1     width of the skip sum when a 1x1 convolution leads into it; 0 means none, and the width is the bottleneck's.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    channels: int
    kernel_sizes: tuple[int, ...]
    dilations: tuple[int, ...]
    activations: tuple[str, ...]
    gatings: tuple[str, ...] = ()
    gate_activations: tuple[str, ...] = ()
    negative_slope: float = 0.01
    bottleneck: int = 0
    residual_1x1: bool = True
    head_1x1: int = 0
    head_channels: int = 1
    head_kernel_size: int = 1
    head_bias: bool = True

    def __post_init__(self):
        object.__setattr__(self, "gatings", self.gatings or ("none",) * self.layers)
        object.__setattr__(self, "gate_activations", self.gate_activations or ("sigmoid",) * self.layers)
        object.__setattr__(self, "bottleneck", self.bottleneck or self.channels)
        per_layer = (self.kernel_sizes, self.activations, self.gatings, self.gate_activations)
        if self.layers == 0 or any(len(values) != self.layers for values in per_layer):
            raise NetError("a layer array needs one kernel size, dilation, activation and gating for each of its layers")
        sizes = (*self.kernel_sizes, *self.dilations, self.channels, self.bottleneck, self.head_channels, self.head_kernel_size)
        if min(sizes) < 1 or self.head_1x1 < 0:
            raise NetError("channels, kernel sizes and dilations of a layer array must be 1 or more")
        if max(*sizes, self.head_1x1) > MOST_PAST:
            raise NetError(
                f"a layer array cannot be this large: of channels, taps and frames {MOST_PAST} is the most that is possible"
            )
        if unknown := {*self.activations, *self.gate_activations} - set(activation.NAMES):
            raise NetError(f"activation {sorted(unknown)[0]} is unknown; known are {', '.join(activation.NAMES)}")
        if unknown := set(self.gatings) - set(GATINGS):
            raise NetError(f"gating {sorted(unknown)[0]} is unknown; known are {', '.join(GATINGS)}")

    @property
    def layers(self) -> int:
        return len(self.dilations)

    @property
    def skip_channels(self) -> int:
        """Width of the sum that the head reads."""
        return self.head_1x1 or self.bottleneck

    def conv_channels(self, layer: int) -> int:
        """Width of z: twice the bottleneck where a gate reads half of it."""
        return self.bottleneck if self.gatings[layer] == "none" else 2 * self.bottleneck

    @property
    def layers_past_frames(self) -> int:
        """Frames before the present one that its layers hear."""
        return sum((size - 1) * dilation for size, dilation in zip(self.kernel_sizes, self.dilations, strict=True))


@dataclass(frozen=True)
class WaveNetConfig:
    """A WaveNet: layer arrays one after the other; the last array's head, times `head_scale`, is the sound.

    knobs  names of the conditioning inputs: each is one more input row, held at a knob's value.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    arrays: tuple[LayerArray, ...]
    knobs: tuple[str, ...] = ()

    def __post_init__(self):
        if not self.arrays:
            raise NetError("a WaveNet needs at least one layer array")
        for before, after in zip(self.arrays, self.arrays[1:], strict=False):
            if before.head_channels != after.skip_channels:
                raise NetError(
                    f"a head of {before.head_channels} channels cannot start a skip sum of {after.skip_channels}; "
                    "head_channels must equal the next array's bottleneck (or head_1x1)"
                )
        if self.arrays[-1].head_channels != 1:
            raise NetError("the last layer array must have head_channels = 1: the sound is mono")
        if (layers := sum(array.layers for array in self.arrays)) > MOST_LAYERS:
            raise NetError(f"this WaveNet would have {layers} layers; {MOST_LAYERS} is the most that is possible")
        past = sum(a.channels * a.layers_past_frames + a.skip_channels * a.head_kernel_size for a in self.arrays)
        if past > MOST_PAST:
            raise NetError(f"this WaveNet would have to remember {past} numbers; {MOST_PAST} is the most that is possible")
        check_size(self.weights(), self.settling_frames)

    @classmethod
    def stacked(
        cls,
        channels: Sequence[int],
        dilations: Sequence[tuple[int, ...]],
        kernel_size: int = 3,
        activation: str = "tanh",
    ) -> "WaveNetConfig":
        """Arrays of these widths and dilations, each one's head the start of the next one's skip sum, as A1 captures have it."""
        heads = (*channels[1:], 1)
        arrays = [
            LayerArray(width, (kernel_size,) * len(steps), steps, (activation,) * len(steps), head_channels=head)
            for width, steps, head in zip(channels, dilations, heads, strict=True)
        ]
        return cls((*(replace(array, head_bias=False) for array in arrays[:-1]), *arrays[-1:]))

    @property
    def inputs(self) -> int:
        """Rows of input: the sound, then the knobs."""
        return 1 + len(self.knobs)

    @property
    def receptive_field(self) -> int:
        """Frames of input that one frame of output has heard."""
        stream = head = 0
        for array in self.arrays:  # a head hears the head before it and the layers above it, whichever reach further back
            stream += array.layers_past_frames
            head = max(head, stream) + array.head_kernel_size - 1
        return 1 + head

    @property
    def settling_frames(self) -> int:
        """Frames of silence after which a fresh net is at rest."""
        return self.receptive_field - 1

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, in the order they travel; convolutions are (out, in, taps), oldest tap first."""
        return self._weights

    @cached_property
    def _weights(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        stream = self.inputs
        for a, array in enumerate(self.arrays):
            shapes[f"arrays.{a}.rechannel.weight"] = (array.channels, stream, 1)
            for i, size in enumerate(array.kernel_sizes):
                layer, width = f"arrays.{a}.layers.{i}", array.conv_channels(i)
                shapes[f"{layer}.conv.weight"] = (width, array.channels, size)
                shapes[f"{layer}.conv.bias"] = (width,)
                shapes[f"{layer}.mixin.weight"] = (width, self.inputs, 1)
                if array.residual_1x1:
                    shapes[f"{layer}.residual_1x1.weight"] = (array.channels, array.bottleneck, 1)
                    shapes[f"{layer}.residual_1x1.bias"] = (array.channels,)
                if array.head_1x1:
                    shapes[f"{layer}.head_1x1.weight"] = (array.head_1x1, array.bottleneck, 1)
                    shapes[f"{layer}.head_1x1.bias"] = (array.head_1x1,)
            shapes[f"arrays.{a}.head.weight"] = (array.head_channels, array.skip_channels, array.head_kernel_size)
            if array.head_bias:
                shapes[f"arrays.{a}.head.bias"] = (array.head_channels,)
            stream = array.channels
        shapes["head_scale"] = (1,)
        return shapes


CONFIG = WaveNetConfig
