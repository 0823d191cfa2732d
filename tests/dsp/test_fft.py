"""The Fourier transform of the kernels against numpy's in float64."""

import numpy as np
import pytest

from neuralamp.dsp.fft import bit_reversed, fft, fft_twiddles, inverse_fft
from tests.sound import error_db, noise

SIZES = [2, 4, 8, 64, 128, 1024, 4096]


@pytest.mark.parametrize("size", SIZES)
def test_bins_are_numpys_in_bit_reversed_order(size):
    z = noise(2, size, seed=size)
    expected = np.fft.fft(z[0].astype(np.float64) + 1j * z[1])[bit_reversed(size)]
    fft(z, fft_twiddles(size))
    assert error_db(z, np.stack([expected.real, expected.imag])) < -136.0  # 1.5e-7: float32 rounds to 6e-8 at each stage


@pytest.mark.parametrize("size", SIZES)
def test_there_and_back_is_the_same_times_the_size(size):
    x = noise(2, size, seed=size)
    z = x.copy()
    fft(z, fft_twiddles(size))
    inverse_fft(z, fft_twiddles(size))
    assert error_db(z / size, x) < -134.0  # twice the rounding of one way


def test_bit_reversal_is_its_own_inverse():
    assert bit_reversed(8).tolist() == [0, 4, 2, 6, 1, 5, 3, 7]
    assert np.array_equal(bit_reversed(256)[bit_reversed(256)], np.arange(256))


@pytest.mark.parametrize("size", [0, 1, 3, 96, -4])
def test_a_size_that_is_no_power_of_two_is_refused(size):
    with pytest.raises(ValueError, match="give a power of two"):
        fft_twiddles(size)
