"""Cuts: the rumble below and the fizz above taken away, gently or steeply."""

from typing import Any

from numba import carray

from neuralamp.block import Block, Choice, Knob
from neuralamp.dsp.node import CHANNELS, State, node
from neuralamp.dsp.svf import BUTTERWORTH, BUTTERWORTH_4, VALUES, high_cut, low_cut, svf_cascade

FILTERS = 4  # two for each cut
LOW_FULL_HZ = 25.0  # from the end of its range to here a cut is faded in, so that turning it on is no jump
HIGH_FULL_HZ = 18000.0
SLOPES = {"12": (BUTTERWORTH, None), "24": BUTTERWORTH_4}  # dB per octave -> 1 / Q of the filters that make it


class Cuts(Block):
    tail_seconds = 0.35  # to -120 dB of the steep cut at 20 Hz, a time constant of 21 ms

    low_cut = Knob(20.0, 20.0, 1000.0, "Hz", "everything below is taken away; 20 is off", taper="log")
    high_cut = Knob(20000.0, 1000.0, 20000.0, "Hz", "everything above is taken away; 20000 is off", taper="log")
    low_slope = Choice(tuple(SLOPES), "how steep the low cut is, in dB per octave")
    high_slope = Choice(tuple(SLOPES), "how steep the high cut is, in dB per octave")

    def design(self, knobs: Any, sample_rate: float, xp: Any) -> Any:  # type: ignore[override]  # the slopes are the box's own
        """The five values of each filter (see dsp/svf.py), Butterworth: 3 dB down at the corner. Off is exactly no filter."""
        low = xp.clip((knobs.low_cut - 20.0) / (LOW_FULL_HZ - 20.0), max=1.0)
        high = xp.clip((20000.0 - knobs.high_cut) / (20000.0 - HIGH_FULL_HZ), max=1.0)
        return xp.concat(
            [
                *(_filter(low_cut, knobs.low_cut, low, damping, sample_rate, xp) for damping in SLOPES[self.set["low_slope"]]),
                *(
                    _filter(high_cut, knobs.high_cut, high, damping, sample_rate, xp)
                    for damping in SLOPES[self.set["high_slope"]]
                ),
            ]
        )

    state = State(goal=(FILTERS * VALUES,), now=(FILTERS * VALUES,), slew=float, channels=int, memory=(CHANNELS, FILTERS, 2))

    @node(state)
    def play(inputs, outputs, frames, state):
        svf_cascade(inputs, outputs, frames, carray(state, (1,))[0])


def _filter(kind, frequency_hz, amount, damping: float | None, sample_rate: float, xp: Any) -> Any:
    """One filter of a cut; where a gentle slope has no second one, one that leaves everything as it is."""
    if damping is None:
        return kind(frequency_hz, 0.0 * amount, sample_rate, xp)
    return kind(frequency_hz, amount, sample_rate, xp, damping)


BOX = Cuts
