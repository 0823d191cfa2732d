"""The shape of a WaveNet, from which all its forms are built."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

from neuralamp.dsp import activation
from neuralamp.dsp.rows import TILE
from neuralamp.errors import NetError
from neuralamp.nets.nested import MOST_DEPTH, Net, depth
from neuralamp.nets.shape import Shape
from neuralamp.nets.wavenet.layers import LayerArray, PostLayer
from neuralamp.nets.weights import WORK_OF_AN_ACTIVATION, check_size
from neuralamp.settings import NO_OTHER_KEYS

MOST_LAYERS = 256  # of all arrays together; the largest in the wild has 23


@dataclass(frozen=True)
class WaveNetConfig(Shape):
    """A WaveNet: layer arrays one after the other; the last array's head, times `head_scale`, is the sound.

    knobs      names of the conditioning inputs: each is one more input row, held at a knob's value.
    condition  a net of its own that hears what this one hears, and whose outputs condition all layers instead of the input.
    post_head  layers behind the scaled head: activation, then convolution; the last one's output is the sound.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    arrays: tuple[LayerArray, ...]
    knobs: tuple[str, ...] = ()
    condition: Net = None
    post_head: tuple[PostLayer, ...] = ()

    def __post_init__(self):
        if not self.arrays:
            raise NetError("a WaveNet needs at least one layer array")
        for before, after in pairwise(self.arrays):
            if before.head_channels != after.skip_channels:
                raise NetError(
                    f"a head of {before.head_channels} channels cannot start a skip sum of {after.skip_channels}; "
                    "head_channels must equal the next array's bottleneck (or head_1x1)"
                )
        if depth(self) > MOST_DEPTH:
            raise NetError(f"nets stand inside nets {depth(self)} deep; {MOST_DEPTH} is the most that is possible")
        if self.condition is not None and self.condition.inputs != self.inputs:
            raise NetError(f"the condition net hears {self.condition.inputs} rows; it should hear {self.inputs} as the net does")
        if (layers := sum(array.layers for array in self.arrays) + len(self.post_head)) > MOST_LAYERS:
            raise NetError(f"this WaveNet would have {layers} layers; {MOST_LAYERS} is the most that is possible")
        for array in self.arrays:
            array.check_groups(self.condition_channels)
        check_size(self)

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
    def outputs(self) -> int:
        """Rows of output: one, but for a net that conditions another."""
        return self.post_head[-1].channels if self.post_head else self.arrays[-1].head_channels

    @property
    def inner(self) -> dict[str, Any]:
        """Nets inside this one, by the prefix of their weights."""
        return {} if self.condition is None else {"condition.": self.condition}

    @property
    def condition_channels(self) -> int:
        """Rows that condition every layer."""
        return self.inputs if self.condition is None else self.condition.outputs

    @property
    def post_widths(self) -> list[tuple[int, int]]:
        """Channels into and out of each layer behind the head."""
        widths = [self.arrays[-1].head_channels, *(layer.channels for layer in self.post_head)]
        return list(pairwise(widths))

    @property
    def receptive_field(self) -> int:
        """Frames of input that one frame of output has heard."""
        return 1 + self.settling_frames

    @property
    def own_settling_frames(self) -> int:
        """`settling_frames` of the net without its condition net."""
        stream = head = 0
        for array in self.arrays:  # a head hears the head before it and the layers above it, whichever reach further back
            stream += array.layers_past_frames
            head = max(head, stream) + array.head_past_frames
        return head + sum(layer.kernel_size - 1 for layer in self.post_head)

    @property
    def settling_frames(self) -> int:
        """Frames of silence after which a fresh net is at rest."""
        return self.own_settling_frames + (0 if self.condition is None else self.condition.settling_frames)

    @property
    def work(self) -> int:
        """Multiplications' worth of a frame."""
        streams = [self.inputs, *(array.channels for array in self.arrays)]
        total = sum(array.work(stream, self.condition_channels) for array, stream in zip(self.arrays, streams, strict=False))
        for (width, channels), layer in zip(self.post_widths, self.post_head, strict=True):
            total += width * (channels * layer.kernel_size + WORK_OF_AN_ACTIVATION)
        return total + sum(net.work for net in self.inner.values())

    @property
    def floats(self) -> int:
        """Numbers that it remembers or works on."""
        total = sum(array.floats(self.condition_channels) for array in self.arrays)
        for (width, channels), layer in zip(self.post_widths, self.post_head, strict=True):
            total += width * (layer.kernel_size + 2 * TILE) + channels * TILE
        return total + sum(net.floats for net in self.inner.values())

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, in the order they travel; convolutions are (out, in / groups, taps), oldest first."""
        return self._weights

    @cached_property
    def _weights(self) -> dict[str, tuple[int, ...]]:
        return dict(self._named())

    def _named(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        for prefix, net in self.inner.items():
            yield from ((prefix + name, shape) for name, shape in net.weights().items())
        stream = self.inputs
        for a, array in enumerate(self.arrays):
            yield from array.weights(f"arrays.{a}", stream, self.condition_channels)
            stream = array.channels
        for i, ((width, channels), layer) in enumerate(zip(self.post_widths, self.post_head, strict=True)):
            if activation.parse(layer.activation).code == activation.PRELU:
                yield f"post_head.{i}.activation.slopes", (width,)
            yield f"post_head.{i}.conv.weight", (channels, width, layer.kernel_size)
            yield f"post_head.{i}.conv.bias", (channels,)
        yield "head_scale", (1,)


CONFIG = WaveNetConfig
