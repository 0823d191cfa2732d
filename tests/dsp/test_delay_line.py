"""The delay line: whole delays are exact, delays between frames are what the docstring says, a fresh line is silent."""

import numpy as np
import pytest

from neuralamp.dsp.delay_line import begin, line_size, put, recalled, recalled_between, take, take_between
from neuralamp.dsp.jit import kernel
from tests.sound import noise


@kernel
def run_whole(x, y, line, delay):
    for n in range(x.size):
        put(line, n, x[n])
        y[n] = take(line, n + 1, delay)


@kernel
def run_between(x, y, line, delays):
    for n in range(x.size):
        put(line, n, x[n])
        y[n] = take_between(line, n + 1, delays[n])


@kernel
def run_uncleared(x, y, line, whole, delay):
    begin(line)
    for n in range(x.size):
        put(line, n, x[n])
        y[n] = recalled(line, n + 1, whole) if whole >= 0 else recalled_between(line, n + 1, delay)


def between(x: np.ndarray, delay) -> np.ndarray:
    """x through a line that is read `delay` frames late, one number or one for each frame."""
    delays = np.broadcast_to(np.asarray(delay, np.float64), x.shape).copy()
    y = np.zeros(x.size)
    run_between(x, y, np.zeros(line_size(delays.max()), np.float32), delays)
    return y


def gain_db(fraction: float, frequency: float) -> float:
    """Of a read at 10 + fraction, at a frequency in sample rates, by the spectrum of its answer to one frame."""
    x = np.zeros(64, np.float32)
    x[0] = 1.0
    answer = between(x, 10.0 + fraction)
    return 20.0 * np.log10(abs(np.sum(answer * np.exp(-2j * np.pi * frequency * np.arange(64)))))


@pytest.mark.parametrize("delay", [0, 1, 7, 60])
def test_a_whole_delay_is_exact(delay):
    x, y = noise(1, 500, seed=1)[0], np.zeros(500)
    run_whole(x, y, np.zeros(line_size(60), np.float32), delay)
    assert np.array_equal(y[delay:], x[: 500 - delay])
    assert not y[:delay].any()
    if delay:  # a read between frames that falls on one
        assert np.array_equal(between(x, delay)[delay:], x[: 500 - delay])


@pytest.mark.parametrize("delay", [1.3, 2.5, 20.75])
def test_a_cubic_is_followed_exactly(delay):
    """Four frames know every cubic: all that is left is float32 in the line, 6e-8 of 1."""
    t = np.linspace(-1.0, 1.0, 200)
    cubic = np.polynomial.Polynomial([0.1, -0.4, 0.3, 0.2])
    y = between(cubic(t).astype(np.float32), delay)
    assert np.allclose(y[30:], cubic(t - delay * (t[1] - t[0]))[30:], atol=2e-7)


@pytest.mark.parametrize(("frequency", "lost_db"), [(0.05, 0.002), (0.1, 0.031), (0.2, 0.457), (0.25, 1.072)])
def test_half_way_between_frames_it_is_as_dull_as_it_says(frequency, lost_db):
    """(9 cos(w/2) - cos(3 w/2)) / 8 is what the four weights -1, 9, 9, -1 of 16 leave."""
    w = 2.0 * np.pi * frequency
    assert gain_db(0.5, frequency) == pytest.approx(20.0 * np.log10((9.0 * np.cos(w / 2) - np.cos(1.5 * w)) / 8.0), abs=1e-4)
    assert gain_db(0.5, frequency) == pytest.approx(-lost_db, abs=0.001)


def test_nothing_grows_in_a_loop_through_it():
    """No fraction and no frequency is louder than 0 dB, so that a loop's gain is its feedback's at most."""
    assert max(gain_db(u, f) for u in np.linspace(0.0, 1.0, 21) for f in np.linspace(0.0, 0.5, 26)[:-1]) < 1e-5


@pytest.mark.parametrize(("frequency", "error_db"), [(0.02, -105.0), (0.05, -75.0), (0.1, -51.0)])
def test_a_gliding_read_is_the_sound_at_another_speed(frequency, error_db):
    """A delay that grows by a third of a frame a frame: a sine at two thirds of its frequency. Measured -108, -76, -52 dB."""
    n = np.arange(6000)
    delays = 4.0 + n / 3.0 * 0.999
    heard = between(np.sin(2.0 * np.pi * frequency * n).astype(np.float32), delays)[100:]
    right = np.sin(2.0 * np.pi * frequency * (n - delays))[100:]
    assert 10.0 * np.log10(np.mean((heard - right) ** 2) / np.mean(right**2)) < error_db


@pytest.mark.parametrize("delay", [0, 5, 60])
def test_an_uncleared_line_is_silent_before_its_first_frame(delay):
    x, rubbish = noise(1, 500, seed=2)[0], noise(1, line_size(60), seed=3)[0]
    clean, y = np.zeros(500), np.zeros(500)
    run_whole(x, clean, np.zeros(rubbish.size, np.float32), delay)
    run_uncleared(x, y, rubbish.copy(), delay, 0.0)
    assert np.array_equal(y, clean)
    run_uncleared(x, y, rubbish.copy(), -1, delay + 1.4)
    assert np.array_equal(y, between(x, delay + 1.4))


@pytest.mark.parametrize("delay", [np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_what_is_no_number_reads_nothing_beyond_the_line(delay):
    """The line lies in the middle of rubbish: whatever the index comes to, it is cut to the line's size."""
    memory, y = np.full(4096, 1e30, np.float32), np.zeros(8)
    line = memory[2048:2056]
    run_between(np.ones(8, np.float32), y, line, np.full(8, delay))
    assert not np.any(np.isfinite(y))
    assert np.all(memory[:2048] == np.float32(1e30))
    assert np.all(memory[2056:] == np.float32(1e30))
