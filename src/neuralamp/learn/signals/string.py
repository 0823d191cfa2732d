"""A plucked string as a delay line that hears itself: the extended Karplus-Strong algorithm.

Sources: D. Jaffe and J. O. Smith, "Extensions of the Karplus-Strong Plucked-String Algorithm", Computer Music Journal
7(2), 1983, for tuning, pick and dynamics; V. Välimäki et al., "Physical Modeling of Plucked String Instruments with
Application to Real-Time Sound Synthesis", J. Audio Eng. Soc. 44(5), 1996, for the one-pole damping, which their two-tap
average cannot match on low strings; J. O. Smith, "Physical Audio Signal Processing", for the ideal pluck.
"""

import math

import numpy as np
from scipy.signal import lfilter

LOWEST_HZ = 82.407  # E2, the open low string of a guitar
DAMPING_HZ = 3500.0  # where the second decay time holds; the overtones that make a note bright die first
DECAY_S = (9.0, 1.2)  # 60 dB of decay of E2, at its fundamental and at DAMPING_HZ, as on a solid body
MUTED_DECAY_S = (0.35, 0.06)  # the same under the heel of the hand
DECAY_PER_OCTAVE = 0.8  # each octave up rings this much shorter
PICK_NOISE = 0.25  # of the pluck is the scrape of the pick, the rest an ideal pluck, by RMS


def pluck(
    frequency_hz: float,
    seconds: float,
    sample_rate: float,
    rng: np.random.Generator,
    level_db: float = 0.0,
    pick_position: float = 0.13,
    muted: bool = False,
) -> np.ndarray:
    """One note: a string of `frequency_hz` plucked once and left to ring; (frames,) float64.

    y[n] = e[n] + (h * y)[n - N], where N frames, the damping h and an allpass add up to one period of the fundamental.

    level_db       strength of the pluck: RMS of the first period, about, in dB of full scale; also how bright it is
    (below). pick_position  where the string is plucked, 0 the bridge, 0.5 the middle; overtones with a node there are
    missing. muted          the palm lies on the bridge: a few hundred milliseconds, dark.

    Damping: h(z) = rho (1 - p) / (1 - p z^-1), with rho and p from two decay times, at the fundamental and DAMPING_HZ.
    Tuning: the allpass (C + z^-1) / (1 + C z^-1), whose phase delay is exact at the fundamental, so a note is in tune
    within hundredths of a cent; overtones are stretched by nothing but the two filters (no stiffness).
    """
    period = sample_rate / frequency_hz
    omega = 2.0 * math.pi / period
    rho, p = _damping(frequency_hz, sample_rate, MUTED_DECAY_S if muted else DECAY_S)
    damping_delay = math.atan2(p * math.sin(omega), 1.0 - p * math.cos(omega)) / omega
    delay = math.floor(period - damping_delay - 0.3)  # leaves the allpass 0.3 to 1.3 frames, where it is flattest
    fraction = period - damping_delay - delay
    c = math.sin(0.5 * omega * (1.0 - fraction)) / math.sin(0.5 * omega * (1.0 + fraction))
    numerator, denominator = rho * (1.0 - p) * np.array([c, 1.0]), np.convolve([1.0, -p], [1.0, c])

    frames = round(seconds * sample_rate)
    y = np.zeros(frames)
    burst = _excitation(period, sample_rate, rng, level_db, pick_position)[:frames]
    y[: len(burst)] = burst
    state = np.zeros(2)
    for start in range(delay, frames, delay):  # a period at a time: nothing in it hears the same period
        heard, state = lfilter(numerator, denominator, y[start - delay : start], zi=state)
        y[start : start + delay] += heard[: frames - start]
    return y


def pickup(x: np.ndarray, sample_rate: float, resonance_hz: float = 3800.0, q: float = 1.6) -> np.ndarray:
    """What the magnet and the cable make of a string: H(s) = 1 / (1 + s / (Q w) + (s / w)^2), bilinear, exact at w.

    The coil's inductance and the cable's capacitance resonate (about 4 kHz for a passive guitar on three metres of
    cable) and pass little above. Source: M. Zollner, "Physics of the Electric Guitar", chapter 5.
    """
    k = 1.0 / math.tan(math.pi * resonance_hz / sample_rate)
    a0, a1, a2 = 1.0 + k / q + k * k, 2.0 - 2.0 * k * k, 1.0 - k / q + k * k
    return lfilter([1.0 / a0, 2.0 / a0, 1.0 / a0], [1.0, a1 / a0, a2 / a0], x)


def _damping(frequency_hz: float, sample_rate: float, decay_s: tuple[float, float]) -> tuple[float, float]:
    """The rho and p whose loop loses 60 dB in the two decay times, at the fundamental and at DAMPING_HZ.

    |h|^2 = rho^2 / (1 + k (1 - cos w)) with k = 2 p / (1 - p)^2 must be 10^(-6 / (f T)) at both: two equations, two
    unknowns. Where the fundamental comes so near DAMPING_HZ that rho would pass 1 (a note that grows), k is held back
    and the highs ring longer.
    """
    shorter = DECAY_PER_OCTAVE ** math.log2(frequency_hz / LOWEST_HZ)
    low, high = (10.0 ** (-6.0 / (frequency_hz * seconds * shorter)) for seconds in decay_s)
    low_bend, high_bend = (1.0 - math.cos(2.0 * math.pi * f / sample_rate) for f in (frequency_hz, DAMPING_HZ))
    most = 0.9 * (1.0 / low - 1.0) / low_bend
    slope = high * high_bend - low * low_bend
    k = min((low - high) / slope, most) if slope > 0.0 else most
    return math.sqrt(low * (1.0 + k * low_bend)), (k + 1.0 - math.sqrt(2.0 * k + 1.0)) / k


def _excitation(period: float, sample_rate: float, rng: np.random.Generator, level_db: float, pick_position: float) -> np.ndarray:
    """What the pick does: two periods, the second the tail of the dynamics filter.

    The velocity of an ideally plucked string is a pulse as wide as the pick position; a burst of noise through the comb
    1 - z^-(position N) is the scrape. Both go through the one-pole R = exp(-pi L / sample_rate), L the bandwidth: a
    hard pluck is not only louder but brighter, 600 Hz at -40 dB, 6 kHz at 0 dB.
    """
    frames = round(period)
    width = min(max(round(pick_position * period), 1), frames - 1)
    pulse = np.where(np.arange(frames) < width, 1.0, 0.0)
    pulse -= pulse.mean()
    noise = rng.standard_normal(frames)
    noise -= np.roll(noise, width)
    burst = pulse / _rms(pulse) + PICK_NOISE * noise / _rms(noise)
    bandwidth_hz = 6000.0 * 10.0 ** (min(level_db, 0.0) / 40.0)
    r = math.exp(-math.pi * bandwidth_hz / sample_rate)
    burst = lfilter([1.0 - r], [1.0, -r], np.concatenate([burst, np.zeros(frames)]))
    return burst * 10.0 ** (level_db / 20.0)


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))
