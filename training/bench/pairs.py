"""What recipes are measured on: recordings through amps, each with a recording that training never sees.

jcm, ampeg   two amps as WaveNet captures of others play them: a net of that kind flatters itself on them
boss_lstm    a pedal as an LSTM capture plays it
diode        a diode clipper, measured; 50 kHz
room         what flatters nobody: our amp of equations, which sags, at high gain, behind a cab of 2048 taps, with hum and noise
             at -60 dB. What is random in it bounds the error from below: no net can be nearer than 1e-6.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from neuralamp.audio import read_audio
from neuralamp.dsp import measure
from neuralamp.learn.listen import settled
from neuralamp.learn.pair import Pair
from neuralamp.learn.signals.amp import crunch_amp
from neuralamp.learn.signals.cabinet import cabinet
from neuralamp.nets import stream_at_rest
from neuralamp.nets.weights import Weights
from neuralamp.units import db_to_gain

DIODE_HELD_OUT_SECONDS = 5.0
DRIVE, ROOM_GAIN = 0.95, 0.4
NOISE_DB = -60.0  # under the sound, hum and hiss together
MAINS_HZ, MAINS_HARMONICS = 50.0, 8


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A recording that no training sees, (frames,) before and behind the amp."""

    di: np.ndarray
    amped: np.ndarray

    def esr(self, config: object, weights: Weights) -> float:
        """The error-to-signal ratio of a net, from its playing form."""
        played = stream_at_rest(config, weights).play(self.di[None], outputs=1)[0]
        judged = settled(config, len(self.di))
        return measure.esr(played[judged], self.amped[judged])


def load(name: str, recordings: Path) -> tuple[Pair, HeldOut]:
    """A pair of which everything is for training, and what it is judged by."""
    return LOADERS[name](name, recordings)


def _captured(name: str, recordings: Path) -> tuple[Pair, HeldOut]:
    takes = [_take(recordings, f"{side}_{part}") for part in ("train", "val") for side in ("di", name)]
    return _whole(*takes[:2], 48000), HeldOut(*takes[2:])


def _diode(name: str, recordings: Path) -> tuple[Pair, HeldOut]:
    rate = 50000
    di, amped = _take(recordings, f"{name}_input"), _take(recordings, f"{name}_output")
    cut = len(di) - round(DIODE_HELD_OUT_SECONDS * rate)
    return _whole(di[:cut], amped[:cut], rate), HeldOut(di[cut:], amped[cut:])


def _room(name: str, recordings: Path) -> tuple[Pair, HeldOut]:
    rate = 48000
    di, new = _take(recordings, "di_train"), _take(recordings, "di_val")
    amped, new_amped = (_in_the_room(take, rate, seed) for seed, take in enumerate((di, new)))
    return _whole(di, amped, rate), HeldOut(new, new_amped)


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


def _whole(di: np.ndarray, amped: np.ndarray, rate: int) -> Pair:
    """Nothing is held out of it: that lies in another recording."""
    frames = len(di)
    return Pair(di, amped, rate, 0, latency_frames=0, polarity=1, findings=(), held_out=slice(frames, frames))


LOADERS: dict[str, Callable[[str, Path], tuple[Pair, HeldOut]]] = {
    "jcm": _captured,
    "ampeg": _captured,
    "boss_lstm": _captured,
    "diode": _diode,
    "room": _room,
}
