"""Phaser: a few soft notches that sweep through the sound, as the stages of all-pass pedals make them."""

import math

from numba import carray

from neuralamp.block import Block, Choice, Knob, Part, Switch
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.node import CHANNELS, Node, State, node
from neuralamp.dsp.oscillator import cosine, turned
from neuralamp.dsp.tempo import FASTEST_BPM, NOTE_WORDS, SLOWEST_BPM, quarters

STAGES = 8
LOWEST_HZ, WIDEST_OCTAVES, MOST_FEEDBACK = 150.0, 3.0, 90.0

RATE, BEAT, G, DEPTH, FEEDBACK, WET = range(6)
GOALS = 6


class Phaser(Block):
    rate = Knob(0.5, 0.02, 10.0, "Hz", "how often the notches sweep up and down in a second, where note is off", taper="log")
    depth = Knob(2.0, 0.0, WIDEST_OCTAVES, "octaves", "how far they sweep, from their lowest to their highest place")
    frequency = Knob(600.0, LOWEST_HZ, 3000.0, "Hz", "the middle of the sweep: each stage turns by a quarter there", taper="log")
    feedback = Knob(0.0, -MOST_FEEDBACK, MOST_FEEDBACK, "%", "how sharply it speaks between the notches; below 0 hollow")
    mix = Knob(50.0, 0.0, 100.0, "%", "the turned share; the notches are deepest at 50, and gone at both ends")
    tempo = Knob(120.0, SLOWEST_BPM, FASTEST_BPM, "bpm", "quarters in a minute, where a note is chosen")
    stages = Choice(("4", "2", "6", "8"), "all-pass stages: a notch for every two")
    note = Choice(NOTE_WORDS, "the note that a sweep up and down lasts; t is a triplet, off goes by rate")
    stereo = Switch(False, "the right sweeps a quarter of the way behind the left; what comes out is stereo")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Cycles and quarters in a frame, g = tan(pi f / sample_rate), octaves to one side as a logarithm to e, two gains."""
        return xp.stack(
            [
                knobs.rate / sample_rate,
                knobs.tempo / (60.0 * sample_rate),
                xp.tan(knobs.frequency * (math.pi / sample_rate)),
                knobs.depth * (0.5 * math.log(2.0)),
                knobs.feedback / 100.0,
                knobs.mix / 100.0,
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        lanes = CHANNELS if self.set["stereo"] else channels
        beats = quarters(self.set["note"])
        fixed = {
            "lanes": lanes,
            "stages": int(self.set["stages"]),
            "per_quarter": 1.0 / beats if beats else 0.0,
            "apart": -0.25 if self.set["stereo"] else 0.0,
        }
        # ((w - s) / (w + s))^N = 1 / f at the slowest pole s, near -w ln(1 / f) / 2 N, with the sweep standing at its lowest.
        slowest = math.pi * LOWEST_HZ * 2.0 ** (-WIDEST_OCTAVES / 2.0) * math.log(100.0 / MOST_FEEDBACK) / STAGES
        tail = math.ceil(1.1 * math.log(1e6) / slowest * sample_rate)  # 1.1: other poles sound with it at first
        return Part(Node(self.play, self.start(sample_rate, channels) | fixed), lanes, tail_frames=tail)

    # per_quarter: sweeps in a quarter, 0 where they go by rate. apart: cycles from the left to the right.
    # memory: the charge of each stage's capacitor.
    state = State(
        goal=(GOALS,),
        now=(GOALS,),
        slew=float,
        channels=int,
        lanes=int,
        stages=int,
        per_quarter=float,
        apart=float,
        phase=float,
        memory=(CHANNELS, STAGES),
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """y = (1 - m) x + m w, w = A(x + f w), with N stages (w0 - s) / (w0 + s) in A: at m = 1/2 notches where A is -1, at
        tan(pi (2 k + 1) / 2 N) times the frequency, which the sweep moves by octaves.

        The stages are trapezoidal, stable however they are swept; A is p^N times what enters it plus what its capacitors hold, so
        the loop is solved in the same frame, and no notch is moved by a delay. Source: V. Zavalishin, "The Art of VA Filter
        Design", 2018.
        """
        box = carray(state, (1,))[0]
        now = box.now
        gliding = glides(now, box.goal)
        for n in range(frames):
            for k in range(GOALS if gliding else 0):
                now[k] = glide(now[k], box.goal[k], box.slew)
            for lane in range(box.lanes):
                x = inputs[min(lane, box.channels - 1)][n] + 0.0
                g = now[G] * math.exp(now[DEPTH] * cosine(turned(box.phase, lane * box.apart)))
                share = g / (1.0 + g)
                p, through, held = 2.0 * share - 1.0, 1.0, 0.0
                for k in range(box.stages):
                    through *= p
                    held = p * held + 2.0 * (1.0 - share) * box.memory[lane, k]
                wet = (x + now[FEEDBACK] * held) / (1.0 - now[FEEDBACK] * through)
                for k in range(box.stages):
                    charge = box.memory[lane, k]
                    box.memory[lane, k] = charge + 2.0 * share * (wet - charge)
                    wet = p * wet + 2.0 * (1.0 - share) * charge
                outputs[lane][n] = x + now[WET] * (wet - x)
            box.phase = turned(box.phase, box.per_quarter * now[BEAT] if box.per_quarter > 0.0 else now[RATE])


BOX = Phaser
