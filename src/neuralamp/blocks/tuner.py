"""Tuner: how far the note is from where it should be, while you play or in silence."""

import math
from dataclasses import dataclass

from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.glide import amplify, glide
from neuralamp.dsp.likeness import likeness_constants, likeness_memory, likeness_values
from neuralamp.dsp.node import Node, State, node
from neuralamp.dsp.pitch import PITCH, hear_pitch

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class Tuner(Block):
    mute = Knob(0.0, 0.0, 1.0, "", "how much of the sound is kept back while you tune; 0 passes it untouched, 1 is silence")
    reference = Knob(440.0, 415.0, 466.0, "Hz", "where A4 is tuned to")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The gain of what passes, and the reference, which is for the eyes only."""
        return xp.stack([1.0 - knobs.mute, knobs.reference])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        values = self.start(sample_rate, channels) | likeness_values(sample_rate)
        made = Node(self.play, values, memory=likeness_memory(sample_rate), constants=likeness_constants(sample_rate))
        return Part(made, channels)

    state = State(goal=(2,), now=(2,), slew=float, channels=int, **PITCH)
    readings = ("frequency", "confidence")

    @node(state)
    def play(inputs, outputs, frames, state):
        box = carray(state, (1,))[0]
        for n in range(frames):
            x = inputs[0][n] + 0.0
            for c in range(1, box.channels):
                x += inputs[c][n]
            hear_pitch(box, x)
        now, goal = box.now[0], box.goal[0]
        for c in range(box.channels):
            box.now[0] = amplify(carray(inputs[c], frames), carray(outputs[c], frames), 1.0, now, goal, box.slew)
        for _ in range(frames if box.now[1] != box.goal[1] else 0):
            box.now[1] = glide(box.now[1], box.goal[1], box.slew)


@dataclass(frozen=True)
class Note:
    """The nearest note, and how many cents the string is above it: -50 to 50."""

    name: str
    octave: int
    cents: float


def nearest_note(frequency_hz: float, reference_hz: float = 440.0) -> Note | None:
    """What a tuner shows for its reading, in equal temperament; None where no note is heard."""
    if not frequency_hz > 0.0:
        return None
    semitones = 69.0 + 12.0 * math.log2(frequency_hz / reference_hz)
    nearest = round(semitones)
    return Note(NAMES[nearest % 12], nearest // 12 - 1, 100.0 * (semitones - nearest))


BOX = Tuner
