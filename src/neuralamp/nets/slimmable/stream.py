"""The slimmable net that plays: one part at a time, and no gap when the size is turned.

A part that is wanted first hears what is played, unheard itself, until it has settled; then it fades in over the one that played.
"""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import address_of, as_pointer, call_node, floats_at, integers_at, kernel
from neuralamp.dsp.node import POINTER, Node, State, node, row_addresses
from neuralamp.nets import architecture_of
from neuralamp.nets.nested import within
from neuralamp.nets.slimmable.config import FADE_FRAMES, SlimmableConfig
from neuralamp.nets.weights import Weights

SPAN = 256  # the most frames that are worked on at once
PART = np.dtype([("up_to", np.float64), ("kernel", np.int64), ("state", np.int64), ("settling_frames", np.int64)])
STATE = State(
    inputs=int, outputs=int, part_count=int, playing=int, wanted=int, heard_frames=int,
    parts=POINTER, input_rows=POINTER, output_rows=POINTER, coming=POINTER, coming_rows=POINTER,
)  # fmt: skip


@kernel
def part_at(parts, size):
    """The place of the part that a size asks for."""
    for i in range(parts.size):
        if size < parts[i].up_to:
            return i
    return parts.size - 1


@kernel
def fade(net, parts, outputs, start, frames):
    """y += share (coming - y), the share rising from 0 to 1 over FADE_FRAMES once the coming part has settled."""
    settled = net.heard_frames - parts[net.wanted].settling_frames
    for o in range(net.outputs):
        coming = floats_at(net.coming + 4 * SPAN * o, frames)
        for n in range(frames):
            share = np.float32(settled + n + 1) / np.float32(FADE_FRAMES)
            outputs[o][start + n] += share * (coming[n] - outputs[o][start + n])


@node(STATE)
def play(inputs, outputs, frames, state):
    net = carray(state, (1,))[0]
    parts = carray(as_pointer(net.parts), net.part_count, PART)
    input_rows, output_rows = integers_at(net.input_rows, net.inputs), integers_at(net.output_rows, net.outputs)
    start = 0
    while start < frames:
        size = inputs[1][start]
        count = 1
        while count < min(frames - start, SPAN) and inputs[1][start + count] == size:
            count += 1
        fading = net.wanted != net.playing and net.heard_frames >= parts[net.wanted].settling_frames
        asked = part_at(parts, size)
        if not fading and asked != net.wanted:
            net.wanted, net.heard_frames = asked, 0
        switching = net.wanted != net.playing
        settling_frames = parts[net.wanted].settling_frames
        if switching:
            until = settling_frames if net.heard_frames < settling_frames else settling_frames + FADE_FRAMES
            count = min(count, until - net.heard_frames)
        input_rows[0] = address_of(inputs[0]) + 4 * start
        for c in range(2, net.inputs):
            input_rows[c - 1] = address_of(inputs[c]) + 4 * start
        for o in range(net.outputs):
            output_rows[o] = address_of(outputs[o]) + 4 * start
        playing = parts[net.playing]
        call_node(playing.kernel, net.input_rows, net.output_rows, count, playing.state)
        if switching:
            coming = parts[net.wanted]
            call_node(coming.kernel, net.input_rows, net.coming_rows, count, coming.state)
            if net.heard_frames >= settling_frames:
                fade(net, parts, outputs, start, count)
            net.heard_frames += count
            if net.heard_frames == settling_frames + FADE_FRAMES:
                net.playing = net.wanted
        start += count


def stream(config: SlimmableConfig, weights: Weights) -> Node:
    """The net as a node: rows of sound, size and knobs in, sound out. It begins at full size and all past zero."""
    inner = [architecture_of(net).stream(net, within(prefix, weights)) for prefix, net in config.inner.items()]
    parts = [
        (part.up_to, node.kernel.address, node.address, part.net.settling_frames)
        for part, node in zip(config.parts, inner, strict=True)
    ]
    coming = np.zeros((config.outputs, SPAN), np.float32)
    last = len(parts) - 1
    return Node(
        play,
        {"inputs": config.inputs, "outputs": config.outputs, "part_count": len(parts), "playing": last, "wanted": last},
        memory={
            "input_rows": np.zeros(config.inputs, np.int64),
            "output_rows": np.zeros(config.outputs, np.int64),
            "coming": coming,
        },
        constants={"parts": np.array(parts, PART), "coming_rows": row_addresses(coming)},
        inner=inner,
    )
