"""Pictures of the optimised scales, drawn from a table that follows the contract of the result."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from plausible.drawing import style
from plausible.studies.oconnor2020.ch4_scales.settings import TENTH

from ....drawing.pictures import legend_texts, lines_of
from ...part_results import published_of
from ..picture_rules import PictureRules
from . import synthetic

PART = "oconnor2020.ch4_scales"
FIGURE, FRONTIER = "ch4.fig4.4", "beyond.quantisation_frontier"


@cache
def table_b1():
    """Rows that reproduce the published cells."""
    return synthetic.table_b1(published_of(PART))


class TestFigures(PictureRules):
    """Figure 4.4, and pictures beyond it, of one table."""

    part = PART
    tables = dict.fromkeys(
        [FIGURE, FRONTIER, "beyond.official_split", "beyond.tenth_of_lambda", "beyond.scales"],
        table_b1,
    )

    @pytest.fixture(scope="class")
    @classmethod
    def table(cls):
        """The synthetic table that all pictures are drawn from."""
        return table_b1()

    def test_units_and_intervals(self, drawn, picture):
        figure = drawn[picture]
        assert round(figure.get_figwidth() * 25.4, 3) == style.DOUBLE_COLUMN_MM
        texts = legend_texts(figure)
        assert "one seed" in texts and not any("95 % interval" in text for text in texts)
        assert all("(" in axes.get_xlabel() for axes in figure.axes)
        assert "(" in figure.axes[0].get_ylabel()

    def test_five_seeds_have_intervals(self, table, published, picture):
        five = pd.concat(
            [table, table[table["seed"] < 2].assign(seed=lambda rows: 3 + rows["seed"])]
        )
        assert five["seed"].nunique() == 5
        texts = legend_texts(self.functions()[picture](five, published))
        assert "95 % interval over 5 seeds" in texts and "one seed" not in texts

    def test_one_seed_has_no_intervals(self, table, published, picture):
        figure = self.functions()[picture](table[table["seed"] == 1], published)
        assert not any("95 % interval" in text for text in legend_texts(figure))

    def test_a_diverged_lambda_is_marked(self, table, published, picture):
        gone = table.copy()
        lost = (gone["lambda"] == 1e-5) & (gone["seed"] == 1)
        gone.loc[lost, ["error_percent", "kflops", "energy_nj", "scale_0"]] = np.nan
        assert "diverged" in legend_texts(self.functions()[picture](gone, published))

    def test_other_lambdas_and_one_protocol(self, table, published, picture):
        """What the demo scale has: other values, and perhaps only the reading by the code."""
        chosen = table[table["protocol"] == "as_coded"]
        chosen = chosen.assign(**{"lambda": 7 * chosen["lambda"]})
        assert self.functions()[picture](chosen, published, dataset="digits").axes

    def test_figure_4_4_shows_ours_and_theirs(self, drawn, published):
        figure = drawn[FIGURE]
        assert len(figure.axes) == 4
        cells = [
            row["sigma_delta"]["temporal"]
            for row in published.values("table_b1")["rows"]
            if "lambda" in row
        ]
        theirs = [(cell["energy_nj"], cell["test_error_percent"]) for cell in cells]
        black = lines_of(figure.axes[3], style.PUBLISHED_COLOUR)
        assert any(np.array_equal(line.get_xydata(), theirs) for line in black)
        green = lines_of(figure.axes[3], style.GREEN)
        ours = [line for line in green if len(line.get_xdata()) == 10]
        np.testing.assert_allclose(ours[0].get_xydata(), theirs, rtol=0.02)
        assert "published (MNIST)" in legend_texts(figure)
        assert not figure.legends[0].get_title().get_text()

    @pytest.mark.parametrize(
        ("dataset", "titles"),
        [
            ("mnist", ["MNIST", "Temporal MNIST"]),
            ("digits", ["order of the file", "temporal order"]),
        ],
    )
    def test_the_axes_are_named_by_the_order(self, table, published, dataset, titles):
        figure = self.functions()[FIGURE](table, published, dataset=dataset)
        found = [axes.get_title(loc="left") for axes in figure.axes[:2]]
        assert [text.partition("  ")[2] for text in found] == [
            f"operations, {title}" for title in titles
        ]

    def test_intervals_are_possible(self, table, published, picture):
        """Neither cut off nor below zero, however far seeds are apart."""
        one = table[table["seed"] == 1]
        columns = ["error_percent", "kflops", "scale_0"]
        seeds = [  # far apart, but not in two places
            one.assign(seed=seed, **{column: factor * one[column] for column in columns})
            for seed, factor in enumerate((1, 1, 1, 4, 8))
        ]
        figure = self.functions()[picture](pd.concat(seeds), published)
        bars = [bar.vertices[[0, -1], 1] for axes in figure.axes for lines in axes.collections
                for bar in lines.get_paths()]  # fmt: skip
        low, high = np.sort([bar for bar in bars if not np.isclose(*bar)]).T
        assert len(low) and (low > 0).all() and (low < 0.2 * high).all()

    @pytest.mark.parametrize("name", ["beyond.official_split", "beyond.tenth_of_lambda"])
    def test_the_legend_names_what_is_drawn_and_nothing_else(self, name, table, published):
        """Without notes in brackets; a series that is not there has no entry."""
        table = table[table["granularity"] != TENTH]
        figure = self.functions()[name](table, published)
        texts = legend_texts(figure)
        assert not any("(a" in text or "line" in text or "tenth" in text for text in texts)
        assert all(len(axes.get_title("left").partition("  ")[2]) > 4 for axes in figure.axes)

    def test_a_tenth_of_lambda_stands_beside_what_is_coded(self, drawn):
        _, cost = drawn["beyond.tenth_of_lambda"].axes
        tenth = next(line for line in lines_of(cost, style.SKY) if len(line.get_xdata()) == 10)
        theirs = lines_of(cost, style.PUBLISHED_COLOUR)[0]
        np.testing.assert_allclose(tenth.get_ydata(), 1.2 * (theirs.get_ydata() + 0.5))

    def test_every_width_of_integers_is_drawn(self, drawn):
        operations, energy = drawn[FRONTIER].axes
        assert [text.get_text() for text in operations.texts] == ["2 bits", "3 bits"]
        dense = [line for line in lines_of(energy, style.GREY) if len(line.get_xdata()) == 4]
        np.testing.assert_allclose(dense[0].get_xdata(), [20 + bits**2 for bits in (2, 3, 4, 8)])

    def test_stars_are_explained_and_labels_of_bits_cover_nothing(self, drawn):
        """Labels stand to the right of the rightmost series of integers."""
        figure = drawn[FRONTIER]
        assert "unoptimised ($k$ = 1)" in legend_texts(figure)
        for axes in figure.axes:
            labels = [text for text in axes.texts if text.get_text().endswith("bits")]
            assert sorted(text.get_text() for text in labels) == ["2 bits", "3 bits"]
            for text in labels:
                box = text.get_window_extent()
                for line in axes.lines:
                    points = axes.transData.transform(line.get_xydata())
                    assert not any(box.contains(*point) for point in points)
