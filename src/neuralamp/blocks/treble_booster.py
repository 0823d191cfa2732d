"""Treble booster: one germanium transistor with hardly any bass in it, to push an amp over its edge."""

from functools import lru_cache

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.clipper import CLIPPER, bent, clipper_node, lowered, raised, tile_of
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.junctions import common_emitter, unit_slope
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.oversample import TILE
from neuralamp.dsp.poles import POLE_VALUES, first_order, one_pole
from neuralamp.dsp.shaper import shaper_table
from neuralamp.units import db_to_gain

# The Rangemaster: OC44, 10 kOhm at its collector, 3.9 kOhm and 47 uF at its emitter, the base at 1.14 V by 470 and 68 kOhm.
ACROSS = 2.2  # volts over the collector's resistor at rest: 0.22 mA
MOST = 8.0  # with the emitter at 0.9 V and 0.1 V left over the transistor
BASE = 0.022  # volts: 0.22 mA / 100 through 10 kOhm of pickup and cable
OUT = 0.22  # of those volts leave, so that a saturated stage is about full scale; at 20 dB of boost the stage has its own gain
OUT_HZ = 16.0  # 10 nF into 1 MOhm

HIGH_PASS, BEFORE = 0, POLE_VALUES
BLOCK, LEVEL, GOALS = BEFORE, BEFORE + POLE_VALUES, BEFORE + POLE_VALUES + 1


class TrebleBooster(Block):
    tail_seconds = 0.25  # the output's capacitor: 14 time constants of 10 ms

    boost = Knob(20.0, 0.0, 30.0, "dB", "gain into the transistor")
    corner = Knob(
        2600.0, 200.0, 6000.0, "Hz", "everything below is left behind; 2600 is about 4.7 nF, as it was sold", taper="log"
    )
    level = Knob(0.0, -40.0, 12.0, "dB", "how loud it leaves")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The input's capacitor with the boost, the output's capacitor, the level."""
        boost = db_to_gain(knobs.boost, xp)
        return xp.concat(
            [
                first_order(0.0, boost, knobs.corner, sample_rate, xp),
                first_order(0.0, 1.0, OUT_HZ * xp.ones_like(boost), sample_rate, xp),
                xp.stack([db_to_gain(knobs.level, xp)]),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        made = clipper_node(self.play, self.start(sample_rate, channels), sample_rate, channels, [_curve()])
        late = int(made.record["late"][0])
        return Part(made, channels, latency_frames=late, tail_frames=round(self.tail_seconds * sample_rate))

    state = State(goal=(GOALS,), now=(GOALS,), slew=float, channels=int, poles=(CHANNELS, 2), **CLIPPER)

    @node(state)
    def play(inputs, outputs, frames, state):
        """out = level block(T(boost high_pass(x))), upright where the circuit inverts."""
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
                    tile[c, n] = one_pole(x, now[HIGH_PASS], now[HIGH_PASS + 1], now[HIGH_PASS + 2], box.poles[c], 0)
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
    """The transistor: soft towards cut-off, which is near, and hard into saturation, which is far."""
    return shaper_table(unit_slope(lambda u: common_emitter(u, ACROSS, MOST, BASE), OUT))


BOX = TrebleBooster
