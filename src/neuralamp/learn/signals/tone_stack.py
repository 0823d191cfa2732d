"""Treble, middle and bass of the reference amp: the passive tone stack of dsp/tone_stacks.py, as polynomials, exact."""

import numpy as np
from scipy.signal import bilinear, ss2tf

from neuralamp.dsp.circuit import state_space
from neuralamp.dsp.tone_stacks import BASSMAN


def analog(treble: float, middle: float, bass: float) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of H(s), highest power of s first; each control 0 to 1, the share of its track below the wiper.

    Driven by no resistance, loaded by none. With all at half: -2.8 dB at 100 Hz, a dip of -12.4 dB at 720 Hz, -5.3 dB at 5 kHz.
    """
    a, b, c, d = state_space(BASSMAN, np.array([bass, middle, treble]), np)
    numerator, denominator = ss2tf(a, b[:, None], c[None], [[d]])
    to_seconds = 1e-6 ** np.arange(len(denominator))[::-1]
    return numerator[0] * to_seconds, denominator * to_seconds


def digital(treble: float, middle: float, bass: float, sample_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """The same by the bilinear transform, for `scipy.signal.lfilter`; good up to about a tenth of the sample rate."""
    return bilinear(*analog(treble, middle, bass), fs=sample_rate)
