"""Pictures of what lies beyond the paper."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t

from plausible.studies.song2020.looks import over_seeds

from ....drawing.pictures import legend_texts
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

    def test_few_seeds_are_drawn_one_by_one(self):
        self.check_seeds("beyond.optimizers")

    def test_bands_are_medians_and_ranges_over_seeds(self, drawn):
        table = synthetic.float32()
        chosen = table[(table["l_max"] == 2) & (table["dtype"] == "float64")].groupby("update")
        distances = chosen["relative_weight_difference"]
        axes = drawn["beyond.float32"].axes[0]
        assert np.allclose(axes.lines[0].get_ydata(), distances.median(), rtol=1e-12)
        band = axes.collections[0].get_paths()[0].vertices[:, 1]
        assert band.min() == pytest.approx(distances.min().min(), rel=1e-9)
        assert band.max() == pytest.approx(distances.max().max(), rel=1e-9)

    def test_what_counts_as_equal_is_the_published_bound(self, drawn, published):
        bound = published.bound("claim.prediction_equals_forward", "reaches_forward_activity")
        texts = legend_texts(drawn["beyond.prediction"])
        assert f"counts as equal: below $10^{{{np.log10(bound):.0f}}}$" in texts


def test_interval_of_five_seeds_by_hand():
    values = [1.0, 2.0, 6.0, 2.0, 14.0]
    table = pd.DataFrame({"x": [1] * 5 + [2] * 4, "seed": [*range(5), *range(4)]})
    data = over_seeds(table.assign(y=values + values[:4]), ["x"], "y")
    half = student_t.ppf(0.975, 4) * np.std(values, ddof=1) / np.sqrt(5)
    assert list(data["mean"]) == [5.0, 2.75]
    assert data["low"][0] == 0.0 and data["high"][0] == pytest.approx(5.0 + half)
    assert data[["low", "high"]].loc[1].isna().all()
