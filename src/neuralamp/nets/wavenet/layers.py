"""The parts of a WaveNet's shape: layer arrays, what modulates them, and the layers behind the head."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from neuralamp.dsp import activation
from neuralamp.dsp.rows import TILE
from neuralamp.errors import NetError
from neuralamp.nets.weights import WORK_OF_AN_ACTIVATION
from neuralamp.settings import NO_OTHER_KEYS

MOST_SIZE = 2**24  # of anything that is counted; what the parts make together has limits of its own
GATINGS = ("none", "gated", "blended")
PLACES = (
    "conv_in", "conv_out", "mixin_in", "mixin_out", "activation_in", "activation_out", "residual_out", "head_1x1_out",
)  # fmt: skip
"""Where a layer may be modulated, in the order in which the weights travel."""


@dataclass(frozen=True)
class Film:
    """A modulation of one signal s of every layer by the condition c:  s <- s (W c + b), + (V c + d) where it shifts.

    Source: Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", 2018.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    place: str
    shift: bool = True
    groups: int = 1

    def __post_init__(self):
        if self.place not in PLACES:
            raise NetError(f"nothing can be modulated at {self.place[:40]!r}; places are {', '.join(PLACES)}")


@dataclass(frozen=True)
class PostLayer:
    """A layer behind the head: a nonlinearity, then a convolution to `channels` rows."""

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    channels: int
    kernel_size: int
    activation: str

    def __post_init__(self):
        if min(self.channels, self.kernel_size) < 1:
            raise NetError("channels and kernel size of a layer behind the head must be 1 or more")
        activation.parse(self.activation)


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
    films        modulations: conv_in of what conv hears (not of s itself), conv_out, mixin_in of c, mixin_out, activation_in of
                 z, activation_out of a, head_1x1_out, and residual_out of residual_1x1(a), the last in "blended" layers only.
    ..._groups   into how many parts, deaf to each other, a convolution's channels fall.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    channels: int
    kernel_sizes: tuple[int, ...]
    dilations: tuple[int, ...]
    activations: tuple[str, ...]
    gatings: tuple[str, ...] = ()
    gate_activations: tuple[str, ...] = ()
    bottleneck: int = 0
    residual_1x1: bool = True
    head_1x1: int = 0
    head_channels: int = 1
    head_kernel_size: int = 1
    head_dilation: int = 1
    head_bias: bool = True
    films: tuple[Film, ...] = ()
    conv_groups: int = 1
    mixin_groups: int = 1
    residual_groups: int = 1
    head_1x1_groups: int = 1

    def __post_init__(self):
        object.__setattr__(self, "gatings", self.gatings or ("none",) * self.layers)
        object.__setattr__(self, "gate_activations", self.gate_activations or ("sigmoid",) * self.layers)
        object.__setattr__(self, "bottleneck", self.bottleneck or self.channels)
        per_layer = (self.kernel_sizes, self.activations, self.gatings, self.gate_activations)
        if self.layers == 0 or any(len(values) != self.layers for values in per_layer):
            raise NetError("a layer array needs one kernel size, dilation, activation and gating for each of its layers")
        sizes = (*self.kernel_sizes, *self.dilations, self.channels, self.bottleneck, self.head_channels, self.head_kernel_size)
        if min(*sizes, self.head_dilation) < 1 or self.head_1x1 < 0:
            raise NetError("channels, kernel sizes and dilations of a layer array must be 1 or more")
        if max(*sizes, self.head_dilation, self.head_1x1) > MOST_SIZE:
            raise NetError(
                f"a layer array cannot be this large: of channels, taps and frames {MOST_SIZE} is the most that is possible"
            )
        for text in (*self.activations, *self.gate_activations):
            activation.parse(text)
        if unknown := set(self.gatings) - set(GATINGS):
            raise NetError(f"gating {sorted(unknown)[0]} is unknown; known are {', '.join(GATINGS)}")
        places = [film.place for film in self.films]
        if sorted(places, key=PLACES.index) != places or len(set(places)) < len(places):
            raise NetError(f"films must stand once each and in this order: {', '.join(PLACES)}")

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

    @property
    def head_past_frames(self) -> int:
        """Frames before the present one that its head hears of the skip sum."""
        return (self.head_kernel_size - 1) * self.head_dilation

    def films_of(self, layer: int) -> dict[str, Film]:
        """The modulations of one layer by their place: those whose signal the layer has."""
        missing = set()
        if not self.residual_1x1 or self.gatings[layer] != "blended":
            missing.add("residual_out")
        if not self.head_1x1:
            missing.add("head_1x1_out")
        return {film.place: film for film in self.films if film.place not in missing}

    def film_width(self, place: str, layer: int, condition: int) -> int:
        """Channels of the signal that is modulated there."""
        return {
            "conv_in": self.channels,
            "conv_out": self.conv_channels(layer),
            "mixin_in": condition,
            "mixin_out": self.conv_channels(layer),
            "activation_in": self.conv_channels(layer),
            "activation_out": self.bottleneck,
            "residual_out": self.channels,
            "head_1x1_out": self.head_1x1,
        }[place]

    def check_groups(self, condition: int) -> None:
        """Raise NetError where the channels of a convolution cannot be parted as the groups say."""
        for i in range(self.layers):
            width = self.conv_channels(i)
            parted = [("conv", self.conv_groups, self.channels, width), ("mixin", self.mixin_groups, condition, width)]
            if self.residual_1x1:
                parted.append(("residual_1x1", self.residual_groups, self.bottleneck, self.channels))
            if self.head_1x1:
                parted.append(("head_1x1", self.head_1x1_groups, self.bottleneck, self.head_1x1))
            for place, film in self.films_of(i).items():
                rows = (1 + film.shift) * self.film_width(place, i, condition)
                parted.append((f"film {place}", film.groups, condition, rows))
            for name, groups, heard, made in parted:
                if groups < 1 or heard % groups or made % groups:
                    raise NetError(f"{name} from {heard} to {made} channels cannot be parted into {groups} groups")

    def weights(self, name: str, stream: int, condition: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and shape of every weight of the array `name` that hears `stream` and `condition` channels."""
        yield f"{name}.rechannel.weight", (self.channels, stream, 1)
        for i, size in enumerate(self.kernel_sizes):
            layer, width = f"{name}.layers.{i}", self.conv_channels(i)
            yield f"{layer}.conv.weight", (width, self.channels // self.conv_groups, size)
            yield f"{layer}.conv.bias", (width,)
            yield f"{layer}.mixin.weight", (width, condition // self.mixin_groups, 1)
            if self.residual_1x1:
                yield f"{layer}.residual_1x1.weight", (self.channels, self.bottleneck // self.residual_groups, 1)
                yield f"{layer}.residual_1x1.bias", (self.channels,)
            if self.head_1x1:
                yield f"{layer}.head_1x1.weight", (self.head_1x1, self.bottleneck // self.head_1x1_groups, 1)
                yield f"{layer}.head_1x1.bias", (self.head_1x1,)
            for place, film in self.films_of(i).items():
                rows = (1 + film.shift) * self.film_width(place, i, condition)
                yield f"{layer}.films.{place}.weight", (rows, condition // film.groups, 1)
                yield f"{layer}.films.{place}.bias", (rows,)
            if activation.parse(self.activations[i]).code == activation.PRELU:
                yield f"{layer}.activation.slopes", (self.bottleneck,)
            if self.gatings[i] != "none" and activation.parse(self.gate_activations[i]).code == activation.PRELU:
                yield f"{layer}.gate_activation.slopes", (self.bottleneck,)
        yield f"{name}.head.weight", (self.head_channels, self.skip_channels, self.head_kernel_size)
        if self.head_bias:
            yield f"{name}.head.bias", (self.head_channels,)

    def work(self, stream: int, condition: int) -> int:
        """Multiplications' worth of a frame where it hears `stream` and `condition` channels; groups count as full matrices."""
        total = stream * self.channels + self.skip_channels * self.head_channels * self.head_kernel_size
        for i, size in enumerate(self.kernel_sizes):
            width = self.conv_channels(i)
            total += width * (self.channels * size + condition + WORK_OF_AN_ACTIVATION)
            total += self.bottleneck * (self.channels + self.head_1x1)
            total += sum(2 * condition * self.film_width(place, i, condition) for place in self.films_of(i))
        return total

    def floats(self, condition: int) -> int:
        """Numbers that it remembers, or works on within a tile of frames."""
        rows = self.channels * self.layers + self.skip_channels  # of all its rings
        past = self.channels * self.layers_past_frames + self.skip_channels * self.head_past_frames
        widest = max(self.channels, self.skip_channels, self.head_channels, 1 + condition + 2 * self.bottleneck)
        return past + (2 * rows + 4 * widest) * TILE
