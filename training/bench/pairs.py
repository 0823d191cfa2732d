"""What recipes are measured on: recordings through amps, each with a recording that training never sees.

jcm, ampeg   two amps as WaveNet captures of others play them: a net of that kind flatters itself on them
boss_lstm    a pedal as an LSTM capture plays it
diode        a diode clipper, measured; 50 kHz
room         what flatters nobody: our amp of equations, which sags, at high gain, behind a cab of 2048 taps, with hum and noise
             at -60 dB. What is random in it bounds the error from below: no net can be nearer than 1e-6.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from neuralamp.audio import read_audio
from neuralamp.learn.pair import Pair
from neuralamp.learn.signals.amp import crunch_amp
from neuralamp.learn.signals.cabinet import cabinet
from neuralamp.units import db_to_gain

DIODE_HELD_OUT_SECONDS = 5.0
DRIVE, ROOM_GAIN = 0.95, 0.4
NOISE_DB = -60.0  # under the sound, hum and hiss together
MAINS_HZ, MAINS_HARMONICS = 50.0, 8


def load(name: str, recordings: Path) -> Pair:
    """A pair whose held-out part is the recording that training never sees, behind all that it does."""
    return LOADERS[name](name, recordings)


def _captured(name: str, recordings: Path) -> Pair:
    di, new, amped, new_amped = (_take(recordings, f"{side}_{part}") for side in ("di", name) for part in ("train", "val"))
    return _end_to_end((di, new), (amped, new_amped), 48000)


def _diode(name: str, recordings: Path) -> Pair:
    rate = 50000
    cut = -round(DIODE_HELD_OUT_SECONDS * rate)
    di, amped = (_take(recordings, f"{name}_{side}") for side in ("input", "output"))
    return _end_to_end((di[:cut], di[cut:]), (amped[:cut], amped[cut:]), rate)


def _room(name: str, recordings: Path) -> Pair:
    rate = 48000
    takes = [_take(recordings, f"di_{part}") for part in ("train", "val")]
    return _end_to_end(takes, [_in_the_room(take, rate, seed) for seed, take in enumerate(takes)], rate)


def _in_the_room(di: np.ndarray, rate: int, seed: int) -> np.ndarray:
    """A loud amp in front of a microphone."""
    sound = fftconvolve(crunch_amp(di, rate, drive=DRIVE), cabinet(rate, seed=5))[: len(di)]
    seconds = np.arange(len(di)) / rate
    hum = sum(np.sin(2.0 * np.pi * MAINS_HZ * k * seconds) / k for k in range(1, MAINS_HARMONICS + 1))
    hiss = np.random.default_rng(seed).standard_normal(len(di))
    noise = hum / np.std(hum) + hiss
    noise *= db_to_gain(NOISE_DB) * np.std(sound) / np.std(noise)
    return (ROOM_GAIN * (sound + noise)).astype(np.float32)


def _take(recordings: Path, name: str) -> np.ndarray:
    """(frames,)"""
    return read_audio(recordings / "pairs" / f"{name}.flac").samples[0]


def _end_to_end(di: Sequence[np.ndarray], amped: Sequence[np.ndarray], rate: int) -> Pair:
    """What is for training, then what is held out."""
    both, held_out = (np.concatenate(takes) for takes in (di, amped)), slice(len(di[0]), len(di[0]) + len(di[1]))
    return Pair(*both, rate, 0, latency_frames=0, polarity=1, findings=(), held_out=held_out)


LOADERS: dict[str, Callable[[str, Path], Pair]] = {
    "jcm": _captured,
    "ampeg": _captured,
    "boss_lstm": _captured,
    "diode": _diode,
    "room": _room,
}
