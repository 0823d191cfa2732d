"""Mixer: a lane's level and its place between left and right."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part, Switch
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.node import Node, State, node
from neuralamp.units import db_to_gain


class Mixer(Block):
    level = Knob(0.0, -60.0, 12.0, "dB", "gain; 0 passes the sound untouched, -60 is silence")
    pan = Knob(0.0, -100.0, 100.0, "%", "-100 is left, 100 is right: as loud wherever it stands")
    stereo = Switch(True, "make left and right of a mono sound; without it pan is not heard there")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Gains of left, of right, and of what stays mono: sqrt(2) cos and sqrt(2) sin of 0 to 90 degrees, 1 in the middle."""
        angle = (knobs.pan + 100.0) / 200.0 * (0.5 * math.pi)
        gain = db_to_gain(knobs.level, xp) * xp.where(knobs.level <= -60.0, 0.0 * knobs.level, 1.0 + 0.0 * knobs.level)
        sides = [math.sqrt(2.0) * xp.cos(angle), math.sqrt(2.0) * xp.sin(angle)]
        centred = xp.where(knobs.pan == 0.0, 1.0 + 0.0 * angle, 0.0 * angle)
        left, right = (centred + (1.0 - centred) * side for side in sides)  # exactly 1, which the sine of 45 degrees misses
        return xp.stack([gain * left, gain * right, gain + 0.0 * angle])

    def prepare(self, sample_rate, channels, max_frames):
        width = 2 if self.set["stereo"] else channels
        values = self.start(sample_rate, channels) | {"width": width}
        return Part(Node(self.play, values), width)

    state = State(goal=(3,), now=(3,), slew=float, channels=int, width=int)

    @node(state)
    def play(inputs, outputs, frames, state):
        """y_left = g_left x_left, y_right = g_right x_right; mono is heard on both, or stays what it is."""
        box = carray(state, (1,))[0]
        gliding = glides(box.now, box.goal)
        for n in range(frames):
            for k in range(3 if gliding else 0):
                box.now[k] = glide(box.now[k], box.goal[k], box.slew)
            if box.width == 1:
                outputs[0][n] = np.float32(box.now[2]) * inputs[0][n]
            else:
                for c in range(2):
                    outputs[c][n] = np.float32(box.now[c]) * inputs[min(c, box.channels - 1)][n]


BOX = Mixer
