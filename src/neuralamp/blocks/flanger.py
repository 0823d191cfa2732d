"""Flanger: a comb of notches that sweeps through the sound, from a breath of air to a jet."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Choice, Knob, Part, Switch
from neuralamp.dsp.delay_line import line_size, put, take_between
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.dsp.oscillator import triangle, turned
from neuralamp.dsp.tempo import FASTEST_BPM, NOTE_WORDS, SLOWEST_BPM, quarters
from neuralamp.units import time_coefficient

LONGEST_MS, MOST_FEEDBACK = 15.0, 90.0
SHORTEST_FRAMES = 2.0  # what is fed back has been written a frame before, and a read between frames looks one ahead
MOVE_MS = 60.0  # the glide of the knobs: a delay that moved in 8 ms would whoop

RATE, BEAT, DELAY, DEPTH, FEEDBACK, WET = range(6)
GOALS = 6


class Flanger(Block):
    rate = Knob(0.25, 0.02, 10.0, "Hz", "how often the comb sweeps up and down in a second, where note is off", taper="log")
    depth = Knob(3.0, 0.0, 4.0, "octaves", "how far the notches sweep up from their lowest place")
    delay = Knob(5.0, 0.5, LONGEST_MS, "ms", "at its longest: the lowest notch is at 500 / delay Hz, 100 at 5 ms", taper="log")
    feedback = Knob(
        40.0, -MOST_FEEDBACK, MOST_FEEDBACK, "%", "how sharp the comb is; below 0 its peaks stand where they stood between"
    )
    mix = Knob(50.0, 0.0, 100.0, "%", "the delayed share; the notches are deepest at 50, and gone at both ends")
    tempo = Knob(120.0, SLOWEST_BPM, FASTEST_BPM, "bpm", "quarters in a minute, where a note is chosen")
    note = Choice(NOTE_WORDS, "the note that a sweep up and down lasts; t is a triplet, off goes by rate")
    stereo = Switch(False, "the right sweeps a quarter of the way behind the left; what comes out is stereo")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Cycles and quarters in a frame, frames of the delay, octaves as a logarithm to e, gains of loop and delayed."""
        return xp.stack(
            [
                knobs.rate / sample_rate,
                knobs.tempo / (60.0 * sample_rate),
                knobs.delay * (sample_rate / 1000.0),
                knobs.depth * math.log(2.0),
                knobs.feedback / 100.0,
                knobs.mix / 100.0,
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        lanes = CHANNELS if self.set["stereo"] else channels
        longest = LONGEST_MS / 1000.0 * sample_rate
        beats, size = quarters(self.set["note"]), line_size(longest)
        fixed = {
            "lanes": lanes,
            "per_quarter": 1.0 / beats if beats else 0.0,
            "apart": -0.25 if self.set["stereo"] else 0.0,
            "size": size,
            "slew": time_coefficient(MOVE_MS, sample_rate),
        }
        memory = {"lines": np.zeros((lanes, size), np.float32)}
        made = Node(self.play, self.start(sample_rate, channels) | fixed, memory)
        rounds = math.log(1e-6) / math.log(MOST_FEEDBACK / 100.0)  # to -120 dB
        return Part(made, lanes, tail_frames=math.ceil((rounds + 2.0) * longest))

    # per_quarter: sweeps in a quarter, 0 where they go by rate. apart: cycles from the left to the right.
    state = State(
        goal=(GOALS,),
        now=(GOALS,),
        slew=float,
        channels=int,
        lanes=int,
        per_quarter=float,
        apart=float,
        size=int,
        written=int,
        phase=float,
        lines=POINTER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """y = (1 - m) x + m w with w = line(t - D), line = x + f w: at m = 1/2 and f = 0 notches at (k + 1/2) / D.

        D = delay 2^(-octaves (1 - triangle) / 2): each octave of the sweep lasts as long as any other.
        """
        box = carray(state, (1,))[0]
        now = box.now
        lines = floats_at(box.lines, (box.lanes, box.size))
        gliding = glides(now, box.goal)
        for n in range(frames):
            for k in range(GOALS if gliding else 0):
                now[k] = glide(now[k], box.goal[k], box.slew)
            for lane in range(box.lanes):
                x = inputs[min(lane, box.channels - 1)][n] + 0.0
                sweep = triangle(turned(box.phase, lane * box.apart))
                delay = max(now[DELAY] * math.exp(-0.5 * now[DEPTH] * (1.0 - sweep)), SHORTEST_FRAMES)
                wet = take_between(lines[lane], box.written, delay - 1.0)
                put(lines[lane], box.written, x + now[FEEDBACK] * wet)
                outputs[lane][n] = x + now[WET] * (wet - x)
            box.written += 1
            box.phase = turned(box.phase, box.per_quarter * now[BEAT] if box.per_quarter > 0.0 else now[RATE])


BOX = Flanger
