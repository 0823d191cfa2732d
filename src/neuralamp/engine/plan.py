"""A rig made ready: its boxes as nodes behind foot switches, with all the memory they will ever need."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import carray

from neuralamp.block import Block
from neuralamp.dsp.jit import as_pointer, bytes_at, doubles_at, floats_at, integers_at, kernel
from neuralamp.dsp.node import CHANNELS, Node, State, node, row_addresses
from neuralamp.engine.switch import SHUT, switched
from neuralamp.engine.walk import Walk, append_lanes, buffers, input_row, play_walk, walk_at
from neuralamp.rig import Chain, Lanes, Rig

SPAN = np.dtype([(name, np.int64) for name in ("address", "rest", "size")])
PLAN = np.dtype(
    [
        ("generation", np.int64),
        ("walk", np.int64),
        ("spans", np.int64),
        ("span_count", np.int64),
        ("doors", np.int64),
        ("door_count", np.int64),
        ("rings_from", np.int64),
        ("rings_on", np.int64),
        ("clean", np.int64),
        ("clean_stride", np.int64),
    ]
)
_generations = itertools.count(1)

PASS = State(channels_in=int, channels_out=int)


@node(PASS)
def play_pass(inputs, outputs, frames, state):
    """The sound as it is; mono is heard on both sides."""
    wire = carray(state, (1,))[0]
    for c in range(wire.channels_out):
        carray(outputs[c], frames)[:] = carray(inputs[min(c, wire.channels_in - 1)], frames)


def _wire(channels_in: int, channels_out: int) -> Node:
    return Node(play_pass, {"channels_in": channels_in, "channels_out": channels_out})


@dataclass(frozen=True)
class Seat:
    """A box in its plan."""

    box: Block
    node: Node
    switch: Node


@dataclass(frozen=True)
class _Traced:
    """A chain as a walk, and how it leaves the stage.

    doors       the switches through which sound comes to its first echoes; where it has none, those of its last boxes.
    rings_from  the number of its first link with echoes; None where it has none.
    """

    walk: Walk
    doors: list[Node]
    rings_from: int | None


class Plan:
    """A rig for one sample rate.

    stereo          whether a rig that ends in mono is spread on two channels.
    live            whether an audio thread plays it, which waits for nobody.
    latency_frames  by how much its output is late; shorter lanes have been delayed to the longest.
    tail_frames     how long it may ring on after its input has ended.
    rings_on        how long it plays on after another rig has taken its place: until its echoes are over; 0 for one without.
    notes           what a guitarist should know of how its boxes play here, each with the box's label before it.
    seats           the boxes by their labels (see Rig.boxes).
    """

    def __init__(self, rig: Rig, sample_rate: float, channels: int, max_frames: int, stereo: bool = False, live: bool = False):
        self.rig, self.sample_rate, self.max_frames, self.live = rig, sample_rate, max_frames, live
        self.generation = next(_generations)
        self.seats: dict[str, Seat] = {}
        self.notes: list[str] = []
        self._labels = iter(rig.boxes())
        self._checks: list[Callable[[], None]] = []
        self._troubles: list[tuple[str, Callable[[], str]]] = []
        self._clean: np.ndarray | None = None
        self._channels = channels
        traced = self._trace(rig.chain, channels)
        self.walk = traced.walk
        if stereo and len(self.walk.outputs) == 1:
            self.walk.append(_wire(1, 2), 2)
        self.walk.finish(max_frames)
        self.latency_frames, self.tail_frames = self.walk.latency_frames, self.walk.tail_frames
        self.channels_out = len(self.walk.outputs)
        rings = traced.rings_from is not None  # else the stage fades all of it
        ringing = self.walk.links[traced.rings_from :] if rings else []
        self.rings_on = sum(link.latency_frames + link.tail_frames for link in ringing)
        doors = traced.doors if rings else []

        changing = [stretch for node in self.walk.nodes() for stretch in node.changing()]
        self._rests = [stretch.copy() for stretch in changing]
        pairs = zip(changing, self._rests, strict=True)
        self._spans = np.array([(part.ctypes.data, rest.ctypes.data, part.size) for part, rest in pairs], SPAN)
        self._doors = np.array([switch.address for switch in doors], np.int64)
        self.record = np.zeros(1, PLAN)
        self.record[0] = (
            self.generation, self.walk.address, self._spans.ctypes.data, self._spans.size,
            self._doors.ctypes.data, self._doors.size, traced.rings_from or 0, self.rings_on,
            *((0, 0) if self._clean is None else (self._clean.ctypes.data, self._clean.strides[0])),
        )  # fmt: skip
        _warm(self.record[0], min(max_frames, 256))

    @property
    def address(self) -> int:
        return self.record.ctypes.data

    def check(self) -> None:
        """Raise what has gone wrong in a box since it was made, where playing cannot say so itself."""
        for check in self._checks:
            check()

    def troubles(self) -> list[str]:
        """What is wrong with its boxes while they play on, each with the box's label before it."""
        return [f"{label}: {trouble}" for label, told in self._troubles if (trouble := told())]

    def _trace(self, chain: Chain, channels: int) -> _Traced:
        """Prepare the boxes of a chain in the order of their labels."""
        walk, doors, rings_from = Walk(channels), [], None
        for link in chain:
            if isinstance(link, Lanes):
                lanes = [self._trace(lane, len(walk.outputs)) for lane in link.lanes]
                append_lanes(walk, [lane.walk for lane in lanes], self.max_frames)
                leaving = [switch for lane in lanes for switch in lane.doors]
            else:
                leaving = [self._append(walk, link)]
            if rings_from is None:
                doors, rings_from = leaving, len(walk.links) - 1 if _rings(link) else None
        return _Traced(walk, doors, rings_from)

    def _append(self, walk: Walk, box: Block) -> Node:
        """Put a box behind a walk; its switch."""
        label, width = next(self._labels), len(walk.outputs)
        part = (box.prepare_live if self.live else box.prepare)(self.sample_rate, width, self.max_frames)
        key = self._key() if part.key else []
        switch = switched(
            part, width, self.sample_rate, self.max_frames, bypassed=box.bypassed, trails=box.trails, key_rows=len(key)
        )
        walk.append(switch, part.channels, part.latency_frames, part.tail_frames, key)
        self.seats[label] = Seat(box, part.node, switch)
        self.notes += [f"{label}: {note}" for note in part.notes]
        self._checks.append(part.check)
        self._troubles.append((label, part.trouble))
        return switch

    def _key(self) -> list[int]:
        """Where the rig's own input is kept for the boxes that listen to it: left and right, or mono twice."""
        if self._clean is None:
            self._clean = buffers(self._channels, self.max_frames)
        rows = row_addresses(self._clean)
        return [int(rows[min(c, self._channels - 1)]) for c in range(CHANNELS)]


def _rings(link: Block | Lanes) -> bool:
    """Whether a box, or one in the lanes, rings on when it is bypassed."""
    if isinstance(link, Lanes):
        return any(_rings(inner) for lane in link.lanes for inner in lane)
    return link.trails


@kernel
def plan_at(address):
    """The record of a plan at an address."""
    return carray(as_pointer(address), 1, PLAN)[0]


@kernel
def bring_to_rest(plan):
    """Everything that playing has changed, back to how it was when the plan was made; knobs stay where they are turned to."""
    spans = carray(as_pointer(plan.spans), plan.span_count, SPAN)
    for i in range(plan.span_count):
        changed, rest = bytes_at(spans[i].address, spans[i].size), bytes_at(spans[i].rest, spans[i].size)
        for k in range(changed.size):
            changed[k] = rest[k]


@kernel
def leave_stage(plan):
    """Let a plan with echoes fall silent over SWITCH_MS, but for these."""
    doors = integers_at(plan.doors, plan.door_count)
    for k in range(plan.door_count):
        goal = doubles_at(doors[k], 2)
        goal[0], goal[1] = SHUT[0], SHUT[1]


@kernel
def keep_clean(plan, walk, frames):
    """The rig's input, kept where the boxes that are keyed by it look."""
    if plan.clean != 0:
        for c in range(walk.channels_in):
            floats_at(plan.clean + c * plan.clean_stride, frames)[:] = input_row(walk, c, frames)


@kernel
def _warm(plan, frames):
    """Play a moment of silence and forget it: the first real buffer finds code and data near the processor."""
    walk = walk_at(plan.walk)
    for c in range(walk.channels_in):
        input_row(walk, c, frames)[:] = np.float32(0.0)
    play_walk(walk, 0, frames)
    bring_to_rest(plan)
