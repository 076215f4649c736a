"""Slopes on logarithmic axes against powers whose exponent is known."""

import math

import numpy as np
import pytest

from plausible.measure.slopes import log_slope, log_spaced


@pytest.mark.parametrize("exponent", [-1.0, -0.5, 2.0])
def test_exponent_of_a_power(exponent):
    x = np.array([1.0, 3.0, 10.0, 70.0])
    assert log_slope(x, 5.0 * x**exponent) == pytest.approx(exponent, abs=1e-12)


def test_fit_is_that_of_least_squares():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(1, 50, 20), rng.uniform(0.1, 3, 20)
    assert log_slope(x, y) == pytest.approx(np.polyfit(np.log(x), np.log(y), 1)[0], abs=1e-12)


@pytest.mark.parametrize(
    ("x", "y"), [([1], [1]), ([2, 2], [1, 2]), ([1, 2], [0, 1]), ([1, 2], [math.nan, 1])]
)
def test_nothing_to_fit(x, y):
    assert math.isnan(log_slope(x, y))


def test_whole_numbers_on_a_logarithmic_axis():
    numbers = log_spaced(1000, 7)
    assert numbers == [1, 3, 10, 32, 100, 316, 1000]
    many = log_spaced(100, 60)
    assert many[0] == 1 and many[-1] == 100 and (np.diff(many) > 0).all()
