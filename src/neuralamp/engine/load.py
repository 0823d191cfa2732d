"""How long the audio thread works: a histogram of the processor's own counter, for no clock may be asked there."""

import time
from dataclasses import dataclass

import numpy as np

from neuralamp.dsp.jit import bits_of_float, integers_at, kernel, processor_ticks

BINS = 512
SHIFT = 20  # of a float32's bits: its exponent and the first 3 bits behind the point, 8 bins an octave
FIRST = 96 << 3  # the bin of 2^-31 ticks a frame


@dataclass(frozen=True)
class Load:
    """The share of a buffer's time that the audio thread worked on it, interruptions counted; 1 is too late.

    p50, p99  what half of the buffers, and 99 % of them, did not exceed, to 9 %; 0 where nothing was played.
    """

    p50: float = 0.0
    p99: float = 0.0


@kernel
def count_ticks(histogram, ticks, frames):
    """From the audio thread: one buffer more."""
    if frames > 0:
        place = (np.int64(bits_of_float(np.float32(max(ticks, 0) / frames))) >> SHIFT) - FIRST
        integers_at(histogram, BINS)[min(max(place, 0), BINS - 1)] += 1


@kernel
def ticks_now():
    """For the control thread: the counter that the audio thread reads."""
    return processor_ticks()


class LoadMeter:
    """Reads the histogram from time to time. How long a tick is, it learns from its own clock between two looks."""

    def __init__(self, sample_rate: float):
        self.histogram = np.zeros(BINS, np.int64)
        self._sample_rate = sample_rate
        self._seen = self.histogram.copy()
        self._begin = ticks_now(), time.perf_counter()

    def read(self) -> Load:
        """The load since this was last asked."""
        now = self.histogram.copy()
        counted, self._seen = np.cumsum(now - self._seen), now
        ticks, seconds = ticks_now() - self._begin[0], time.perf_counter() - self._begin[1]
        if counted[-1] == 0 or ticks <= 0:
            return Load()
        a_frame = ticks / seconds / self._sample_rate
        return Load(*(float(_upper_edge(int(np.searchsorted(counted, share * counted[-1])))) / a_frame for share in (0.5, 0.99)))


def _upper_edge(place: int) -> np.float32:
    """The most ticks of a frame that a bin holds."""
    return np.int32((place + FIRST + 1) << SHIFT).view(np.float32)
