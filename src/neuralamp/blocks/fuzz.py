"""Fuzz: two germanium transistors, one wiping the floor with the other; loud, woolly, lopsided."""

from functools import lru_cache

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.circuit import POLE_VALUES, first_order, one_pole
from neuralamp.dsp.clipper import CLIPPER, bent, clipper_node, lowered, raised, tile_of
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.junctions import common_emitter, unit_slope
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.oversample import TILE
from neuralamp.dsp.shaper import shaper_table
from neuralamp.units import db_to_gain

# The Fuzz Face of 1966: two AC128 on 9 V, 33 kOhm at the first collector, which is the second's base, 8.67 kOhm at the second.
FIRST_ACROSS, FIRST_MOST = 7.6, 8.9  # volts over 33 kOhm: 0.23 mA at rest, with the second base at 1.4 V
FIRST_BASE = 0.014  # volts: 0.23 mA / 80 through 5 kOhm of a guitar turned up
SECOND_ACROSS, SECOND_MOST = 4.5, 7.7  # volts over 8.67 kOhm: 0.52 mA at rest, the emitter held at 1.2 V
SECOND_BASE = 0.16  # volts: 0.52 mA / 110 through the first one's 33 kOhm
OUT = 0.12  # of those volts leave, so that a full swing is about half of full scale
IN_HZ = 30.0  # 2.2 uF into the first base
OUT_HZ = 32.0  # 10 nF into 500 kOhm
TAIL_SECONDS = 0.3  # both capacitors at 5 ms, the first one's seen through all the gain

IN, BEFORE = 0, POLE_VALUES
BLOCK, LEVEL, GOALS = BEFORE, BEFORE + POLE_VALUES, BEFORE + POLE_VALUES + 1


class Fuzz(Block):
    fuzz = Knob(40.0, 0.0, 55.0, "dB", "gain into the pair of transistors; the guitar's own volume does the same")
    level = Knob(0.0, -40.0, 12.0, "dB", "how loud it leaves")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The input's capacitor with the gain, the output's capacitor, the level."""
        gain = db_to_gain(knobs.fuzz, xp)
        return xp.concat(
            [
                first_order(0.0, gain, IN_HZ * xp.ones_like(gain), sample_rate, xp),
                first_order(0.0, 1.0, OUT_HZ * xp.ones_like(gain), sample_rate, xp),
                xp.stack([db_to_gain(knobs.level, xp)]),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        made = clipper_node(self.play, self.start(sample_rate, channels), sample_rate, channels, [_curve()])
        late = int(made.record["late"][0])
        return Part(made, channels, latency_frames=late, tail_frames=round(TAIL_SECONDS * sample_rate))

    state = State(goal=(GOALS,), now=(GOALS,), slew=float, channels=int, poles=(CHANNELS, 2), **CLIPPER)

    @node(state)
    def play(inputs, outputs, frames, state):
        """out = level block(F(gain in(x))). The feedback from the second emitter to the first base, which a capacitor holds still
        at full fuzz, and the drift of the rest with how hard it is played are left out."""
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
                    x = inputs[c][begin + n] + 0.0
                    tile[c, n] = one_pole(x, now[IN], now[IN + 1], now[IN + 2], box.poles[c], 0)
            for c in range(box.channels):
                lowered(box, c, bent(box, c, 0, raised(box, c, count)))
            for n in range(count):
                for k in range(BEFORE if gliding else GOALS, GOALS):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    y = one_pole(tile[c, n], now[BLOCK], now[BLOCK + 1], now[BLOCK + 2], box.poles[c], 1)
                    outputs[c][begin + n] = now[LEVEL] * y


@lru_cache(maxsize=1)
def _curve() -> np.ndarray:
    """One collector feeds the next base: what the first takes away, the second lacks. Two inversions, so upright."""

    def pair(u):
        first = common_emitter(u, FIRST_ACROSS, FIRST_MOST, FIRST_BASE)
        return -common_emitter(-first, SECOND_ACROSS, SECOND_MOST, SECOND_BASE)

    return shaper_table(unit_slope(pair, OUT))


BOX = Fuzz
