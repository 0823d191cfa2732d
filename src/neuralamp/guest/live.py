"""The node that plays live through a worker: always equally late, dry where the worker is later, waiting for nobody."""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import floats_at, kernel, load_acquire
from neuralamp.dsp.node import Node, State, node
from neuralamp.guest.link import ANSWERED, PLAYER_HEAD, SINCE, WORKER_HEAD, Link, hand_over
from neuralamp.units import ms_to_frames

FADE_OUT_MS, FADE_IN_MS = 2.0, 10.0
MOST_FADE = 4  # the way out takes a quarter of the latency at most: it has to be there before it is needed

STATE = State(
    player=int, worker=int, channels=int, ring_frames=int, max_frames=int, latency=int, own=int, fade_out=int, step_in=float,
    wet=float, fresh=int, began=int, until=int, missed=int,
)  # fmt: skip


@node(STATE)
def play_live(inputs, outputs, frames, state):
    """y[n] = wet w[n - latency] + (1 - wet) x[n - latency - own], with w from the worker, late by `own` frames by itself; silence
    for what came before the last rest.

    wet     goes in straight lines: to 0 over FADE_OUT_MS before the worker's answers end, to 1 over FADE_IN_MS once they are
            ahead again. So the answer to a frame is due by FADE_OUT_MS earlier than the frame is heard.
    until   the frame up to which the worker's answers are whole. A worker that takes another's place begins at a later frame;
            what the other has left is played to its end.
    missed  buffers that were not all wet because answers came too late, or never.
    """
    live = carray(state, (1,))[0]
    start = 0
    while start < frames:
        count = min(live.max_frames, frames - start)
        asked = hand_over(live.player, live.channels, live.ring_frames, inputs, start, count, live.fresh != 0)
        if live.fresh != 0:
            live.fresh, live.began = 0, asked
        mix(live, outputs, start, count, asked - live.latency)
        start += count


@kernel
def mix(live, outputs, start, frames, first):
    """What is heard of the stream's frames from `first` on."""
    answered = load_acquire(live.worker + ANSWERED)
    if load_acquire(live.worker + SINCE) <= max(first, live.began):
        live.until = answered
    silent = min(max(live.began - first, 0), frames)
    if silent < frames and live.until - (first + frames - 1) < live.fade_out:
        live.missed += 1
    before, slope = live.wet, 1.0 / live.fade_out
    for c in range(live.channels):
        dry = floats_at(live.player + PLAYER_HEAD + 4 * c * live.ring_frames, live.ring_frames)
        played = floats_at(live.worker + WORKER_HEAD + 4 * c * live.ring_frames, live.ring_frames)
        y = carray(outputs[c], start + frames)
        y[start : start + silent] = np.float32(0.0)
        live.wet = before
        for n in range(silent, frames):
            ahead = max(live.until - (first + n), 0)
            live.wet = min(live.wet + live.step_in, 1.0) if ahead >= live.fade_out else min(live.wet, ahead * slope)
            at, wet = first + n, np.float32(live.wet)
            x = dry[(at - live.own) & (live.ring_frames - 1)] if at - live.own >= live.began else np.float32(0.0)
            w = played[at & (live.ring_frames - 1)]
            y[start + n] = x if wet == 0.0 else w if wet == 1.0 else x + wet * (w - x)


def live_node(link: Link, sample_rate: float, keep: object) -> Node:
    """The node that plays through this memory, which it keeps alive with `keep`."""
    values = {
        "player": link.player,
        "worker": link.worker,
        "channels": link.channels,
        "ring_frames": link.ring_frames,
        "max_frames": link.max_frames,
        "latency": link.latency_frames,
        "own": link.own_frames,
        "fade_out": min(ms_to_frames(FADE_OUT_MS, sample_rate), link.latency_frames // MOST_FADE),
        "step_in": 1.0 / ms_to_frames(FADE_IN_MS, sample_rate),
        "wet": 1.0,
        "fresh": 1,
    }
    return Node(play_live, values, keep=(link, keep))
