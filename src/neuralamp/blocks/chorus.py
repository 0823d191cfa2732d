"""Chorus: voices that sway beside your own, a few thousandths of a second behind it, wide where stereo is asked."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Choice, Knob, Part, Switch
from neuralamp.dsp.delay_line import line_size, put, take_between
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.mix import wet_for_dry
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.dsp.oscillator import cosine, turned
from neuralamp.units import time_coefficient

LATEST_MS, WIDEST_MS = 30.0, 8.0
MOVE_MS = 60.0  # the glide of the knobs: a delay that moved in 8 ms would whoop

RATE, DELAY, SWAY, DRY, WET = range(5)
GOALS = 5


class Chorus(Block):
    rate = Knob(0.8, 0.05, 8.0, "Hz", "how often the voices sway in a second", taper="log")
    depth = Knob(3.0, 0.0, WIDEST_MS, "ms", "how far a voice sways, from its earliest to its latest")
    delay = Knob(9.0, 5.0, LATEST_MS, "ms", "how far behind the voices are in the middle", taper="log")
    mix = Knob(50.0, 0.0, 100.0, "%", "the voices' share; at 50 as loud as you, and in all as loud as without")
    voices = Choice(("2", "1", "3", "4"), "how many there are on each side")
    stereo = Switch(False, "voices of the right's own, swaying between those of the left; what comes out is stereo")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Cycles in a frame, frames of the delay and of its swing to one side, dry and wet gain."""
        frames = sample_rate / 1000.0
        dry, wet = wet_for_dry(knobs.mix, xp)
        return xp.stack([knobs.rate / sample_rate, knobs.delay * frames, knobs.depth * (0.5 * frames), dry, wet])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        lanes = CHANNELS if self.set["stereo"] else channels
        longest = (LATEST_MS + 0.5 * WIDEST_MS) / 1000.0 * sample_rate
        voices, size = int(self.set["voices"]), line_size(longest)
        fixed = {
            "lanes": lanes,
            "voices": voices,
            "share": 1.0 / math.sqrt(voices),
            "apart": 0.5 / voices if self.set["stereo"] else 0.0,
            "size": size,
            "slew": time_coefficient(MOVE_MS, sample_rate),
        }
        memory = {"lines": np.zeros((channels, size), np.float32)}
        made = Node(self.play, self.start(sample_rate, channels) | fixed, memory)
        return Part(made, lanes, tail_frames=math.ceil(longest) + 2)

    # share: the gain of each voice. apart: cycles from a voice on the left to its neighbour on the right.
    state = State(
        goal=(GOALS,),
        now=(GOALS,),
        slew=float,
        channels=int,
        lanes=int,
        voices=int,
        share=float,
        apart=float,
        size=int,
        written=int,
        phase=float,
        lines=POINTER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """y = dry x + wet / sqrt(V) sum_k x(t - D - S cos(2 pi (phase + k / V))): V voices, evenly spread over a cycle.

        Their pitch is bent by 2 pi rate S at most. On the right all are half a step further, which with one voice is the opposite
        of the left, as in the first stereo choruses.
        """
        box = carray(state, (1,))[0]
        now = box.now
        lines = floats_at(box.lines, (box.channels, box.size))
        gliding = glides(now, box.goal)
        for n in range(frames):
            for k in range(GOALS if gliding else 0):
                now[k] = glide(now[k], box.goal[k], box.slew)
            for c in range(box.channels):
                put(lines[c], box.written, inputs[c][n])
            box.written += 1
            for lane in range(box.lanes):
                c = min(lane, box.channels - 1)
                wet = 0.0
                for voice in range(box.voices):
                    phase = turned(box.phase, voice / box.voices + lane * box.apart)
                    wet += take_between(lines[c], box.written, max(now[DELAY] + now[SWAY] * cosine(phase), 1.0))
                outputs[lane][n] = now[DRY] * inputs[c][n] + now[WET] * box.share * wet
            box.phase = turned(box.phase, now[RATE])


BOX = Chorus
