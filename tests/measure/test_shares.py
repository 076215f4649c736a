"""Limits of shares, against the binomial distribution."""

import pytest
from scipy.stats import binomtest

from plausible.measure.shares import share_limit


@pytest.mark.parametrize(("number", "of"), [(0, 20), (3, 20), (20, 20)])
def test_limits_of_a_share_against_the_binomial_distribution(number, of):
    """Outside of them a share makes what was found less likely than 2.5 %."""
    low, high = (share_limit(number, of, side) for side in (-1, 1))
    interval = binomtest(number, of).proportion_ci(0.95, method="exact")
    assert (low, high) == pytest.approx((interval.low, interval.high), abs=1e-12)
