"""A rig made ready: rows of (kernel, state, inputs, outputs) on one pool of buffers, walked by compiled code."""

import itertools
from collections.abc import Callable

import numpy as np
from numba import carray

from neuralamp.dsp.delay import delay_node
from neuralamp.dsp.jit import as_pointer, bytes_at, call_node, doubles_at, floats_at, integers_at, kernel
from neuralamp.dsp.node import POINTER, Node, State, node, row_addresses
from neuralamp.rig import Chain, Lanes, Rig

ROW = np.dtype([(name, np.int64) for name in ("kernel", "state", "inputs", "outputs")])
WALK = np.dtype([(name, np.int64) for name in ("rows", "row_count", "inputs", "channels_in", "outputs", "channels_out")])
SPAN = np.dtype([(name, np.int64) for name in ("address", "rest", "size")])
GOAL = np.dtype([(name, np.int64) for name in ("address", "size")])
PLAN = np.dtype([("generation", np.int64), ("walk", np.int64)] + [
    (name, np.int64) for name in ("spans", "span_count", "goals", "goal_count")
])  # fmt: skip
_generations = itertools.count(1)


@kernel
def walk_at(address):
    """The record of a walk at an address."""
    return carray(as_pointer(address), 1, WALK)[0]


@kernel
def play_walk(walk, frames):
    """Every node in turn, on the buffers that its row names."""
    rows = carray(as_pointer(walk.rows), walk.row_count, ROW)
    for i in range(walk.row_count):
        call_node(rows[i].kernel, rows[i].inputs, rows[i].outputs, frames, rows[i].state)


@kernel
def input_row(walk, c, frames):
    """The buffer where channel `c` of what comes in has to be put."""
    return floats_at(integers_at(walk.inputs, walk.channels_in)[c], frames)


@kernel
def output_row(walk, c, frames):
    """The buffer where channel `c` of what goes out is found; a mono walk is heard on every channel."""
    return floats_at(integers_at(walk.outputs, walk.channels_out)[min(c, walk.channels_out - 1)], frames)


class Walk:
    """A chain of nodes on a pool of numbered buffers of its own.

    Put together with `append`, then closed with `finish`, which makes the memory and the record that compiled code reads.
    A buffer that no later node reads is used again.
    """

    def __init__(self, channels: int):
        self._free: list[int] = []
        self._buffers = 0
        self.links: list[tuple[Node, list[int], list[int]]] = []
        self.inputs = self._take(channels)
        self.outputs = self.inputs
        self.latency_frames = self.tail_frames = 0

    def append(self, node: Node, channels: int, latency_frames: int = 0, tail_frames: int = 0) -> None:
        """Put a node behind the last one; it writes `channels` rows."""
        reads, self.outputs = self.outputs, self._take(channels)
        self.links.append((node, reads, self.outputs))
        self._free += reads
        self.latency_frames += latency_frames
        self.tail_frames += tail_frames

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
        stride = -(-max_frames // 16) * 16 + 16  # whole cache lines, and not a power of two apart
        self._pool = np.zeros((self._buffers, stride), np.float32)
        address = row_addresses(self._pool)
        self._tables = [address[numbers] for _, reads, writes in self.links for numbers in (reads, writes)]
        self._tables += [address[self.inputs], address[self.outputs]]
        places = [table.ctypes.data for table in self._tables]
        self._rows = np.array(
            [(node.kernel.address, node.address, places[2 * i], places[2 * i + 1]) for i, (node, _, _) in enumerate(self.links)],
            ROW,
        )
        self.record = np.zeros(1, WALK)
        self.record[0] = (
            self._rows.ctypes.data, self._rows.size, places[-2], len(self.inputs), places[-1], len(self.outputs),
        )  # fmt: skip

    @property
    def address(self) -> int:
        return self.record.ctypes.data

    def nodes(self) -> list[Node]:
        return [node for node, _, _ in self.links]


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
        play_walk(walk, frames)
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


class Plan:
    """A rig for one sample rate, with all the memory it will ever need.

    stereo          whether a rig that ends in mono is spread on two channels.
    latency_frames  by how much its output is late; shorter lanes have been delayed to the longest.
    tail_frames     how long it may ring on after its input has ended.
    notes           what a guitarist should know of how its boxes play here, each with the box's label before it.
    offline_only    a box waits for others while it plays: no audio thread must run it.
    labels          the labels of the rig's boxes (see Rig.boxes), in the order of `nodes`, which are their nodes.
    """

    def __init__(self, rig: Rig, sample_rate: float, channels: int, max_frames: int, stereo: bool = False):
        self.rig, self.sample_rate, self.max_frames = rig, sample_rate, max_frames
        self.generation = next(_generations)
        self.labels = list(rig.boxes())
        self.nodes: list[Node] = []
        self.notes: list[str] = []
        self.offline_only = False
        self._checks: list[Callable[[], None]] = []
        self.walk = self._trace(rig.chain, channels)
        if stereo and len(self.walk.outputs) == 1:
            self.walk.append(Node(play_spread), 2)
        self.walk.finish(max_frames)
        self.latency_frames, self.tail_frames = self.walk.latency_frames, self.walk.tail_frames
        self.channels_out = len(self.walk.outputs)

        changing = [stretch for node in self.walk.nodes() for stretch in node.changing()]
        self._rests = [stretch.copy() for stretch in changing]
        pairs = zip(changing, self._rests, strict=True)
        self._spans = np.array([(part.ctypes.data, rest.ctypes.data, part.size) for part, rest in pairs], SPAN)
        self._goals = np.array([(node.address, node.kernel.state.goals) for node in self.nodes], GOAL)
        self.record = np.zeros(1, PLAN)
        self.record[0] = (
            self.generation, self.walk.address,
            self._spans.ctypes.data, self._spans.size, self._goals.ctypes.data, self._goals.size,
        )  # fmt: skip
        _warm(self.record[0], min(max_frames, 256))

    @property
    def address(self) -> int:
        return self.record.ctypes.data

    def check(self) -> None:
        """Raise what has gone wrong in a box since it was made, where playing cannot say so itself."""
        for check in self._checks:
            check()

    def _trace(self, chain: Chain, channels: int) -> Walk:
        """Prepare the boxes of a chain in the order of their labels."""
        walk = Walk(channels)
        for link in chain:
            width = len(walk.outputs)
            if isinstance(link, Lanes):
                self._append_lanes(walk, [self._trace(lane, width) for lane in link.lanes], width)
            else:
                part = link.prepare(self.sample_rate, width, self.max_frames)
                self._checks.append(part.check)
                self.offline_only |= part.offline_only
                self.notes += [f"{self.labels[len(self.nodes)]}: {note}" for note in part.notes]
                self.nodes.append(part.node)
                walk.append(part.node, part.channels, part.latency_frames, part.tail_frames)
        return walk

    def _append_lanes(self, walk: Walk, lanes: list[Walk], channels: int) -> None:
        latency = max(lane.latency_frames for lane in lanes)
        for lane in lanes:
            if late := latency - lane.latency_frames:
                width = len(lane.outputs)
                lane.append(delay_node(width, late), width)
            lane.finish(self.max_frames)
        width = max(len(lane.outputs) for lane in lanes)
        values = {"channels_in": channels, "channels_out": width, "lane_count": len(lanes)}
        addresses = np.array([lane.address for lane in lanes], np.int64)
        inner = [node for lane in lanes for node in lane.nodes()]
        walk.append(
            Node(play_lanes, values, constants={"lanes": addresses}, inner=inner, keep=lanes),
            width,
            latency,
            max(lane.tail_frames for lane in lanes),
        )


@kernel
def bring_to_rest(plan):
    """Everything that playing has changed, back to how it was when the plan was made; knobs stay where they are turned to."""
    spans = carray(as_pointer(plan.spans), plan.span_count, SPAN)
    for i in range(plan.span_count):
        changed, rest = bytes_at(spans[i].address, spans[i].size), bytes_at(spans[i].rest, spans[i].size)
        for k in range(changed.size):
            changed[k] = rest[k]


@kernel
def turn(plan, box, goal):
    """Point a box's knobs somewhere else: its kernel glides there from the next frame on."""
    goals = carray(as_pointer(plan.goals), plan.goal_count, GOAL)
    target = doubles_at(goals[box].address, goals[box].size)
    for k in range(goals[box].size):
        target[k] = goal[k]


@kernel
def _warm(plan, frames):
    """Play a moment of silence and forget it: the first real buffer finds code and data near the processor."""
    walk = walk_at(plan.walk)
    for c in range(walk.channels_in):
        input_row(walk, c, frames)[:] = np.float32(0.0)
    play_walk(walk, frames)
    bring_to_rest(plan)
