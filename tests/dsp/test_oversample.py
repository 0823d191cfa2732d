"""Oversampling: what goes up comes down the same, late by the frames told, and nothing else comes with it."""

import numpy as np
import pytest

from neuralamp.dsp.oversample import OVERSAMPLED_HZ, PASS_HZ, PASS_SHARE, TILE, fall, oversampling, rise

RATES = [44100.0, 48000.0, 96000.0, 192000.0]
WORST_IMAGE_DB = -86.0  # what a clipper sees of it, and gives back, is far under the aliases that it makes


def up(x: np.ndarray, sample_rate: float) -> np.ndarray:
    """A whole take at the highest rate."""
    clock = oversampling(sample_rate)
    memory, y = clock.memory(1)[0], np.zeros(x.size * clock.factor)
    for begin in range(0, x.size, TILE):
        part = x[begin : begin + TILE]
        rise(part, y[begin * clock.factor :][: part.size * clock.factor], clock.halves, clock.taps, memory)
    return y


def down(y: np.ndarray, sample_rate: float) -> np.ndarray:
    """A whole take of the highest rate, back at the sample rate."""
    clock = oversampling(sample_rate)
    memory, x = clock.memory(1)[0], np.zeros(y.size // clock.factor)
    for begin in range(0, x.size, TILE):
        part = x[begin : begin + TILE]
        tile = y[begin * clock.factor :][: part.size * clock.factor].copy()
        fall(tile, part, clock.halves, clock.taps, clock.shift, memory)
    return x


@pytest.mark.parametrize("sample_rate", RATES)
def test_the_clock_is_fast_enough(sample_rate):
    assert OVERSAMPLED_HZ <= sample_rate * oversampling(sample_rate).factor < 2 * OVERSAMPLED_HZ


@pytest.mark.parametrize("sample_rate", RATES)
def test_there_and_back_is_late_by_exactly_the_frames_told(sample_rate):
    x = np.zeros(256)
    x[40] = 1.0
    y = down(up(x, sample_rate), sample_rate)
    middle = 40 + oversampling(sample_rate).latency_frames
    assert np.argmax(np.abs(y)) == middle
    # linear phase: the same before and after the middle, in float64
    assert np.allclose(y[middle - 40 : middle], y[middle + 1 : middle + 41][::-1], atol=1e-15)


@pytest.mark.parametrize("sample_rate", RATES)
def test_the_band_passes_flat(sample_rate):
    x = np.zeros(4096)
    x[0] = 1.0
    db = 20.0 * np.log10(np.abs(np.fft.rfft(down(up(x, sample_rate), sample_rate))))
    band = np.fft.rfftfreq(x.size, 1.0 / sample_rate) <= min(PASS_HZ, PASS_SHARE * sample_rate / 2.0)
    assert np.abs(db[band]).max() < 0.002  # a half-band filter ripples where it passes as where it stops


@pytest.mark.parametrize("sample_rate", RATES)
def test_a_rising_tone_has_no_images(sample_rate):
    size = 8192
    x = np.zeros(size)
    x[0] = 1.0
    factor = oversampling(sample_rate).factor
    response = np.abs(np.fft.rfft(up(x, sample_rate))) / factor
    at = np.fft.rfftfreq(size * factor, 1.0 / (sample_rate * factor))
    folded = np.abs((at + sample_rate / 2.0) % sample_rate - sample_rate / 2.0)  # the tone of which this is an image
    images = response[(at > sample_rate / 2.0) & (folded <= min(PASS_HZ, PASS_SHARE * sample_rate / 2.0))]
    assert 20.0 * np.log10(images.max()) < WORST_IMAGE_DB


@pytest.mark.parametrize("sample_rate", RATES)
def test_what_would_fold_into_the_band_is_stopped_on_the_way_down(sample_rate):
    clock, size = oversampling(sample_rate), 8192
    top = sample_rate * clock.factor
    reach = min(PASS_HZ, PASS_SHARE * sample_rate / 2.0)
    rng, worst = np.random.default_rng(1), 0.0
    for image in range(1, clock.factor // 2 + 1):
        # tones around a multiple of the sample rate, all of which fold into the band
        line = np.round(rng.uniform(-reach, reach, 40) / top * size * clock.factor) + image * size
        phase = rng.uniform(0.0, 2.0 * np.pi, 40)
        for k, begin in zip(line, phase, strict=True):
            y = np.cos(begin + 2.0 * np.pi / (size * clock.factor) * (k * np.arange(1024 * clock.factor)))
            worst = max(worst, np.abs(down(y, sample_rate)[200:]).max())
    assert 20.0 * np.log10(worst) < WORST_IMAGE_DB
