"""How tests look at what moves: the speed of a tone, the delay of a ramp, what a turned knob leaves above a low tone."""

import numpy as np

from neuralamp.block import Block
from tests.sound import play_in_cuts, sine

RATE = 48000


def play(box: Block, x: np.ndarray, sample_rate: float = RATE) -> np.ndarray:
    """(channels, frames) through a box made ready for them, as one buffer."""
    part = box.prepare(sample_rate, len(x), 64)
    return part.node.play(x, part.channels)


def impulse(box: Block, frames: int, sample_rate: float = RATE, height: float = 1.0) -> np.ndarray:
    """The answer (frames,) to one frame of a height, in mono, over that height; float64."""
    x = np.zeros((1, frames), np.float32)
    x[0, 0] = height
    return play(box, x, sample_rate)[0].astype(np.float64) / height


def speed(y: np.ndarray, frequency: float, sample_rate: float = RATE) -> np.ndarray:
    """(frames,) of a tone -> its pitch over `frequency` from frame to frame: the turning of its analytic signal."""
    spectrum = np.fft.fft(y.astype(np.float64))
    spectrum[y.size // 2 :] = 0.0
    return np.diff(np.unwrap(np.angle(np.fft.ifft(spectrum)))) * sample_rate / (2.0 * np.pi * frequency)


def ramp(frames: int) -> np.ndarray:
    """(1, frames): the number of the frame over 2^16, which float32 holds exactly."""
    return (np.arange(frames) / 65536.0).astype(np.float32)[None]


def delays(y: np.ndarray) -> np.ndarray:
    """By how many frames each frame of what was a ramp is late; 0.004 frames is what float32 leaves of it."""
    return np.arange(y.shape[-1]) - 65536.0 * y.astype(np.float64)


def low_tone(frames: int, peak: float = 0.5) -> np.ndarray:
    """(1, frames) of 110 Hz, faded in over 0.2 s, so that its own beginning and each echo of it do not click."""
    return sine(110.0, frames, RATE, peak) * np.clip(np.arange(frames) / 9600.0, 0.0, 1.0).astype(np.float32) ** 3


def click_db(box: Block, turns: dict[int, dict[str, float]], frames: int = 96000, peak: float = 0.5) -> float:
    """What stands above 5 kHz, in decibels under all, of a low tone through a box whose knobs are turned at these frames."""
    part = box.prepare(RATE, 1, 64)
    goals = {frame: box.goals(box.values | knobs, RATE) for frame, knobs in turns.items()}
    y = play_in_cuts(part.node, low_tone(frames, peak), part.channels, [frames], goals)[0, 24000:].astype(np.float64)
    power = np.abs(np.fft.rfft(y * np.blackman(y.size))) ** 2
    return 10.0 * np.log10(power[5000 * y.size // RATE :].sum() / power.sum())
