"""Distortion: a great deal of gain into two diodes to ground, and one knob that takes off the edge."""

import math
from functools import lru_cache

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.clipper import CLIPPER, bent, clipper_node, lowered, raised, tile_of
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import kernel
from neuralamp.dsp.junctions import SILICON, diode_pair
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.oversample import TILE
from neuralamp.dsp.poles import POLE_VALUES, first_order, one_pole
from neuralamp.dsp.shaper import shaper_table
from neuralamp.units import db_to_gain

R_BITE, C_BITE = 47.0, 2.2e-6  # one foot of the op-amp: everything above 1.5 kHz
R_BODY, C_BODY = 560.0, 4.7e-6  # the other: above 60 Hz, with a twelfth of the gain
R_FEET = R_BITE * R_BODY / (R_BITE + R_BODY)
GAIN_BANDWIDTH_HZ = 1e6  # of the LM308 with 30 pF: at full gain it is this that rounds the treble off
RAIL_VOLTS = 4.5
R_DIODES = 1000.0

POT, FILTER, LEVEL, GOALS = 0, 1, 1 + POLE_VALUES, 2 + POLE_VALUES


class Distortion(Block):
    tail_seconds = 0.08  # the body's foot has a time constant of 2.6 ms, and is seen through 67 dB

    distortion = Knob(45.0, 0.0, 67.0, "dB", "gain into the diodes")
    filter = Knob(4000.0, 475.0, 22000.0, "Hz", "everything above is taken away, 6 dB per octave", taper="log")
    level = Knob(-3.0, -40.0, 12.0, "dB", "how loud it leaves")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The pot, in ohms: the gain above all corners is 1 + R/R_FEET; the filter; the level."""
        ohms = R_FEET * (db_to_gain(knobs.distortion, xp) - 1.0)
        low_pass = first_order(1.0, 0.0, knobs.filter, sample_rate, xp)
        return xp.concat([xp.stack([ohms]), low_pass, xp.stack([db_to_gain(knobs.level, xp)])])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        bite, body = 0.5 / (R_BITE * C_BITE * sample_rate), 0.5 / (R_BODY * C_BODY * sample_rate)
        loop = [math.pi * GAIN_BANDWIDTH_HZ / sample_rate, bite, 1.0 / (R_BITE * (1.0 + bite))]
        loop += [body, 1.0 / (R_BODY * (1.0 + body))]
        values = self.start(sample_rate, channels) | {"loop": np.array(loop)}
        made = clipper_node(self.play, values, sample_rate, channels, [_curve()])
        late = int(made.record["late"][0])
        return Part(made, channels, latency_frames=late, tail_frames=round(self.tail_seconds * sample_rate))

    # loop: half a frame's charge of the op-amp, and of each foot's capacitor with the conductance that the foot has then.
    # charges: the op-amp's, the feet's, the filter's.
    state = State(goal=(GOALS,), now=(GOALS,), slew=float, channels=int, loop=(5,), charges=(CHANNELS, 4), **CLIPPER)

    @node(state)
    def play(inputs, outputs, frames, state):
        """out = level filter(D(op-amp(x))). The op-amp's slew rate, 0.3 V/us, is left out, and 100 pF across the pot, which would
        begin at 16 kHz where the op-amp has long been out of gain."""
        box = carray(state, (1,))[0]
        goal, now = box.goal, box.now
        gliding = glides(now, goal)
        tile = tile_of(box)
        for begin in range(0, frames, TILE):
            count = min(TILE, frames - begin)
            for n in range(count):
                for k in range(FILTER if gliding else 0):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    tile[c, n] = amplified(inputs[c][begin + n] + 0.0, now[POT], box.loop, box.charges[c])
            for c in range(box.channels):
                lowered(box, c, bent(box, c, 0, raised(box, c, count)))
            for n in range(count):
                for k in range(FILTER if gliding else GOALS, GOALS):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    y = one_pole(tile[c, n], now[FILTER], now[FILTER + 1], now[FILTER + 2], box.charges[c], 3)
                    outputs[c][begin + n] = now[LEVEL] * y


@kernel
def amplified(x, ohms, loop, charges):
    """One frame through the op-amp, by the trapezoidal rule: its output y rises with what x is above the inverting input v, and
    the pot's current (y - v)/R is what both feet take. Stable for every pot, as the circuit is.
    """
    op_amp, bite, bite_siemens, body, body_siemens = loop[0], loop[1], loop[2], loop[3], loop[4]
    feet = ohms * (bite_siemens + body_siemens)
    driven = charges[0] + op_amp * x + ohms * (bite_siemens * charges[1] + body_siemens * charges[2])
    v = driven / (1.0 + op_amp + feet)
    y = charges[0] + op_amp * (x - v)
    charges[0] = 2.0 * y - charges[0]
    charges[1] += 2.0 * bite / (1.0 + bite) * (v - charges[1])
    charges[2] += 2.0 * body / (1.0 + body) * (v - charges[2])
    return y


@lru_cache(maxsize=1)
def _curve() -> np.ndarray:
    """An op-amp that can go no further than its rails, then R_DIODES and the diodes."""
    return shaper_table(lambda u: diode_pair(u * (1.0 + (u / RAIL_VOLTS) ** 8) ** -0.125, R_DIODES, SILICON))


BOX = Distortion
