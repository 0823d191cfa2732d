"""A sound at another pitch, as it comes: a tape head that moves along the past, and jumps to a place that sounds alike.

A voice reads the past `delay` frames behind the newest frame. To sound `ratio` times as high it reads that much faster, and its
delay changes by 1 - ratio in each frame. Before it arrives at the newest frame, or has fallen too far behind, it jumps by the lag
at which the sound is most alike to itself (dsp/likeness.py): a period, or for a chord what comes nearest to one. The two places
are cross-faded; a, b their gains, rho their likeness:

    y = (a x[here] + b x[there]) / sqrt(a^2 + b^2 + 2 a b rho)

so that neither what is alike grows soft, nor what is not. At ratio 1 a voice comes back to delay 0, where it is the sound itself.

Sources: Roucos and Wilgus, "High quality time-scale modification for speech", ICASSP 1985 (the splice at what is alike);
Dattorro, "Effect Design, Part 2", JAES 1997 (the moving delay); Fink, Holters and Zoelzer, "Signal-Matched Power-Complementary
Cross-Fading and Dry-Wet Mixing", DAFx 2016 (the gains).
"""

import math
from typing import Any

import numpy as np

from neuralamp.dsp.delay_line import line_size, put
from neuralamp.dsp.jit import floats_at, inlined, kernel
from neuralamp.dsp.likeness import (
    FLOOR,
    LIKENESS,
    likeness,
    likeness_constants,
    likeness_lags,
    likeness_memory,
    likeness_values,
    slowing,
    summit,
)
from neuralamp.dsp.node import POINTER

FADE_MS = 5.0  # of a splice
SHORTEST_JUMP_MS = 3.0  # so that even the highest notes are not spliced at every period
LONGER = 0.02  # of likeness, for which the longest jump is preferred to none: the fewer splices, the purer
HIGHEST_RATIO = 4.0  # two octaves up

LATENESS = "a shifted voice is late: by 12 to 27 ms on the average, the more the further it is shifted, by 50 ms at most"

VOICE = 4
DELAY, LEFT, OTHER, ALIKE = range(VOICE)
"""A voice: the delay it reads at, what is left of its fade from 1 to 0, the delay it leaves, and the likeness of the two."""

SHIFT: dict[str, Any] = LIKENESS | {"fade": float, "size": int, "lines": POINTER}
"""The fields that a record needs for `remember`, `move` and `sing`, besides `channels`; the functions below fill them."""


def longest_delay(sample_rate: float) -> int:
    """Frames that a voice may be behind: the longest jump from as near as the highest ratio lets it come, and a fade."""
    return likeness_lags(sample_rate) * slowing(sample_rate) + math.ceil(HIGHEST_RATIO * FADE_MS * sample_rate / 1000.0)


def shift_values(sample_rate: float, longest_extra: float = 0.0) -> dict[str, float]:
    """longest_extra  frames by which the box itself reads later than a voice says."""
    size = line_size(longest_delay(sample_rate) + longest_extra)
    return likeness_values(sample_rate) | {"fade": FADE_MS * sample_rate / 1000.0, "size": size}


def shift_memory(sample_rate: float, channels: int, longest_extra: float = 0.0) -> dict[str, np.ndarray]:
    """lines  (channels, size), the past."""
    size = line_size(longest_delay(sample_rate) + longest_extra)
    return likeness_memory(sample_rate) | {"lines": np.zeros((channels, size), np.float32)}


def shift_constants(sample_rate: float) -> dict[str, np.ndarray]:
    return likeness_constants(sample_rate)


@kernel
def remember(box, inputs, n):
    """Put the frame into the past; the sum of its channels, which is to be heard next: by `hear`, or by `hear_pitch`."""
    lines = floats_at(box.lines, (box.channels, box.size))
    sound = 0.0
    for c in range(box.channels):
        put(lines[c], box.clock, inputs[c][n])
        sound += inputs[c][n]
    return sound


@kernel
def move(box, voice, ratio):
    """One frame on, after it is remembered and heard: the voice's delay, and a splice where it is time for one."""
    voice[DELAY] = max(voice[DELAY] + 1.0 - ratio, 0.0)
    if voice[LEFT] > 0.0:
        voice[OTHER] = max(voice[OTHER] + 1.0 - ratio, 0.0)
        voice[LEFT] = max(voice[LEFT] - 1.0 / box.fade, 0.0)
        return
    shortest = SHORTEST_JUMP_MS / FADE_MS * box.fade
    if ratio == 1.0:
        if voice[DELAY] > 0.0:
            _jump(box, voice, -voice[DELAY], likeness(floats_at(box.alike, (2, box.lags)), _lag(box, voice[DELAY])))
    elif ratio > 1.0:
        if voice[DELAY] <= (ratio - 1.0) * box.fade:
            jump, alike = _best_jump(box, max(1.25 * (ratio - 1.0) * box.fade, shortest), box.lags * box.every)
            _jump(box, voice, jump, alike)
    elif voice[DELAY] >= box.lags * box.every:
        jump, alike = _best_jump(box, shortest, voice[DELAY])
        _jump(box, voice, -jump, alike)


@kernel
def _jump(box, voice, by, alike):
    voice[OTHER] = voice[DELAY]
    voice[DELAY] = max(voice[DELAY] + by, 0.0)
    voice[LEFT] = 1.0
    voice[ALIKE] = min(max(alike, 0.0), 1.0)


@kernel
def _lag(box, frames):
    return min(max(int(frames / box.every + 0.5), 1), box.lags - 2)


@kernel
def _best_jump(box, low, high):
    """The lag from `low` to `high` frames at which the sound is most alike, in frames, and how alike: of equals the longest."""
    alike = floats_at(box.alike, (2, box.lags))
    shortest = _lag(box, low)
    best = longest = max(_lag(box, high), shortest)
    if box.level < FLOOR:  # in silence nothing is alike, and the fewest splices cost least
        return longest * box.every, 0.0
    best_score = -2.0
    for lag in range(shortest, longest + 1):
        score = likeness(alike, lag) + LONGER * lag / box.lags
        if score > best_score:
            best, best_score = lag, score
    away, like = summit(likeness(alike, best - 1), likeness(alike, best), likeness(alike, best + 1))
    return (best + away) * box.every, like


@kernel
def sing(box, voice, c, later):
    """What the voice says in channel `c`, `later` frames later than it is."""
    line = floats_at(box.lines + 4 * c * box.size, box.size)
    y = take_near(line, box.clock, voice[DELAY] + later)
    if voice[LEFT] <= 0.0:
        return y
    u = voice[LEFT]
    a = u * u * (3.0 - 2.0 * u)
    b = 1.0 - a
    other = take_near(line, box.clock, voice[OTHER] + later)
    return (a * other + b * y) / math.sqrt(a * a + b * b + 2.0 * a * b * voice[ALIKE])


@inlined
def take_near(line, written, delay):
    """As `take_between` of dsp/delay_line.py, down to a delay of 0: there the four newest frames are looked between."""
    whole = max(int(delay), 1)
    u = delay - whole
    last = line.size - 1
    newest = written - 1 - whole
    a, b = line[(newest + 1) & last], line[newest & last]
    c, d = line[(newest - 1) & last], line[(newest - 2) & last]
    return (
        a * (-u * (u - 1.0) * (u - 2.0) / 6.0)
        + b * ((u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0)
        + c * (-u * (u + 1.0) * (u - 2.0) / 2.0)
        + d * (u * (u + 1.0) * (u - 1.0) / 6.0)
    )
