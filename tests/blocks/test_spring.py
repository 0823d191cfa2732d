"""The spring: the treble lags behind the bass, each round trip more, and it rings as long as its knob says."""

import numpy as np
import pytest
from scipy.optimize import brentq

from neuralamp.blocks.spring import DAMPING_HZ, ONE_WAY_S, TRANSITION_HZ, Spring
from tests.blocks.rooms import answer, decay_seconds, energy_db, octave
from tests.sound import error_db, noise, play_in_cuts

RATE = 48000.0
BRIGHT = {"tone": 8000.0}


def tank(**knobs: float) -> Spring:
    """The springs alone."""
    return Spring(**({"mix": 100.0, "tension": 100.0 * 0.4 / 0.7} | knobs))  # where a way is as long as it is told


def one_way(hz, spring: int, a: float):
    """Seconds from one end to the other by the published all-passes: K (1 - a^2) / (1 + a^2 + 2 a cos(K w)), 64 of them."""
    stretch = 1.0 / (2.0 * TRANSITION_HZ[spring])
    return ONE_WAY_S[spring] + 64 * stretch * (1.0 - a * a) / (1.0 + a * a + 2.0 * a * np.cos(2.0 * np.pi * hz * stretch))


def arrivals(h: np.ndarray, hz: np.ndarray, sample_rate: float) -> np.ndarray:
    """When the energy around each frequency arrives, in seconds: the middle of it, in a window 200 Hz wide."""
    size = h.size
    spectrum, frequencies = np.fft.fft(h), np.fft.fftfreq(size, 1.0 / sample_rate)
    around = np.exp(-0.5 * ((frequencies - hz[:, None]) / 200.0) ** 2)
    power = np.abs(np.fft.ifft(spectrum * around)) ** 2
    return power @ np.arange(size) / power.sum(axis=1) / sample_rate


@pytest.mark.parametrize("sample_rate", [44100.0, 48000.0, 96000.0])
@pytest.mark.parametrize("chirp", [40.0, 75.0])
def test_the_treble_lags_behind_the_bass_up_to_the_transition(chirp, sample_rate):
    """At 75 %, after the first way: 38.0 ms at 500 Hz, 43.5 ms at 3 kHz, 55.5 ms at 3.8 kHz, at any sample rate."""
    h = answer(tank(chirp=chirp, **BRIGHT), 0.1, sample_rate)[0]  # the second chirp comes after 0.1 s
    hz = np.array([500.0, 1000.0, 1500.0, 2000.0, 2500.0, 3000.0, 3400.0, 3800.0])
    found = arrivals(h, hz, sample_rate)
    assert np.all(np.diff(found) > 0.0)
    fine = np.linspace(-400.0, 400.0, 81)
    weight = np.exp(-((fine / 200.0) ** 2))
    told = [(one_way(hz[:, None] + fine, k, 0.008 * chirp) @ weight) / weight.sum() for k in (0, 2)]
    expected = (told[0] + 0.5 * told[1]) / 1.5  # the left hears the first spring, and the third at half its power
    assert np.allclose(found, expected, atol=0.001)  # the cuts at either end of the band take up to half a millisecond


def test_without_chirp_all_arrives_at_once():
    h = answer(tank(chirp=0.0, **BRIGHT), 0.1)[0]
    found = arrivals(h, np.array([500.0, 1000.0, 2000.0, 3000.0]), RATE)
    assert np.ptp(found) < 0.001


def interpolated(delay: float, z: complex) -> complex:
    """Lagrange's cubic through the four frames around a delay, as a filter."""
    whole, u = int(delay), delay - int(delay)
    points = np.arange(-1.0, 3.0)
    weights = [np.prod([(u - q) / (p - q) for q in points if q != p]) for p in points]
    return sum(weight * z ** (whole + p) for weight, p in zip(weights, points, strict=True))


def test_it_is_three_loops_of_stretched_all_passes():
    """Each spring, solved at fifty frequencies: what is at the far end after one way, and what comes back turned over."""
    decay, a, tone, cut = 2.0, 0.6, 3000.0, 120.0
    h = answer(tank(decay=decay, tone=tone, low_cut=cut), 5.0)
    spectrum, frequencies = np.fft.rfft(h), np.fft.rfftfreq(h.shape[1], 1.0 / RATE)
    for k in range(500, 25000, 490):
        z = np.exp(-2j * np.pi * frequencies[k] / RATE)
        bent = np.tan(np.pi * frequencies[k] / RATE)
        low, high, edge = (1j * bent / np.tan(np.pi * hz / RATE) for hz in (cut, tone, 4000.0))
        entered = low**2 / (low**2 + np.sqrt(2.0) * low + 1.0) / (high**2 + np.sqrt(2.0) * high + 1.0)
        butterworth = np.prod([edge - np.exp(0.5j * np.pi * (1.0 + (2 * i + 1) / 6.0)) for i in range(6)])
        heard, losses = [], []
        for way, transition in zip(ONE_WAY_S, TRANSITION_HZ, strict=True):
            stretch = RATE / (2.0 * transition)
            whole = int(np.floor(stretch - 0.5))
            f = (1.0 - (stretch - whole)) / (1.0 + (stretch - whole))
            past = z**whole * (f + z) / (1.0 + f * z)
            passed = ((a + past) / (1.0 + a * past)) ** 64 * z**64 * interpolated(way * RATE - 64.0, z)
            lag = stretch * (1.0 - a * a) / (1.0 + a * a + 2.0 * a * np.cos(2.0 * np.pi * 500.0 * stretch / RATE))
            loss = 10.0 ** (-3.0 * (2.0 * way + 128.0 * lag / RATE) / decay)
            losses.append(loss**2)
            mid, dull = (np.exp(-2j * np.pi * f / RATE) for f in (500.0, DAMPING_HZ))
            pole = brentq(lambda b, mid=mid, dull=dull, loss=loss: abs((1 - b * mid) / (1 - b * dull)) - loss, 0.0, 0.99)
            back = loss * abs(1.0 - pole * mid) / (1.0 - pole * z)
            heard.append(passed / (1.0 + back * passed**2))
        level = np.sqrt((1.0 - np.mean(losses)) / 1.5) * entered / butterworth
        expected = level * np.array([heard[0] + np.sqrt(0.5) * heard[2], heard[1] + np.sqrt(0.5) * heard[2]])
        # 4e-5 measured: float32 through up to 50 x 128 all-passes, of a peak of 2
        assert np.allclose(spectrum[:, k], expected, atol=1e-4), frequencies[k]


@pytest.mark.parametrize("knobs", [{}, {"tension": 0.0}, {"tension": 100.0}, {"chirp": 0.0}, {"chirp": 100.0}])
@pytest.mark.parametrize("decay", [1.0, 2.0, 6.0])
def test_it_rings_as_long_as_the_knob_says(decay, knobs):
    h = answer(tank(decay=decay, **knobs), 1.2 * decay)
    assert decay_seconds(octave(h, 500.0, RATE), RATE) == pytest.approx(decay, rel=0.05)


@pytest.mark.parametrize("decay", [0.5, 2.0, 6.0])
def test_a_longer_tank_is_longer_and_not_louder(decay):
    assert energy_db(answer(tank(decay=decay), 1.5 * decay), 350.0, 707.0, RATE) == pytest.approx([0.0, 0.0], abs=0.6)


@pytest.mark.parametrize(("tension", "factor"), [(0.0, 1.4), (100.0, 0.7)])
def test_tight_springs_answer_sooner(tension, factor):
    h = answer(tank(tension=tension, chirp=0.0, **BRIGHT), 0.06)[0]
    first = factor * ONE_WAY_S[0] + 32 / TRANSITION_HZ[0]
    assert np.argmax(np.abs(h)) / RATE == pytest.approx(first, abs=0.0005)  # of which 0.2 ms are the cuts'


def test_above_the_transition_a_spring_is_nearly_deaf():
    h = answer(tank(**BRIGHT), 3.0)
    below, above = (energy_db(h, low, high, RATE) for low, high in ((1000.0, 3000.0), (6000.0, 20000.0)))
    assert np.all(above < below - 20.0)


@pytest.mark.parametrize(("width", "alike"), [(0.0, 1.0), (100.0, 1.0 / 3.0)])
def test_width_goes_from_one_point_to_both_sides_and_the_middle(width, alike):
    left, right = answer(tank(width=width), 3.0)
    assert np.corrcoef(left, right)[0, 1] == pytest.approx(alike, abs=0.05)


def test_it_hears_both_sides_and_leaves_the_dry_sound_where_it_is():
    x = noise(2, 24000, seed=1, peak=0.5)
    assert np.array_equal(Spring(mix=0.0).prepare(RATE, 2, 64).node.play(x, 2), x)
    both = tank().prepare(RATE, 2, 64).node.play(x, 2)
    middle = tank().prepare(RATE, 1, 64).node.play(x.mean(axis=0, keepdims=True), 2)
    assert error_db(both, middle) < -100.0  # the middle is rounded to float32 before the all-passes


def test_it_adds_what_it_hears_and_nothing_else():
    """Linear, so that its tail may ring on by itself: the answer to two sounds is the sum of two answers."""
    a, b = noise(1, 30000, seed=2, peak=0.5), noise(1, 30000, seed=3, peak=0.5)
    together, alone, other = (Spring(mix=60.0).prepare(RATE, 1, 64).node.play(x, 2) for x in (a + b, a, b))
    assert error_db(alone + other, together) < -100.0  # float32 in 128 all-passes


def test_knobs_turned_wildly_stay_stable():
    rng, box = np.random.default_rng(4), Spring()
    random = [{name: rng.uniform(knob.low, knob.high) for name, knob in box.knobs().items()} for _ in range(30)]
    turns = {2400 * k: box.goals(values | {"mix": 100.0}, RATE) for k, values in enumerate(random)}
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, noise(1, 72000, seed=5, peak=0.1), 2, [72000], turns)
    # 0.058 goes in, less what is cut; a level that is turned up while a long decay still rings adds up to 12 dB
    assert 0.005 < np.sqrt(np.mean(np.square(y))) < 0.25
