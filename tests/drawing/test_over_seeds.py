"""Means and intervals over seeds."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t

from plausible.drawing.over_seeds import over_seeds


def table_of(values, name):
    return pd.DataFrame({"x": 0, "seed": range(len(values)), name: values})


def test_interval_of_a_positive_quantity_by_hand():
    values = [1.0, 2.0, 6.0, 2.0, 14.0]
    half = student_t.ppf(0.975, 4) * np.std(values, ddof=1) / np.sqrt(5)
    plain = over_seeds(table_of(values, "loss"), "x", "loss").iloc[0]
    assert plain["low"] == pytest.approx(5.0 - half) and plain["low"] < 0.0
    kept = over_seeds(table_of(values, "loss"), "x", "loss", positive=True).iloc[0]
    assert kept["mean"] == 5.0
    ends = [5.0 * np.exp(-half / 5.0), 5.0 * np.exp(half / 5.0)]
    assert list(kept[["low", "high"]]) == pytest.approx(ends)


def test_fewer_than_five_seeds_and_zeros_have_no_interval():
    for values in ([1.0, 2.0, 3.0, 4.0], [0.0] * 5):
        data = over_seeds(table_of(values, "loss"), "x", "loss", positive=True)
        assert data["mean"][0] == np.mean(values)
        assert data[["low", "high"]].isna().all(axis=None)


def test_interval_of_a_percentage_stays_possible():
    values = [99.0, 10.0, 95.0, 99.9, 97.0]
    free = over_seeds(table_of(values, "rate_hz"), "x", "rate_hz").iloc[0]
    kept = over_seeds(table_of(values, "error_percent"), "x", "error_percent").iloc[0]
    assert free["high"] > 100.0 > kept["high"] > kept["mean"] > kept["low"] > 0.0
