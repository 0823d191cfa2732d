"""Treble, middle and bass of the classic passive tone stack, exact.

Source: D. T. Yeh and J. O. Smith, "Discretization of the '59 Fender Bassman Tone Stack", DAFx 2006.
"""

import numpy as np
from scipy.signal import bilinear

R1, R2, R3, R4 = 250e3, 1e6, 25e3, 56e3  # ohms: treble, bass and middle potentiometers, slope resistor
C1, C2, C3 = 250e-12, 20e-9, 20e-9  # farads: treble, bass and middle capacitors


def analog(treble: float, middle: float, bass: float) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of H(s), highest power of s first; each control 0 to 1, as the potentiometer turns.

    H(s) = (b3 s^3 + b2 s^2 + b1 s) / (a3 s^3 + a2 s^2 + a1 s + 1), driven by no resistance, loaded by none. With all at
    half: -2.8 dB at 100 Hz, a dip of -12.4 dB at 720 Hz, -5.3 dB at 5 kHz.
    """
    t, m, l = treble, middle, bass  # noqa: E741  the letters of the paper
    b1 = t * C1 * R1 + m * C3 * R3 + l * (C1 * R2 + C2 * R2) + C1 * R3 + C2 * R3
    b2 = (
        t * (C1 * C2 * R1 * R4 + C1 * C3 * R1 * R4)
        - m**2 * (C1 * C3 * R3**2 + C2 * C3 * R3**2)
        + m * (C1 * C3 * R1 * R3 + C1 * C3 * R3**2 + C2 * C3 * R3**2)
        + l * (C1 * C2 * R1 * R2 + C1 * C2 * R2 * R4 + C1 * C3 * R2 * R4)
        + l * m * (C1 * C3 * R2 * R3 + C2 * C3 * R2 * R3)
        + (C1 * C2 * R1 * R3 + C1 * C2 * R3 * R4 + C1 * C3 * R3 * R4)
    )
    ccc = C1 * C2 * C3
    b3 = ccc * (
        l * m * (R1 * R2 * R3 + R2 * R3 * R4)
        - m**2 * (R1 * R3**2 + R3**2 * R4)
        + m * (R1 * R3**2 + R3**2 * R4)
        + t * R1 * R3 * R4
        - t * m * R1 * R3 * R4
        + t * l * R1 * R2 * R4
    )
    a1 = C1 * R1 + C1 * R3 + C2 * R3 + C2 * R4 + C3 * R4 + m * C3 * R3 + l * (C1 * R2 + C2 * R2)
    a2 = (
        m * (C1 * C3 * R1 * R3 - C2 * C3 * R3 * R4 + C1 * C3 * R3**2 + C2 * C3 * R3**2)
        + l * m * (C1 * C3 * R2 * R3 + C2 * C3 * R2 * R3)
        - m**2 * (C1 * C3 * R3**2 + C2 * C3 * R3**2)
        + l * (C1 * C2 * R2 * R4 + C1 * C2 * R1 * R2 + C1 * C3 * R2 * R4 + C2 * C3 * R2 * R4)
        + C1 * C2 * R1 * R4
        + C1 * C3 * R1 * R4
        + C1 * C2 * R3 * R4
        + C1 * C2 * R1 * R3
        + C1 * C3 * R3 * R4
        + C2 * C3 * R3 * R4
    )
    a3 = ccc * (
        l * m * (R1 * R2 * R3 + R2 * R3 * R4)
        - m**2 * (R1 * R3**2 + R3**2 * R4)
        + m * (R3**2 * R4 + R1 * R3**2 - R1 * R3 * R4)
        + l * R1 * R2 * R4
        + R1 * R3 * R4
    )
    return np.array([b3, b2, b1, 0.0]), np.array([a3, a2, a1, 1.0])


def digital(treble: float, middle: float, bass: float, sample_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """The same by the bilinear transform, for `scipy.signal.lfilter`; good up to about a tenth of the sample rate."""
    return bilinear(*analog(treble, middle, bass), fs=sample_rate)
