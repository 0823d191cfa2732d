"""Octave fuzz: what swings down is turned up, and the note comes out an octave higher."""

from functools import lru_cache

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob, Part
from neuralamp.dsp.clipper import CLIPPER, bent, clipper_node, lowered, raised, tile_of
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.junctions import GERMANIUM, common_emitter, rectified, unit_slope
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.oversample import TILE, oversampling
from neuralamp.dsp.poles import POLE_VALUES, first_order, one_pole, two_poles
from neuralamp.dsp.shaper import shaper_table
from neuralamp.units import db_to_gain

# The Octavia class: two transistors of gain, a transformer with a tap in the middle, a germanium diode from each of its ends.
# Voltages, load and the transformer's corners are chosen to behave as such pedals do; they are read off no schematic.
ACROSS, MOST = 4.0, 8.5  # volts over the second collector's resistor, at rest and in saturation: nearly even
BASE = 0.25  # volts: driven by a collector, through more than its junction has
DRIVE_VOLTS = 0.25  # of the collector's volts reach each half of the winding: 1 V on either side
R_LOAD = 10e3  # behind the diodes
IN_HZ = 70.0  # 0.1 uF into the first base
TRANSFORMER_HZ = 30.0, 5000.0  # below, it hands nothing on; above, its windings leak: corners are round before they are folded
OUT_HZ = 16.0  # 0.1 uF into the volume pot of 100 kOhm

IN, BEFORE = 0, POLE_VALUES
BLOCK, TONE, LEVEL, GOALS = BEFORE, BEFORE + POLE_VALUES, BEFORE + 2 * POLE_VALUES, BEFORE + 2 * POLE_VALUES + 1


class OctaveFuzz(Block):
    tail_seconds = 0.25  # the output's capacitor: 14 time constants of 10 ms

    fuzz = Knob(20.0, 0.0, 42.0, "dB", "gain into the transistors; a soft string has the purer octave")
    tone = Knob(8000.0, 2000.0, 16000.0, "Hz", "everything above is taken away, 6 dB per octave", taper="log")
    level = Knob(0.0, -40.0, 12.0, "dB", "how loud it leaves")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The input's capacitor with the gain; the output's capacitor, the tone, the level."""
        gain = db_to_gain(knobs.fuzz, xp)
        return xp.concat(
            [
                first_order(0.0, gain, IN_HZ * xp.ones_like(gain), sample_rate, xp),
                first_order(0.0, 1.0, OUT_HZ * xp.ones_like(gain), sample_rate, xp),
                first_order(1.0, 0.0, knobs.tone, sample_rate, xp),
                xp.stack([db_to_gain(knobs.level, xp)]),
            ]
        )

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        fast = sample_rate * oversampling(sample_rate).factor
        low_hz, high_hz = map(np.float64, TRANSFORMER_HZ)
        transformer = [first_order(0.0, 1.0, low_hz, fast, np), first_order(1.0, 0.0, high_hz, fast, np)]
        values = self.start(sample_rate, channels) | {"transformer": np.concatenate(transformer)}
        made = clipper_node(self.play, values, sample_rate, channels, [*_curves()])
        late = int(made.record["late"][0])
        return Part(made, channels, latency_frames=late, tail_frames=round(self.tail_seconds * sample_rate))

    # transformer: its two ends, at the fast clock. poles: input, transformer, output, tone.
    state = State(
        goal=(GOALS,), now=(GOALS,), slew=float, channels=int, transformer=(2 * POLE_VALUES,), poles=(CHANNELS, 5), **CLIPPER
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """out = level tone(block(R(transformer(T(gain in(x)))))): T the transistors, R the rectifier."""
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
                line = raised(box, c, count)
                two_poles(bent(box, c, 0, line), line[1:], box.transformer, box.poles[c], 1)
                lowered(box, c, bent(box, c, 1, line))
            for n in range(count):
                for k in range(BEFORE if gliding else GOALS, GOALS):
                    now[k] = glide(now[k], goal[k], box.slew)
                for c in range(box.channels):
                    y = one_pole(tile[c, n], now[BLOCK], now[BLOCK + 1], now[BLOCK + 2], box.poles[c], 3)
                    y = one_pole(y, now[TONE], now[TONE + 1], now[TONE + 2], box.poles[c], 4)
                    outputs[c][begin + n] = now[LEVEL] * y


@lru_cache(maxsize=1)
def _curves() -> tuple[np.ndarray, np.ndarray]:
    """The transistors, and the diodes; silence through the diodes is silence."""
    transistors = unit_slope(lambda u: common_emitter(u, ACROSS, MOST, BASE), DRIVE_VOLTS)
    return shaper_table(transistors), shaper_table(lambda u: rectified(u, R_LOAD, GERMANIUM))


BOX = OctaveFuzz
