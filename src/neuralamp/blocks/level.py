"""Level: louder or softer, before or after anything."""

from numba import carray

from neuralamp.block import Block, Knob
from neuralamp.dsp.node import State, node
from neuralamp.units import db_to_gain


class Level(Block):
    level = Knob(0.0, -60.0, 24.0, "dB", "gain; 0 passes the sound untouched")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Decibels to a linear gain."""
        return xp.stack([db_to_gain(knobs.level, xp)])

    state = State(goal=(1,), now=(1,), slew=float, channels=int)

    @node(state)
    def play(inputs, outputs, frames, state):
        box = carray(state, (1,))[0]
        for n in range(frames):
            box.now[0] += box.slew * (box.goal[0] - box.now[0])
            for c in range(box.channels):
                outputs[c][n] = inputs[c][n] * box.now[0]


BOX = Level
