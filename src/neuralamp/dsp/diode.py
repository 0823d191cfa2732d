"""Diodes and germanium transistors, solved: the curves that dirt boxes bend a waveform with."""

from dataclasses import dataclass

import numpy as np

THERMAL_VOLTS = 0.02585  # kT/q at 27 degrees C


@dataclass(frozen=True)
class Diode:
    """Shockley's law: i = saturation (exp(v / (ideality Vt)) - 1)."""

    saturation: float
    ideality: float

    @property
    def volts(self) -> float:
        return self.ideality * THERMAL_VOLTS


SILICON = Diode(2.52e-9, 1.752)  # 1N4148 and its kin, as in Yeh's analysis and in most simulators
GERMANIUM = Diode(2.0e-7, 1.1)  # 1N34A


def diode_pair(u: np.ndarray, ohms: float, diode: Diode) -> np.ndarray:
    """The voltage v of two antiparallel diodes fed through a resistor, or beside one: u = v + 2 R Is sinh(v / n Vt).

    The same equation holds for two diodes to ground behind R, and for two in an op-amp's feedback beside R with u = i R.
    Source: D. Yeh, J. Abel, J. O. Smith, "Simplified, Physically-Informed Models of Distortion and Overdrive Guitar Effects
    Pedals", DAFx 2007.
    """
    scale = 2.0 * ohms * diode.saturation
    # From above, where the curve is steepest, Newton's steps only come nearer.
    v = np.minimum(np.abs(u), diode.volts * np.arcsinh(np.abs(u) / scale))
    for _ in range(50):
        v = v - (v + scale * np.sinh(v / diode.volts) - np.abs(u)) / (1.0 + scale / diode.volts * np.cosh(v / diode.volts))
    return np.sign(u) * v
