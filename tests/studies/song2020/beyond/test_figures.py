"""Pictures of what lies beyond the paper."""

import numpy as np

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

    def test_lines_are_medians_and_single_seeds(self, drawn):
        table = synthetic.float32()
        chosen = table[(table["l_max"] == 2) & (table["dtype"] == "float64")].groupby("update")
        distances = chosen["relative_weight_difference"]
        axes = drawn["beyond.float32"].axes[0]
        *seeds, median = axes.lines[: table["seed"].nunique() + 1]
        assert np.allclose(median.get_ydata(), distances.median(), rtol=1e-12)
        values = np.array([line.get_ydata() for line in seeds])
        assert np.allclose(values.min(axis=0), distances.min(), rtol=1e-12)
        assert np.allclose(values.max(axis=0), distances.max(), rtol=1e-12)
        assert not axes.collections and "one seed" in legend_texts(drawn["beyond.float32"])

    def test_both_noises_of_a_phase_share_a_panel(self, drawn, published):
        titles = [axes.get_title(loc="left") for axes in drawn["beyond.energy"].axes]
        assert len(titles) == 6 and len(set(titles)) == 6
        clamped = drawn["beyond.energy"].axes[0].lines
        assert len({line.get_linestyle() for line in clamped}) == 2

    def test_what_counts_as_equal_is_the_published_bound(self, drawn, published):
        bound = published.bound("claim.prediction_equals_forward", "reaches_forward_activity")
        texts = legend_texts(drawn["beyond.prediction"])
        assert f"counts as equal: below $10^{{{np.log10(bound):.0f}}}$" in texts
