"""A state variable filter that may be turned while it sounds: cuts, shelves and peaks of 12 dB per octave.

Trapezoidal integration, so that the structure of the analog filter is kept. With g > 0 and k > 0 it is stable however they move
(Wishnick), which is why these values may be glided, and coefficients of a direct form may not.

The response is the analog prototype's with its frequency axis bent: at frequency f it has the prototype's gain at
sample_rate / pi tan(pi f / sample_rate), exact at the corner itself, ever narrower towards half the sample rate.

Sources: A. Simper, "Linear Trapezoidal Integrated State Variable Filter With Low Noise Optimisation", Cytomic, 2013;
V. Zavalishin, "The Art of VA Filter Design", 2018; A. Wishnick, "Time-Varying Filters for Musical Applications", DAFx 2014.

Every design below gives (5,) values: g, k, and the gains m0, m1, m2 of input, band-pass and low-pass in the output.
"""

import math

from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import kernel

VALUES = 5
HIGHEST = 0.49  # of the sample rate: tan(pi f / sample_rate) goes to infinity at 0.5
BUTTERWORTH = math.sqrt(2.0)  # k = 1 / Q of the flattest cut, 3 dB down at its corner, and of a shelf without overshoot
BUTTERWORTH_4 = (2.0 * math.cos(math.pi / 8.0), 2.0 * math.sin(math.pi / 8.0))  # the same for two cuts in a row, together 24 dB


def low_cut(frequency_hz, amount, sample_rate: float, xp, damping: float = BUTTERWORTH):
    """Everything below the corner is taken away; `amount` from 0 (untouched, exactly) to 1 fades the filter in."""
    g = integrator_gain(frequency_hz, sample_rate, xp)
    k = damping * xp.ones_like(g)
    return xp.stack([g, k, xp.ones_like(g), -amount * k, -amount])


def high_cut(frequency_hz, amount, sample_rate: float, xp, damping: float = BUTTERWORTH):
    """Everything above the corner is taken away; `amount` from 0 (untouched, exactly) to 1 fades the filter in."""
    g = integrator_gain(frequency_hz, sample_rate, xp)
    return xp.stack([g, damping * xp.ones_like(g), 1.0 - amount, xp.zeros_like(g), amount])


def peak(frequency_hz, gain_db, width_octaves, sample_rate: float, xp):
    """`gain_db` at the frequency, half of these decibels half the width to either side.

    k = 1 / (Q A) with 1 / Q = 2 sinh(ln 2 / 2 width) and A = 10^(dB/40): a cut undoes a boost of the same size.
    """
    a = _root_gain(gain_db, xp)
    g = integrator_gain(frequency_hz, sample_rate, xp)
    k = 2.0 * xp.sinh(0.5 * math.log(2.0) * width_octaves) / a
    return xp.stack([g, k, xp.ones_like(g), k * (a * a - 1.0), xp.zeros_like(g)])


def low_shelf(frequency_hz, gain_db, sample_rate: float, xp):
    """`gain_db` far below the corner, half of these decibels at it, nothing far above."""
    a = _root_gain(gain_db, xp)
    g = integrator_gain(frequency_hz, sample_rate, xp) / xp.sqrt(a)
    k = BUTTERWORTH * xp.ones_like(g)
    return xp.stack([g, k, xp.ones_like(g), k * (a - 1.0), a * a - 1.0])


def high_shelf(frequency_hz, gain_db, sample_rate: float, xp):
    """`gain_db` far above the corner, half of these decibels at it, nothing far below."""
    a = _root_gain(gain_db, xp)
    g = integrator_gain(frequency_hz, sample_rate, xp) * xp.sqrt(a)
    k = BUTTERWORTH * xp.ones_like(g)
    return xp.stack([g, k, a * a, k * (1.0 - a) * a, 1.0 - a * a])


def integrator_gain(frequency_hz, sample_rate: float, xp):
    """g = tan(pi f / sample_rate): where the analog corner must stand for the digital one to be at f."""
    return xp.tan(math.pi * xp.clip(frequency_hz / sample_rate, max=HIGHEST))


def _root_gain(gain_db, xp):
    """A = 10^(dB/40), the square root of the linear gain."""
    return xp.exp(gain_db * (math.log(10.0) / 40.0))


@kernel
def svf(x, values, memory):
    """One frame through one filter: v1 the band-pass, v2 the low-pass, y = m0 x + m1 v1 + m2 v2.

    values  (5,) g, k, m0, m1, m2, which may be others at each frame.
    memory  (2,) the charges of the two capacitors; carried to the next frame.
    """
    g, k = values[0], values[1]
    a1 = 1.0 / (1.0 + g * (g + k))
    v3 = x - memory[1]
    v1 = a1 * (memory[0] + g * v3)
    v2 = memory[1] + g * v1
    memory[0] = 2.0 * v1 - memory[0]
    memory[1] = 2.0 * v2 - memory[1]
    return values[2] * x + values[3] * v1 + values[4] * v2


@kernel
def svf_cascade(inputs, outputs, frames, box):
    """A box that is nothing but filters, one behind the other, all of which may be turned.

    box  its record: goal and now (filters VALUES,), slew, channels, and memory (CHANNELS, filters, 2).
    """
    goal, now, memory = box.goal, box.now, box.memory
    gliding = glides(now, goal)
    for n in range(frames):
        for k in range(now.size if gliding else 0):
            now[k] = glide(now[k], goal[k], box.slew)
        for c in range(box.channels):
            sample = inputs[c][n] + 0.0
            for k in range(memory.shape[1]):
                sample = svf(sample, now[VALUES * k : VALUES * (k + 1)], memory[c, k])
            outputs[c][n] = sample
