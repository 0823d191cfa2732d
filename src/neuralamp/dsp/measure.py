"""How far one take is from another, each figure defined once: the losses are tested against it and the card quotes it.

Takes are (frames,) or (channels, frames) float arrays of equal shape; every sum runs in float64 over all channels
together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from neuralamp.errors import MeasureError
from neuralamp.units import db_to_gain, gain_to_db

PRE_EMPHASIS = 0.95  # the c of y[n] = x[n] - c x[n-1], from Damskägg et al., 2019
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # FFT length, hop and window in frames
POWER_FLOOR = 1e-8  # of one FFT bin: log(0) is not defined, and -80 dB of one bin is not heard
QUIET_DB = -30.0  # of a segment, under the RMS of its take: quieter ones are not judged
SPECTRA_AT_ONCE = 512  # 512 spectra of 1025 bins are 8 MB of float64; ten such arrays are alive at once


@dataclass(frozen=True)
class Segment:
    """A stretch of a take: where it starts, how long it is, both in frames, and its own error-to-signal ratio."""

    start: int
    frames: int
    esr: float


def esr(predicted: np.ndarray, target: np.ndarray) -> float:
    """Error-to-signal ratio, sum (t - p)^2 / sum t^2, one ratio for the whole take. 0 is perfect, 1 is silence.

    Plain: no pre-emphasis, no epsilon. A silent target raises MeasureError.
    Source: Wright et al., "Real-Time Guitar Amplifier Emulation with Deep Learning", 2020.
    """
    predicted, target = _two_takes(predicted, target)
    return _energy(target - predicted) / _energy_to_divide_by(target)


def esr_preemphasis(predicted: np.ndarray, target: np.ndarray) -> float:
    """The error-to-signal ratio of both takes after y[n] = x[n] - 0.95 x[n-1], which weighs highs as the ear does.

    The filter lifts 10 kHz by about 25 dB over 100 Hz at 48 kHz. The first frame has no frame before it and is not
    judged: against a differenced signal, one raw frame would weigh as much as hundreds. Source: Damskägg et al., "Deep
    Learning for Tube Amplifier Emulation", 2019.
    """
    predicted, target = _two_takes(predicted, target)
    return esr(_pre_emphasised(predicted), _pre_emphasised(target))


def mrstft(predicted: np.ndarray, target: np.ndarray) -> float:
    """Multi-resolution STFT distance: spectral convergence plus log-magnitude L1 at three resolutions. 0 is equal.

    For each row of RESOLUTIONS, with P and T the magnitudes under a periodic Hann window, frames centred and the ends
    reflected, ||T - P|| / ||T|| + mean |ln T - ln P|, where no magnitude falls under 1e-4. Phase is not judged. The
    figure of auraloss's `MultiResolutionSTFTLoss` as it comes. Computed in pieces: memory beyond the takes stays under
    100 MB at any length.

    A take of no more than 600 frames raises MeasureError: half the longest window must fit when the ends are reflected.
    Source: Yamamoto et al., "Parallel WaveGAN", 2020; Steinmetz and Reiss, "auraloss", 2020.
    """
    predicted, target = _two_takes(predicted, target)
    longest = max(window for _, _, window in RESOLUTIONS)
    if target.shape[-1] <= longest // 2:
        raise MeasureError(
            f"a take of {target.shape[-1]} frames is too short for a spectral distance; give more than {longest // 2} frames"
        )
    distances = [_stft_distance(predicted, target, *resolution) for resolution in RESOLUTIONS]
    return sum(distances) / len(distances)


def level_difference_db(predicted: np.ndarray, target: np.ndarray) -> float:
    """How much louder the prediction is than the target, in dB of RMS; minus infinity for a silent prediction.

    A silent target raises MeasureError.
    """
    predicted, target = _two_takes(predicted, target)
    return gain_to_db(float(np.sqrt(_energy(predicted) / _energy_to_divide_by(target))))


def worst_segment(predicted: np.ndarray, target: np.ndarray, segment_frames: int) -> Segment:
    """The stretch of `segment_frames` with the highest error-to-signal ratio, searched in steps of half a segment.

    Half steps, so that a fault across a border is not shared out between two segments and missed. Segments whose target
    lies more than 30 dB under the RMS of the whole take are not judged: there the ratio tells of hiss in the recording,
    which no capture can know and the take's next note masks. One segment is always judged: the loudest lies less than
    3 dB under the take. A take shorter than a segment is judged whole. A silent target raises MeasureError.
    """
    predicted, target = _two_takes(predicted, target)
    frames = target.shape[-1]
    if segment_frames < 1:
        raise MeasureError(f"a segment of {segment_frames} frames holds nothing; give at least 1 frame")
    segment_frames = min(segment_frames, frames)
    least = _energy_to_divide_by(target) / frames * segment_frames * db_to_gain(QUIET_DB) ** 2
    starts = {*range(0, frames - segment_frames + 1, max(segment_frames // 2, 1)), frames - segment_frames}
    judged = []
    for start in sorted(starts):
        part = slice(start, start + segment_frames)
        energy = _energy(target[..., part])
        if energy >= least:
            judged.append(Segment(start, segment_frames, _energy(target[..., part] - predicted[..., part]) / energy))
    return max(judged, key=lambda segment: segment.esr)


def peak_db(take: np.ndarray) -> float:
    """The largest absolute value in dBFS; minus infinity for silence."""
    return gain_to_db(float(np.max(np.abs(_take(take)))))


def rms_db(take: np.ndarray) -> float:
    """Root of the mean square over all channels in dBFS (a full-scale square wave is 0); minus infinity for silence."""
    take = _take(take)
    return gain_to_db(float(np.sqrt(_energy(take) / take.size)))


def _take(take: np.ndarray) -> np.ndarray:
    """One take as float64; MeasureError for what holds no frames or no numbers."""
    take = np.asarray(take, dtype=np.float64)
    if take.ndim not in (1, 2) or take.size == 0:
        raise MeasureError(f"a take of shape {take.shape} cannot be measured; give (frames,) or (channels, frames)")
    if not np.isfinite(take).all():
        raise MeasureError("a take holds NaN or infinity; find the program that wrote it, no figure can be trusted")
    return take


def _two_takes(predicted: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both takes as float64; MeasureError when they differ in shape, which broadcasting would hide."""
    predicted, target = _take(predicted), _take(target)
    if predicted.shape != target.shape:
        raise MeasureError(f"takes of shapes {predicted.shape} and {target.shape} cannot be compared; trim them to one shape")
    return predicted, target


def _energy(x: np.ndarray) -> float:
    return float(np.sum(np.square(x)))


def _energy_to_divide_by(target: np.ndarray) -> float:
    """The energy of a target, which must not be nought."""
    energy = _energy(target)
    if energy == 0.0:
        raise MeasureError("the target is silent, so an error has nothing to be compared with; give a take that sounds")
    return energy


def _pre_emphasised(x: np.ndarray) -> np.ndarray:
    if x.shape[-1] < 2:
        raise MeasureError("a take of 1 frame has no pre-emphasised frame; give at least 2 frames")
    return x[..., 1:] - PRE_EMPHASIS * x[..., :-1]


def _stft_distance(predicted: np.ndarray, target: np.ndarray, fft: int, hop: int, window: int) -> float:
    """Spectral convergence plus log-magnitude L1 at one resolution, over all channels together."""
    difference = energy = log_difference = 0.0
    bins = 0
    spectra = zip(_magnitudes(predicted, fft, hop, window), _magnitudes(target, fft, hop, window), strict=True)
    for p, t in spectra:
        difference += _energy(t - p)
        energy += _energy(t)
        log_difference += float(np.sum(np.abs(np.log(t) - np.log(p))))
        bins += t.size
    return float(np.sqrt(difference / energy)) + log_difference / bins


def _magnitudes(x: np.ndarray, fft: int, hop: int, window: int) -> Iterator[np.ndarray]:
    """Magnitude spectra (spectra, bins), a few hundred at a time.

    The window stands at the start of the FFT, not in its middle: that turns the phase and leaves the magnitude.
    """
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)
    for channel in np.atleast_2d(x):
        pieces = sliding_window_view(np.pad(channel, window // 2, mode="reflect"), window)[::hop]
        for start in range(0, len(pieces), SPECTRA_AT_ONCE):
            spectrum = np.fft.rfft(pieces[start : start + SPECTRA_AT_ONCE] * hann, fft)
            yield np.sqrt(np.maximum(spectrum.real**2 + spectrum.imag**2, POWER_FLOOR))
