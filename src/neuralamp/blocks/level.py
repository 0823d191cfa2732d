"""Level: louder or softer, before or after anything."""

from numba import carray

from neuralamp.block import Block, Knob
from neuralamp.dsp.glide import amplify
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
        now, goal = box.now[0], box.goal[0]
        for c in range(box.channels):
            box.now[0] = amplify(carray(inputs[c], frames), carray(outputs[c], frames), 1.0, now, goal, box.slew)


BOX = Level
