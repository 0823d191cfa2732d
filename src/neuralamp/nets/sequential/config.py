"""The shape of a sequential net, from which all its forms are built."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

from neuralamp.dsp import activation
from neuralamp.dsp.recurrent import GATES, most_floats
from neuralamp.dsp.rows import TILE
from neuralamp.errors import NetError
from neuralamp.nets.shape import Shape
from neuralamp.nets.weights import MOST_FLOATS, WORK_OF_AN_ACTIVATION, check_size
from neuralamp.settings import NO_OTHER_KEYS

KINDS = ("conv", "pointwise", *GATES)
SOFTMAX = "softmax"
MOST_LAYERS = 256
RECURRENT_SETTLING_FRAMES = 24_000  # half a second at 48 kHz, as recurrent nets settle everywhere


@dataclass(frozen=True)
class SequentialLayer:
    """One layer: what comes in, through a convolution or cells, and an activation behind it.

    kind        "conv", causal and dilated (a dense layer is one of kernel size 1); "lstm" or "gru", with the equations and gate
                orders of torch; "pointwise", the activation alone.
    channels    rows that go out; of "pointwise" as many as come in.
    activation  as dsp/activation.py writes it, or "softmax": exp(x) over the sum of exp(x) of all channels.
    kernel_size, dilation, groups, bias  belong to convolutions only.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    kind: str
    channels: int
    kernel_size: int = 1
    dilation: int = 1
    groups: int = 1
    bias: bool = True
    activation: str = "linear"

    def __post_init__(self):
        if self.kind not in KINDS:
            raise NetError(f"a layer of kind {self.kind[:40]!r} is unknown; known are {', '.join(KINDS)}")
        sizes = (self.channels, self.kernel_size, self.dilation, self.groups)
        if min(sizes) < 1 or max(sizes) > MOST_FLOATS:
            raise NetError(f"channels, kernel size, dilation and groups of a layer must be 1 or more, and at most {MOST_FLOATS}")
        if self.kind != "conv" and (self.kernel_size, self.dilation, self.groups, self.bias) != (1, 1, 1, True):
            raise NetError(f"kernel size, dilation, groups and bias belong to convolutions, not to a layer of kind {self.kind}")
        if self.activation != SOFTMAX:
            activation.parse(self.activation)

    @property
    def recurrent(self) -> bool:
        """Whether it has cells."""
        return self.kind in GATES

    @property
    def has_slopes(self) -> bool:
        """Whether its activation has a slope of its own for each channel."""
        return self.activation == "prelu"

    @property
    def past_frames(self) -> int:
        """Frames before the present one that it hears."""
        return (self.kernel_size - 1) * self.dilation

    def weights(self, name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and shape of every weight of the layer `name` that hears `width` channels."""
        if self.kind == "conv":
            yield f"{name}.weight", (self.channels, width // self.groups, self.kernel_size)
            if self.bias:
                yield f"{name}.bias", (self.channels,)
        elif self.recurrent:
            rows = GATES[self.kind] * self.channels
            yield f"{name}.weight_ih", (rows, width)
            yield f"{name}.weight_hh", (rows, self.channels)
            yield f"{name}.bias_ih", (rows,)
            yield f"{name}.bias_hh", (rows,)
        if self.has_slopes:
            yield f"{name}.slopes", (self.channels,)

    def floats(self, width: int) -> int:
        """Numbers that it remembers, or works on within a tile of frames."""
        cells = most_floats(self.channels) if self.recurrent else 0
        return width * (self.past_frames + 2 * TILE) + self.channels * 2 * TILE + cells

    def work(self, width: int) -> int:
        """Multiplications a frame, its groups taken as the full matrices that a kernel makes of them."""
        gates = WORK_OF_AN_ACTIVATION * self.channels * (1 + GATES.get(self.kind, 0))
        if self.kind == "conv":
            return gates + width * self.channels * self.kernel_size
        return gates + GATES.get(self.kind, 0) * self.channels * (width + self.channels)


@dataclass(frozen=True)
class SequentialConfig(Shape):
    """Layers one after the other; the last one's output, plus `skip` times the sound that came in, is the sound.

    knobs  names of the conditioning inputs: each is one more input row, held at a knob's value.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    layers: tuple[SequentialLayer, ...]
    knobs: tuple[str, ...] = ()
    skip: float = 0.0

    def __post_init__(self):
        if not 1 <= len(self.layers) <= MOST_LAYERS:
            raise NetError(f"a sequential net of {len(self.layers)} layers is not possible; 1 to {MOST_LAYERS} are")
        if not math.isfinite(self.skip):
            raise NetError(f"a skip of {self.skip} is not possible; a number is")
        for (width, channels), layer in zip(self.widths, self.layers, strict=True):
            if layer.kind == "pointwise" and width != channels:
                raise NetError(f"a pointwise layer of {channels} channels hears {width}; they should be equally many")
            if width % layer.groups or channels % layer.groups:
                raise NetError(f"a convolution from {width} to {channels} channels cannot be parted into {layer.groups} groups")
        check_size(self)

    @property
    def widths(self) -> list[tuple[int, int]]:
        """Channels into and out of each layer."""
        return list(pairwise([self.inputs, *(layer.channels for layer in self.layers)]))

    @property
    def outputs(self) -> int:
        """Rows of output: one, but for a net that conditions another."""
        return self.layers[-1].channels

    @property
    def past_frames(self) -> int:
        """Frames before the present one that its convolutions hear together."""
        return sum(layer.past_frames for layer in self.layers)

    @property
    def receptive_field(self) -> int:
        """Frames of input that one frame of output needs at hand; a recurrent layer has the rest of the past in its state."""
        return 1 + self.past_frames

    @property
    def settling_frames(self) -> int:
        """Frames of silence after which a fresh net is at rest, or taken to be where anything recurs."""
        return self.past_frames + (RECURRENT_SETTLING_FRAMES if any(layer.recurrent for layer in self.layers) else 0)

    @property
    def work(self) -> int:
        """Multiplications' worth of a frame."""
        return sum(layer.work(width) for (width, _), layer in zip(self.widths, self.layers, strict=True))

    @property
    def floats(self) -> int:
        """Numbers that it remembers or works on."""
        return sum(layer.floats(width) for (width, _), layer in zip(self.widths, self.layers, strict=True))

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, in the order they travel; convolutions are (out, in / groups, taps), oldest first."""
        return self._weights

    @cached_property
    def _weights(self) -> dict[str, tuple[int, ...]]:
        return {
            name: shape
            for i, ((width, _), layer) in enumerate(zip(self.widths, self.layers, strict=True))
            for name, shape in layer.weights(f"layers.{i}", width)
        }


CONFIG = SequentialConfig
