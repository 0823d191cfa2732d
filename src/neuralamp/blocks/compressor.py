"""Compressor: loud notes softer, so that all of it can be louder; the note's attack stays as much as you let it."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Choice, Knob, Part
from neuralamp.dsp.envelope import HOLD_MS, MARKS, held_peak, hold_rows
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.units import db_to_gain

DECIBELS = 20.0 / math.log(10.0)  # of one neper
LOWEST, HIGHEST = 1e-6, 1e6  # levels that are told apart: what is softer is never compressed, what is louder is no sound


class Compressor(Block):
    """Both channels get one gain, by the louder of them; levels are those of peaks, a sine of peak 1 has 0 dB.

    attack   after a step up of the level, 63 % of the change of gain, in decibels, is done in this time. With `feedback` that
             holds where the sound ends over the knee; within the knee it is faster.
    release  after a step down, 63 % of the change is undone in this time, the 12 ms in which the peak is held included. With
             `feedback` that holds where the sound falls under the knee; where it stays above, the loop takes it back up to
             `ratio` times as fast.
    """

    threshold = Knob(-24.0, -60.0, 0.0, "dB", "the peak level, under full scale, from which on it is made softer")
    ratio = Knob(4.0, 1.0, 20.0, "", "how many decibels more in make one more out; 1 leaves it as it is", taper="log")
    attack = Knob(10.0, 0.1, 200.0, "ms", "how soon it turns a loud note down: longer lets the pick through", taper="log")
    release = Knob(150.0, 20.0, 2000.0, "ms", "how soon it comes up again", taper="log")
    knee = Knob(6.0, 0.0, 24.0, "dB", "how wide around the threshold it sets in; 0 is a corner")
    makeup = Knob(0.0, 0.0, 30.0, "dB", "gain behind it")
    blend = Knob(100.0, 0.0, 100.0, "%", "how much of it is heard, the rest is the sound as it was; 0 leaves it untouched")
    detector = Choice(("feed-forward", "feedback"), "what it hears: what comes in, precise, or what goes out, soft as old ones")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Threshold, ratio, rates of attack and release, knee, gains of the compressed and of the untouched sound.

        A rate h takes 1 / (1 + h) of the way that is left in each frame: h = e^(frame / time) - 1.
        """
        frame_ms = 1000.0 / sample_rate
        blend = knobs.blend / 100.0
        return xp.stack(
            [
                knobs.threshold,
                knobs.ratio,
                xp.expm1(frame_ms / knobs.attack),
                xp.expm1(frame_ms / (knobs.release - HOLD_MS)),
                knobs.knee,
                blend * db_to_gain(knobs.makeup, xp),
                1.0 - blend,
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        rows = hold_rows(HOLD_MS * 1e-3 * sample_rate)
        loop = 1.0 if self.set["detector"] == "feedback" else 0.0
        values = self.start(sample_rate, channels) | {"half": rows.shape[1] - 1, "loop": loop}
        return Part(Node(self.play, values, {"recent": rows}), channels)

    # loop: how much of the reduction the detector hears, 1 or 0. reduction: how many decibels softer it is now.
    state = State(
        goal=(7,), now=(7,), slew=float, channels=int, half=int, loop=float, marks=(MARKS,), reduction=float, recent=POINTER
    )  # fmt: skip
    readings = ("reduction",)

    @node(state)
    def play(inputs, outputs, frames, state):
        """r += h (c(y) - r) / (1 + h (1 + loop c'(y))) with y = x - loop r, all in decibels; y[n] = x[n] (dry + wet 10^(-r/20)).

        c(y) = s { 0, (o + W/2)^2 / (2 W), o } under, in and over the knee of width W, with o = y - threshold: Giannoulis,
        Massberg and Reiss, "Digital Dynamic Range Compressor Design", JAES 2012, and their smooth branching detector in the log
        domain, behind the gain computer. Forward s = 1 - 1 / ratio; in the loop s = ratio - 1 gives the same slope, and the
        attack's rate over `ratio` the same time, since r = s (x - r - threshold) is r = (1 - 1 / ratio) (x - threshold).

        The step is Euler's, linearly implicit (Rosenbrock): the loop is closed within the frame, so that it is stable at every
        ratio and rate, and exact where c is straight. The peak is held before the gain, and what the loop hears is that peak at
        the gain of now: a hold within the loop would be late and swing.
        """
        box = carray(state, (1,))[0]
        now, loop, marks = box.now, box.loop, box.marks
        rows = floats_at(box.recent, (2, box.half + 1))
        gliding = glides(now, box.goal)
        for n in range(frames):
            for k in range(7 if gliding else 0):
                now[k] = glide(now[k], box.goal[k], box.slew)
            peak = 0.0
            for c in range(box.channels):
                sample = abs(inputs[c][n] + 0.0)
                peak = sample if sample > peak else peak
            held = held_peak(peak, rows, marks)
            heard = DECIBELS * np.log(min(max(held, LOWEST), HIGHEST)) - loop * box.reduction
            steepest = (now[1] - 1.0) if loop else 1.0 - 1.0 / now[1]
            over, knee = heard - now[0], now[4]
            if 2.0 * over >= knee:
                wanted, slope = steepest * over, steepest
            elif 2.0 * over > -knee:
                into = over + 0.5 * knee
                wanted, slope = steepest * into * into / (2.0 * knee), steepest * into / knee
            else:
                wanted, slope = 0.0, 0.0
            attack = now[2] / now[1] if loop else now[2]
            rate = attack if wanted > box.reduction else now[3]
            box.reduction += rate * (wanted - box.reduction) / (1.0 + rate * (1.0 + loop * slope))
            gain = now[6] + now[5] * np.exp(-box.reduction / DECIBELS)
            for c in range(box.channels):
                outputs[c][n] = inputs[c][n] * gain


BOX = Compressor
