"""Equaliser: a cut and a shelf at either end, three peaks between them."""

from numba import carray

from neuralamp.block import Block, Knob
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.svf import VALUES, high_cut, high_shelf, low_cut, low_shelf, peak, svf_cascade

BANDS = 7
LOW_CUT_FULL_HZ = 25.0  # from the end of its range to here a cut is faded in, so that turning it on is no jump
HIGH_CUT_FULL_HZ = 18000.0


def _gain(meaning: str) -> Knob:
    return Knob(0.0, -18.0, 18.0, "dB", meaning)


def _width() -> Knob:
    return Knob(1.5, 0.3, 4.0, "octaves", "width, between the points of half the decibels", taper="log")


class Eq(Block):
    tail_seconds = 1.0  # to -120 dB of the slowest: 18 dB of boost, 0.3 octaves wide, at 80 Hz has a time constant of 54 ms

    low_cut = Knob(20.0, 20.0, 1000.0, "Hz", "everything below is taken away, 12 dB per octave; 20 is off", taper="log")
    bass = _gain("boost or cut of everything below the bass corner")
    bass_corner = Knob(120.0, 40.0, 500.0, "Hz", "where the bass has half its decibels", taper="log")
    low_mid = _gain("boost or cut around the low mid frequency")
    low_mid_frequency = Knob(300.0, 80.0, 1200.0, "Hz", "warmth and mud live here", taper="log")
    low_mid_width = _width()
    mid = _gain("boost or cut around the mid frequency")
    mid_frequency = Knob(800.0, 200.0, 4000.0, "Hz", "nose and body live here", taper="log")
    mid_width = _width()
    high_mid = _gain("boost or cut around the high mid frequency")
    high_mid_frequency = Knob(2500.0, 800.0, 8000.0, "Hz", "bite and presence live here", taper="log")
    high_mid_width = _width()
    treble = _gain("boost or cut of everything above the treble corner")
    treble_corner = Knob(4000.0, 1000.0, 12000.0, "Hz", "where the treble has half its decibels", taper="log")
    high_cut = Knob(20000.0, 1000.0, 20000.0, "Hz", "everything above is taken away, 12 dB per octave; 20000 is off", taper="log")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The five values of each filter (see dsp/svf.py), one filter after the other. All flat is exactly no filter."""
        low_amount = xp.clip((knobs.low_cut - 20.0) / (LOW_CUT_FULL_HZ - 20.0), max=1.0)
        high_amount = xp.clip((20000.0 - knobs.high_cut) / (20000.0 - HIGH_CUT_FULL_HZ), max=1.0)
        return xp.concat(
            [
                low_cut(knobs.low_cut, low_amount, sample_rate, xp),
                low_shelf(knobs.bass_corner, knobs.bass, sample_rate, xp),
                peak(knobs.low_mid_frequency, knobs.low_mid, knobs.low_mid_width, sample_rate, xp),
                peak(knobs.mid_frequency, knobs.mid, knobs.mid_width, sample_rate, xp),
                peak(knobs.high_mid_frequency, knobs.high_mid, knobs.high_mid_width, sample_rate, xp),
                high_shelf(knobs.treble_corner, knobs.treble, sample_rate, xp),
                high_cut(knobs.high_cut, high_amount, sample_rate, xp),
            ]
        )

    state = State(goal=(BANDS * VALUES,), now=(BANDS * VALUES,), slew=float, channels=int, memory=(CHANNELS, BANDS, 2))

    @node(state)
    def play(inputs, outputs, frames, state):
        svf_cascade(inputs, outputs, frames, carray(state, (1,))[0])


BOX = Eq
