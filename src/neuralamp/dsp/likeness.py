"""How alike a sound is to itself a moment earlier: what a pitch is found by, and where a shifted sound may be spliced unheard.

The sound is made slower, to about 8 kHz, where a guitar's notes still are; there the square difference to every earlier moment is
summed, and the power of both, with a window that falls off:

    d[tau] <- keep[tau] d[tau] + (x[n] - x[n - tau])^2
    m[tau] <- keep[tau] m[tau] + x[n]^2 + x[n - tau]^2
    likeness(tau) = 1 - d[tau] / m[tau]        1 where the sound repeats itself, 0 where it is a stranger, -1 upside down

Every frame of the slow sound costs the same, whatever is heard: there is no window to be filled and then worked on.

Sources: de Cheveigne and Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 2002, for the difference;
McLeod and Wyvill, "A smarter way to find pitch", ICMC 2005, for its norm.
"""

import math
from typing import Any

import numpy as np

from neuralamp.dsp.jit import DOT_LANES, dot, floats_at, kernel
from neuralamp.dsp.node import POINTER, aligned_zeros

SLOW_HZ = 8000.0  # about the rate of the slow sound: six frames in a period of the highest note
LOWEST_HZ = 29.5  # a little under the lowest string of a bass of five, B0
PASS_HZ = 1800.0  # the half of the way down of the low-pass before: the highest note passes, the hiss of the pick does not
SHORTEST_WINDOW_MS = 7.0  # the time constant of the window, so that a chord's beats do not look like one period
WINDOW = 0.7  # of the lag, where that is longer: enough of a period must be heard

FALL_MS = 15.0  # the level that is divided by falls to 37 % in this time: a hard pick is forgotten as fast as it fades
FLOOR = 1e-5  # of level, -100 dB: there the sound is left soft

LIKENESS: dict[str, Any] = {
    "every": int,  # frames of sound to one of slow sound
    "lags": int,
    "slow_rate": float,
    "no_dc": float,
    "fall": float,
    "clock": int,  # frames heard
    "waited": int,  # of these since the last frame of slow sound
    "place": int,  # where the next frame lies in `recent`
    "at": int,  # where the newest frame of `past` lies
    "before": float,  # the last frame of slow sound, as it came
    "centred": float,  # and without its mean
    "level": float,  # its peak, falling
    "taps": POINTER,
    "keep": POINTER,
    "recent": POINTER,
    "past": POINTER,
    "alike": POINTER,
}
"""The fields that a record needs for `hear`; `likeness_values`, `_memory` and `_constants` fill them."""


def slowing(sample_rate: float) -> int:
    """Frames of sound to one of slow sound."""
    return max(1, round(sample_rate / SLOW_HZ))


def likeness_lags(sample_rate: float) -> int:
    """How many lags are compared, in frames of slow sound: the longest is a little more than a period of the lowest note."""
    return math.ceil(sample_rate / slowing(sample_rate) / LOWEST_HZ) + 2


def likeness_values(sample_rate: float) -> dict[str, float]:
    every = slowing(sample_rate)
    return {
        "every": every,
        "lags": likeness_lags(sample_rate),
        "slow_rate": sample_rate / every,
        "fall": math.exp(-1000.0 * every / (FALL_MS * sample_rate)),
        "no_dc": math.exp(-2.0 * math.pi * 15.0 * every / sample_rate),
    }


def likeness_memory(sample_rate: float) -> dict[str, np.ndarray]:
    """
    recent  (2 taps,)     the last frames, twice, so that they lie in one stretch wherever the newest is.
    past    (2 lags,)     the slow sound from the newest frame backwards, twice for the same reason.
    alike   (2, lags)     d and m.
    keep    (lags,)       how much each lag's sums keep from frame to frame.

    What is walked together lies together: of arrays that the system puts anywhere, some lie a multiple of 4096 bytes apart, where
    processors take a number that is read for the one just written, and wait; it cost up to a half more.
    """
    every, lags = slowing(sample_rate), likeness_lags(sample_rate)
    alike, keep, past = np.split(aligned_zeros(5 * lags), [2 * lags, 3 * lags])
    slow_ms = 1000.0 * every / sample_rate
    keep[:] = np.exp(-slow_ms / np.maximum(SHORTEST_WINDOW_MS, WINDOW * slow_ms * np.arange(lags)))
    return {"recent": np.zeros(2 * DOT_LANES * every, np.float32), "past": past, "alike": alike.reshape(2, lags), "keep": keep}


def likeness_constants(sample_rate: float) -> dict[str, np.ndarray]:
    """The low-pass before the sound is made slower."""
    size = DOT_LANES * slowing(sample_rate)
    time = (np.arange(size) - 0.5 * (size - 1)) / sample_rate
    taps = np.sinc(2.0 * PASS_HZ * time) * np.kaiser(size, 7.0)
    return {"taps": (taps / taps.sum()).astype(np.float32)}


@kernel
def hear(box, x):
    """One frame; True where it was the last of a frame of slow sound, which is then `box.centred`, and `alike` is new."""
    size = DOT_LANES * box.every
    recent = floats_at(box.recent, 2 * size)
    place = box.place
    recent[place] = recent[place + size] = x
    box.place = place + 1 if place + 1 < size else 0
    box.clock += 1
    box.waited += 1
    if box.waited < box.every:
        return False
    box.waited = 0
    slow = dot(box.taps, box.recent + 4 * (place + 1), size)
    box.centred = slow - box.before + box.no_dc * box.centred
    box.before = slow
    lags = box.lags
    past = floats_at(box.past, 2 * lags)
    box.at = box.at - 1 if box.at > 0 else lags - 1
    box.level = max(abs(box.centred), box.fall * box.level)
    newest = np.float32(box.centred / (box.level + FLOOR))
    past[box.at] = past[box.at + lags] = newest
    _compare(newest, past[box.at : box.at + lags], floats_at(box.keep, lags), floats_at(box.alike, (2, lags)))
    return True


@kernel
def _compare(x, past, keep, alike):
    for lag in range(past.size):
        difference = x - past[lag]
        alike[0, lag] = keep[lag] * alike[0, lag] + difference * difference
        alike[1, lag] = keep[lag] * alike[1, lag] + (x * x + past[lag] * past[lag])


@kernel
def likeness(alike, lag):
    """1 - d / m at a whole lag; 0 where nothing is heard."""
    return 1.0 - np.float64(alike[0, lag]) / np.float64(alike[1, lag]) if alike[1, lag] > 0.0 else 0.0


@kernel
def summit(before, here, after):
    """The top of the cosine through three likenesses, the middle one the highest: (how far from the middle, how high).

    Exact for a sine, whose likeness is cos(w tau); sharper summits are nearly parabolas, and so is a cosine at its top.
    """
    if here <= 0.0:
        return 0.0, here
    cosine = min(max(0.5 * (before + after) / here, -0.9), 0.999999)
    across = 0.5 * (after - before) / math.sqrt(1.0 - cosine * cosine)
    return min(max(math.atan(across / here) / math.acos(cosine), -0.5), 0.5), min(math.sqrt(here * here + across * across), 1.0)
