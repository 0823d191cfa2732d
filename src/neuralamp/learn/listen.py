"""What a player would hear of a capture: its sound, and its held-out ratio, both from the playing form."""

from typing import Any

import numpy as np

from neuralamp.capture.card import Card
from neuralamp.capture.file import Capture
from neuralamp.dsp import measure
from neuralamp.learn.pair import Pair
from neuralamp.nets import stream_at_rest
from neuralamp.nets.weights import Weights


def play_through(capture: Capture, di: np.ndarray) -> np.ndarray:
    """(frames,) of a direct take through the player, at rest before the first frame: (frames,) float32."""
    return stream_at_rest(capture.config, capture.weights).play(di[None], outputs=1)[0]


def settled(config: Any, frames: int) -> slice:
    """The frames of a take that are judged: those from which the net has heard all that it can hear, at least half of them.

    Before, it hears a silence that the amp did not hear where the take was cut out of a longer one.
    """
    return slice(min(config.settling_frames, frames // 2), frames)


def held_out_takes(capture: Capture, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """What the capture plays of the pair's held-out part, and what the amp played: two (frames,)."""
    played, amped = play_through(capture, pair.di[pair.held_out]), pair.amped[pair.held_out]
    judged = settled(capture.config, len(amped))
    return played[judged], amped[judged]


def listen(config: Any, weights: Weights, pair: Pair) -> float:
    """The error-to-signal ratio of a net on the held-out part."""
    return measure.esr(*held_out_takes(Capture(config, weights, Card()), pair))
