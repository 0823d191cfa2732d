"""Wah: a peak that the foot sweeps, or that each pick sweeps by itself."""

import math

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import doubles_at, inlined
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.dsp.svf import VALUES, integrator_gain, svf
from neuralamp.units import db_to_gain, time_coefficient

HEEL_HZ = 450.0
SWEEP_OCTAVES = 2.3  # to 2216 Hz with the toe down
WIDENS = 4.0  # times, from heel to toe
STEPS = 256  # of a table over the pedal's travel, straight lines between: the peak is off by less than 0.01 cents


class Wah(Block):
    tail_seconds = 0.2  # to -120 dB at the heel with a Q of 16, a time constant of 11 ms

    pedal = Knob(50.0, 0.0, 100.0, "%", "where the pedal stands: 0 is heel down, 450 Hz; 100 is toe down, 2.2 kHz")
    q = Knob(8.0, 2.0, 16.0, "", "sharpness of the peak with the heel down; with the toe down it is a quarter", taper="log")
    sweep = Knob(
        0.0, -100.0, 100.0, "%", "how far a pick moves the pedal by itself; under 0 it moves down, 0 leaves it to the foot"
    )
    sensitivity = Knob(-20.0, -60.0, 0.0, "dB", "the level of a pick, under full scale, that sweeps all of that way")
    attack = Knob(5.0, 0.5, 100.0, "ms", "how fast a pick moves it", taper="log")
    release = Knob(150.0, 10.0, 2000.0, "ms", "how fast it comes back", taper="log")
    level = Knob(12.0, -12.0, 24.0, "dB", "gain at the peak; the pedals of the 1960s have about 18")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Pedal and sweep as shares of the travel, 1 / the full pick, the steps of the pick's level, 1 / Q at the heel, gain."""
        return xp.stack(
            [
                knobs.pedal / 100.0,
                knobs.sweep / 100.0,
                db_to_gain(-knobs.sensitivity, xp),
                time_coefficient(knobs.attack, sample_rate, xp),
                time_coefficient(knobs.release, sample_rate, xp),
                1.0 / knobs.q,
                db_to_gain(knobs.level, xp),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        travel = np.linspace(0.0, 1.0, STEPS + 1)
        table = np.stack(
            [integrator_gain(HEEL_HZ * 2.0 ** (SWEEP_OCTAVES * travel), sample_rate, np), np.exp(math.log(WIDENS) * travel)]
        )
        made = Node(self.play, self.start(sample_rate, channels), constants={"table": table})
        return Part(made, channels, tail_frames=round(self.tail_seconds * sample_rate))

    # level: of the picks, the same for both channels. values: of the filter, see dsp/svf.py.
    state = State(
        goal=(7,), now=(7,), slew=float, channels=int, level=float, values=(VALUES,), memory=(CHANNELS, 2), table=POINTER
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """A band-pass at 450 * 2^(2.3 p) Hz with 1 / Q = 4^p / q, p the pedal's travel from 0 to 1.

        Source: frequency and Q were measured on a Cry Baby by J. O. Smith, "Virtual Electric Guitars and Effects Using Faust and
        Octave", Linux Audio Conference 2008; the same gain over all of the travel is this box's own.
        """
        box = carray(state, (1,))[0]
        now, values, memory = box.now, box.values, box.memory
        table = doubles_at(box.table, (2, STEPS + 1))
        gliding = glides(now, box.goal)
        for n in range(frames):
            for k in range(7 if gliding else 0):
                now[k] = glide(now[k], box.goal[k], box.slew)
            loudest = 0.0
            for c in range(box.channels):
                loudest = max(loudest, abs(inputs[c][n] + 0.0))
            box.level += (now[3] if loudest > box.level else now[4]) * (loudest - box.level)
            travel = STEPS * _within(now[0] + now[1] * _within(now[2] * box.level))
            step = min(int(travel), STEPS - 1)
            part = travel - step
            values[0] = table[0, step] + part * (table[0, step + 1] - table[0, step])
            values[1] = now[5] * (table[1, step] + part * (table[1, step + 1] - table[1, step]))
            values[3] = now[6] * values[1]
            for c in range(box.channels):
                outputs[c][n] = svf(inputs[c][n] + 0.0, values, memory[c])


@inlined
def _within(share):
    """From 0 to 1, and 0 for what is no number."""
    return 0.0 if not share > 0.0 else (share if share < 1.0 else 1.0)


BOX = Wah
