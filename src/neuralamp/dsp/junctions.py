"""Diodes and transistors, solved at rest: the curves that dirt boxes bend a waveform with.

All are laws of the junction in series with resistors, for which Newton's method is sure: their error is convex, and begun where
it is positive every step comes nearer without passing the solution.
"""

from dataclasses import dataclass

import numpy as np

THERMAL_VOLTS = 0.02585  # kT/q at 27 degrees C
STEPS = 60  # from the farthest start to the last digit
LONGEST = 500.0  # thermal volts: an exponential beyond it is infinite


@dataclass(frozen=True)
class Diode:
    """Shockley's law: i = saturation (exp(v / volts) - 1), with volts the ideality times kT/q."""

    saturation: float
    ideality: float

    @property
    def volts(self) -> float:
        return self.ideality * THERMAL_VOLTS


SILICON = Diode(2.52e-9, 1.752)  # 1N4148 and its kin, as in Yeh's analysis and in most simulators
GERMANIUM = Diode(2.0e-7, 1.3)  # 1N34A, as simulators have it


def diode_pair(u: np.ndarray, ohms: float, diode: Diode) -> np.ndarray:
    """The voltage v of two antiparallel diodes fed through a resistor, or beside one: u = v + 2 R Is sinh(v / volts).

    The same equation holds for two diodes to ground behind R, and for two in an op-amp's feedback beside R with u = i R.
    Source: D. Yeh, J. Abel, J. O. Smith, "Simplified, Physically-Informed Models of Distortion and Overdrive Guitar Effects
    Pedals", DAFx 2007.
    """
    scale, volts, size = 2.0 * ohms * diode.saturation, diode.volts, np.abs(u)
    v = np.minimum(size, volts * np.arcsinh(size / scale))
    for _ in range(STEPS):
        v = v - (v + scale * np.sinh(v / volts) - size) / (1.0 + scale / volts * np.cosh(v / volts))
    return np.sign(u) * v


def rectified(u: np.ndarray, ohms: float, diode: Diode) -> np.ndarray:
    """The voltage v of a load behind two diodes that are fed u and -u, as by a transformer with a middle tap.

    v/R = Is (exp((u - v) / volts) - 1) + Is (exp((-u - v) / volts) - 1), solved for the logarithm of both sides.
    """
    scale, volts = 2.0 * ohms * diode.saturation, diode.volts
    size = np.abs(u) / volts
    wanted = size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0)  # the logarithm of cosh
    v = np.zeros_like(size)
    for _ in range(STEPS):  # the error log1p(v / scale) + v / volts - wanted is concave: from below
        v = v - (np.log1p(v / scale) + v / volts - wanted) / (1.0 / (scale + v) + 1.0 / volts)
    return v


def common_emitter(u: np.ndarray, across: float, most: float, base: float, knee: float = 16.0) -> np.ndarray:
    """How much more voltage is across the collector's resistor, in a stage whose emitter a capacitor holds still.

    u       at the base's resistor, over its rest.
    across  volts across the collector's resistor at rest; in cut-off there are none.
    most    volts across it in saturation, which it comes to as x (1 + (x/most)^knee)^(-1/knee) does.
    base    volts across the base's resistor at rest, Rb Ic / beta: u = v + base (exp(v / Vt) - 1) with v over the junction.

    Source: the transport model of J. J. Ebers, J. L. Moll, "Large-Signal Behavior of Junction Transistors", 1954, in the forward
    region; saturation is a limit of its own here.
    """
    v = np.where(u > 0.0, np.minimum(u, THERMAL_VOLTS * np.log1p(np.maximum(u, 0.0) / base)), 0.0)
    for _ in range(STEPS):
        grown = np.exp(v / THERMAL_VOLTS)
        v = v - (v + base * (grown - 1.0) - u) / (1.0 + base / THERMAL_VOLTS * grown)
    v = np.minimum(v, LONGEST * THERMAL_VOLTS)
    return _limited(across * np.exp(v / THERMAL_VOLTS), most, knee) - _limited(across, most, knee)


def _limited(x, most: float, knee: float):
    """x (1 + (x/most)^knee)^(-1/knee) for x >= 0, however large."""
    smaller = np.minimum(x, most)
    return smaller * (1.0 + (smaller / np.maximum(x, most)) ** knee) ** (-1.0 / knee)


def unit_slope(curve, out: float):
    """The curve with a slope of 1 at rest, and `out` times as large: u -> out f(u / (out f'(0)))."""
    step = 1e-5
    slope = float(np.diff(curve(np.array([-step, step])))[0]) / (2.0 * step)
    return lambda u: out * curve(u / (out * slope))
