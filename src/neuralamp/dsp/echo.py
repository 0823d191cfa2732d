"""The law of echoes that end: how much of one may come back, so that none rings on for longer than it is told to."""

import math

FALL_SECONDS = 26.0
"""In this time the echoes of a loop fall by 120 dB at least, whatever its knobs say."""


def fall_rate(sample_rate: float) -> float:
    """The r of a loop's largest gain exp(-r delay_frames): as much is lost in each frame of delay as a fall of 120 dB asks for.

    A loop of 100 ms may give 95 % of it back, of 350 ms 83 %, of 1 s 59 %, of 2 s 35 %.
    """
    return math.log(1e6) / (FALL_SECONDS * sample_rate)


def tail_seconds(longest_delay_seconds: float) -> float:
    """How long the longest loop rings on: its first echo, then the fall, which may take one echo more than it need."""
    return FALL_SECONDS + 2.0 * longest_delay_seconds
