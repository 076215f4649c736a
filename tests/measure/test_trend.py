"""Falling series: Kendall's tau against counting all orders."""

from itertools import permutations

import numpy as np
import pytest

from plausible.measure.trend import fall


def pairs_in_order(values) -> int:
    """Rising pairs minus falling ones."""
    return sum(
        int(np.sign(later - earlier))
        for place, earlier in enumerate(values)
        for later in values[place + 1 :]
    )


@pytest.mark.parametrize("values", [(5.0, 4.0, 3.0, 2.0, 1.0), (4.0, 5.0, 2.0, 3.0, 1.0)])
def test_tau_and_chance_by_brute_force(values):
    counts = np.array([pairs_in_order(order) for order in permutations(values)])
    found = fall(range(5), values)
    assert found.tau == pytest.approx(pairs_in_order(values) / 10)
    assert found.chance == pytest.approx((counts <= pairs_in_order(values)).mean())


def test_rising_swinging_and_broken_series():
    values = np.arange(24.0)
    assert fall(values, values).chance > 0.99
    assert 0.05 < fall(values, values % 2).chance < 0.95
    assert np.isnan(fall(values, np.where(values == 3, np.nan, -values))).all()
