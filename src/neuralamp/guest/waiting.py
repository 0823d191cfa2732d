"""The node that plays files through a worker: it hands over a buffer and waits for the answer, which an audio thread must not."""

import ctypes
import sys

import numpy as np
from numba import carray

from neuralamp.dsp.jit import call_with, kernel, load_acquire
from neuralamp.dsp.node import Node, State, node
from neuralamp.guest.link import ANSWERED, GONE, WORKER_HEAD, Link, hand_over, read_ring, wait_beyond

SPINS = 1000  # looks at the worker's count, about 50 us, before the processor is given to others
STATE = State(player=int, worker=int, channels=int, ring_frames=int, max_frames=int, nap=int, nap_units=int, fresh=int)


@node(STATE)
def play_waiting(inputs, outputs, frames, state):
    """The worker's answer to each buffer; silence where the worker is gone. At rest `fresh` is 1: the worker begins from rest."""
    guest = carray(state, (1,))[0]
    start = 0
    while start < frames:
        count = min(guest.max_frames, frames - start)
        exchange(guest, inputs, outputs, start, count)
        start += count


@kernel
def exchange(guest, inputs, outputs, start, frames):
    """One buffer over to the worker, and its answer."""
    first = answered = load_acquire(guest.worker + ANSWERED)
    last = first + frames
    if load_acquire(guest.player + GONE) == 0:
        first = hand_over(guest.player, guest.channels, guest.ring_frames, inputs, start, frames, guest.fresh != 0)
        last = first + frames
        guest.fresh = 0
        answered = wait_beyond(guest.worker + ANSWERED, last - 1, SPINS)
        while answered < last and load_acquire(guest.player + GONE) == 0:
            call_with(guest.nap, guest.nap_units)
            answered = wait_beyond(guest.worker + ANSWERED, last - 1, 1)
    for c in range(guest.channels):
        y = carray(outputs[c], start + frames)[start:]
        if answered == last:
            read_ring(guest.worker + WORKER_HEAD + 4 * c * guest.ring_frames, guest.ring_frames, first, y)
        else:
            y[:] = np.float32(0.0)


def waiting_node(link: Link, keep: object) -> Node:
    """The node that plays through this memory, which it keeps alive with `keep`."""
    nap, units = _nap()
    values = {
        "player": link.player,
        "worker": link.worker,
        "channels": link.channels,
        "ring_frames": link.ring_frames,
        "max_frames": link.max_frames,
        "nap": nap,
        "nap_units": units,
        "fresh": 1,
    }
    return Node(play_waiting, values, keep=(link, keep))


def _nap() -> tuple[int, int]:
    """The address of the C library's function that gives the processor to others, and what to call it with: about 50 us."""
    if sys.platform == "win32":
        return ctypes.cast(ctypes.windll.kernel32.Sleep, ctypes.c_void_p).value or 0, 1  # milliseconds: the shortest there is
    return ctypes.cast(ctypes.CDLL(None).usleep, ctypes.c_void_p).value or 0, 50
