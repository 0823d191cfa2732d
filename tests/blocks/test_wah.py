"""The wah: where the foot puts the peak, how sharp it is, and how a pick moves it."""

import numpy as np
import pytest

from neuralamp.blocks.wah import Wah
from tests.sound import noise, play_in_cuts, sine

RATES = [44100.0, 48000.0, 96000.0]
SIZE = 1 << 17  # frames of an impulse response: a bin every 0.37 Hz at 48 kHz


def response(sample_rate: float = 48000.0, **knobs: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in hertz and gain, of what the kernel plays."""
    x = np.zeros((1, SIZE), np.float32)
    x[0, 0] = 1.0
    y = Wah(**knobs).prepare(sample_rate, 1, SIZE).node.play(x, 1)[0].astype(np.float64)
    return np.fft.rfftfreq(SIZE, 1.0 / sample_rate), np.abs(np.fft.rfft(y))


def peak_hz(y: np.ndarray, sample_rate: float = 48000.0) -> float:
    """Where the spectrum of white noise that went through the wah is strongest, over 41 bins."""
    power = np.abs(np.fft.rfft(y * np.hanning(y.size))) ** 2
    smooth = np.convolve(power, np.ones(41) / 41.0, "same")
    return float(np.argmax(smooth) * sample_rate / y.size)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize(("pedal", "hertz"), [(0.0, 450.0), (50.0, 998.6), (100.0, 2216.0)])
def test_the_pedal_sweeps_the_peak_from_450_hz_to_2216_hz_evenly_by_octaves(sample_rate, pedal, hertz):
    frequencies, gain = response(sample_rate, pedal=pedal)
    assert frequencies[np.argmax(gain)] == pytest.approx(hertz, rel=2e-3)  # bins of 0.7 Hz at most


@pytest.mark.parametrize(("pedal", "q", "expected"), [(0.0, 8.0, 8.0), (100.0, 8.0, 2.0), (50.0, 8.0, 4.0), (0.0, 16.0, 16.0)])
def test_it_is_as_sharp_as_the_knob_says_and_four_times_broader_at_the_toe(pedal, q, expected):
    frequencies, gain = response(96000.0, pedal=pedal, q=q)
    top = np.argmax(gain)
    edge = gain[top] / np.sqrt(2.0)
    low = np.interp(edge, gain[:top], frequencies[:top])
    high = np.interp(-edge, -gain[top:], frequencies[top:])
    assert frequencies[top] / (high - low) == pytest.approx(expected, rel=0.01)  # the frequency axis is bent by 0.5 % at 2.2 kHz


@pytest.mark.parametrize("pedal", [0.0, 37.0, 100.0])
@pytest.mark.parametrize("level", [0.0, 18.0])
def test_the_peak_is_as_loud_as_the_level_says(pedal, level):
    _, gain = response(pedal=pedal, level=level)
    assert 20.0 * np.log10(gain.max()) == pytest.approx(level, abs=0.01)


def test_it_is_the_analog_band_pass():
    frequencies, gain = response(96000.0, pedal=25.0, level=0.0)
    centre, q = 450.0 * 2.0 ** (2.3 * 0.25), 8.0 / 4.0**0.25
    heard = (frequencies > 50.0) & (frequencies < 5000.0)
    s = 1j * np.tan(np.pi * frequencies[heard] / 96000.0) / np.tan(np.pi * centre / 96000.0)
    assert np.allclose(gain[heard], np.abs((s / q) / (s * s + s / q + 1.0)), rtol=1e-3)


@pytest.mark.parametrize(("sweep", "start", "goes_to"), [(100.0, 0.0, 2216.0), (-100.0, 100.0, 450.0), (50.0, 0.0, 998.6)])
def test_a_hard_pick_sweeps_it_all_the_way_up_or_down(sweep, start, goes_to):
    x = noise(1, 96000, seed=1, peak=0.9)
    wah = Wah(pedal=start, sweep=sweep, sensitivity=-40.0)
    y = wah.prepare(48000.0, 1, 64).node.play(x, 1)[0]
    assert peak_hz(y[48000:]) == pytest.approx(goes_to, rel=0.1)  # a peak of Q 2 to 8, found in a second of noise


def test_a_soft_pick_moves_it_less():
    places = []
    for peak in (0.001, 0.03, 0.3):
        y = Wah(pedal=0.0, sweep=100.0, sensitivity=-20.0).prepare(48000.0, 1, 64).node.play(noise(1, 96000, 2, peak), 1)[0]
        places.append(peak_hz(y[48000:]))
    assert places[0] == pytest.approx(450.0, rel=0.1)
    assert 500.0 < places[1] < 1000.0
    assert places[2] == pytest.approx(2216.0, rel=0.1)


def level_of(x: np.ndarray, **knobs: float) -> np.ndarray:
    """The level of the picks at each frame, read off the record."""
    node = Wah(**knobs).prepare(48000.0, 1, 1).node
    levels = []
    for n in range(x.shape[1]):
        node.play(x[:, n : n + 1], 1)
        levels.append(float(node.record["level"][0]))
    return np.array(levels)


def test_attack_and_release_are_the_times_to_63_percent():
    x = np.zeros((1, 9600), np.float32)
    x[:, :4800] = 0.5
    level = level_of(x, attack=10.0, release=40.0)
    assert np.argmax(level > 0.5 * (1.0 - np.exp(-1.0))) == pytest.approx(480, abs=2)
    assert np.argmax(level[4800:] < 0.5 * np.exp(-1.0)) == pytest.approx(1920, abs=2)


def test_both_sides_move_together():
    x = np.concatenate([noise(1, 24000, seed=3, peak=0.5), noise(1, 24000, seed=4, peak=1e-4)])
    box = Wah(pedal=0.0, sweep=100.0)
    both = box.prepare(48000.0, 2, 64).node.play(x, 2)
    alone = box.prepare(48000.0, 1, 64).node.play(x[:1], 1)
    assert np.allclose(both[0], alone[0], atol=1e-6)
    assert peak_hz(both[1, 12000:]) > 1500.0  # the soft side too


def test_sweeping_it_does_not_click():
    """A 100 Hz tone while the pedal is thrown from heel to toe: nothing above 4 kHz but what the sweep itself makes."""
    box = Wah(pedal=0.0)
    x = sine(100.0, 24000, 48000.0, peak=0.5)
    y = play_in_cuts(box.prepare(48000.0, 1, 64).node, x, 1, [24000], {12000: box.goals(box.values | {"pedal": 100.0}, 48000.0)})[
        0
    ]
    power = np.abs(np.fft.rfft(y.astype(np.float64) * np.hanning(y.size))) ** 2
    assert 10.0 * np.log10(power[4000 // 2 :].sum() / power.sum()) < -60.0  # bins of 2 Hz


def test_knobs_turned_wildly_stay_stable():
    rng, box = np.random.default_rng(5), Wah()
    x = noise(1, 96000, seed=6, peak=0.1)
    random = [{name: rng.uniform(knob.low, knob.high) for name, knob in box.knobs().items()} for _ in range(100)]
    turns = {960 * k: box.goals(values, 48000.0) for k, values in enumerate(random)}
    y = play_in_cuts(box.prepare(48000.0, 1, 64).node, x, 1, [96000], turns)
    assert np.abs(y).max() < 0.1 * 10.0 ** (24.0 / 20.0) * 2.0


def test_what_is_no_number_stays_in_the_pedal_s_range():
    x = np.full((1, 64), np.nan, np.float32)
    y = Wah(sweep=100.0).prepare(48000.0, 1, 64).node.play(x, 1)  # read out of the table it would crash or hang
    assert y.shape == (1, 64)
