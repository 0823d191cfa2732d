"""Big fuzz: two clippers in a row for a wall that sustains, and a tone knob with a hole in the middle."""

import math
from functools import lru_cache

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.clipper import CLIPPER, bent, clipper_node, lowered, raised, tile_of
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.junctions import SILICON, diode_pair
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.oversample import TILE, oversampling
from neuralamp.dsp.poles import POLE_VALUES, first_order, one_pole, second_order, two_poles
from neuralamp.dsp.shaper import shaper_table
from neuralamp.dsp.svf import VALUES, svf
from neuralamp.units import db_to_gain

# The Big Muff Pi in one of its many versions: each clipper is a transistor, R_IN and C_IN before it, R_BACK, C_BACK and the
# diodes from collector to base.
R_IN, C_IN = 8200.0, 100e-9
R_BACK, C_BACK = 470e3, 470e-12
OPEN_GAIN = 57.0  # of the transistor: 12 kOhm at its collector over 150 Ohm and its own 60 at the emitter
# At rest a stage is A s C_IN / (s C_IN + (1 + A) (1/R_BACK + s C_BACK) (1 + s R_IN C_IN)) with A the open gain: two poles,
# 1 + S1 s + S2 s^2, and so a high-pass at the slow one and a low-pass at the fast one.
S1 = R_BACK * (C_IN / (1.0 + OPEN_GAIN) + C_BACK) + R_IN * C_IN
S2 = R_IN * C_IN * R_BACK * C_BACK
SLOW_HZ, FAST_HZ = ((S1 + sign * math.sqrt(S1 * S1 - 4.0 * S2)) / (4.0 * math.pi * S2) for sign in (-1.0, 1.0))
STAGE_GAIN = 2.0 * math.pi * SLOW_HZ * C_IN * R_BACK * OPEN_GAIN / (1.0 + OPEN_GAIN)  # between the two: 28 dB
R_DIODES = R_IN * R_BACK / (R_IN + (R_IN + R_BACK) / OPEN_GAIN)  # what the diodes see beside them
R1, C1, C2, R2, R_TONE = 39e3, 10e-9, 4e-9, 22e3, 100e3  # the tone stack: a low-pass and a high-pass, and a pot between them
OUT_DB = 13.0  # the last transistor makes up for the tone stack

HIGH_PASS, LOW_PASS, BEFORE = 0, POLE_VALUES, 2 * POLE_VALUES
TONE, LEVEL, GOALS = BEFORE, BEFORE + VALUES, BEFORE + VALUES + 1


class BigFuzz(Block):
    tail_seconds = 0.15  # the capacitors before the clippers: 1.8 ms each, seen through 80 dB

    sustain = Knob(36.0, 0.0, 50.0, "dB", "gain into the first clipper; the second has 28 dB more")
    tone = Knob(50.0, 0.0, 100.0, "%", "from dark to bright, with a hole around 1 kHz between them")
    level = Knob(-3.0, -40.0, 12.0, "dB", "how loud it leaves")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The first clipper's capacitors with the gain; the tone stack; the level.

        With conductances g = 1/R, node a behind R1 on C1 and node b behind C2 on R2 are joined by the pot:
        a (g1 + gp + s C1) - b gp = g1 and b (g2 + gp + s C2) - a gp = s C2; out is (1 - T) a + T b.
        """
        gain, share = db_to_gain(knobs.sustain, xp), knobs.tone / 100.0
        g1, g2, gp = 1.0 / R1, 1.0 / R2, 1.0 / R_TONE
        rest = (g1 + gp) * (g2 + gp) - gp * gp
        dark, bright = (g1 * (g2 + gp), C2 * (g1 + gp), 0.0), (g1 * gp, C2 * (g1 + gp), C1 * C2)
        above = tuple(((1.0 - share) * a + share * b) / rest for a, b in zip(dark, bright, strict=True))
        one = xp.ones_like(share)
        below = (one * ((C1 * (g2 + gp) + C2 * (g1 + gp)) / rest), one * (C1 * C2 / rest))
        return xp.concat(
            [
                first_order(0.0, gain, one * SLOW_HZ, sample_rate, xp),
                first_order(1.0, 0.0, one * FAST_HZ, sample_rate, xp),
                second_order(above, below, sample_rate, xp),
                xp.stack([db_to_gain(knobs.level + OUT_DB, xp)]),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        fast = sample_rate * oversampling(sample_rate).factor
        high_pass = first_order(0.0, STAGE_GAIN, np.float64(SLOW_HZ), fast, np)
        low_pass = first_order(1.0, 0.0, np.float64(FAST_HZ), fast, np)
        values = self.start(sample_rate, channels) | {"between": np.concatenate([high_pass, low_pass])}
        made = clipper_node(self.play, values, sample_rate, channels, [_curve()] * 2)
        late = int(made.record["late"][0])
        return Part(made, channels, latency_frames=late, tail_frames=round(self.tail_seconds * sample_rate))

    # between: the second clipper's capacitors, at the fast clock. poles: two capacitors before each clipper.
    state = State(
        goal=(GOALS,),
        now=(GOALS,),
        slew=float,
        channels=int,
        between=(2 * POLE_VALUES,),
        poles=(CHANNELS, 4),
        tone_memory=(CHANNELS, 2),
        **CLIPPER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """out = level tone(D(stage(D(gain stage(x))))). The capacitor beside the diodes stands before them: that it is shunted
        while they conduct is left out, and so are the transistors' own limits, which the diodes keep it from."""
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
                    x = one_pole(x, now[HIGH_PASS], now[HIGH_PASS + 1], now[HIGH_PASS + 2], box.poles[c], 0)
                    tile[c, n] = one_pole(x, now[LOW_PASS], now[LOW_PASS + 1], now[LOW_PASS + 2], box.poles[c], 1)
            for c in range(box.channels):
                line = raised(box, c, count)
                two_poles(bent(box, c, 0, line), line[1:], box.between, box.poles[c], 2)
                lowered(box, c, bent(box, c, 1, line))
            for n in range(count):
                for k in range(BEFORE if gliding else GOALS, GOALS):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    outputs[c][begin + n] = now[LEVEL] * svf(tile[c, n], now[TONE:LEVEL], box.tone_memory[c])


@lru_cache(maxsize=1)
def _curve() -> np.ndarray:
    """Two diodes between collector and base, with what the stage amounts to beside them."""
    return shaper_table(lambda u: diode_pair(u, R_DIODES, SILICON))


BOX = BigFuzz
