"""Distortion: a great deal of gain into two diodes to ground, and one knob that takes off the edge."""

from functools import lru_cache

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.circuit import POLE_VALUES, corner_hz, first_order, one_pole
from neuralamp.dsp.clipper import CLIPPER, bent, clipper_node, lowered, raised, tile_of
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.junctions import SILICON, diode_pair
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.oversample import TILE
from neuralamp.dsp.shaper import shaper_table
from neuralamp.units import db_to_gain

R_BITE, C_BITE = 47.0, 2.2e-6  # one foot of the op-amp: everything above 1.5 kHz
R_BODY, C_BODY = 560.0, 4.7e-6  # the other: above 60 Hz, with a twelfth of the gain
R_FEET = R_BITE * R_BODY / (R_BITE + R_BODY)
C_BACK = 100e-12  # beside the distortion pot
GAIN_BANDWIDTH_HZ = 1e6  # of the LM308 with 30 pF: at full gain it is this that rounds the treble off
RAIL_VOLTS = 4.5
R_DIODES = 1000.0
TAIL_SECONDS = 0.08  # the body's foot has a time constant of 2.6 ms, the loudest it can be 67 dB of it

BITE, BITE_TOP, BODY, BODY_TOP, BEFORE = range(0, 5 * POLE_VALUES, POLE_VALUES)
FILTER, LEVEL, GOALS = BEFORE, BEFORE + POLE_VALUES, BEFORE + POLE_VALUES + 1


class Distortion(Block):
    distortion = Knob(45.0, 0.0, 67.0, "dB", "gain into the diodes")
    filter = Knob(4000.0, 475.0, 22000.0, "Hz", "everything above is taken away, 6 dB per octave", taper="log")
    level = Knob(-3.0, -40.0, 12.0, "dB", "how loud it leaves")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Both feet's high-passes, and the gain of each with its low-pass; the filter; the level.

        The gain above all corners is 1 + R/R_FEET with the pot R. A foot r has R/r of it, up to where the op-amp has no more,
        GAIN_BANDWIDTH_HZ r/R, or C_BACK bridges the pot: both time constants added.
        """
        ohms = R_FEET * (db_to_gain(knobs.distortion, xp) - 1.0)
        goals = []
        for foot, farads in ((R_BITE, C_BITE), (R_BODY, C_BODY)):
            slowness = ohms / foot / GAIN_BANDWIDTH_HZ + 1.0 / corner_hz(ohms + foot, C_BACK)
            goals += [
                first_order(0.0, 1.0, corner_hz(foot, farads) * xp.ones_like(ohms), sample_rate, xp),
                first_order(ohms / foot, 0.0, 1.0 / slowness, sample_rate, xp),
            ]
        goals += [first_order(1.0, 0.0, knobs.filter, sample_rate, xp), xp.stack([db_to_gain(knobs.level, xp)])]
        return xp.concat(goals)

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        made = clipper_node(self.play, self.start(sample_rate, channels), sample_rate, channels, [_curve()])
        late = int(made.record["late"][0])
        return Part(made, channels, latency_frames=late, tail_frames=round(TAIL_SECONDS * sample_rate))

    state = State(goal=(GOALS,), now=(GOALS,), slew=float, channels=int, poles=(CHANNELS, 5), **CLIPPER)

    @node(state)
    def play(inputs, outputs, frames, state):
        """out = level filter(D(x + bite(x) + body(x))). The op-amp's slew rate, 0.3 V/us, is left out."""
        box = carray(state, (1,))[0]
        goal, now = box.goal, box.now
        gliding = glides(now, goal)
        tile = tile_of(box)
        for begin in range(0, frames, TILE):
            count = min(TILE, frames - begin)
            for n in range(count):
                for k in range(BEFORE if gliding else 0):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    x, poles = inputs[c][begin + n] + 0.0, box.poles[c]
                    bite = one_pole(x, now[BITE], now[BITE + 1], now[BITE + 2], poles, 0)
                    body = one_pole(x, now[BODY], now[BODY + 1], now[BODY + 2], poles, 1)
                    x += one_pole(bite, now[BITE_TOP], now[BITE_TOP + 1], now[BITE_TOP + 2], poles, 2)
                    tile[c, n] = x + one_pole(body, now[BODY_TOP], now[BODY_TOP + 1], now[BODY_TOP + 2], poles, 3)
            for c in range(box.channels):
                lowered(box, c, bent(box, c, 0, raised(box, c, count)))
            for n in range(count):
                for k in range(BEFORE if gliding else GOALS, GOALS):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    y = one_pole(tile[c, n], now[FILTER], now[FILTER + 1], now[FILTER + 2], box.poles[c], 4)
                    outputs[c][begin + n] = now[LEVEL] * y


@lru_cache(maxsize=1)
def _curve() -> np.ndarray:
    """An op-amp that can go no further than its rails, then R_DIODES and the diodes."""
    return shaper_table(lambda u: diode_pair(u * (1.0 + (u / RAIL_VOLTS) ** 8) ** -0.125, R_DIODES, SILICON))


BOX = Distortion
