"""Nodes in a row and side by side: rows of (kernel, state, inputs, outputs) on a pool of buffers, walked by compiled code."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import carray

from neuralamp.dsp.delay import delay_node
from neuralamp.dsp.jit import as_pointer, call_node, floats_at, integers_at, kernel
from neuralamp.dsp.node import POINTER, Node, State, node, row_addresses, touched

ROW = np.dtype([(name, np.int64) for name in ("kernel", "state", "inputs", "outputs")])
WALK = np.dtype([(name, np.int64) for name in ("rows", "row_count", "inputs", "channels_in", "outputs", "channels_out")])


@kernel
def walk_at(address):
    """The record of a walk at an address."""
    return carray(as_pointer(address), 1, WALK)[0]


@kernel
def play_walk(walk, first, frames):
    """Every node in turn from the row of number `first` on, on the buffers that its row names."""
    rows = carray(as_pointer(walk.rows), walk.row_count, ROW)
    for i in range(first, walk.row_count):
        call_node(rows[i].kernel, rows[i].inputs, rows[i].outputs, frames, rows[i].state)


@kernel
def input_row(walk, c, frames):
    """The buffer where channel `c` of what comes in has to be put."""
    return floats_at(integers_at(walk.inputs, walk.channels_in)[c], frames)


@kernel
def output_row(walk, c, frames):
    """The buffer where channel `c` of what goes out is found; a mono walk is heard on every channel."""
    return floats_at(integers_at(walk.outputs, walk.channels_out)[min(c, walk.channels_out - 1)], frames)


def buffers(count: int, max_frames: int) -> np.ndarray:
    """(count, frames) float32 for buffers of up to `max_frames`."""
    stride = -(-max_frames // 16) * 16 + 16  # whole cache lines, and not a power of two apart
    return touched(np.zeros((count, stride), np.float32))


@dataclass(frozen=True)
class Link:
    """A node in its place: the numbers of the buffers that it reads and writes."""

    node: Node
    reads: list[int]
    writes: list[int]
    latency_frames: int
    tail_frames: int
    key: tuple[int, ...]


class Walk:
    """A chain of nodes on a pool of numbered buffers of its own.

    Put together with `append`, then closed with `finish`, which makes the memory and the record that compiled code reads.
    A buffer that no later node reads is used again.
    """

    def __init__(self, channels: int):
        self._free: list[int] = []
        self._buffers = 0
        self.links: list[Link] = []
        self.inputs = self._take(channels)
        self.outputs = self.inputs

    def append(self, node: Node, channels: int, latency_frames: int = 0, tail_frames: int = 0, key: Sequence[int] = ()) -> None:
        """Put a node behind the last one; it writes `channels` rows, and reads those at the addresses `key` behind its own."""
        reads, self.outputs = self.outputs, self._take(channels)
        self.links.append(Link(node, reads, self.outputs, latency_frames, tail_frames, tuple(key)))
        self._free += reads

    @property
    def latency_frames(self) -> int:
        return sum(link.latency_frames for link in self.links)

    @property
    def tail_frames(self) -> int:
        return sum(link.tail_frames for link in self.links)

    def _take(self, channels: int) -> list[int]:
        taken = []
        for _ in range(channels):
            if not self._free:
                self._free.append(self._buffers)
                self._buffers += 1
            taken.append(self._free.pop())
        return taken

    def finish(self, max_frames: int) -> None:
        """Make the buffers and the rows."""
        self._pool = buffers(self._buffers, max_frames)
        address = row_addresses(self._pool)
        self._tables = [address[self.inputs], address[self.outputs]]
        rows = []
        for link in self.links:
            self._tables += [np.concatenate([address[link.reads], np.array(link.key, np.int64)]), address[link.writes]]
            rows.append((link.node.kernel.address, link.node.address, *(table.ctypes.data for table in self._tables[-2:])))
        self._rows = np.array(rows, ROW)
        self.record = np.zeros(1, WALK)
        self.record[0] = (
            self._rows.ctypes.data, self._rows.size,
            self._tables[0].ctypes.data, len(self.inputs), self._tables[1].ctypes.data, len(self.outputs),
        )  # fmt: skip

    @property
    def address(self) -> int:
        return self.record.ctypes.data

    def nodes(self) -> list[Node]:
        return [link.node for link in self.links]


LANES = State(channels_in=int, channels_out=int, lane_count=int, lanes=POINTER)


@node(LANES)
def play_lanes(inputs, outputs, frames, state):
    """Each lane's walk on the same input; the outputs summed, lane by lane."""
    box = carray(state, (1,))[0]
    lanes = integers_at(box.lanes, box.lane_count)
    for i in range(box.lane_count):
        walk = walk_at(lanes[i])
        for c in range(box.channels_in):
            input_row(walk, c, frames)[:] = carray(inputs[c], frames)
        play_walk(walk, 0, frames)
        for c in range(box.channels_out):
            row, y = output_row(walk, c, frames), carray(outputs[c], frames)
            for n in range(frames):
                y[n] = row[n] if i == 0 else y[n] + row[n]


SPREAD = State(unused=int)


@node(SPREAD)
def play_spread(inputs, outputs, frames, state):
    """One row on two: mono, heard on both sides."""
    x = carray(inputs[0], frames)
    for c in range(2):
        carray(outputs[c], frames)[:] = x


def append_lanes(walk: Walk, lanes: list[Walk], max_frames: int) -> None:
    """Put chains side by side behind a walk's last node: the shorter ones wait for the latest, then they are summed."""
    latency = max(lane.latency_frames for lane in lanes)
    for lane in lanes:
        if late := latency - lane.latency_frames:
            width = len(lane.outputs)
            lane.append(delay_node(width, late), width)
        lane.finish(max_frames)
    width = max(len(lane.outputs) for lane in lanes)
    values = {"channels_in": len(walk.outputs), "channels_out": width, "lane_count": len(lanes)}
    addresses = np.array([lane.address for lane in lanes], np.int64)
    inner = [node for lane in lanes for node in lane.nodes()]
    node = Node(play_lanes, values, constants={"lanes": addresses}, inner=inner, keep=lanes)
    walk.append(node, width, latency, max(lane.tail_frames for lane in lanes))
