"""The plate: as long as its knob says, dense and even, and the figure of eight that it says it is."""

import numpy as np
import pytest
from scipy.optimize import brentq

from neuralamp.blocks.plate import HALVES, RATE_OF_LENGTHS, SPREAD, SPREAD_GAINS, TANK_GAINS, TAPS_LEFT, TAPS_RIGHT, Plate
from tests.blocks.rooms import GAUSSIAN_FLATNESS, answer, decay_seconds, echo_density, energy_db, flatness, octave
from tests.sound import error_db, noise, play_in_cuts

RATE = 48000.0


def plate(**knobs: float) -> Plate:
    """The plate alone."""
    return Plate(**({"mix": 100.0} | knobs))


@pytest.mark.parametrize("sample_rate", [44100.0, 48000.0, 96000.0])
@pytest.mark.parametrize("decay", [0.8, 2.0, 10.0])
def test_it_rings_as_long_as_the_knob_says(decay, sample_rate):
    h = answer(plate(decay=decay), 1.2 * decay, sample_rate)
    assert decay_seconds(octave(h, 500.0, sample_rate), sample_rate) == pytest.approx(decay, rel=0.05)


@pytest.mark.parametrize("damping", [2000.0, 5000.0, 12000.0])
def test_at_the_damping_frequency_it_rings_half_as_long(damping):
    h = octave(answer(plate(decay=3.0, damping=damping, high_cut=20000.0), 3.6), damping, RATE)
    # 15 %: an octave is wider than a point, and what rings longest in it, its low edge, is heard last
    assert decay_seconds(h, RATE, end_db=-25.0) == pytest.approx(1.5, rel=0.15)


def absorption(frames: float, decay: float, damping: float) -> tuple[float, float]:
    """Gain and pole of gain / (1 - pole / z), found by search: G at 500 Hz and G^2 at the damping frequency."""
    loss = 10.0 ** (-3.0 * frames / RATE_OF_LENGTHS / decay)
    mid, dull = (np.exp(-2j * np.pi * f / RATE) for f in (500.0, damping))
    pole = brentq(lambda pole: abs((1.0 - pole * mid) / (1.0 - pole * dull)) - loss, 0.0, 0.99)
    return loss * abs(1.0 - pole * mid), pole


def test_it_is_the_figure_of_eight_that_it_says():
    """The tank, solved at sixty frequencies with nothing moving: what enters each half is the sound and what left the other."""
    decay, damping = 2.0, 6000.0
    h = answer(plate(decay=decay, damping=damping, motion=0.0, low_cut=100.0, high_cut=10000.0), 5.0)
    spectrum, frequencies = np.fft.rfft(h), np.fft.rfftfreq(h.shape[1], 1.0 / RATE)
    expected, found = [], []
    for k in range(200, 90000, 1500):
        z = np.exp(-2j * np.pi * frequencies[k] / RATE)
        bent = np.tan(np.pi * frequencies[k] / RATE)
        low, high = (1j * bent / np.tan(np.pi * hz / RATE) for hz in (100.0, 10000.0))
        entered = z * low**2 / (low**2 + np.sqrt(2.0) * low + 1.0) / (high**2 + np.sqrt(2.0) * high + 1.0)
        for frames, gain in zip(SPREAD, SPREAD_GAINS, strict=True):
            past = z ** round(frames * RATE / RATE_OF_LENGTHS)
            entered *= (gain + past) / (1.0 + gain * past)
        passed, inner = np.ones(2, complex), np.zeros((2, 4), complex)  # of what enters a half
        for half in range(2):
            for line, (frames, gain) in enumerate(zip(HALVES[half], TANK_GAINS, strict=True)):
                level, pole = absorption(frames, decay, damping)
                past = level / (1.0 - pole * z) * z ** round(frames * RATE / RATE_OF_LENGTHS)
                inner[half, line] = passed[half] / (1.0 + gain * past)
                passed[half] *= (gain + past) / (1.0 + gain * past)
        entering = np.linalg.solve([[1.0, -passed[1] * z], [-passed[0] * z, 1.0]], [entered, entered])
        for side in (TAPS_LEFT, TAPS_RIGHT):
            heard = [sign * entering[i] * inner[i, j] * z ** round(n * RATE / RATE_OF_LENGTHS) for i, j, n, sign in side]
            expected.append(sum(heard))
        found += list(spectrum[:, k])
    level = np.vdot(expected, found).real / np.vdot(expected, expected).real
    assert np.allclose(found, level * np.array(expected), atol=1e-6)  # float32 lines; the mean of |H| is 0.5
    assert energy_db(h, 350.0, 707.0, RATE) == pytest.approx([0.0, 0.0], abs=0.5)  # which the level is for


def test_its_taps_are_those_of_the_paper():
    found = [[sign * frames for _, _, frames, sign in side] for side in (TAPS_LEFT, TAPS_RIGHT)]
    assert found == [[266, 2974, -1913, 1996, -1990, -187, -1066], [353, 3627, -1228, 2673, -2111, -335, -121]]


@pytest.mark.parametrize("decay", [0.7, 2.0, 10.0])
def test_a_longer_plate_is_longer_and_not_louder(decay):
    assert energy_db(answer(plate(decay=decay), 1.5 * decay), 350.0, 707.0, RATE) == pytest.approx([0.0, 0.0], abs=0.5)


def test_it_answers_at_once_and_is_soon_as_dense_as_noise():
    h = answer(plate(), 2.0)
    assert np.flatnonzero(np.abs(h[0]) > 0.01 * np.abs(h).max())[0] < 0.010 * RATE
    density = [echo_density(h[0], at, RATE) for at in (0.2, 0.3, 0.5)]
    assert density == pytest.approx([1.0] * 3, abs=0.2)  # 14 taps: noise itself lies within 0.1 of 1


@pytest.mark.parametrize("motion", [0.0, 50.0])
def test_it_does_not_ring_like_metal(motion):
    found = np.mean([flatness(row, 2.0, RATE) for row in answer(plate(motion=motion), 3.0)])
    assert found > 0.9 * GAUSSIAN_FLATNESS


def test_the_pre_delay_is_the_time_it_waits():
    at_once, later = answer(plate(motion=0.0), 0.4), answer(plate(motion=0.0, pre_delay=100.0), 0.5)
    assert np.array_equal(later[:, 4800 : 4800 + at_once.shape[1]], at_once)


@pytest.mark.parametrize("width", [0.0, 100.0])
def test_width_goes_from_one_point_to_all_around(width):
    left, right = answer(plate(width=width), 3.0)
    assert np.corrcoef(left, right)[0, 1] == pytest.approx(1.0 if width == 0.0 else 0.0, abs=0.05)


def test_it_hears_both_sides_and_leaves_the_dry_sound_where_it_is():
    x = noise(2, 24000, seed=1, peak=0.5)
    assert np.array_equal(Plate(mix=0.0).prepare(RATE, 2, 64).node.play(x, 2), x)
    both = plate().prepare(RATE, 2, 64).node.play(x, 2)
    middle = plate().prepare(RATE, 1, 64).node.play(x.mean(axis=0, keepdims=True), 2)
    assert error_db(both, middle) < -120.0


def test_it_adds_what_it_hears_and_nothing_else():
    """Linear, so that its tail may ring on by itself: the answer to two sounds is the sum of two answers."""
    a, b = noise(1, 30000, seed=2, peak=0.5), noise(1, 30000, seed=3, peak=0.5)
    together, alone, other = (Plate(mix=60.0).prepare(RATE, 1, 64).node.play(x, 2) for x in (a + b, a, b))
    assert error_db(alone + other, together) < -120.0


def test_knobs_turned_wildly_stay_stable():
    rng, box = np.random.default_rng(4), Plate()
    random = [{name: rng.uniform(knob.low, knob.high) for name, knob in box.knobs().items()} for _ in range(30)]
    turns = {2400 * k: box.goals(values | {"mix": 100.0}, RATE) for k, values in enumerate(random)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, noise(1, 72000, seed=5, peak=0.1), 2, [72000], turns)
    # 0.058 goes in, less its treble; a level that is turned up while a long decay still rings adds up to 12 dB
    assert 0.01 < np.sqrt(np.mean(np.square(y))) < 0.25
