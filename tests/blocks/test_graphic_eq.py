"""The graphic equaliser: every slider's decibels are heard at its frequency, whatever its neighbours do."""

import numpy as np
import pytest

from neuralamp.blocks.graphic_eq import CENTRES_HZ, GraphicEq
from tests.sound import noise, play_in_cuts, sine

RATES = [44100.0, 48000.0, 96000.0]
SLIDERS = [name for name in GraphicEq.knobs() if name != "level"]


def heard_db(sliders, sample_rate: float, at_hz, **knobs: float) -> np.ndarray:
    """Gain in decibels at these frequencies, of an impulse played by the kernel: no FFT, so at the very frequency."""
    x = np.zeros((1, 1 << 16), np.float32)
    x[0, 0] = 1.0
    box = GraphicEq(**dict(zip(SLIDERS, map(float, sliders), strict=True)), **knobs)
    y = box.prepare(sample_rate, 1, x.size).node.play(x, 1)[0].astype(np.float64)
    turning = np.exp(-2j * np.pi * np.outer(at_hz, np.arange(x.size)) / sample_rate)
    return 20.0 * np.log10(np.abs(turning @ y))


PATTERNS = {
    "all up": np.full(10, 12.0),
    "all down": np.full(10, -12.0),
    "zigzag": 12.0 * (-1.0) ** np.arange(10),
    "smile": 12.0 - np.array([0, 4, 10, 18, 24, 24, 18, 10, 4, 0]),
    "one": 12.0 * (np.arange(10) == 4),
    "step": np.where(np.arange(10) < 5, -12.0, 12.0),
    "random": np.random.default_rng(1).uniform(-12.0, 12.0, 10),
}


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_slider_s_decibels_stand_at_its_frequency(sample_rate, pattern):
    found = heard_db(PATTERNS[pattern], sample_rate, CENTRES_HZ)
    assert np.abs(found - PATTERNS[pattern]).max() < 0.2  # measured 0.14 for the worst of 247 patterns


def test_between_two_equal_sliders_it_dips_by_less_than_3_db():
    between = [hz * 2.0**0.5 for hz in CENTRES_HZ[:-1]]
    assert heard_db(np.full(10, 12.0), 48000.0, between).min() > 9.0
    assert heard_db(np.full(10, 6.0), 48000.0, between).min() > 4.5


def test_one_slider_alone_leaves_the_others_where_they_are():
    frequencies = np.geomspace(20.0, 20000.0, 60)
    found = heard_db(12.0 * (np.arange(10) == 5), 48000.0, frequencies)
    far = np.abs(np.log2(frequencies / 1000.0)) > 1.0
    assert np.abs(found[far]).max() < 1.0  # it takes 0.8 dB from half an octave behind its neighbours
    assert found.max() < 12.05


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_with_all_sliders_in_the_middle_the_sound_passes_bit_for_bit(sample_rate, channels):
    x = noise(channels, 20000, seed=2)
    assert np.array_equal(GraphicEq().prepare(sample_rate, channels, 64).node.play(x, channels), x)


def test_the_level_is_in_decibels():
    assert heard_db(np.zeros(10), 48000.0, [100.0, 1000.0], level=-6.0) == pytest.approx(-6.0, abs=1e-4)


def test_sliders_moved_wildly_stay_stable():
    rng, box = np.random.default_rng(3), GraphicEq()
    x = noise(1, 96000, seed=4, peak=0.1)
    random = [{**box.values, **{name: rng.choice([-12.0, 12.0]) for name in SLIDERS}} for _ in range(50)]
    turns = {1920 * k: box.goals(values, 48000.0) for k, values in enumerate(random)}
    y = play_in_cuts(box.prepare(48000.0, 1, 64).node, x, 1, [96000], turns)
    assert 0.1 < np.abs(y).max() < 0.1 * 10.0 ** (24.0 / 20.0)


def test_the_lowest_band_is_silent_after_the_tail_told():
    part = GraphicEq(hz31=12.0, hz63=-12.0).prepare(48000.0, 1, 64)
    end = 48000
    x = np.zeros((1, end + part.tail_frames + 4800), np.float32)
    x[:, :end] = sine(31.25, end, 48000.0, peak=0.1)
    y = np.abs(part.node.play(x, 1))
    rings_db = 20.0 * np.log10(y[:, end + part.tail_frames :].max() / y.max())
    assert -300.0 < rings_db < -120.0
