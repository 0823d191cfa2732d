"""What a player would hear of a net while it learns: its held-out ratio, from the playing form."""

from typing import Any

from neuralamp.dsp import measure
from neuralamp.learn.pair import Pair
from neuralamp.nets import stream_at_rest
from neuralamp.nets.weights import Weights


def settled(config: Any, frames: int) -> slice:
    """The frames of a take that are judged: those from which the net has heard all that it can hear, at least half of them.

    Before, it hears a silence that the amp did not hear where the take was cut out of a longer one.
    """
    return slice(min(config.settling_frames, frames // 2), frames)


def listen(config: Any, weights: Weights, pair: Pair) -> float:
    """The error-to-signal ratio of a net on the held-out part."""
    di, amped = pair.di[pair.held_out], pair.amped[pair.held_out]
    judged = settled(config, len(di))
    played = stream_at_rest(config, weights).play(di[None], outputs=1)[0]
    return measure.esr(played[judged], amped[judged])
