"""The shape of a linear net, from which all its forms are built."""

from dataclasses import dataclass
from typing import ClassVar

from neuralamp.errors import NetError
from neuralamp.nets.shape import Shape
from neuralamp.nets.weights import check_size
from neuralamp.settings import NO_OTHER_KEYS

MOST_TAPS = 2**18  # 5.5 s at 48 kHz: more is a mistake or an attack


@dataclass(frozen=True)
class LinearConfig(Shape):
    """y[n] = bias + the sum over i of impulse[i] x[n - i], i from 0 to taps - 1."""

    __pydantic_config__: ClassVar = NO_OTHER_KEYS
    knobs: ClassVar[tuple[str, ...]] = ()
    outputs: ClassVar[int] = 1

    taps: int
    bias: bool = False

    def __post_init__(self):
        if not 1 <= self.taps <= MOST_TAPS:
            raise NetError(f"a linear net of {self.taps} taps is not possible; 1 to {MOST_TAPS} are")
        check_size(self)

    @property
    def receptive_field(self) -> int:
        """Frames of input that one frame of output has heard."""
        return self.taps

    @property
    def settling_frames(self) -> int:
        """Frames of silence after which a fresh net is at rest."""
        return self.taps - 1

    @property
    def work(self) -> int:
        """Multiplications' worth of a frame: 256 direct taps, and all others in blocks of 128 as pairs of complex numbers."""
        return 256 + 20 + self.taps // 16

    @property
    def floats(self) -> int:
        """Numbers that it remembers: the spectra of all that it has heard."""
        return 2 * self.taps

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, in the order they travel; impulse[i] is the response i frames late."""
        shapes: dict[str, tuple[int, ...]] = {"impulse": (self.taps,)}
        return shapes | {"bias": (1,)} if self.bias else shapes


CONFIG = LinearConfig
