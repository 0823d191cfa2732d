"""One amp, learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from neuralamp.capture.card import Card
from neuralamp.dsp.node import Node
from neuralamp.errors import CaptureError
from neuralamp.nets import stream_at_rest
from neuralamp.nets.weights import Weights, check_weights


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
        check_weights(self.config.weights(), self.weights)

    @property
    def knobs(self) -> tuple[str, ...]:
        """Names of the knobs that it was captured with; each goes from 0 to 1."""
        return self.config.knobs

    @property
    def resting_knobs(self) -> tuple[float, ...]:
        """Where they stand before anyone turns them."""
        return self.config.resting_knobs

    @property
    def settling_frames(self) -> int:
        """Frames of silence after which it is at rest."""
        return self.config.settling_frames

    @property
    def latency_frames(self) -> int:
        """By how much it answers late: a net answers at once."""
        return 0

    def start(self, knobs: Sequence[float], max_frames: int) -> Node:
        """The node that plays it, settled on silence with its knobs there. Its buffers may be of any length."""
        return stream_at_rest(self.config, self.weights, knobs)

    def check(self) -> None:
        """Nothing can go wrong behind its back."""
