"""A faster clock for what makes overtones: up by two again and again, and down the same way.

An overtone beyond half the sample rate comes back as a tone that nobody played. At OVERSAMPLED_HZ there is room for many before
they do, and what lies between the guitar's band and the next image is filtered away on the way down.

Each doubling is a half-band filter, a windowed sinc whose every other tap is zero, so that half of the frames are the old ones,
delayed. It passes everything to PASS_HZ, stops what would fold below PASS_HZ, and has linear phase: all frequencies are late
alike. The way there and back is late by whole frames, which `Oversampling.latency_frames` says; the sinc rings ahead of that by
as much as behind it.

Sources: J. F. Kaiser, "Nonrecursive Digital Filter Design Using the I0-sinh Window Function", 1974; F. J. Harris, "Multirate
Signal Processing for Communication Systems", 2004, half-band filters.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from neuralamp.dsp.jit import kernel

OVERSAMPLED_HZ = 700_000.0  # at least: 16 times 44.1 and 48 kHz, 8 times 96 kHz
MOST_DOUBLINGS = 4
PASS_HZ = 18_000.0
PASS_SHARE = 0.82  # of half the sample rate, where that is less
STOP_DB = 96.0  # by Kaiser's estimate; the shortest filters miss it, and the worst image stands at -87 dB
KAISER_BETA = 0.1102 * (STOP_DB - 8.7)
TILE = 32  # frames that go up and down at once: what they become fits into the first cache


@dataclass(frozen=True)
class Oversampling:
    """The filters for one sample rate.

    halves          for each doubling, half the taps of its half-band that are neither zero nor the middle.
    taps            (doublings, most) float64: those taps, from the outermost to the one beside the middle; a row sums to 1/2.
    shift           frames of half the highest rate that the sound waits so that the whole way takes whole frames.
    latency_frames  of the way up and down.
    """

    halves: np.ndarray
    taps: np.ndarray
    shift: int
    latency_frames: int

    @property
    def factor(self) -> int:
        return 1 << len(self.halves)

    def memory(self, channels: int) -> np.ndarray:
        """(channels, numbers) float64 of silence: room for sums, and each filter's past with room for a tile behind it."""
        lines = sum(5 * half - 2 + 3 * (TILE << doubling) for doubling, half in enumerate(self.halves.tolist()))
        return np.zeros((channels, (TILE << len(self.halves)) + lines + 2 * self.shift))


@lru_cache(maxsize=4)
def oversampling(sample_rate: float) -> Oversampling:
    """As many doublings as reach OVERSAMPLED_HZ, MOST_DOUBLINGS at the most."""
    doublings = min(MOST_DOUBLINGS, max(1, math.ceil(math.log2(OVERSAMPLED_HZ / sample_rate))))
    pass_hz = min(PASS_HZ, PASS_SHARE * sample_rate / 2.0)
    rates = [sample_rate * 2.0**doubling for doubling in range(1, doublings + 1)]
    # Kaiser's estimate of the taps, of which there are 4 half - 1
    halves = [math.ceil(((STOP_DB - 7.95) / (14.36 * (0.5 - 2.0 * pass_hz / rate)) + 2.0) / 4.0) for rate in rates]
    taps = np.zeros((doublings, max(halves)))
    for row, half in zip(taps, halves, strict=True):
        offset = np.arange(2 * half - 1, 0, -2)
        window = np.i0(KAISER_BETA * np.sqrt(1.0 - (offset / (2.0 * half)) ** 2))
        sincs = np.sinc(offset / 2.0) * window
        row[:half] = 0.5 * sincs / sincs.sum()
    # Frames of half the highest rate: a doubling there and back is late by 2 half - 1 frames of the rate it begins at.
    late = sum((2 * half - 1) << (doublings - 1 - doubling) for doubling, half in enumerate(halves))
    frames = -(-late // (1 << (doublings - 1)))
    return Oversampling(np.array(halves), taps, (frames << (doublings - 1)) - late, frames)


@kernel
def _filtered(line, taps, half, scale, y):
    """y[n] is `scale` times the sum of the taps on line[n] to line[n + 2 half - 1], the same ones from either end.

    Taps in the outer loop, two at a time: the sum of each frame has one order, and LLVM makes vectors of the frames.
    """
    odd = half % 2
    lone = odd * scale * taps[0]
    for n in range(y.size):
        y[n] = lone * (line[n] + line[2 * half - 1 + n])
    for i in range(odd, half, 2):
        a, b = scale * taps[i], scale * taps[i + 1]
        first, second, last, before_last = line[i:], line[i + 1 :], line[2 * half - 1 - i :], line[2 * half - 2 - i :]
        for n in range(y.size):
            y[n] += a * (first[n] + last[n]) + b * (second[n] + before_last[n])


@kernel
def _remember(line, past, frames):
    """The newest of a line become its past."""
    for n in range(past):
        line[n] = line[n + frames]


@kernel
def rise(x, y, halves, taps, memory):
    """Frames at the sample rate to as many times `factor` at the highest rate.

    x       (frames,) float64, at most TILE.
    y       (frames factor,) float64.
    memory  (numbers,) of one channel (see Oversampling.memory).
    """
    doublings, frames = halves.size, x.size
    sums = memory[: TILE << doublings]
    at = sums.size
    y[:frames] = x
    for doubling in range(doublings):
        half = halves[doubling]
        past = 2 * half - 1
        line = memory[at : at + past + (TILE << doubling)]
        at += line.size
        line[past : past + frames] = y[:frames]
        _filtered(line, taps[doubling], half, 1.0, sums[:frames])
        for n in range(frames):
            y[2 * n] = sums[n]
            y[2 * n + 1] = line[half + n]
        _remember(line, past, frames)
        frames *= 2


@kernel
def fall(y, x, halves, taps, shift, memory):
    """The way back: y (frames factor,) is filtered where it lies and x (frames,) of it left. `shift` as in Oversampling."""
    doublings = halves.size
    frames = x.size << doublings
    sums = memory[: TILE << doublings]
    at = memory.size
    for doubling in range(doublings - 1, -1, -1):
        half, late, room = halves[doubling], shift if doubling + 1 == doublings else 0, TILE << doubling
        past, past_odd = 2 * half - 1 + late, half + late
        frames //= 2
        at -= past + past_odd + 2 * room
        even, odd = memory[at : at + past + room], memory[at + past + room : at + past + past_odd + 2 * room]
        for n in range(frames):
            even[past + n] = y[2 * n]
            odd[past_odd + n] = y[2 * n + 1]
        _filtered(even, taps[doubling], half, 0.5, sums[:frames])
        for n in range(frames):
            y[n] = sums[n] + 0.5 * odd[n]
        _remember(even, past, frames)
        _remember(odd, past_odd, frames)
    x[:] = y[: x.size]
