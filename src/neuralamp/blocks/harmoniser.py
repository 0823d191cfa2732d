"""Harmoniser: one or two more guitars that play along in your key, a third above or whatever you like."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Choice, Knob, Part
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at, kernel
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.dsp.pitch import PITCH, hear_pitch
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

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SCALES = {  # semitones above the key
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic_minor": (0, 2, 3, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "minor_pentatonic": (0, 3, 5, 7, 10),
    "major_pentatonic": (0, 2, 4, 7, 9),
    "chromatic": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
}
MOST_STEPS = 7
OTHER_NOTE = 0.65  # semitones from the note that is held: a vibrato is no other note


class Harmoniser(Block):
    interval = Knob(
        2.0, -MOST_STEPS, MOST_STEPS, "steps", "how many notes of the scale above yours the first voice is: 2 is a third"
    )
    level = Knob(80.0, 0.0, 100.0, "%", "how loud the first voice is")
    interval_2 = Knob(4.0, -MOST_STEPS, MOST_STEPS, "steps", "the same of the second voice: 4 is a fifth, -3 a fourth below")
    level_2 = Knob(0.0, 0.0, 100.0, "%", "how loud the second voice is")
    dry = Knob(100.0, 0.0, 100.0, "%", "how loud your own guitar is")
    key = Choice(KEYS, "the key that you play in")
    scale = Choice(tuple(SCALES), "and its scale")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The gains of the guitar and of both voices, and the intervals, which the kernel rounds to whole steps."""
        gains = xp.stack([knobs.dry, knobs.level, knobs.level_2]) / 100.0
        return xp.concat([gains, xp.stack([knobs.interval, knobs.interval_2])])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        values = {"held": 60.0 + KEYS.index(self.set["key"]), "ratios": 1.0}
        made = Node(
            self.play,
            self.start(sample_rate, channels) | shift_values(sample_rate) | values,
            memory=shift_memory(sample_rate, channels),
            constants=shift_constants(sample_rate) | {"table": interval_ratios(self.set["key"], self.set["scale"])},
        )
        return Part(made, channels, tail_frames=longest_delay(sample_rate), notes=(LATENESS,))

    # held: the note, in semitones, A4 is 69. ratios: of the voices, gliding.
    state = State(
        goal=(5,),
        now=(5,),
        slew=float,
        channels=int,
        held=float,
        ratios=(2,),
        voices=(2, VOICE),
        table=POINTER,
        **(SHIFT | PITCH),
    )
    readings = ("frequency", "held")

    @node(state)
    def play(inputs, outputs, frames, state):
        box = carray(state, (1,))[0]
        gliding = glides(box.now, box.goal)
        for n in range(frames):
            for k in range(5 if gliding else 0):
                box.now[k] = glide(box.now[k], box.goal[k], box.slew)
            if hear_pitch(box, remember(box, inputs, n)):
                _hold_note(box)
            for v in range(2):
                box.ratios[v] = glide(box.ratios[v], _ratio(box, box.goal[3 + v]), box.slew)
                move(box, box.voices[v], box.ratios[v])
            for c in range(box.channels):
                first, second = sing(box, box.voices[0], c, 0.0), sing(box, box.voices[1], c, 0.0)
                outputs[c][n] = box.now[0] * inputs[c][n] + box.now[1] * first + box.now[2] * second


@kernel
def _hold_note(box):
    """The note nearest to what is heard; the last one where there is none."""
    if box.frequency > 0.0:
        heard = 69.0 + 12.0 * math.log2(box.frequency / 440.0)
        if abs(heard - box.held) > OTHER_NOTE:
            box.held = math.floor(min(max(heard, 0.0), 127.0) + 0.5)


@kernel
def _ratio(box, steps):
    """How many times as high a voice is that many steps above the note."""
    table = floats_at(box.table, (12, 2 * MOST_STEPS + 1))
    return np.float64(table[int(box.held) % 12, min(max(math.floor(steps + 0.5), -MOST_STEPS), MOST_STEPS) + MOST_STEPS])


def interval_ratios(key: str, scale: str) -> np.ndarray:
    """(12, 2 MOST_STEPS + 1) float32: for each note from C on, and each number of steps, how many times as high the voice is.

    A note that is not of the scale is led as the note of the scale under it.
    """
    notes, root = SCALES[scale], KEYS.index(key)
    ratios = np.empty((12, 2 * MOST_STEPS + 1), np.float32)
    for note in range(12):
        degree = max(d for d, semitones in enumerate(notes) if semitones <= (note - root) % 12)
        for steps in range(-MOST_STEPS, MOST_STEPS + 1):
            octave, other = divmod(degree + steps, len(notes))
            ratios[note, steps + MOST_STEPS] = 2.0 ** (octave + (notes[other] - notes[degree]) / 12.0)
    return ratios


BOX = Harmoniser
