"""A made-up amp and recipes with which a training takes seconds."""

import numpy as np
from scipy.signal import lfilter

from neuralamp.audio import Audio
from neuralamp.learn.pair import Pair, make_pair

SAMPLE_RATE = 48_000
WAVENET = """
architecture = "wavenet"
channels = [4, 2]
dilations = [[1, 2, 4], [1, 2, 4, 8]]
"""
LSTM = """
architecture = "lstm"
hidden = 4
warm_up_frames = 64
"""
TRAINING = """
steps = 40
batch = 4
segment_frames = 256
learning_rate = 0.02
listen_every = 20
checkpoint_every = 5
"""


def strummed(seconds: float, seed: int) -> np.ndarray:
    """(frames,) float32: chords of decaying harmonics struck four times a second, with a little hiss."""
    random, frames = np.random.default_rng(seed), round(seconds * SAMPLE_RATE)
    x = 0.0005 * random.standard_normal(frames)
    time = np.arange(frames) / SAMPLE_RATE
    for strike in np.arange(0.0, seconds, 0.25):
        sounding = time[time >= strike] - strike
        for pitch in random.uniform(82.0, 660.0, 3):
            for harmonic in range(1, 6):
                phase = 2.0 * np.pi * (pitch * harmonic * sounding + random.uniform())
                x[time >= strike] += 0.1 / harmonic * np.exp(-6.0 * sounding) * np.sin(phase)
    return x.astype(np.float32)


def clipped(di: np.ndarray) -> np.ndarray:
    """A known amp: a low-pass at about 4 kHz behind a lopsided tanh."""
    return lfilter([0.4], [1.0, -0.6], np.tanh(4.0 * di + 0.2) - np.tanh(0.2)).astype(np.float32)


def pair_of(seed: int) -> Pair:
    di = strummed(4.0, seed)
    return make_pair(Audio(di[None], SAMPLE_RATE), Audio(clipped(di)[None], SAMPLE_RATE))
