"""Overdrive: warm, singing distortion with a hump in the middle, which lets the clean string through."""

from functools import lru_cache

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.clipper import CLIPPER, bent, clipper_node, lowered, raised, tile_of
from neuralamp.dsp.delay_line import put, take
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import doubles_at
from neuralamp.dsp.junctions import SILICON, diode_pair
from neuralamp.dsp.node import CHANNELS, POINTER, State, node
from neuralamp.dsp.oversample import TILE
from neuralamp.dsp.poles import POLE_VALUES, corner_hz, first_order, one_pole, second_order
from neuralamp.dsp.shaper import shaper_table
from neuralamp.dsp.svf import VALUES, svf
from neuralamp.units import db_to_gain

R4, C3 = 4700.0, 47e-9  # in the op-amp's foot: only what is above 720 Hz is amplified
C4 = 51e-12  # beside the diodes
R_DRIVE = 200e3  # of the drive pot, where the diodes' curve is taken: the level is within 1.5 dB of the circuit's at its ends
R7, C5 = 1000.0, 220e-9  # behind the clipper: a low-pass at 723 Hz; 10 kOhm to the bias beside C5 is left out, under 1 dB
R8, C6, R_TONE, R_BACK = 220.0, 220e-9, 20e3, 1000.0  # the tone pot between the inputs of the second op-amp
CLEAN = 128  # frames: more than a tile, and what the clipper is late
LEAST_OHMS = 1.0  # a pot at its end

HIGH_PASS, LOW_PASS, GAIN, BEFORE = 0, POLE_VALUES, 2 * POLE_VALUES, 2 * POLE_VALUES + 1
TONE, LEVEL, GOALS = BEFORE, BEFORE + VALUES, BEFORE + VALUES + 1


class Overdrive(Block):
    tail_seconds = 0.05  # the tone stage's time constant is 1.1 ms

    drive = Knob(26.0, 0.0, 41.4, "dB", "gain into the diodes; the pedal's own pot begins at 21.5")
    tone = Knob(50.0, 0.0, 100.0, "%", "from dark to bright")
    level = Knob(-3.0, -40.0, 12.0, "dB", "how loud it leaves")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The clipper's high-pass, low-pass and gain; the tone stage; the level.

        The op-amp's gain for what is above 720 Hz is 1 + R/R4 with the pot R, and R C4 is a low-pass.

        Between the inputs of an op-amp, which are at one voltage V, the tone pot is T and 1 - T of R_TONE, and its wiper leads to
        ground by Z = R8 + 1/(s C6): with Y = 1 / (Z + T (1 - T) R_TONE) each side gets its share of V Y, and
        H = (1 + R_BACK T Y) / (1 + s R7 C5 + R7 (1 - T) Y).
        """
        gain = db_to_gain(knobs.drive, xp)
        ohms = R4 * (gain - 1.0) + LEAST_OHMS
        share = knobs.tone / 100.0
        wiper = (R8 + share * (1.0 - share) * R_TONE) * C6
        above = (xp.ones_like(share), wiper + R_BACK * C6 * share, xp.zeros_like(share))
        below = (wiper + R7 * C5 + R7 * C6 * (1.0 - share), wiper * R7 * C5)
        return xp.concat(
            [
                first_order(0.0, 1.0, corner_hz(R4, C3) * xp.ones_like(gain), sample_rate, xp),
                first_order(1.0, 0.0, corner_hz(ohms, C4), sample_rate, xp),
                xp.stack([gain - 1.0]),
                second_order(above, below, sample_rate, xp),
                xp.stack([db_to_gain(knobs.level, xp)]),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        clean = np.zeros((channels, CLEAN))
        made = clipper_node(self.play, self.start(sample_rate, channels), sample_rate, channels, [_curve()], clean=clean)
        late = int(made.record["late"][0])
        return Part(made, channels, latency_frames=late, tail_frames=round(self.tail_seconds * sample_rate))

    # poles: the capacitors before the diodes. tone_memory: those behind. clean: the string, as late as what was clipped.
    state = State(
        goal=(GOALS,),
        now=(GOALS,),
        slew=float,
        channels=int,
        clock=int,
        poles=(CHANNELS, 2),
        tone_memory=(CHANNELS, 2),
        clean=POINTER,
        **CLIPPER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """out = level tone(x + D((gain - 1) low_pass(high_pass(x)))), with D of the diodes in the op-amp's feedback."""
        box = carray(state, (1,))[0]
        goal, now, poles = box.goal, box.now, box.poles
        gliding = glides(now, goal)
        tile, clean = tile_of(box), doubles_at(box.clean, (box.channels, CLEAN))
        for begin in range(0, frames, TILE):
            count = min(TILE, frames - begin)
            for n in range(count):
                for k in range(BEFORE if gliding else 0):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    x = inputs[c][begin + n] + 0.0
                    put(clean[c], box.clock + n, x)
                    x = one_pole(x, now[0], now[1], now[2], poles[c], 0)
                    tile[c, n] = now[GAIN] * one_pole(x, now[3], now[4], now[5], poles[c], 1)
            for c in range(box.channels):
                lowered(box, c, bent(box, c, 0, raised(box, c, count)))
            for n in range(count):
                for k in range(BEFORE if gliding else GOALS, GOALS):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    x = tile[c, n] + take(clean[c], box.clock + n + 1, box.late)
                    outputs[c][begin + n] = now[LEVEL] * svf(x, now[TONE:LEVEL], box.tone_memory[c])
            box.clock += count


@lru_cache(maxsize=1)
def _curve() -> np.ndarray:
    """The diodes beside the drive pot: i R_DRIVE = v + 2 R_DRIVE Is sinh(v / n Vt)."""
    return shaper_table(lambda u: diode_pair(u, R_DRIVE, SILICON))


BOX = Overdrive
