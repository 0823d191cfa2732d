"""A node that runs at a sample rate of its own: what goes in and what comes out is resampled, frame by frame.

Frame n of a sound at rate B stands at n A/B = n step/phases in frames of the same sound at rate A, all in whole numbers. It is a
sum of the frames of A around it, weighted by a windowed sinc that was laid out for each of the `phases` places where n may stand
between two of them. The way in and the way out are this one sum with other numbers; each waits `delay` outer frames for what lies
ahead, so that the sound is late by twice that many, exactly.

The sinc passes everything to PASS_HZ and nothing from the lower rate less PASS_HZ on: what folds does not fold below PASS_HZ.

Sources: J. F. Kaiser, "Nonrecursive Digital Filter Design Using the I0-sinh Window Function", 1974; J. O. Smith, "Digital Audio
Resampling Home Page", 2002.
"""

import math
from functools import lru_cache

import numpy as np
from numba import carray

from neuralamp.dsp.jit import DOT_LANES, call_node, dot, floats_at, kernel
from neuralamp.dsp.node import POINTER, Node, State, node, row_addresses
from neuralamp.errors import RateError

PASS_HZ = 18000.0
PASS_SHARE = 0.82  # of half the lower rate, where that is less: 44.1 kHz just reaches 18 kHz
STOP_DB = 114.0  # by Kaiser's estimate; the worst line measured at the rates in use lies at -109 dB
KAISER_BETA = 0.1102 * (STOP_DB - 8.7)
LARGEST_TABLE = 8_000_000  # float32 numbers: 32 MB and half a second to make; 192001 and 48000 Hz need 6.1 million
LARGEST_RATIO = 32
PHASES_AT_ONCE = 4096  # while a table is made: float64, a few MB at a time

STATE = State(
    clock=int, inputs=int, inner=int, inner_state=int, max_frames=int, inner_frames=int, delay=int,
    phases_in=int, phases_out=int, taps_in=int, taps_out=int, bank_in=POINTER, bank_out=POINTER,
    line_in=POINTER, line_out=POINTER, rows=POINTER, inner_inputs=POINTER, inner_outputs=POINTER,
)  # fmt: skip


@kernel
def interpolate(line, y, bank, step, first, origin):
    """y[n] = sum over k of bank[p, k] line[m + 1 + k], where frame first + n stands at m + p/phases = (first + n) step/phases.

    line    what y is made from, oldest first: `taps` frames before frame `origin`, then those from it on, as many as y reads.
    bank    (phases, taps), oldest tap first.
    """
    phases, taps = bank.shape
    row = 4 * taps
    newest, phase = first * step // phases - origin, first * step % phases
    whole, rest = step // phases, step % phases
    for n in range(y.shape[0]):
        y[n] = dot(bank.ctypes.data + row * phase, line.ctypes.data + 4 * (newest + 1), taps)
        newest, phase = newest + whole, phase + rest
        if phase >= phases:
            newest, phase = newest + 1, phase - phases


@kernel
def hold(line, y, newest_place, phases, step, first, origin):
    """y[n] = line[newest_place + m], with m as in `interpolate`: a value that stays until the next one."""
    for n in range(y.shape[0]):
        y[n] = line[newest_place + (first + n) * step // phases - origin]


@kernel
def remember(line, frames, taps):
    """The newest `taps` frames of a line become its past."""
    for n in range(taps):
        line[n] = line[n + frames]


@node(STATE)
def play(inputs, outputs, frames, state):
    """The inner node has heard ceil(clock phases_in/phases_out) frames, all that stand before outer frame `clock`."""
    at = carray(state, (1,))[0]
    taps_in, taps_out, into, out = at.taps_in, at.taps_out, at.phases_in, at.phases_out
    bank_in, bank_out = floats_at(at.bank_in, (into, taps_in)), floats_at(at.bank_out, (out, taps_out))
    heard = -(-at.clock * into // out)
    made = -(-(at.clock + frames) * into // out) - heard
    for c in range(at.inputs):
        line = floats_at(at.line_in + 4 * c * (taps_in + at.max_frames), taps_in + frames)
        if at.clock == 0 and c > 0 and frames > 0:
            line[:taps_in] = inputs[c][0]
        for n in range(frames):
            line[taps_in + n] = inputs[c][n]
        row = floats_at(at.rows + 4 * c * at.inner_frames, made)
        if c == 0:
            interpolate(line, row, bank_in, out, heard, at.clock)
        else:
            hold(line, row, taps_in - at.delay, into, out, heard, at.clock)
        remember(line, frames, taps_in)
    line = floats_at(at.line_out, taps_out + made)
    if made > 0:
        call_node(at.inner, at.inner_inputs, at.inner_outputs, made, at.inner_state)
        if at.clock == 0:
            line[:taps_out] = line[taps_out]  # frame 0 has heard nothing yet: an amp's answer to silence need not be 0
    interpolate(line, carray(outputs[0], frames), bank_out, into, at.clock, heard)
    remember(line, made, taps_out)
    at.clock += frames


def resampled(inner: Node, inner_rate: int, outer_rate: int, inputs: int, max_frames: int) -> tuple[Node, int]:
    """A node that runs at `inner_rate` as one that is played at `outer_rate`, and its latency in outer frames.

    Row 0 of its `inputs` is sound and resampled; the others are knobs, and are held: an inner frame has the knobs of the last
    outer frame that is not later. One row comes out. Before the first frame there was silence, and the knobs stood as at it.
    Buffers have at most `max_frames` frames. Raises RateError for rates too far apart, or that share too little.
    """
    if inner_rate == outer_rate:
        return inner, 0
    bank_in, bank_out, delay = _banks(inner_rate, outer_rate)
    (phases_in, taps_in), (phases_out, taps_out) = bank_in.shape, bank_out.shape
    inner_frames = -(-max_frames * phases_in // phases_out)
    line_in = np.zeros((inputs, taps_in + max_frames), np.float32)
    line_out = np.zeros((1, taps_out + inner_frames), np.float32)
    rows = np.zeros((inputs, inner_frames), np.float32)
    values = {
        "inputs": inputs, "inner": inner.kernel.address, "inner_state": inner.address, "max_frames": max_frames,
        "inner_frames": inner_frames, "phases_in": phases_in, "phases_out": phases_out, "taps_in": taps_in,
        "taps_out": taps_out, "delay": delay,
    }  # fmt: skip
    memory = {"line_in": line_in, "line_out": line_out, "rows": rows}
    constants = {
        "bank_in": bank_in,
        "bank_out": bank_out,
        "inner_inputs": row_addresses(rows),
        "inner_outputs": row_addresses(line_out[:, taps_out:]),
    }
    return Node(play, values, memory, constants, inner=[inner]), 2 * delay


@lru_cache(maxsize=2)  # the channels of an amp share their tables
def _banks(inner_rate: int, outer_rate: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The tables for the way in and the way out, (phases, taps) float32, and the delay of each in outer frames."""
    low, high = sorted((inner_rate, outer_rate))
    if low < 1 or high > LARGEST_RATIO * low:
        raise RateError(
            f"{inner_rate} Hz cannot be played at {outer_rate} Hz: the higher rate may be up to {LARGEST_RATIO} times the lower; "
            "play at 44100, 48000 or 96000 Hz"
        )
    band = low - 2 * min(PASS_HZ, PASS_SHARE * low / 2)
    delay = math.ceil(outer_rate * (STOP_DB - 7.95) / (14.36 * band) / 2)  # Kaiser's estimate of half a sinc's length
    common = math.gcd(inner_rate, outer_rate)
    into, out = inner_rate // common, outer_rate // common
    halves = delay, delay * into / out
    largest = max(phases * _taps(half) for phases, half in zip((into, out), halves, strict=True))
    if largest > LARGEST_TABLE:
        raise RateError(
            f"{inner_rate} Hz cannot be played at {outer_rate} Hz: their greatest common divisor is {common}, which asks for "
            f"{largest / 1e6:.0f} million taps where {LARGEST_TABLE / 1e6:.0f} are the most; play at 44100, 48000 or 96000 Hz"
        )
    return _bank(into, halves[0], low / outer_rate), _bank(out, halves[1], low / inner_rate), delay


def _taps(half: float) -> int:
    """How many frames a sinc weighs that reaches `half` frames to either side, in whole vectors."""
    return DOT_LANES * math.ceil(2 * half / DOT_LANES)


def _bank(phases: int, half: float, cutoff: float) -> np.ndarray:
    """Windowed sincs, (phases, taps): `half` frames to either side, their cutoff in halves of the rate of these frames.

    Tap k of `taps` lies t = k - taps + 1 + half - p/phases frames from the middle: the newest is the last frame that is not later
    than `half` behind the middle, and phase p says that it is p/phases earlier than that.
    """
    taps = _taps(half)
    bank = np.zeros((phases, taps), np.float32)
    for begin in range(0, phases, PHASES_AT_ONCE):
        p = np.arange(begin, min(begin + PHASES_AT_ONCE, phases))
        t = np.arange(taps) - taps + 1 + half - p[:, None] / phases
        window = np.i0(KAISER_BETA * np.sqrt(np.maximum(1.0 - (t / half) ** 2, 0.0))) * (np.abs(t) < half)
        sincs = np.sinc(cutoff * t) * window
        bank[p] = sincs / sincs.sum(axis=1, keepdims=True)  # a constant stays what it is at every phase
    return bank
