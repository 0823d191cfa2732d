"""What the player and a worker share: memory with rings of sound, counted in frames, and the turns of knobs.

Two halves, and either side writes its own only: the worker cannot even write to the player's half, so that the sound which came
in and the counts of the player stay whole whatever foreign code does. A count is published behind the sound that it stands for:
`asked` frames have been handed over, `answered` have been played. Frames are counted and not buffers, so that a file may be
played by waiting until both are equal (waiting.py), and live sound at a fixed distance behind `asked` (live.py).
"""

import mmap
import os
import sys
import tempfile
import uuid
from collections.abc import Sequence

import numpy as np

from neuralamp.dsp.jit import doubles_at, floats_at, kernel, load_acquire, pause, store_release

ASKED, REST_AT, GONE, TURN, TURNED, KNOBS = 0, 8, 16, 24, 32, 64  # of the player's half, in bytes
ANSWERED, SINCE, READY = 0, 8, 16  # of the worker's
MOST_KNOBS = 64
PLAYER_HEAD, WORKER_HEAD = KNOBS + 8 * MOST_KNOBS, 64
NO_REST = -1


@kernel
def write_ring(address, ring_frames, first, x):
    """Sound into a ring whose size is a power of two, from frame `first` of the stream on."""
    ring = floats_at(address, ring_frames)
    for n in range(x.size):
        ring[(first + n) & (ring_frames - 1)] = x[n]


@kernel
def read_ring(address, ring_frames, first, y):
    """Sound out of a ring."""
    ring = floats_at(address, ring_frames)
    for n in range(y.size):
        y[n] = ring[(first + n) & (ring_frames - 1)]


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


@kernel
def load(address):
    """A count as the other side has published it."""
    return load_acquire(address)


@kernel
def hand_over(player, channels, ring_frames, inputs, start, frames, fresh):
    """Frames of the rows `inputs`, from `start` on, to the worker, who begins from rest with `fresh` ones; the first's number."""
    first = load_acquire(player + ASKED)
    for c in range(channels):
        ring = floats_at(player + PLAYER_HEAD + 4 * c * ring_frames, ring_frames)
        for n in range(frames):
            ring[(first + n) & (ring_frames - 1)] = inputs[c][start + n]
    if fresh:
        store_release(player + REST_AT, first)
    store_release(player + ASKED, first + frames)
    return first


@kernel
def turn_knobs(player, goal):
    """Let the worker see where the knobs are turned to. It may see one of them before another, never half of one."""
    knobs, turned = doubles_at(player + KNOBS, goal.size), False
    for k in range(goal.size):
        turned |= knobs[k] != goal[k]
        knobs[k] = goal[k]
    if turned:
        store_release(player + TURNED, load_acquire(player + TURNED) + 1)


class Link:
    """The player's view of the memory, which it makes.

    latency_frames  by how much live sound is later than it is asked for; 0 where the player waits.
    own_frames      by how much what the worker plays is late by itself.
    words   by which a worker finds the memory and knows its shape; `passed` are the files that it has to be given for that.
    """

    def __init__(self, channels: int, max_frames: int, latency_frames: int = 0, own_frames: int = 0):
        self.passed: tuple[int, ...] = ()
        self.channels, self.max_frames = channels, max_frames
        self.latency_frames, self.own_frames = latency_frames, own_frames
        self.ring_frames = ring_frames(max_frames + latency_frames + own_frames)
        sizes = _halves(channels, self.ring_frames)
        if sys.platform == "win32":
            word = f"neuralamp-{uuid.uuid4().hex}"
            memory = mmap.mmap(-1, sum(sizes), tagname=word)
        else:
            file = os.memfd_create("neuralamp") if hasattr(os, "memfd_create") else _unnamed_file()
            os.ftruncate(file, sum(sizes))
            self.passed = (file,)
            memory, word = mmap.mmap(file, sum(sizes)), str(file)
        self.words = (word, *map(str, (channels, max_frames, latency_frames, own_frames)))
        self._bytes = np.frombuffer(memory, np.uint8)  # keeps the memory mapped for as long as anyone looks at it
        self.player = self._bytes.ctypes.data
        self.worker = self.player + sizes[0]
        publish(self.player + REST_AT, NO_REST)

    def __del__(self):
        for file in self.passed:
            os.close(file)

    def put_knobs(self, goal: np.ndarray) -> None:
        """Where the knobs stand at first."""
        turn_knobs(self.player, goal)
        publish(self.player + TURNED, 1)  # were they all at zero, they would not have been turned

    def let_play(self, number: int) -> None:
        """From now on it is the turn of the worker of this number."""
        publish(self.player + TURN, number)

    def is_ready(self, number: int) -> bool:
        """Whether the worker of this number has settled."""
        return load(self.worker + READY) >= number

    def counts(self) -> tuple[int, int]:
        """Frames asked for and answered so far."""
        return load(self.player + ASKED), load(self.worker + ANSWERED)

    def say_gone(self) -> None:
        """No answer will come any more."""
        publish(self.player + GONE, 1)


class WorkersLink:
    """The worker's view of the memory that a player has made, by the player's `words`.

    live   whether the player waits for nobody: what cannot be answered in time may be passed over.
    """

    def __init__(self, words: Sequence[str]):
        word, (channels, max_frames, latency_frames, own_frames) = words[0], map(int, words[1:])
        self.channels, self.max_frames, self.live = channels, max_frames, latency_frames > 0
        self._own_frames = own_frames
        self.ring_frames = ring_frames(max_frames + latency_frames + own_frames)
        first, second = _halves(channels, self.ring_frames)
        if sys.platform == "win32":
            halves = [
                mmap.mmap(-1, first, tagname=word, access=mmap.ACCESS_READ),
                mmap.mmap(-1, second, tagname=word, offset=first),
            ]
        else:
            halves = [mmap.mmap(int(word), first, access=mmap.ACCESS_READ), mmap.mmap(int(word), second, offset=first)]
        self._bytes = [np.frombuffer(half, np.uint8) for half in halves]
        self.player, self.worker = (part.ctypes.data for part in self._bytes)
        self._answered, self._rested, self._turned = 0, NO_REST, 0
        self._compile()

    def _compile(self) -> None:
        """What will be called later, when no file can be written any more, and nobody must wait."""
        wait_beyond(self.player, NO_REST, 1)
        self._read(0)
        self._write(np.zeros((self.channels, 0), np.float32))
        self.ready(load(self.worker + READY))
        doubles_at(self.player + KNOBS, MOST_KNOBS)

    def ready(self, number: int) -> None:
        publish(self.worker + READY, number)

    def is_turn_of(self, number: int) -> bool:
        return load(self.player + TURN) == number

    def begin(self) -> None:
        """Answer from what is asked next on; whatever came before is over. The first answers are to that: nothing yet."""
        self._answered = load(self.player + ASKED)
        publish(self.worker + SINCE, self._answered + (self._own_frames if self._answered else 0))
        publish(self.worker + ANSWERED, self._answered)

    def hear(self, spins: int) -> tuple[np.ndarray, bool]:
        """The frames that wait for an answer, at most one buffer, perhaps none; and whether they begin from rest."""
        asked = wait_beyond(self.player + ASKED, self._answered, spins)
        if self.live and asked - self._answered > self.ring_frames // 2:
            self.begin()
            asked = self._answered
        rest_at = load(self.player + REST_AT)
        from_rest = rest_at != self._rested and rest_at <= self._answered < asked
        end = min(asked, self._answered + self.max_frames)
        if from_rest:
            self._rested = rest_at
        elif self._answered < rest_at < end:
            end = rest_at
        return self._read(end - self._answered), from_rest

    def answer(self, y: np.ndarray) -> None:
        """The answer to all that `hear` gave."""
        self._write(y)
        self._answered += y.shape[1]
        publish(self.worker + ANSWERED, self._answered)

    def _read(self, frames: int) -> np.ndarray:
        x = np.empty((self.channels, frames), np.float32)
        for c in range(self.channels):
            read_ring(self.player + PLAYER_HEAD + 4 * c * self.ring_frames, self.ring_frames, self._answered, x[c])
        return x

    def _write(self, y: np.ndarray) -> None:
        for c in range(self.channels):
            write_ring(self.worker + WORKER_HEAD + 4 * c * self.ring_frames, self.ring_frames, self._answered, y[c])

    def turned(self) -> np.ndarray | None:
        """Where the knobs stand, if any has been turned since this was last asked."""
        turned = load(self.player + TURNED)
        if turned == self._turned:
            return None
        self._turned = turned
        return doubles_at(self.player + KNOBS, MOST_KNOBS).copy()


def ring_frames(reach: int) -> int:
    """Twice how far anyone reads back, and a power of two: no frame is written over before it has been read at its distance."""
    return 1 << (2 * reach - 1).bit_length()


def _halves(channels: int, frames: int) -> tuple[int, int]:
    """Bytes of the player's half and of the worker's."""
    page = mmap.ALLOCATIONGRANULARITY
    player, worker = (-(-(head + 4 * channels * frames) // page) * page for head in (PLAYER_HEAD, WORKER_HEAD))
    return player, worker


def _unnamed_file() -> int:
    """Where memory cannot be had as a file, a file that no folder shows."""
    file, name = tempfile.mkstemp(prefix="neuralamp-")
    os.unlink(name)  # noqa: PTH108  there is no pathlib for a file that is open by number
    return file
