"""Tilt: darker one way, brighter the other, around a frequency that stays as it is."""

from numba import carray

from neuralamp.block import Block, Knob
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.svf import integrator_gain
from neuralamp.units import db_to_gain


class Tilt(Block):
    tail_seconds = 0.1  # to -120 dB at 200 Hz and 12 dB of darkness, where the low-pass has its corner at 50 Hz

    tilt = Knob(0.0, -12.0, 12.0, "dB", "what the highest notes gain and the lowest lose; under 0 it is the other way round")
    centre = Knob(700.0, 200.0, 3000.0, "Hz", "the frequency that stays as it is", taper="log")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """With t = 10^(tilt / 20): the low-pass's g / (1 + g) at t times the centre, and the gains of input and low-pass."""
        t = db_to_gain(knobs.tilt, xp)
        g = t * integrator_gain(knobs.centre, sample_rate, xp)
        return xp.stack([g / (1.0 + g), t, 1.0 / t - t])

    state = State(goal=(3,), now=(3,), slew=float, channels=int, memory=(CHANNELS,))

    @node(state)
    def play(inputs, outputs, frames, state):
        """H(s) = (t s + 1) / (s + t), s over the centre: 1 / t far below, 1 at it, t far above; t = 1 changes nothing.

        As t + (1/t - t) times a low-pass by trapezoidal integration, stable however its values move (see dsp/svf.py).
        """
        box = carray(state, (1,))[0]
        now, goal, memory = box.now, box.goal, box.memory
        gliding = glides(now, goal)
        for n in range(frames):
            for k in range(3 if gliding else 0):
                now[k] = glide(now[k], goal[k], box.slew)
            for c in range(box.channels):
                sample = inputs[c][n] + 0.0
                charge = now[0] * (sample - memory[c])
                low = memory[c] + charge
                memory[c] = low + charge
                outputs[c][n] = now[1] * sample + now[2] * low


BOX = Tilt
