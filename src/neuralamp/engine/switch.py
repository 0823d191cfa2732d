"""What stands around every box: the foot switch that takes it out of the sound, without a click, its latency kept."""

import numpy as np
from numba import carray

from neuralamp.block import Part
from neuralamp.dsp.jit import address_of, call_node, floats_at, inlined, integers_at, kernel
from neuralamp.dsp.node import POINTER, Node, State, node, row_addresses
from neuralamp.engine.walk import buffers
from neuralamp.units import ms_to_frames

SWITCH_MS = 20.0  # from one state to another: the shortest that does not click on a bass string
PLAYING, BYPASSED, SHUT = (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)
"""Where a switch may be turned to: the gain of what passes through the box, and of what passes beside it."""


def switch_frames(sample_rate: float) -> int:
    """Frames of a switch's line; a file may claim a rate at which there is not even one."""
    return max(ms_to_frames(SWITCH_MS, sample_rate), 1)


SWITCH = State(
    goal=(2,), now=(2,), step=float, kernel=int, box=int, channels_in=int, channels_out=int, key_rows=int, trails=int,
    late=int, position=int, stride=int, past=POINTER, dry=POINTER, fed=POINTER, fed_rows=POINTER,
)  # fmt: skip


@node(SWITCH)
def play_switch(inputs, outputs, frames, state):
    """y = through box(x) + beside x, or y = box(through x) + beside x where the box rings on.

    Both gains run in straight lines of SWITCH_MS, so that a box which changes nothing is switched without a trace. What passes
    beside is as late as the box is. A box plays on while it is bypassed: it costs what it costs, and comes back as if never gone.
    """
    switch = carray(state, (1,))[0]
    through, beside = switch.now[0], switch.now[1]
    steady = through == switch.goal[0] and beside == switch.goal[1]
    if switch.late > 0:
        remember(switch, inputs, frames)
    if switch.trails != 0 and not (steady and through == 1.0):
        feed(switch, inputs, through, frames)
        call_node(switch.kernel, switch.fed_rows, address_of(outputs), frames, switch.box)
    else:
        call_node(switch.kernel, address_of(inputs), address_of(outputs), frames, switch.box)
    if steady and through == 1.0 and beside == 0.0:
        return  # as nearly always
    for c in range(switch.channels_out):
        dry, y = dry_row(switch, inputs, c, frames), carray(outputs[c], frames)
        switch.now[0], switch.now[1] = through, beside
        for n in range(frames):
            switch.now[0] = ramp(switch.now[0], switch.goal[0], switch.step)
            switch.now[1] = ramp(switch.now[1], switch.goal[1], switch.step)
            wet = y[n] if switch.trails != 0 else np.float32(switch.now[0]) * y[n]
            y[n] = wet + np.float32(switch.now[1]) * dry[n]


@inlined
def ramp(now, goal, step):
    """One frame further on a straight line."""
    return min(now + step, goal) if now < goal else max(now - step, goal)


@kernel
def remember(switch, inputs, frames):
    """The box's input as late as its output, into `dry`."""
    for c in range(switch.channels_in):
        past, dry = floats_at(switch.past + 4 * c * switch.late, switch.late), floats_at(switch.dry + c * switch.stride, frames)
        position = switch.position
        for n in range(frames):
            dry[n] = past[position]
            past[position] = inputs[c][n]
            position = position + 1 if position + 1 < switch.late else 0
    switch.position = (switch.position + frames) % switch.late


@kernel
def feed(switch, inputs, through, frames):
    """What a box that rings on still hears of its input; the key it hears in full."""
    rows = integers_at(switch.fed_rows, switch.channels_in + switch.key_rows)
    given = integers_at(address_of(inputs), switch.channels_in + switch.key_rows)
    for c in range(switch.channels_in):
        fed, gain = floats_at(rows[c], frames), through
        for n in range(frames):
            gain = ramp(gain, switch.goal[0], switch.step)
            fed[n] = np.float32(gain) * inputs[c][n]
    for k in range(switch.channels_in, rows.size):
        rows[k] = given[k]


@kernel
def dry_row(switch, inputs, c, frames):
    """What passes beside the box on its channel `c`: mono is heard on both sides, and of stereo a mono box keeps the left."""
    source = min(c, switch.channels_in - 1)
    if switch.late > 0:
        return floats_at(switch.dry + source * switch.stride, frames)
    return floats_at(address_of(inputs[source]), frames)


def switched(
    part: Part, channels: int, sample_rate: float, max_frames: int, *, bypassed: bool, trails: bool, key_rows: int
) -> Node:
    """A box with its foot switch: a node as wide as the box. It stands where the rig says, without a ramp at the beginning."""
    stands = np.array(BYPASSED if bypassed else PLAYING)
    fed, dry = buffers(channels if trails else 1, max_frames), buffers(channels if part.latency_frames else 1, max_frames)
    values = {
        "goal": stands,
        "now": stands,
        "step": 1.0 / switch_frames(sample_rate),
        "kernel": part.node.kernel.address,
        "box": part.node.address,
        "channels_in": channels,
        "channels_out": part.channels,
        "key_rows": key_rows,
        "trails": trails,
        "late": part.latency_frames,
        "stride": dry.strides[0],
    }
    return Node(
        play_switch,
        values,
        memory={"past": np.zeros((channels, max(part.latency_frames, 1)), np.float32)},
        scratch={"dry": dry, "fed": fed, "fed_rows": np.append(row_addresses(fed)[:channels], np.zeros(key_rows, np.int64))},
        inner=[part.node],
    )
