"""The figures that a card quotes mean what they say."""

import tracemalloc

import numpy as np
import pytest
from scipy.signal import lfilter

from neuralamp.dsp import measure
from neuralamp.errors import MeasureError

RATE = 48000


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_a_perfect_copy_has_no_error_and_silence_has_all_of_it():
    take = noise(1000)
    assert measure.esr(take, take) == 0.0
    assert measure.esr(np.zeros(1000), take) == 1.0


def test_an_error_20_db_under_the_take_is_one_percent_whatever_its_level():
    target = noise(RATE)
    predicted = target + 0.1 * noise(RATE, seed=1)
    # Two seeded noises of 48000 frames: their energies agree within 1 %.
    assert measure.esr(predicted, target) == pytest.approx(0.01, rel=0.02)
    quieter = measure.esr(1e-6 * predicted, 1e-6 * target)
    # Scaling rounds each float64 once; a hidden epsilon would show at 1e-12 of energy.
    assert quieter == pytest.approx(measure.esr(predicted, target), rel=1e-12)


def test_one_ratio_for_all_channels_not_a_mean_of_ratios():
    target = np.stack([noise(500), 0.01 * noise(500, seed=1)])
    predicted = np.stack([target[0], np.zeros(500)])
    expected = np.sum(target[1] ** 2) / np.sum(target**2)
    assert measure.esr(predicted, target) == pytest.approx(expected, rel=1e-12)  # float64 sums


def test_float32_takes_of_ten_minutes_lose_no_digits():
    target = np.full(600 * RATE, 0.125, dtype=np.float32)
    # Powers of two: the ratio is exact in any precision, the sum of 29 million terms only in float64.
    assert measure.esr(target * np.float32(0.875), target) == pytest.approx(1 / 64, rel=1e-9)


def test_preemphasis_judges_highs_harder_than_lows():
    time = np.arange(RATE) / RATE
    target = np.sin(2 * np.pi * 100 * time) + np.sin(2 * np.pi * 5000 * time)
    without_lows, without_highs = np.sin(2 * np.pi * 5000 * time), np.sin(2 * np.pi * 100 * time)
    assert measure.esr(without_lows, target) == pytest.approx(0.5, abs=1e-6)  # whole periods: orthogonal
    assert measure.esr_preemphasis(without_lows, target) < 0.01
    assert measure.esr_preemphasis(without_highs, target) > 0.99
    filtered = [lfilter([1, -0.95], [1], take)[1:] for take in (without_lows, target)]
    assert measure.esr_preemphasis(without_lows, target) == pytest.approx(measure.esr(*filtered), rel=1e-9)


@pytest.mark.parametrize("frames", [2000, RATE + 17])
def test_spectral_distance_is_the_published_one(frames):
    torch, auraloss = pytest.importorskip("torch"), pytest.importorskip("auraloss")
    target, predicted = noise(2, frames), noise(2, frames, seed=1) * 0.3
    target[0, frames // 2 :] = 0.0  # the floor under the magnitudes counts too
    reference = auraloss.freq.MultiResolutionSTFTLoss()
    for distance in reference.stft_losses:
        distance.window = distance.window.double()
    expected = reference(torch.from_numpy(predicted)[None], torch.from_numpy(target)[None]).item()
    # Both in float64, but auraloss makes its Hann window in float32, 1e-7 off.
    assert measure.mrstft(predicted, target) == pytest.approx(expected, rel=1e-6)


def test_spectral_distance_of_minutes_takes_little_memory():
    take = noise(120 * RATE).astype(np.float32)
    tracemalloc.start()
    assert measure.mrstft(0.5 * take, take) == pytest.approx(0.5 + np.log(2), abs=1e-3)  # the floor is hardly touched
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The takes in float64, halved and padded, are 4 x 46 MB; whole spectra would be 3.5 GB.
    assert peak < 4 * take.size * 8 + 100e6


def test_level_difference_is_positive_for_the_louder_prediction():
    take = noise(1000)
    assert measure.level_difference_db(2 * take, take) == pytest.approx(6.0206, abs=1e-4)
    assert measure.level_difference_db(0 * take, take) == -np.inf


def test_worst_segment_finds_the_fault_and_leaves_the_rests_alone():
    target = noise(10 * RATE)
    target[6 * RATE : 8 * RATE] *= 1e-3  # a rest, 60 dB down
    predicted = target + 1e-3 * noise(10 * RATE, seed=1)  # hiss: an ESR of 1 in the rest, 1e-6 elsewhere
    fault = slice(round(3.4 * RATE), round(3.6 * RATE))  # across the border of two half seconds
    predicted[fault] = 0.0
    worst = measure.worst_segment(predicted, target, RATE // 2)
    assert worst.start <= fault.start and fault.stop <= worst.start + worst.frames
    assert worst.esr == pytest.approx(0.4, abs=0.02)  # 0.2 s of 0.5 s silent; seeded noise within 5 %


def test_worst_segment_looks_at_the_last_frames_too():
    target = noise(1037)
    predicted = target.copy()
    predicted[-10:] = 0.0
    worst = measure.worst_segment(predicted, target, 100)
    assert worst.start == 937 and worst.esr > 0.0


def test_a_take_shorter_than_a_segment_is_judged_whole():
    worst = measure.worst_segment(np.zeros(100), noise(100), RATE)
    assert (worst.start, worst.frames, worst.esr) == (0, 100, 1.0)


def test_peak_and_rms_of_a_full_scale_sine():
    sine = np.sin(2 * np.pi * np.arange(RATE) / 48)
    assert measure.peak_db(sine) == pytest.approx(0.0, abs=1e-9)
    assert measure.rms_db(sine) == pytest.approx(-3.0103, abs=1e-4)
    assert measure.peak_db(np.zeros(10)) == measure.rms_db(np.zeros(10)) == -np.inf


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: measure.esr(noise(10), np.zeros(10)), "silent"),
        (lambda: measure.esr_preemphasis(noise(10), np.zeros(10)), "silent"),
        (lambda: measure.level_difference_db(noise(10), np.zeros(10)), "silent"),
        (lambda: measure.worst_segment(noise(10), np.zeros(10), 5), "silent"),
        (lambda: measure.worst_segment(noise(10), noise(10), 0), "at least 1 frame"),
        (lambda: measure.esr(noise(10), noise(11)), "shapes"),
        (lambda: measure.esr(noise(1, 10), noise(10)), "shapes"),
        (lambda: measure.mrstft(noise(600), noise(600)), "600 frames"),
        (lambda: measure.peak_db(np.zeros(0)), "shape"),
        (lambda: measure.esr(np.full(10, np.nan), noise(10)), "NaN"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(call, says):
    with pytest.raises(MeasureError, match=says):
        call()
