"""A delay of whole frames: brings a shorter lane level with a longer one."""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.node import POINTER, Node, State, node

STATE = State(channels=int, frames=int, position=int, past=POINTER)


@node(STATE)
def play(inputs, outputs, frames, state):
    delay = carray(state, (1,))[0]
    for c in range(delay.channels):
        past = floats_at(delay.past + 4 * c * delay.frames, delay.frames)
        position = delay.position
        for n in range(frames):
            outputs[c][n] = past[position]
            past[position] = inputs[c][n]
            position = position + 1 if position + 1 < delay.frames else 0
    delay.position = (delay.position + frames) % delay.frames


def delay_node(channels: int, frames: int) -> Node:
    """y[n] = x[n - frames], for one frame or more."""
    return Node(play, {"channels": channels, "frames": frames}, {"past": np.zeros((channels, frames), np.float32)})
