"""Fuzz: two germanium transistors, one wiping the floor with the other; loud, woolly, lopsided."""

from functools import lru_cache

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.clipper import CLIPPER, bent, clipper_node, lowered, raised, tile_of
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import kernel
from neuralamp.dsp.junctions import common_emitter, unit_slope
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.oversample import TILE, oversampling
from neuralamp.dsp.poles import POLE_VALUES, first_order, one_pole
from neuralamp.dsp.shaper import shaper_table
from neuralamp.units import db_to_gain

# The Fuzz Face of 1966: two AC128 on 9 V, 33 kOhm at the first collector, which is the second's base, 8.67 kOhm at the second.
FIRST_ACROSS, FIRST_MOST = 8.4, 8.9  # volts over 33 kOhm: 0.25 mA at rest, with the second base at 0.6 V
FIRST_BASE = 0.016  # volts: 0.25 mA / 80 through 5 kOhm of a guitar turned up
SECOND_ACROSS, SECOND_MOST = 4.5, 8.4  # volts over 8.67 kOhm: 0.52 mA at rest, the emitter held at 0.5 V
SECOND_BASE = 0.16  # volts: 0.52 mA / 110 through the first one's 33 kOhm
OUT = 0.12  # of those volts leave, so that a full swing is about half of full scale
IN_HZ = 5.0  # 2.2 uF into 14 kOhm, of the guitar and the first base at rest
CHARGED_FROM = 0.5  # of the curve's input: where the base conducts and charges that capacitor through the guitar alone,
CHARGED_BY = 4.0  # so many times as fast: 3.5 kOhm against 14
OUT_HZ = 32.0  # 10 nF into 500 kOhm

GAIN, BEFORE = 0, 1
BLOCK, LEVEL, GOALS = BEFORE, BEFORE + POLE_VALUES, BEFORE + POLE_VALUES + 1


class Fuzz(Block):
    tail_seconds = 0.8  # the input's capacitor has a time constant of 32 ms, and is seen through all the gain

    fuzz = Knob(40.0, 0.0, 55.0, "dB", "gain into the pair of transistors; the guitar's own volume does the same")
    level = Knob(0.0, -40.0, 12.0, "dB", "how loud it leaves")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The gain, the output's capacitor, the level."""
        gain = db_to_gain(knobs.fuzz, xp)
        return xp.concat(
            [
                xp.stack([gain]),
                first_order(0.0, 1.0, OUT_HZ * xp.ones_like(gain), sample_rate, xp),
                xp.stack([db_to_gain(knobs.level, xp)]),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        per_step = 2.0 * np.pi * IN_HZ / (sample_rate * oversampling(sample_rate).factor)
        values = self.start(sample_rate, channels) | {"per_step": per_step}
        made = clipper_node(self.play, values, sample_rate, channels, [_curve()])
        late = int(made.record["late"][0])
        return Part(made, channels, latency_frames=late, tail_frames=round(self.tail_seconds * sample_rate))

    # per_step: how fast the input's capacitor charges, at the fast clock. poles: that capacitor, and the output's.
    state = State(goal=(GOALS,), now=(GOALS,), slew=float, channels=int, per_step=float, poles=(CHANNELS, 2), **CLIPPER)

    @node(state)
    def play(inputs, outputs, frames, state):
        """out = level block(F(charged(gain x))). The feedback from the second emitter to the first base, which a capacitor holds
        still at full fuzz, is left out."""
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
                    tile[c, n] = now[GAIN] * inputs[c][begin + n]
            for c in range(box.channels):
                line = raised(box, c, count)
                charge(line, box.per_step, box.poles[c])
                lowered(box, c, bent(box, c, 0, line))
            for n in range(count):
                for k in range(BEFORE if gliding else GOALS, GOALS):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    y = one_pole(tile[c, n], now[BLOCK], now[BLOCK + 1], now[BLOCK + 2], box.poles[c], 1)
                    outputs[c][begin + n] = now[LEVEL] * y


@kernel
def charge(line, per_step, poles):
    """Take the input's capacitor off the line. What the base takes on one side only charges it, so that a loud note pushes the
    transistors away from their rest, the wave gets narrower on one side, and it comes back as the note dies."""
    held, kept, taken = poles[0], 1.0 - per_step, 1.0 - CHARGED_BY * per_step
    for n in range(1, line.size):
        x = line[n]
        line[n] = x - held
        # either way to charge it, whichever charges it more: they meet where the base begins to conduct
        held = max(kept * held + per_step * x, taken * held + per_step * (CHARGED_BY * x - (CHARGED_BY - 1.0) * CHARGED_FROM))
    poles[0] = held


@lru_cache(maxsize=1)
def _curve() -> np.ndarray:
    """One collector feeds the next base: what the first takes away, the second lacks. Two inversions, so upright."""

    def pair(u):
        first = common_emitter(u, FIRST_ACROSS, FIRST_MOST, FIRST_BASE)
        return -common_emitter(-first, SECOND_ACROSS, SECOND_MOST, SECOND_BASE)

    return shaper_table(unit_slope(pair, OUT))


BOX = Fuzz
