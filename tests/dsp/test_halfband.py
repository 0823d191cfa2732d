"""Twice the frames and back: nothing is lost of the sound, and what a bend adds above does not come back."""

import numpy as np

from neuralamp.dsp.halfband import DELAY, TAPS, earlier, middle, push
from neuralamp.dsp.jit import kernel
from tests.sound import sine

RATE = 48000


@kernel
def up(x, y, rings):
    for n in range(x.size):
        push(rings[0], n, x[n])
        y[2 * n] = earlier(rings[0], n, 8)
        y[2 * n + 1] = middle(rings[0], n)


@kernel
def down(x, y, rings):
    for n in range(y.size):
        push(rings[0], n, x[2 * n])
        push(rings[1], n, x[2 * n + 1])
        y[n] = 0.5 * (earlier(rings[0], n, 7) + middle(rings[1], n))


def there_and_back(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    twice, y = np.zeros(2 * x.size), np.zeros(x.size)
    up(x, twice, np.zeros((1, TAPS)))
    down(twice, y, np.zeros((2, TAPS)))
    return twice, y


def test_up_and_back_is_the_sound_a_few_frames_late():
    for frequency in (100.0, 5000.0, 15000.0):
        x = sine(frequency, 4000, RATE)[0].astype(np.float64)
        y = there_and_back(x)[1]
        assert np.abs(y[200:] - x[200 - DELAY : -DELAY]).max() < 6e-4  # 0.002 dB, there and back


def test_the_frames_between_lie_on_the_wave():
    n = np.arange(8000)
    twice = there_and_back(np.sin(2.0 * np.pi * 0.2 * n[:4000]))[0]
    assert np.abs(twice[200:] - np.sin(2.0 * np.pi * 0.1 * (n - 16.0))[200:]).max() < 3e-4  # 0.001 dB, and the image 78 dB down


def test_what_lies_above_does_not_fold_back():
    """33 to 45 kHz at 96 kHz would come back as 15 to 3 kHz."""
    for frequency in (33000.0, 38000.0, 45000.0):
        x, y = sine(frequency, 8000, 2.0 * RATE)[0].astype(np.float64), np.zeros(4000)
        down(x, y, np.zeros((2, TAPS)))
        assert 20.0 * np.log10(np.abs(y[200:]).max()) < -76.0
