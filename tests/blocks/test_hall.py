"""The hall: as long as its knob says, as dense as noise, and the network that it says it is."""

import numpy as np
import pytest
from scipy.linalg import hadamard
from scipy.optimize import brentq

from neuralamp.blocks.hall import LENGTHS, SPREAD, SPREAD_GAIN, Hall
from tests.blocks.rooms import GAUSSIAN_FLATNESS, answer, decay_seconds, echo_density, energy_db, flatness, octave
from tests.sound import error_db, noise, play_in_cuts

RATE = 48000.0


def room(**knobs: float) -> Hall:
    """The room alone, at once."""
    return Hall(**({"mix": 100.0, "pre_delay": 0.0} | knobs))


@pytest.mark.parametrize("sample_rate", [44100.0, 96000.0])
@pytest.mark.parametrize("size", [50.0, 150.0])
@pytest.mark.parametrize("decay", [1.0, 2.2, 10.0])
def test_it_rings_as_long_as_the_knob_says(decay, size, sample_rate):
    h = answer(room(decay=decay, size=size), 1.2 * decay, sample_rate)
    assert decay_seconds(octave(h, 500.0, sample_rate), sample_rate) == pytest.approx(decay, rel=0.05)


def test_the_shortest_room_is_short():
    """In 0.3 s an octave holds so few modes that their beats tilt the line: 10 %, of the mean of five sizes."""
    found = [
        decay_seconds(octave(answer(room(decay=0.3, size=size), 1.0), 500.0, RATE), RATE) for size in (50, 75, 100, 125, 150)
    ]
    assert np.mean(found) == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize("damping", [2000.0, 5000.0, 12000.0])
@pytest.mark.parametrize("decay", [1.5, 4.0])
def test_at_the_damping_frequency_it_rings_half_as_long(decay, damping):
    h = octave(answer(room(decay=decay, damping=damping), 1.2 * decay), damping, RATE)
    # 15 %: an octave is wider than a point, and what rings longest in it, its low edge, is heard last
    assert decay_seconds(h, RATE, end_db=-25.0) == pytest.approx(0.5 * decay, rel=0.15)


def test_the_bass_of_a_dark_room_does_not_ring_for_ever():
    h = answer(room(decay=3.0, damping=1500.0, size=150.0, low_cut=20.0), 5.0)
    assert 3.0 < decay_seconds(octave(h, 80.0, RATE), RATE) < 1.3 * 3.0


def absorption(length: int, decay: float, damping: float) -> tuple[float, float]:
    """Gain and pole of gain / (1 - pole / z), found by search: G at 500 Hz and G^2 at the damping frequency."""
    loss = 10.0 ** (-3.0 * length / RATE / decay)
    mid, dull = (np.exp(-2j * np.pi * f / RATE) for f in (500.0, damping))
    pole = brentq(lambda pole: abs((1.0 - pole * mid) / (1.0 - pole * dull)) - loss, 0.0, 0.99)
    return loss * abs(1.0 - pole * mid), pole


def test_it_is_the_network_that_it_says():
    """Jot's network, solved at fifty frequencies: q = F Z (A q + b), the lengths primes of frames, nothing moving."""
    decay, damping, cut_hz = 0.8, 4000.0, 150.0
    h = answer(room(decay=decay, damping=damping, low_cut=cut_hz, motion=0.0), 3.0)
    spectrum, frequencies = np.fft.rfft(h), np.fft.rfftfreq(h.shape[1], 1.0 / RATE)
    gains, poles = np.transpose([absorption(length, decay, damping) for length in LENGTHS])
    kept = np.mean([10.0 ** (-6.0 * length / RATE / decay) for length in LENGTHS])
    side, signs = np.arange(16) % 2, np.where(np.arange(16) // 2 % 2, -1.0, 1.0)
    for k in range(120, 48000, 960):
        z = np.exp(-2j * np.pi * frequencies[k] / RATE)
        s = 1j * np.tan(np.pi * frequencies[k] / RATE) / np.tan(np.pi * cut_hz / RATE)
        entered = z * s**2 / (s**2 + np.sqrt(2.0) * s + 1.0) * np.ones(2)  # z: the frame that it is put down in
        for c, lengths in enumerate(SPREAD):
            entered[c] *= np.prod([(SPREAD_GAIN + z**frames) / (1.0 + SPREAD_GAIN * z**frames) for frames in lengths])
        turned = gains / (1.0 - poles * z) * z ** np.array(LENGTHS)
        heard = np.linalg.solve(np.eye(16) - turned[:, None] * hadamard(16) / 4.0, turned * entered[side])
        expected = np.array([np.sum((signs * heard)[side == c]) for c in range(2)]) * np.sqrt((1.0 - kept) / (8.0 * kept))
        # float32 lines round each turn by 6e-8; the mean of |H| is 0.7
        assert np.allclose(spectrum[:, k], expected, atol=1e-5), frequencies[k]


@pytest.mark.parametrize("decay", [0.3, 1.0, 10.0])
def test_a_longer_room_is_longer_and_not_louder(decay):
    # 2 dB: half a second of an octave or two of noise is not its mean
    assert energy_db(answer(room(decay=decay), 1.5 * decay), 350.0, 707.0, RATE) == pytest.approx([0.0, 0.0], abs=2.0)


def test_after_a_tenth_of_a_second_it_is_as_dense_as_noise():
    """Four all-passes and lines of 19 to 67 ms: a clap becomes a wash, and no echo stands alone."""
    h = answer(room(), 2.0)
    density = [echo_density(h[0], at, RATE) for at in (0.03, 0.1, 0.15, 0.2, 0.4)]
    assert density[0] < 0.8
    assert density[1:] == pytest.approx([1.0] * 4, abs=0.15)  # noise itself lies within 0.1 of 1


def test_it_does_not_ring_like_metal():
    """0.58 modes for each hertz are heard one by one, 0.40 of 0.56; the motion blurs them."""
    still, moved = (np.mean([flatness(row, 2.2, RATE) for row in answer(room(motion=motion), 3.0)]) for motion in (0.0, 40.0))
    assert still > 0.35
    assert moved > 0.85 * GAUSSIAN_FLATNESS


@pytest.mark.parametrize(("size", "first"), [(50.0, 911 / 2), (100.0, 911), (150.0, 911 * 1.5)])
def test_farther_walls_answer_later(size, first):
    h = answer(room(size=size, motion=0.0), 0.2)
    loud = np.flatnonzero(np.abs(h).max(axis=0) > 0.01 * np.abs(h).max())[0]
    assert loud == pytest.approx(first + 1, abs=2.0)  # between frames the cubic is heard a frame early


def test_the_pre_delay_is_the_time_it_waits():
    at_once, later = answer(room(motion=0.0), 0.4), answer(room(motion=0.0, pre_delay=100.0), 0.5)
    assert np.array_equal(later[:, 4800 : 4800 + at_once.shape[1]], at_once)


def test_the_low_cut_falls_by_12_db_per_octave():
    h, whole = (answer(room(decay=0.5, motion=0.0, low_cut=hz), 2.0) for hz in (400.0, 20.0))
    frequencies = np.fft.rfftfreq(h.shape[1], 1.0 / RATE)
    db = 20.0 * np.log10(np.abs(np.fft.rfft(h)[0] / np.fft.rfft(whole)[0]))
    expected = -10.0 * np.log10(1.0 + (400.0 / frequencies[200:4000]) ** 4)  # Butterworth; the other's is 0.1 dB at 52 Hz
    assert np.allclose(db[200:4000], expected, atol=0.1)


@pytest.mark.parametrize("width", [0.0, 100.0])
def test_width_goes_from_one_point_to_all_around(width):
    left, right = answer(room(width=width), 3.0)
    assert np.corrcoef(left, right)[0, 1] == pytest.approx(1.0 if width == 0.0 else 0.0, abs=0.05)


def test_what_is_on_the_left_stays_there_when_dry_and_fills_the_room_when_wet():
    x = np.concatenate([noise(1, 24000, seed=1), np.zeros((1, 24000), np.float32)])
    assert np.array_equal(Hall(mix=0.0).prepare(RATE, 2, 64).node.play(x, 2), x)
    left, right = np.mean(np.square(room().prepare(RATE, 2, 64).node.play(x, 2)), axis=1)
    assert 0.3 < right / left < 1.0


def test_it_adds_what_it_hears_and_nothing_else():
    """Linear, so that its tail may ring on by itself: the answer to two sounds is the sum of two answers."""
    a, b = noise(1, 30000, seed=2, peak=0.5), noise(1, 30000, seed=3, peak=0.5)
    together, alone, other = (Hall(mix=60.0).prepare(RATE, 1, 64).node.play(x, 2) for x in (a + b, a, b))
    assert error_db(alone + other, together) < -120.0


def test_knobs_turned_wildly_stay_stable():
    rng, box = np.random.default_rng(4), Hall()
    random = [{name: rng.uniform(knob.low, knob.high) for name, knob in box.knobs().items()} for _ in range(30)]
    turns = {2400 * k: box.goals(values | {"mix": 100.0}, RATE) for k, values in enumerate(random)}
    x = noise(1, 72000, seed=5, peak=0.1)
    y = play_in_cuts(box.prepare(RATE, 1, 64).node, x, 2, [72000], turns)
    # 0.058 goes in, and comes out as loud; a level that is turned up while a long decay still rings adds up to 15 dB
    assert 0.02 < np.sqrt(np.mean(np.square(y))) < 0.3
