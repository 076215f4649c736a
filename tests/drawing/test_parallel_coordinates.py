"""Trials in parallel coordinates: every one is a line, the best one is dashed."""

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm

from plausible.drawing.parallel_coordinates import draw_parallel
from plausible.drawing.style import new_figure


def test_every_trial_runs_over_the_columns_it_has():
    rows = pd.DataFrame({"a": [0.0, 1.0, 3.0], "b": [np.nan] * 3, "error": [0.1, 0.001, 0.01]})
    axes = new_figure().subplots()
    names = {"a": "first", "b": "second", "error": "error"}
    draw_parallel(axes, rows, names, ("error",), LogNorm(0.001, 0.1))
    trials = [line for line in axes.lines if line.get_gid() == "trials"]
    drawn = np.concatenate([line.get_ydata() for line in trials])
    assert np.isnan(drawn).sum() == 3
    points = drawn[~np.isnan(drawn)].reshape(-1, 2)
    assert sorted(map(tuple, points.round(6))) == [(0.0, 1.0), (0.333333, 0.0), (1.0, 0.5)]
    np.testing.assert_allclose(axes.lines[-1].get_ydata(), [1 / 3, 0.0])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["first", "error"]
