"""Graphic equaliser: ten sliders, an octave apart, each with its decibels where it stands, whatever its neighbours do."""

import math
from functools import cache

import numpy as np
from numba import carray

from neuralamp.block import Block, Knob
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.svf import VALUES, integrator_gain, peak, svf
from neuralamp.units import db_to_gain

CENTRES_HZ = tuple(31.25 * 2.0**k for k in range(10))  # ISO 266 octaves
BANDS = len(CENTRES_HZ)
WIDTH_OCTAVES = 1.5  # of a filter, between half its decibels: wider is smoother between two sliders, and harder to set apart
PROTOTYPE_DB = 12.0  # at which the filters' reach into each other's bands is told
STEPS = 2  # of correction after it


def _slider(centre: str) -> Knob:
    return Knob(0.0, -12.0, 12.0, "dB", f"boost or cut around {centre}")


class GraphicEq(Block):
    tail_seconds = 1.0

    hz31 = _slider("31 Hz")
    hz63 = _slider("63 Hz")
    hz125 = _slider("125 Hz")
    hz250 = _slider("250 Hz")
    hz500 = _slider("500 Hz")
    khz1 = _slider("1 kHz")
    khz2 = _slider("2 kHz")
    khz4 = _slider("4 kHz")
    khz8 = _slider("8 kHz")
    khz16 = _slider("16 kHz")
    level = Knob(0.0, -24.0, 24.0, "dB", "gain; 0 is as loud as the sliders make it")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The five values of each filter (see dsp/svf.py), and the gain. All flat is exactly no filter.

        Each filter reaches into the bands beside its own, by a share of its decibels that hardly depends on them. So the sliders
        are turned into the decibels of filters that together give them: through the inverse of the matrix of these shares, and
        by what is then still missing at the centres, through the same inverse, STEPS times.

        Source: V. Valimaki and J. Liski, "Accurate Cascade Graphic Equalizer", IEEE Signal Processing Letters 24(2), 2017.
        """
        sliders = xp.stack(
            [
                knobs.hz31,
                knobs.hz63,
                knobs.hz125,
                knobs.hz250,
                knobs.hz500,
                knobs.khz1,
                knobs.khz2,
                knobs.khz4,
                knobs.khz8,
                knobs.khz16,
            ]
        )
        inverse, axis = (xp.asarray(matrix) for matrix in _bands(sample_rate))
        gains_db = inverse @ sliders
        for _ in range(STEPS):
            gains_db = gains_db + inverse @ (sliders - _reached_db(gains_db, axis, xp).sum(-1))
        centres_hz, width = xp.asarray(np.array(CENTRES_HZ)), xp.asarray(np.array(WIDTH_OCTAVES))
        filters = peak(centres_hz, gains_db, width, sample_rate, xp)
        return xp.concat([filters.T.reshape(-1), xp.stack([db_to_gain(knobs.level, xp)])])

    state = State(goal=(BANDS * VALUES + 1,), now=(BANDS * VALUES + 1,), slew=float, channels=int, memory=(CHANNELS, BANDS, 2))

    @node(state)
    def play(inputs, outputs, frames, state):
        box = carray(state, (1,))[0]
        goal, now, slew, memory = box.goal, box.now, box.slew, box.memory
        gliding = glides(now, goal)
        for n in range(frames):
            for k in range(BANDS * VALUES + 1 if gliding else 0):
                now[k] = glide(now[k], goal[k], slew)
            for c in range(box.channels):
                sample = inputs[c][n] + 0.0
                for band in range(BANDS):
                    sample = svf(sample, now[VALUES * band : VALUES * (band + 1)], memory[c, band])
                outputs[c][n] = now[BANDS * VALUES] * sample


def _reached_db(gains_db, axis, xp):
    """(bands, filters) decibels at each centre of dsp/svf.py's peaks: |s^2 + w a s + 1|^2 / |s^2 + w / a s + 1|^2."""
    a_squared = xp.exp(gains_db * (math.log(10.0) / 20.0))
    width = (2.0 * math.sinh(0.5 * math.log(2.0) * WIDTH_OCTAVES)) ** 2
    return (10.0 / math.log(10.0)) * (xp.log(axis + width * a_squared) - xp.log(axis + width / a_squared))


@cache
def _bands(sample_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of the shares (bands, filters), and (s - 1/s)^2 at each centre for each filter, s by its own centre, bent."""
    bent = integrator_gain(np.array(CENTRES_HZ), sample_rate, np)
    s = bent[:, None] / bent
    axis = (s - 1.0 / s) ** 2
    shares = _reached_db(np.full(BANDS, PROTOTYPE_DB), axis, np) / PROTOTYPE_DB
    return np.linalg.inv(shares), axis


BOX = GraphicEq
