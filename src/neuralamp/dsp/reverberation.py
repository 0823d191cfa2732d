"""What rooms, plates and springs share: how fast sound dies in a loop, how it is spread, how it stands beside the dry sound."""

import math

from neuralamp.dsp.delay_line import put, take
from neuralamp.dsp.jit import inlined
from neuralamp.dsp.svf import HIGHEST

MID_HZ = 500.0  # where a decay is what its knob says: the middle of a guitar
BASS_SHARE = (
    0.25  # of the decibels at MID_HZ: the most that the low-pass of a loop may take there, so that bass never rings for ever
)


def absorption(delay_seconds, decay_seconds, damping_hz, sample_rate: float, xp):
    """The gain and the pole of the filter in a loop: y[n] = gain x[n] + pole y[n-1].

    A loop loses G = 10^(-3 delay / decay) at MID_HZ at each turn: 60 dB in the time `decay`. At `damping_hz` it loses G^2, and so
    falls twice as fast. For a one-pole low-pass with pole b both say, with cosines c of the two frequencies,
    b^2 - 2 p b + 1 = 0 with p = (c_mid - G^2 c_damping) / (1 - G^2).

    Where a loop is so long that one pole cannot be so steep, the pole stays where it takes G^BASS_SHARE at MID_HZ: the treble
    rings longer than it was told, MID_HZ does not, and below it the sound rings at most 1 / (1 - BASS_SHARE) times as long.

    Source: J.-M. Jot, A. Chaigne, "Digital Delay Networks for Designing Artificial Reverberators", AES 90th Convention, 1991,
    whose filters are set by the decays at zero and at half the sample rate.
    """
    loss = xp.exp(-3.0 * math.log(10.0) * delay_seconds / decay_seconds)
    cosine_mid = math.cos(2.0 * math.pi * MID_HZ / sample_rate)
    cosine_damping = xp.cos(2.0 * math.pi * xp.clip(damping_hz / sample_rate, max=HIGHEST))
    least = loss ** (2.0 * BASS_SHARE)
    wanted = (cosine_mid - loss * loss * cosine_damping) / (1.0 - loss * loss)
    p = xp.maximum(wanted, (1.0 - least * cosine_mid) / (1.0 - least))
    pole = 1.0 / (p + xp.sqrt(p * p - 1.0))
    return loss * xp.sqrt(1.0 + pole * pole - 2.0 * pole * cosine_mid), pole


def wet_and_dry(mix_percent, width_percent, level, xp):
    """(3,) gains: of the dry sound, of the wet one on its own side, of the wet one on the other side.

    Dry and wet share the power, as sounds do that have nothing to do with each other: cos^2 + sin^2 = 1. So do the two sides of
    the wet sound: at a width of 100 % each stays on its own, at 0 % both stand in the middle, as loud as before.
    """
    turn = 0.25 * math.pi * (1.0 - width_percent / 100.0)
    wet = level * xp.sin(0.5 * math.pi * mix_percent / 100.0)
    return xp.stack([xp.sin(0.5 * math.pi * (1.0 - mix_percent / 100.0)), wet * xp.cos(turn), wet * xp.sin(turn)])


@inlined
def all_pass(line, written, delay, gain, x):
    """One frame through Schroeder's all-pass, H(z) = (gain + z^-delay) / (1 + gain z^-delay): spread in time, not coloured.

    `delay` whole frames of 1 or more; the frame of number `written` is put into the line, and the caller counts on.
    """
    past = take(line, written, delay - 1)
    inner = x - gain * past
    put(line, written, inner)
    return past + gain * inner


@inlined
def hadamard_16(row):
    """16 numbers times the Hadamard matrix over 4, in place: as much of each number in each, no energy lost.

    Butterflies: 64 additions in place of 256.
    """
    for k in range(8):
        row[k], row[k + 8] = 0.25 * (row[k] + row[k + 8]), 0.25 * (row[k] - row[k + 8])
    for part in range(0, 16, 8):
        for k in range(part, part + 4):
            row[k], row[k + 4] = row[k] + row[k + 4], row[k] - row[k + 4]
    for part in range(0, 16, 4):
        for k in range(part, part + 2):
            row[k], row[k + 2] = row[k] + row[k + 2], row[k] - row[k + 2]
    for k in range(0, 16, 2):
        row[k], row[k + 1] = row[k] + row[k + 1], row[k] - row[k + 1]
