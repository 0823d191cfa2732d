"""Noise gate: silence between the notes, the notes untouched. It listens to the clean guitar, wherever in the chain it stands."""

from numba import carray

from neuralamp.block import Block, Knob
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.units import db_to_gain

FALL_MS = 20.0  # the level falls to 37 % in this time: a low E swings every 12 ms, and the gate must not see the gaps


class Gate(Block):
    threshold = Knob(-60.0, -100.0, 0.0, "dB", "the peak level of the clean guitar, under full scale, that opens the gate")
    hysteresis = Knob(6.0, 0.0, 24.0, "dB", "how far under the threshold the level must fall before the gate shuts")
    attack = Knob(1.0, 0.1, 50.0, "ms", "from shut to fully open", taper="log")
    hold = Knob(50.0, 1.0, 1000.0, "ms", "how long it stays open after the level has fallen", taper="log")
    release = Knob(150.0, 5.0, 2000.0, "ms", "from open to fully shut", taper="log")
    range = Knob(80.0, 0.0, 120.0, "dB", "how much softer a shut gate is; 0 never shuts")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The levels that open and shut it, its steps towards open and shut per frame, frames of hold, and the gain when shut."""
        frame_ms = 1000.0 / sample_rate
        return xp.stack(
            [
                db_to_gain(knobs.threshold, xp),
                db_to_gain(knobs.threshold - knobs.hysteresis, xp),
                frame_ms / knobs.attack,
                frame_ms / knobs.release,
                knobs.hold / frame_ms,
                db_to_gain(-knobs.range, xp),
            ]
        )

    def start(self, sample_rate: float, channels: int) -> dict:
        return super().start(sample_rate, channels) | {"fall": 1.0 - 1000.0 / (FALL_MS * sample_rate)}

    def prepare(self, sample_rate, channels, max_frames):
        part = super().prepare(sample_rate, channels, max_frames)
        part.key = True
        return part

    # level: the peak of the clean guitar, falling. is_open, held: 1 or 0, and for how many frames the level has been low.
    # openness: from 0, shut, to 1, open.
    state = State(goal=(6,), now=(6,), slew=float, channels=int, fall=float, level=float, is_open=int, held=float, openness=float)

    @node(state)
    def play(inputs, outputs, frames, state):
        """gain = 1 - (1 - shut) (1 - s), with s = 3 u^2 - 2 u^3 of the openness u: it leaves and arrives without a kink,
        so nothing clicks, and at u = 1 it is exactly 1: an open gate passes the sound bit for bit. One gain for all channels.
        Behind boxes that are late it opens that much before the note.
        """
        box = carray(state, (1,))[0]
        gliding = glides(box.now, box.goal)
        for n in range(frames):
            for k in range(6 if gliding else 0):
                box.now[k] = glide(box.now[k], box.goal[k], box.slew)
            box.level *= box.fall
            for c in range(box.channels, box.channels + CHANNELS):
                box.level = max(box.level, abs(inputs[c][n] + 0.0))
            box.held += 1.0
            if box.level >= box.now[1]:
                box.held = 0.0
            if box.level >= box.now[0]:
                box.is_open = 1
            elif box.held > box.now[4]:
                box.is_open = 0
            if box.is_open:
                box.openness = min(1.0, box.openness + box.now[2])
            else:
                box.openness = max(0.0, box.openness - box.now[3])
            smooth = box.openness * box.openness * (3.0 - 2.0 * box.openness)
            gain = 1.0 - (1.0 - box.now[5]) * (1.0 - smooth)
            for c in range(box.channels):
                outputs[c][n] = inputs[c][n] * gain


BOX = Gate
