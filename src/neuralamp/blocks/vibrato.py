"""Vibrato: the pitch sways up and down by so many cents."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.delay_line import line_size, put, take_between
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.dsp.oscillator import cosine, turned
from neuralamp.units import time_coefficient

SLOWEST_HZ, WIDEST_CENTS = 0.5, 100.0
MOVE_MS = 60.0  # the glide of the knobs: a delay that moved in 8 ms would whoop

RATE, SWAY = range(2)


def _bend(cents, xp=math):
    """By how much of itself a pitch is higher: 2^(cents / 1200) - 1."""
    return xp.exp(cents * (math.log(2.0) / 1200.0)) - 1.0


class Vibrato(Block):
    rate = Knob(5.0, SLOWEST_HZ, 12.0, "Hz", "how often the pitch sways in a second", taper="log")
    depth = Knob(20.0, 0.0, WIDEST_CENTS, "cents", "how far the pitch goes up; as many hertz it goes down")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Cycles in a frame, and the frames S that a delay swings to one side for this bend of the pitch: bend / (2 pi rate)."""
        step = knobs.rate / sample_rate
        return xp.stack([step, _bend(knobs.depth, xp) / (2.0 * math.pi * step)])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        longest = 2.0 * _bend(WIDEST_CENTS) / (2.0 * math.pi * SLOWEST_HZ) * sample_rate
        size = line_size(longest)
        fixed = {"size": size, "slew": time_coefficient(MOVE_MS, sample_rate)}
        memory = {"lines": np.zeros((channels, size), np.float32)}
        made = Node(self.play, self.start(sample_rate, channels) | fixed, memory)
        return Part(made, channels, tail_frames=math.ceil(longest) + 4)

    state = State(goal=(2,), now=(2,), slew=float, channels=int, size=int, written=int, phase=float, lines=POINTER)

    @node(state)
    def play(inputs, outputs, frames, state):
        """y = x(t - D) with D = 1 frame + S (1 - cos(2 pi phase)), so that the pitch is 1 - dD/dt times the played one.

        At its earliest it is not late at all, at its latest by 2 S: 0.7 ms at 5 Hz and 20 cents.
        """
        box = carray(state, (1,))[0]
        now = box.now
        lines = floats_at(box.lines, (box.channels, box.size))
        gliding = glides(now, box.goal)
        for n in range(frames):
            for k in range(2 if gliding else 0):
                now[k] = glide(now[k], box.goal[k], box.slew)
            delay = max(1.0 + now[SWAY] * (1.0 - cosine(box.phase)), 1.0)
            for c in range(box.channels):
                put(lines[c], box.written, inputs[c][n])
                outputs[c][n] = take_between(lines[c], box.written + 1, delay)
            box.written += 1
            box.phase = turned(box.phase, now[RATE])


BOX = Vibrato
