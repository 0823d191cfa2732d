"""One amp, learned."""

from dataclasses import dataclass
from typing import Any

from neuralamp.capture.card import Card
from neuralamp.dsp.node import Node
from neuralamp.errors import CaptureError
from neuralamp.nets import stream_at_rest
from neuralamp.nets.weights import Weights


@dataclass(frozen=True)
class Capture:
    """The shape of an amp's net, its named weights, its card.

    warnings  what the file it came from did not say or said strangely: one line each, for people.
    """

    config: Any
    weights: Weights
    card: Card
    warnings: tuple[str, ...] = ()

    def __post_init__(self):
        if self.config.outputs != 1:
            raise CaptureError(f"its net gives {self.config.outputs} rows of sound; a capture gives one")

    def stream_at_rest(self) -> Node:
        """The node that plays it, settled on silence with its knobs as they rest."""
        return stream_at_rest(self.config, self.weights, self.config.resting_knobs)
