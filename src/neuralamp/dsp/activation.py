"""The nonlinearities of nets by name.

A config writes one as its name, and its numbers behind it where they are not the usual ones: "tanh", "leaky_relu 0.02".
"""

import math
from dataclasses import dataclass

from neuralamp.errors import NetError

USUAL: dict[str, tuple[float, ...]] = {
    "linear": (),
    "tanh": (),
    "sigmoid": (),
    "relu": (),
    "leaky_relu": (0.01,),  # slope below zero
    "silu": (),
    "hard_tanh": (),
    "hard_swish": (),
    "softsign": (),
    "fast_tanh": (),
    "leaky_hard_tanh": (-1.0, 1.0, 0.01, 0.01),  # lowest, highest, slope below, slope above
    "prelu": (),  # its slopes are weights, one for each channel
    "elu": (),
}
"""Every activation that a net's config may name, and its numbers where the config gives none."""

NAMES = tuple(USUAL)
"""A kernel is told the place in this table."""

(
    LINEAR, TANH, SIGMOID, RELU, LEAKY_RELU, SILU, HARD_TANH, HARD_SWISH, SOFTSIGN, FAST_TANH, LEAKY_HARD_TANH, PRELU, ELU,
) = range(len(NAMES))  # fmt: skip
MOST_NUMBERS = max(map(len, USUAL.values()))


@dataclass(frozen=True)
class Activation:
    """A nonlinearity with its numbers."""

    name: str
    numbers: tuple[float, ...]

    @property
    def code(self) -> int:
        """What a kernel is told (see dsp/nonlinear.py)."""
        return NAMES.index(self.name)


def parse(text: str) -> Activation:
    """The activation that a config has written. Raises NetError for what is none."""
    name, *written = text.split() or [""]
    if name not in USUAL:
        raise NetError(f"activation {name[:40]} is unknown; known are {', '.join(NAMES)}")
    try:
        numbers = tuple(float(number) for number in written) or USUAL[name]
    except ValueError:
        numbers = ()
    if len(numbers) != len(USUAL[name]) or not all(map(math.isfinite, numbers)):
        raise NetError(f"activation {text[:80]!r} should be {name} with {len(USUAL[name])} finite numbers, or with none")
    return Activation(name, numbers)


def write(name: str, *numbers: float) -> str:
    """The text of an activation, as `parse` reads it."""
    return " ".join([name, *(repr(float(number)) for number in numbers)]) if numbers != USUAL[name] else name
