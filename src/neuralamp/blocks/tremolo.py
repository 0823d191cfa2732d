"""Tremolo: louder and softer in a steady beat, from a soft throb to a chop, or from side to side."""

import math

from numba import carray

from neuralamp.block import Block, Choice, Knob, Part, Switch
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.node import CHANNELS, Node, State, node
from neuralamp.dsp.oscillator import cosine, turned
from neuralamp.dsp.tempo import FASTEST_BPM, NOTE_WORDS, SLOWEST_BPM, quarters

EDGE = 0.03  # of a sine's height: how steep the squarest shape is, from 1/4 to 3/4 in 0.55 % of a cycle, 1.1 ms at 5 Hz

RATE, BEAT, DEPTH, SHAPE = range(4)
GOALS = 4


class Tremolo(Block):
    rate = Knob(5.0, 0.1, 20.0, "Hz", "how many beats in a second, where note is off", taper="log")
    depth = Knob(50.0, 0.0, 100.0, "%", "how much of the sound goes at the softest; 50 is 6 dB, 100 is silence")
    shape = Knob(0.0, 0.0, 100.0, "%", "from a soft sine to a square with rounded corners")
    tempo = Knob(120.0, SLOWEST_BPM, FASTEST_BPM, "bpm", "quarters in a minute, where a note is chosen")
    note = Choice(NOTE_WORDS, "the note that a beat lasts; t is a triplet, off goes by rate")
    pan = Switch(False, "from side to side: the right is softest where the left is loudest; what comes out is stereo")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Cycles and quarters in a frame, depth and shape from 0 to 1."""
        return xp.stack([knobs.rate / sample_rate, knobs.tempo / (60.0 * sample_rate), knobs.depth / 100.0, knobs.shape / 100.0])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        lanes, beats = CHANNELS if self.set["pan"] else channels, quarters(self.set["note"])
        fixed = {"lanes": lanes, "per_quarter": 1.0 / beats if beats else 0.0, "pan": int(self.set["pan"])}
        return Part(Node(self.play, self.start(sample_rate, channels) | fixed), lanes)

    # per_quarter: beats in a quarter, 0 where they go by rate.
    state = State(
        goal=(GOALS,), now=(GOALS,), slew=float, channels=int, lanes=int, per_quarter=float, pan=int, phase=float
    )  # fmt: skip

    @node(state)
    def play(inputs, outputs, frames, state):
        """gain = 1 - depth (1 - v) / 2, where v goes from 1 to -1 and back: c = cos(2 pi phase), or the square
        c sqrt((1 + e^2) / (c^2 + e^2)), or what lies between. It begins at its loudest.
        """
        box = carray(state, (1,))[0]
        now = box.now
        gliding = glides(now, box.goal)
        for n in range(frames):
            for k in range(GOALS if gliding else 0):
                now[k] = glide(now[k], box.goal[k], box.slew)
            wave = cosine(box.phase)
            square = wave * math.sqrt((1.0 + EDGE * EDGE) / (wave * wave + EDGE * EDGE))
            value = wave + now[SHAPE] * (square - wave)
            for lane in range(box.lanes):
                gain = 1.0 - 0.5 * now[DEPTH] * (1.0 + value if lane and box.pan else 1.0 - value)
                outputs[lane][n] = inputs[min(lane, box.channels - 1)][n] * gain
            box.phase = turned(box.phase, box.per_quarter * now[BEAT] if box.per_quarter > 0.0 else now[RATE])


BOX = Tremolo
