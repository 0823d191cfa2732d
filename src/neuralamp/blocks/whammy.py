"""Whammy: the pitch under your foot, chords too, from two octaves down to two octaves up."""

import math

from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.glide import glide
from neuralamp.dsp.likeness import hear
from neuralamp.dsp.node import Node, State, node
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
from neuralamp.units import time_coefficient


class Whammy(Block):
    position = Knob(0.0, 0.0, 100.0, "%", "the pedal: 0 is the heel, 100 the toe")
    heel = Knob(0.0, -24.0, 24.0, "semitones", "how much higher it sounds with the heel down")
    toe = Knob(12.0, -24.0, 24.0, "semitones", "how much higher it sounds with the toe down")
    glide = Knob(15.0, 1.0, 500.0, "ms", "how slowly the pitch follows the foot", taper="log")
    mix = Knob(100.0, 0.0, 100.0, "%", "how much of what is heard is shifted; the rest is the guitar itself")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """How many times as high it sounds, how fast that glides, and the share of the shifted sound."""
        semitones = knobs.heel + (knobs.toe - knobs.heel) * (knobs.position / 100.0)
        ratio = xp.exp(semitones * (math.log(2.0) / 12.0))
        return xp.stack([ratio, time_coefficient(knobs.glide, sample_rate, xp), knobs.mix / 100.0])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        made = Node(
            self.play,
            self.start(sample_rate, channels) | shift_values(sample_rate),
            memory=shift_memory(sample_rate, channels),
            constants=shift_constants(sample_rate),
        )
        return Part(made, channels, tail_frames=longest_delay(sample_rate), notes=(LATENESS,))

    state = State(goal=(3,), now=(3,), slew=float, channels=int, voice=(VOICE,), **SHIFT)

    @node(state)
    def play(inputs, outputs, frames, state):
        """With the pedal where nothing is shifted, the sound itself, without delay."""
        box = carray(state, (1,))[0]
        for n in range(frames):
            box.now[1] = box.goal[1]
            box.now[0] = glide(box.now[0], box.goal[0], box.now[1])
            box.now[2] = glide(box.now[2], box.goal[2], box.slew)
            hear(box, remember(box, inputs, n))
            move(box, box.voice, box.now[0])
            for c in range(box.channels):
                x = inputs[c][n]
                outputs[c][n] = x + box.now[2] * (sing(box, box.voice, c, 0.0) - x)


BOX = Whammy
