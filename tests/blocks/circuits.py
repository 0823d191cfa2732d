"""What tests of circuits share: how a box answers to soft tones, and transistors solved by nodal analysis."""

import numpy as np

from neuralamp.block import Block
from tests.sound import sine

RATE = 48000.0
KT_Q = 0.02585


def response(box: Block, at_hz: np.ndarray, peak: float = 1e-6) -> np.ndarray:
    """The complex gain for tones too soft to bend, its latency taken out: each alone, over its last half second."""
    gains = []
    for hz in at_hz:
        part = box.prepare(RATE, 1, 48000)
        y = part.node.play(sine(hz, 48000, RATE, peak=peak), 1)[0, 24000:].astype(np.float64)
        turn = np.exp(-2j * np.pi * hz / RATE * (np.arange(24000, 48000) - part.latency_frames))
        gains.append(2j * np.mean(turn * y) / peak)
    return np.array(gains)


def db(gains: np.ndarray) -> np.ndarray:
    return 20.0 * np.log10(np.abs(gains))


def degrees_apart(a: np.ndarray, b: np.ndarray) -> float:
    """The largest angle between complex gains."""
    return float(np.degrees(np.abs(np.angle(a / b))).max())


def overtones(box: Block, hz: float, peak: float, count: int) -> np.ndarray:
    """The amplitudes of the first `count` overtones of a tone of a whole number of hertz, over the last second of two."""
    y = box.prepare(RATE, 1, 96000).node.play(sine(hz, 96000, RATE, peak=peak), 1)[0, 48000:].astype(np.float64)
    return np.abs(np.fft.rfft(y))[round(hz) :: round(hz)][:count] / 24000


def collector_volts(base_volts, ohms: float, supply: float, emitter: float, beta: float, saturation: float):
    """The collector's voltage and the base's current of an Ebers-Moll transistor with a resistor to the supply, by bisection."""
    base_volts = np.asarray(base_volts, np.float64)
    low, high = np.full_like(base_volts, emitter - 0.5), np.full_like(base_volts, supply)
    forward = np.exp(np.minimum((base_volts - emitter) / KT_Q, 300.0))
    for _ in range(100):
        middle = 0.5 * (low + high)
        backward = np.exp(np.clip((base_volts - middle) / KT_Q, -300.0, 300.0))
        too_high = middle > supply - ohms * saturation * (forward - backward - (backward - 1.0) / 5.0)
        low, high = np.where(too_high, low, middle), np.where(too_high, middle, high)
    backward = np.exp(np.clip((base_volts - high) / KT_Q, -300.0, 300.0))
    return high, saturation * ((forward - 1.0) / beta + (backward - 1.0) / 5.0)
