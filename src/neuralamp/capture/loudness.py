"""How loud a capture answers a guitar: one figure for each, so that all can be played equally loud.

Trainers of .nam files write 10 log10(mean(y^2)) of the answer to one fixed clip of guitar. Captures that carry no such figure are
measured here with a clip of our own: a guitar made of equations, whose level, brightness and dynamics were chosen so that what it
measures comes near what the files in the wild say of themselves. docs/formats.md tells how near.
"""

import math
from dataclasses import dataclass

import numpy as np

from neuralamp.capture.capture import Capture
from neuralamp.dsp import measure
from neuralamp.errors import CaptureError
from neuralamp.units import db_to_gain

RMS_DB = -15.3  # of the clip in full scale: what the flattest and cleanest captures in the wild answer, less their gain
SOFTEST_DB = -16.0  # of the softest strum under the hardest
OVERTONE_SLOPE = 0.5  # amplitudes fall with n^0.5: fresh strings, struck near the bridge
PICK_POSITION = 0.07  # of the string's length, where the pick strikes: overtones with a node there are missing
DECAY_S, DAMPING_HZ = 1.8, 1000.0  # the time constant of a low fundamental; an overtone at DAMPING_HZ has half of it
PICKUP_HZ, TOP_HZ = 4700.0, 8000.0  # where the pickup begins to fall, by 24 dB an octave; where the overtones end
DISPERSION = 2.6  # half turns of phase up to the top, growing with n^2: the bump of the pick spread out, as stiff strings do
BEAT_S, STRUM_S, RELEASE_S, REST_S = 0.15, 0.008, 0.03, 0.4
SOUNDING = 0.9  # of its time a strum sounds; then it is damped
SILENCE_DB = -120.0  # an answer below it is rounding
OPEN_STRINGS_HZ = (82.407, 110.0, 146.832, 195.998, 246.942, 329.628)  # E2 A2 D3 G3 B3 E4
BLOCK = 256  # frames that one row of a product of matrices gives


@dataclass(frozen=True)
class Strum:
    """Strings struck at a beat for some beats; `softness` from 0, the hardest, to 1; frets from string `lowest` upwards."""

    beat: int
    beats: int
    softness: float
    lowest: int
    frets: tuple[int, ...]


SCORE = (
    Strum(0, 2, 0.15, 0, (0, 2, 2)),
    Strum(2, 1, 0.6, 3, (9,)),
    Strum(3, 1, 0.3, 4, (8,)),
    Strum(4, 2, 0.25, 0, (3, 2, 0, 0, 0, 3)),
    Strum(6, 1, 0.8, 4, (12,)),
    Strum(7, 1, 0.0, 5, (15,)),
    Strum(8, 1, 1.0, 0, (0,)),
    Strum(9, 1, 0.5, 0, (0,)),
    Strum(10, 2, 0.05, 0, (5, 7, 7)),
    Strum(12, 1, 0.9, 2, (2,)),
    Strum(13, 1, 0.4, 3, (2,)),
    Strum(14, 2, 0.7, 1, (3, 2, 0, 1, 0)),
)
BEATS = 16


def loudness_db(capture: Capture) -> float:
    """What the card says, or else `measure_loudness`."""
    return measure_loudness(capture) if capture.card.loudness_db is None else capture.card.loudness_db


def measure_loudness(capture: Capture) -> float:
    """10 log10(mean(y^2)) of its answer to `clip`, at rest before it and with its knobs at rest, in dB of full scale.

    Raises CaptureError where the answer is silence or no number: no gain makes it as loud as others.
    """
    x = clip(capture.card.sample_rate)
    rows = np.vstack([x, *(np.full(x.size, knob, np.float32) for knob in capture.resting_knobs)])
    y = capture.start(capture.resting_knobs, x.size).play(rows, 1)
    if not np.isfinite(y).all():
        raise CaptureError("it answers a guitar with what is no number, so its loudness is unknown; fetch or train it again")
    answer_db = measure.rms_db(y)
    if answer_db < SILENCE_DB:
        raise CaptureError("it answers a guitar with silence, so no gain makes it as loud as others; fetch or train it again")
    return answer_db


def clip(sample_rate: int) -> np.ndarray:
    """The guitar that every capture is measured with, 2.8 s, (frames,) float32; the same sound at every sample rate."""
    x = np.zeros(round((BEATS * BEAT_S + REST_S) * sample_rate))
    for strum in SCORE:
        level = db_to_gain(SOFTEST_DB * strum.softness) / math.sqrt(len(strum.frets))
        seconds = strum.beats * BEAT_S * SOUNDING
        for i, fret in enumerate(strum.frets):
            note = level * _note(OPEN_STRINGS_HZ[strum.lowest + i] * 2.0 ** (fret / 12.0), seconds, sample_rate)
            start = round((strum.beat * BEAT_S + i * STRUM_S) * sample_rate)
            x[start : start + note.size] += note
    return (x * db_to_gain(RMS_DB - measure.rms_db(x))).astype(np.float32)


def _note(frequency_hz: float, seconds: float, sample_rate: int) -> np.ndarray:
    """A plucked string behind a pickup, (frames,): the sum over n of a_n e^(-t / tau_n) sin(2 pi n f t + phi_n).

    With t = BLOCK i + j frames each term is a product of one factor in i and one in j, and the sum over n one of matrices.
    """
    n = np.arange(1, int(min(TOP_HZ, 0.45 * sample_rate) / frequency_hz) + 1)
    pickup = 1.0 / np.sqrt(1.0 + (n * frequency_hz / PICKUP_HZ) ** 8)
    amplitude = np.sin(np.pi * n * PICK_POSITION) / n**OVERTONE_SLOPE * pickup
    phase = np.pi * DISPERSION * n**2 * frequency_hz / TOP_HZ
    step = (2j * np.pi * n * frequency_hz - (1.0 + n * frequency_hz / DAMPING_HZ) / DECAY_S) / sample_rate
    frames, release = round(seconds * sample_rate), round(RELEASE_S * sample_rate)
    blocks = np.arange(-(-frames // BLOCK))
    outer = amplitude * np.exp(1j * phase + step * BLOCK * blocks[:, None])
    inner = np.exp(step[:, None] * np.arange(BLOCK))
    note = (outer @ inner).imag.ravel()[:frames]
    note[frames - release :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(release) / release)
    return note
