"""Detune: two voices a little sharp and a little flat, left and right of the guitar, without the swing of a chorus."""

import math

from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.likeness import hear
from neuralamp.dsp.node import CHANNELS, Node, State, node
from neuralamp.dsp.pitch_shift import (
    LATENESS,
    SHIFT,
    VOICE,
    longest_delay,
    move,
    remember,
    shift_constants,
    shift_memory,
    shift_values,
    sing,
)

LONGEST_MS = 60.0


class Detune(Block):
    cents = Knob(9.0, 0.0, 50.0, "cents", "how much flatter the left voice is, and how much sharper the right one")
    delay = Knob(12.0, 0.0, LONGEST_MS, "ms", "by how much both voices are later than they have to be")
    mix = Knob(50.0, 0.0, 100.0, "%", "from the guitar alone to the two voices alone")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """How many times as high the two voices sound, their delay in frames, and their share."""
        octaves = knobs.cents * (math.log(2.0) / 1200.0)
        return xp.stack([xp.exp(-octaves), xp.exp(octaves), knobs.delay * (sample_rate / 1000.0), knobs.mix / 100.0])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        extra = LONGEST_MS * sample_rate / 1000.0
        made = Node(
            self.play,
            self.start(sample_rate, channels) | shift_values(sample_rate, extra),
            memory=shift_memory(sample_rate, channels, extra),
            constants=shift_constants(sample_rate),
        )
        return Part(made, CHANNELS, tail_frames=longest_delay(sample_rate) + math.ceil(extra), notes=(LATENESS,))

    state = State(goal=(4,), now=(4,), slew=float, channels=int, voices=(CHANNELS, VOICE), **SHIFT)

    @node(state)
    def play(inputs, outputs, frames, state):
        """Always stereo; the guitar stays where it is."""
        box = carray(state, (1,))[0]
        gliding = glides(box.now, box.goal)
        for n in range(frames):
            for k in range(4 if gliding else 0):
                box.now[k] = glide(box.now[k], box.goal[k], box.slew)
            hear(box, remember(box, inputs, n))
            for side in range(CHANNELS):
                move(box, box.voices[side], box.now[side])
                c = min(side, box.channels - 1)
                x = inputs[c][n]
                outputs[side][n] = x + box.now[3] * (sing(box, box.voices[side], c, box.now[2]) - x)


BOX = Detune
