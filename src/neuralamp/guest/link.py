"""What the player and a worker share: memory with two rings of sound, counted in frames; and the node that plays through it.

Either side writes its own count only, behind the sound that it stands for: `asked` frames have been handed over, `answered` have
been played. The node here waits until both are equal, which suits files. The rings hold more than one buffer, and frames are
counted and not buffers, so that a live player may read at a fixed distance behind `asked` instead.
"""

import ctypes
import mmap
import os
import sys
import tempfile
import uuid

import numpy as np
from numba import carray

from neuralamp.dsp.jit import call_with, floats_at, kernel, load_acquire, pause, store_release
from neuralamp.dsp.node import Node, State, node

# Each side's counts on a cache line of their own, so that writing one does not slow the reading of the other.
ASKED, REST_AT, ANSWERED, READY, GONE = 0, 8, 64, 72, 128
HEAD_BYTES = 192
SPINS = 1000  # looks at the other side's count, about 50 us, before the processor is given to others
NO_REST = -1


@kernel
def write_ring(ring, first, x):
    """Sound into a ring whose size is a power of two, from frame `first` of the stream on."""
    for n in range(x.size):
        ring[(first + n) & (ring.size - 1)] = x[n]


@kernel
def read_ring(ring, first, y):
    """Sound out of a ring."""
    for n in range(y.size):
        y[n] = ring[(first + n) & (ring.size - 1)]


@kernel
def wait_beyond(address, count, spins):
    """Look at a count until it is beyond `count`, at most `spins` times; what it was last."""
    for _ in range(spins):
        if load_acquire(address) > count:
            break
        pause()
    return load_acquire(address)


@kernel
def publish(address, count):
    """Let the other side see a count, and what was written before it."""
    store_release(address, count)


STATE = State(link=int, ring_frames=int, max_frames=int, nap=int, nap_units=int, fresh=int)


@kernel
def exchange(guest, x, y):
    """One buffer over to the worker, and its answer; silence where the worker is gone."""
    sound_in = floats_at(guest.link + HEAD_BYTES, guest.ring_frames)
    sound_out = floats_at(guest.link + HEAD_BYTES + 4 * guest.ring_frames, guest.ring_frames)
    first = load_acquire(guest.link + ASKED)
    last = first + x.size
    answered = first
    if load_acquire(guest.link + GONE) == 0:
        write_ring(sound_in, first, x)
        if guest.fresh != 0:
            store_release(guest.link + REST_AT, first)
            guest.fresh = 0
        store_release(guest.link + ASKED, last)
        answered = wait_beyond(guest.link + ANSWERED, last - 1, SPINS)
        while answered < last and load_acquire(guest.link + GONE) == 0:
            call_with(guest.nap, guest.nap_units)
            answered = wait_beyond(guest.link + ANSWERED, last - 1, 1)
    if answered == last:
        read_ring(sound_out, first, y)
    else:
        y[:] = np.float32(0.0)


@node(STATE)
def play(inputs, outputs, frames, state):
    """Mono sound through the worker, waiting for it: for files only. At rest `fresh` is 1, and the worker begins from rest."""
    guest = carray(state, (1,))[0]
    x, y = carray(inputs[0], frames), carray(outputs[0], frames)
    start = 0
    while start < frames:
        end = min(start + guest.max_frames, frames)
        exchange(guest, x[start:end], y[start:end])
        start = end


class Link:
    """One side's view of the shared memory.

    word   by which a worker finds the memory; `passed` are the files that it has to be given for that.
    """

    def __init__(self, memory: mmap.mmap, max_frames: int, word: str = "", passed: tuple[int, ...] = ()):
        self.word, self.passed, self.max_frames = word, passed, max_frames
        self.ring_frames = _ring_frames(max_frames)
        self._bytes = np.frombuffer(memory, np.uint8)  # keeps the memory mapped for as long as anyone looks at it
        self.address = self._bytes.ctypes.data
        rings = self._bytes[HEAD_BYTES:].view(np.float32)
        self._sound_in, self._sound_out = rings[: self.ring_frames], rings[self.ring_frames :]
        self._answered, self._rested = 0, NO_REST

    # -- the player's side -----------------------------------------------------------------------------------------------

    @classmethod
    def make(cls, max_frames: int) -> "Link":
        """New memory, for buffers of at most `max_frames`. It bears no name that others could find, but on Windows."""
        size = HEAD_BYTES + 8 * _ring_frames(max_frames)
        if sys.platform == "win32":
            word = f"neuralamp-{uuid.uuid4().hex}"
            link = cls(mmap.mmap(-1, size, tagname=word), max_frames, word)
        else:
            file = os.memfd_create("neuralamp") if hasattr(os, "memfd_create") else _unnamed_file()
            os.ftruncate(file, size)
            link = cls(mmap.mmap(file, size), max_frames, str(file), (file,))
        publish(link.address + REST_AT, NO_REST)
        return link

    def close_passed(self) -> None:
        """Once the worker has been given its files."""
        for file in self.passed:
            os.close(file)

    def node(self, keep: object) -> Node:
        """The node that plays through this memory, which it keeps alive with `keep`."""
        nap, units = _nap()
        values = {"link": self.address, "ring_frames": self.ring_frames, "max_frames": self.max_frames}
        return Node(play, values | {"nap": nap, "nap_units": units, "fresh": 1}, keep=(self, keep))

    def is_ready(self) -> bool:
        """Whether the worker has settled."""
        return load(self.address + READY) != 0

    def counts(self) -> tuple[int, int]:
        """Frames asked for and answered so far."""
        return load(self.address + ASKED), load(self.address + ANSWERED)

    def say_gone(self) -> None:
        """No answer will come any more: whoever waits gets silence."""
        publish(self.address + GONE, 1)

    # -- the worker's side -----------------------------------------------------------------------------------------------

    @classmethod
    def of_player(cls, word: str, max_frames: int) -> "Link":
        """The memory that a player has made."""
        size = HEAD_BYTES + 8 * _ring_frames(max_frames)
        if sys.platform == "win32":
            link = cls(mmap.mmap(-1, size, tagname=word), max_frames)
        else:
            link = cls(mmap.mmap(int(word), size), max_frames)
        link.hear()  # compiles what will be called later, when no file can be written any more
        link.answer(np.zeros(0, np.float32))
        return link

    def ready(self) -> None:
        publish(self.address + READY, 1)

    def hear(self) -> tuple[np.ndarray, bool]:
        """The frames that wait for an answer, at most one buffer, perhaps none; and whether they begin from rest."""
        asked = wait_beyond(self.address + ASKED, self._answered, SPINS)
        rest_at = load(self.address + REST_AT)
        from_rest = rest_at != self._rested and rest_at == self._answered and asked > self._answered
        end = min(asked, self._answered + self.max_frames)
        if from_rest:
            self._rested = rest_at
        elif self._answered < rest_at < end:
            end = rest_at
        x = np.empty(end - self._answered, np.float32)
        read_ring(self._sound_in, self._answered, x)
        return x, from_rest

    def answer(self, y: np.ndarray) -> None:
        """The answer to all that `hear` gave."""
        write_ring(self._sound_out, self._answered, y)
        self._answered += y.size
        publish(self.address + ANSWERED, self._answered)


@kernel
def load(address):
    """A count as the other side has published it."""
    return load_acquire(address)


def _ring_frames(max_frames: int) -> int:
    """Two buffers at least, and a power of two."""
    return 1 << (2 * max_frames - 1).bit_length()


def _unnamed_file() -> int:
    """Where memory cannot be had as a file, a file that no folder shows."""
    file, name = tempfile.mkstemp(prefix="neuralamp-")
    os.unlink(name)  # noqa: PTH108  there is no pathlib for a file that is open by number
    return file


def _nap() -> tuple[int, int]:
    """The address of the C library's function that gives the processor to others, and what to call it with: about 50 us."""
    if sys.platform == "win32":
        return ctypes.cast(ctypes.windll.kernel32.Sleep, ctypes.c_void_p).value or 0, 1  # milliseconds: the shortest there is
    return ctypes.cast(ctypes.CDLL(None).usleep, ctypes.c_void_p).value or 0, 50
