"""Counts of what is sent from each place, against numpy."""

import numpy as np
import pytest

from plausible.kernels.sent_counts import add_magnitudes, add_nonzero

KERNELS = {
    add_nonzero: lambda messages: (messages != 0).sum(axis=1),
    add_magnitudes: lambda messages: np.abs(messages).astype(np.float64).sum(axis=1),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 5, 33), (3, 7, 1), (2, 0, 4)])
def test_sums_over_channels_are_those_of_numpy(kernel, dtype, shape) -> None:
    messages = np.random.default_rng(0).integers(-3, 4, shape).astype(dtype)
    sums = np.ones((shape[0], shape[2]))
    kernel(messages, sums)
    assert np.array_equal(sums - 1, KERNELS[kernel](messages))


def test_whole_numbers_stay_exact_where_single_precision_would_not() -> None:
    messages = np.array([2.0**24, 1.0, 1.0, -1.0], np.float32).reshape(1, 4, 1)
    sums = np.zeros((1, 1))
    add_magnitudes(messages, sums)
    assert sums[0, 0] == 2.0**24 + 3
    assert np.float32(2.0**24) + np.float32(1) == 2.0**24
