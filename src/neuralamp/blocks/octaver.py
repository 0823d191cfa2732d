"""Octaver: an octave below and an octave above, on single notes and on chords."""

from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.glide import glide, glides
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


class Octaver(Block):
    dry = Knob(100.0, 0.0, 100.0, "%", "the guitar itself, which is not late")
    sub = Knob(100.0, 0.0, 100.0, "%", "an octave below, up to 35 ms late")
    up = Knob(0.0, 0.0, 100.0, "%", "an octave above, 5 to 40 ms late")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Per cent to gains."""
        return xp.stack([knobs.dry, knobs.sub, knobs.up]) / 100.0

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        made = Node(
            self.play,
            self.start(sample_rate, channels) | shift_values(sample_rate),
            memory=shift_memory(sample_rate, channels),
            constants=shift_constants(sample_rate),
        )
        return Part(made, channels, tail_frames=longest_delay(sample_rate), notes=(LATENESS,))

    state = State(goal=(3,), now=(3,), slew=float, channels=int, voices=(2, VOICE), **SHIFT)

    @node(state)
    def play(inputs, outputs, frames, state):
        """Two tape heads at half and at twice the speed (dsp/pitch_shift.py). No pitch is looked for, so none can be mistaken: a
        divider by two of the kind of the 1980s jumps by an octave where a partial is louder than the note.
        """
        box = carray(state, (1,))[0]
        gliding = glides(box.now, box.goal)
        for n in range(frames):
            for k in range(3 if gliding else 0):
                box.now[k] = glide(box.now[k], box.goal[k], box.slew)
            hear(box, remember(box, inputs, n))
            move(box, box.voices[0], 0.5)
            move(box, box.voices[1], 2.0)
            for c in range(box.channels):
                below, above = sing(box, box.voices[0], c, 0.0), sing(box, box.voices[1], c, 0.0)
                outputs[c][n] = box.now[0] * inputs[c][n] + box.now[1] * below + box.now[2] * above


BOX = Octaver
