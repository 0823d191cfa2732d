"""The shape of a slimmable net, from which all its forms are built."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

from neuralamp.errors import NetError
from neuralamp.nets.nested import MOST_DEPTH, Net, depth
from neuralamp.nets.shape import Shape
from neuralamp.nets.weights import check_size
from neuralamp.settings import NO_OTHER_KEYS

SIZE = "size"
MOST_PARTS = 64
FADE_FRAMES = 256  # 5 ms at 48 kHz from the part that played to the one that is wanted


@dataclass(frozen=True)
class Part:
    """A net that plays at sizes below `up_to`."""

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    up_to: float
    net: Net


@dataclass(frozen=True)
class SlimmableConfig(Shape):
    """Nets of one amp, the smallest first. The first whose `up_to` is above the knob `size` plays; the last where none is."""

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    parts: tuple[Part, ...]

    def __post_init__(self):
        if not 1 <= len(self.parts) <= MOST_PARTS:
            raise NetError(f"a slimmable net has {len(self.parts)} parts; 1 to {MOST_PARTS} are possible")
        if any(not before.up_to < after.up_to for before, after in pairwise(self.parts)) or not self.parts[-1].up_to >= 1.0:
            raise NetError("the parts of a slimmable net must stand in rising order of size, the last at 1 or more")
        if depth(self) > MOST_DEPTH:
            raise NetError(f"nets stand inside nets {depth(self)} deep; {MOST_DEPTH} is the most that is possible")
        if len({(part.net.knobs, part.net.outputs) for part in self.parts}) > 1:
            raise NetError("the parts of a slimmable net must have the same knobs and outputs")
        check_size(self)

    @property
    def knobs(self) -> tuple[str, ...]:
        """The size, then the knobs that all parts have."""
        return (SIZE, *self.parts[0].net.knobs)

    @property
    def resting_knobs(self) -> tuple[float, ...]:
        """Where its knobs stand before anyone turns them: at full size."""
        return (1.0, *self.parts[0].net.resting_knobs)

    @property
    def outputs(self) -> int:
        """Rows of output."""
        return self.parts[0].net.outputs

    @property
    def inner(self) -> dict[str, Any]:
        """Nets inside this one, by the prefix of their weights."""
        return {f"parts.{i}.": part.net for i, part in enumerate(self.parts)}

    @property
    def receptive_field(self) -> int:
        """Frames of input that one frame of output has heard, at most."""
        return max(part.net.receptive_field for part in self.parts)

    @property
    def settling_frames(self) -> int:
        """Frames of silence after which a fresh net is at rest, at whatever size."""
        return max(part.net.settling_frames for part in self.parts) + FADE_FRAMES

    @property
    def work(self) -> int:
        """Multiplications' worth of a frame, were all parts played."""
        return sum(part.net.work for part in self.parts)

    @property
    def floats(self) -> int:
        """Numbers that its parts remember or work on."""
        return sum(part.net.floats for part in self.parts)

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, in the order they travel: part by part."""
        return self._weights

    @cached_property
    def _weights(self) -> dict[str, tuple[int, ...]]:
        return {prefix + name: shape for prefix, net in self.inner.items() for name, shape in net.weights().items()}


CONFIG = SlimmableConfig
