"""What a worker says of a plugin of others, and how its knobs are counted."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neuralamp.settings import NO_OTHER_KEYS

BUILT_IN = "pedalboard:"  # before the name of one of pedalboard's own effects, where another plugin has a path
HELD = 3
"""Frames that a plugin's worker keeps back: pedalboard takes the shorter side of an array for its channels, so that a buffer has
to be longer than wide."""


@dataclass(frozen=True)
class PluginKnob:
    """A parameter that can be turned.

    values, raws  its course: what the plugin shows, rising, and the number that sets it to that.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    name: str
    default: float
    unit: str
    meaning: str
    values: tuple[float, ...]
    raws: tuple[float, ...]

    def raw(self, value: float) -> float:
        """The number that sets the parameter to what it shows."""
        return float(np.interp(value, self.values, self.raws))


@dataclass(frozen=True)
class PluginFacts:
    """A plugin that may play.

    latency_frames  by how much its output is late, its worker's own frames counted.
    state           all that it remembers of itself, in base64; empty where it says nothing of it.
    more_knobs      how many parameters it has beside `knobs`.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    name: str
    knobs: tuple[PluginKnob, ...]
    more_knobs: int
    latency_frames: int
    state: str
