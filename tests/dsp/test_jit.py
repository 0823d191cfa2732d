"""What kernels are made of."""

import numpy as np
import pytest

from neuralamp.dsp.jit import DOT_LANES, dot, kernel


@kernel
def product(a, b):
    return dot(a.ctypes.data, b.ctypes.data, a.size)


@pytest.mark.parametrize("size", [0, DOT_LANES, 3 * DOT_LANES, 176])
def test_a_dot_product_takes_each_number_once_and_none_beside_them(size):
    rng = np.random.default_rng(size)
    a, b = np.full((2, size + 5), np.nan, np.float32)
    x, y = a[1 : size + 1], b[2 : size + 2]  # aligned to nothing but their own four bytes
    x[:], y[:] = rng.integers(-99, 99, (2, size))  # whole numbers: float32 holds every sum exactly
    assert product(x, y) == np.sum(x.astype(int) * y.astype(int))
