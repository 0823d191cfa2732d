"""Volume pedal: silence at the heel, everything at the toe, and even steps for the ear between them."""

import math

from numba import carray

from neuralamp.block import Block, Knob, NumberSetting
from neuralamp.dsp.glide import amplify
from neuralamp.dsp.node import State, node
from neuralamp.units import db_to_gain

TAPER = 2.0 * math.log(9.0)  # a tenth of the gain, -20 dB, half way: an audio pot of 10 %


class Volume(Block):
    position = Knob(100.0, 0.0, 100.0, "%", "how far the pedal is down: 0 is the heel, silence; 100 the toe, the sound untouched")
    minimum_db = NumberSetting(-80.0, 0.0, "dB", "how loud it stays at the heel; silence where it is not given")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """(e^(k p) - 1) / (e^k - 1) at p from 0 to 1: exactly 0 and exactly 1 at its ends, -20 dB half way."""
        position = knobs.position / 100.0
        return xp.stack([xp.expm1(TAPER * position) / xp.expm1(TAPER * xp.ones_like(position))])

    def goals(self, values, sample_rate):
        """The taper's gain, on what is left over the minimum."""
        least = 0.0 if self.set["minimum_db"] is None else db_to_gain(self.set["minimum_db"])
        gain = super().goals(values, sample_rate)
        return gain + least * (1.0 - gain)

    state = State(goal=(1,), now=(1,), slew=float, channels=int)

    @node(state)
    def play(inputs, outputs, frames, state):
        box = carray(state, (1,))[0]
        now, goal = box.now[0], box.goal[0]
        for c in range(box.channels):
            box.now[0] = amplify(carray(inputs[c], frames), carray(outputs[c], frames), 1.0, now, goal, box.slew)


BOX = Volume
