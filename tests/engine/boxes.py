"""Boxes made for tests of the engine: they do one thing, and that one exactly."""

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.delay import delay_node
from neuralamp.dsp.node import Node, State, node


class Late(Block):
    """A box that is late and does nothing else: what a resampler or an FFT is to the engine."""

    frames = Knob(100.0, 1.0, 1000.0, "frames", "how late")

    def prepare(self, sample_rate, channels, max_frames):
        late = int(self.values["frames"])
        return Part(delay_node(channels, late), channels, latency_frames=late, tail_frames=late)


class Echo(Block):
    """One echo and nothing else: what a delay is to the engine."""

    frames = Knob(4800.0, 1.0, 48000.0, "frames", "when it comes")
    trails = True

    def prepare(self, sample_rate, channels, max_frames):
        frames = int(self.values["frames"])
        return Part(delay_node(channels, frames), channels, tail_frames=frames)


class Hum(Block):
    """A constant, whatever it hears: an amp that is never silent."""

    state = State(channels=int)

    @node(state)
    def play(inputs, outputs, frames, state):
        for c in range(carray(state, (1,))[0].channels):
            for n in range(frames):
                outputs[c][n] = inputs[c][n] + np.float32(0.25)


class Widen(Block):
    """Mono to stereo: right is left turned over."""

    state = State(unused=int)

    def prepare(self, sample_rate, channels, max_frames):
        return Part(Node(self.play), 2)

    @node(state)
    def play(inputs, outputs, frames, state):
        for n in range(frames):
            outputs[0][n] = inputs[0][n]
            outputs[1][n] = -inputs[0][n]
