"""Pictures of what lies beyond the paper."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t

from plausible.studies.song2020.looks import over_seeds

from ....plots.pictures import legend_texts
from ...figure_harness import FigureTests
from ..pictures import SongPictures
from . import synthetic


class TestFigures(SongPictures, FigureTests):
    """Optimisers and batches, precision, energy, prediction."""

    part = "song2020.beyond"
    tables = {
        "beyond.optimizers": synthetic.optimizers,
        "beyond.float32": synthetic.float32,
        "beyond.energy": synthetic.energy,
        "beyond.prediction": synthetic.prediction,
    }
    small = {"seeds": 1, "networks": (2,)}

    @pytest.mark.parametrize("seeds", [2, 3])
    def test_intervals_need_three_seeds(self, seeds):
        figure = self.draw("beyond.optimizers", seeds=seeds)
        bars = [container for axes in figure.axes for container in axes.containers]
        named = any("95 % interval" in text for text in legend_texts(figure))
        assert bool(bars) is named is (seeds == 3)

    def test_what_counts_as_equal_is_the_published_bound(self, drawn):
        texts = legend_texts(drawn["beyond.prediction"])
        assert any(text == "counts as equal: below $10^{-6}$" for text in texts)


def test_interval_of_three_seeds_by_hand():
    table = pd.DataFrame({"x": [1, 1, 1, 2, 2], "seed": [0, 1, 2, 0, 1], "y": [1, 2, 6, 1, 2]})
    data = over_seeds(table, ["x"], "y")
    half = student_t.ppf(0.975, 2) * np.std([1, 2, 6], ddof=1) / np.sqrt(3)
    assert list(data["mean"]) == [3.0, 1.5]
    assert data["low"][0] == 0.0 and data["high"][0] == pytest.approx(3.0 + half)
    assert data[["low", "high"]].loc[1].isna().all()
