"""Pictures of the ablation: heat maps, noise, violations, the calibration."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from plausible.drawing import heat_maps, style
from plausible.studies.song2020.ablation.figures import cells_of
from plausible.studies.song2020.ablation.figures_conditions import moment_distance
from plausible.studies.song2020.ablation.figures_sigma import scaled_divergence
from plausible.studies.song2020.ablation.scores import calibration_scores
from plausible.studies.song2020.looks import (
    TEST_ERROR,
    WEIGHTS,
    cells_published,
    grid_rows,
    sigma_rows,
)
from plausible.studies.song2020.texts import TOP_READING

from ....drawing.pictures import check_nothing_is_cut, legend_texts, lines_of
from ...figure_harness import FigureTests
from ..pictures import SongPictures
from . import synthetic


def maps_of(figure):
    """Panels that are heat maps, which have a number in every cell."""
    return [axes for axes in figure.axes if mesh_of(axes) and axes.texts]


def mesh_of(axes):
    return next((item for item in axes.collections if isinstance(item, QuadMesh)), None)


def cell_texts(axes, columns=8):
    """Annotations of a heat map by row."""
    texts = [text.get_text() for text in axes.texts]
    return [texts[start : start + columns] for start in range(0, len(texts), columns)]


def frames(axes):
    """Framed cells (row, column)."""
    return [
        (int(patch.get_y()), int(patch.get_x()))
        for patch in axes.patches
        if isinstance(patch, Rectangle)
        and to_hex(patch.get_edgecolor()) == style.VERMILLION.lower()
        and patch.get_linewidth() == heat_maps.FRAME_WIDTH
    ]


class TestFigures(SongPictures, FigureTests):
    """Figure 3, the figures of the supplement, and three pictures beyond the paper."""

    part = "song2020.ablation"
    tables = {
        "fig3": synthetic.fig3,
        "supp.fig1": synthetic.fig3,
        "supp.fig2": synthetic.fig3,
        "supp.fig3": synthetic.fig3,
        "beyond.fig3_as_coded_elsewhere": synthetic.fig3,
        "beyond.conditions": synthetic.fig3,
        "beyond.calibration": synthetic.calibration,
    }
    with_published = set(tables)
    without_legend = {"beyond.calibration"}
    lettered_together = {"fig3", "beyond.fig3_as_coded_elsewhere"}
    small = {"seeds": 1, "networks": (2,)}
    largest_svg = 500_000  # 48 cells with their numbers in up to 12 panels

    def test_heat_maps_have_gamma_downwards_and_l_where_the_paper_puts_it(self, drawn):
        panels = maps_of(drawn["supp.fig1"])
        assert len(panels) == 6
        order = {2: "0 $l$ 1 2 3 4 16 64", 3: "0 1 $l$ 2 3 4 16 64", 4: "0 1 2 $l$ 3 4 16 64"}
        for axes, l_max in zip(panels, (2, 2, 3, 3, 4, 4), strict=True):
            assert " ".join(text.get_text() for text in axes.get_xticklabels()) == order[l_max]
            gammas = [text.get_text() for text in axes.get_yticklabels()]
            assert gammas == ["0.01", "0.1", "0.5", "1", "5", "10"]
            assert axes.get_ylim() == (6.0, 0.0)  # the first row is on top

    def test_every_cell_has_our_number_above_the_published_one(self, drawn):
        table = synthetic.fig3()
        chosen = table[(table["protocol"] == "calibrated") & (table["l_max"] == 2)]
        chosen = chosen[(chosen["panel"] == "t_gamma") & (chosen["gamma"] == 0.5)]
        means = chosen.groupby("t")["test_error_divergence_sum"].mean()
        texts = cell_texts(maps_of(drawn["supp.fig1"])[0])
        assert len(texts) == 6
        row = dict(zip("0 l 1 2 3 4 16 64".split(), texts[2], strict=True))
        for t, printed in {
            "0": "13.0",
            "l": "1.15",
            "1": "1.29",
            "4": ".177",
            "64": ".281",
        }.items():
            ours, theirs = row[t].splitlines()
            assert theirs == f"({printed})"
            assert float(ours) == pytest.approx(means[t], rel=5e-3)
        assert texts[5][3].endswith("(≥49)")  # at the end of the published colour scale

    def test_the_cell_that_is_backprop_is_framed_and_zero(self, drawn):
        for name in ("fig3", "supp.fig1", "supp.fig3"):
            panels = maps_of(drawn[name])
            assert panels
            for axes in panels:
                ((row, column),) = frames(axes)
                if axes.get_xticks().size:
                    assert axes.get_xticklabels()[column].get_text() == "$l$"
                assert row == 3
                if name == "fig3":
                    assert cell_texts(axes)[3][column] == "0"
        assert any("rounding" in text for text in legend_texts(drawn["fig3"]))

    def test_rounding_error_is_written_as_such_in_the_supplement(self, drawn):
        weights = maps_of(drawn["supp.fig1"])[1]
        assert cell_texts(weights)[3][1] == "2e−13\n(0)"

    def test_published_panels_of_figure_3_hold_every_recovered_cell(self, drawn, published):
        panels = maps_of(drawn["fig3"])
        assert len(panels) == 12
        named = [axes.get_ylabel().splitlines()[:1] for axes in panels[:: len(synthetic.DEPTHS)]]
        assert named == [["calibrated"], ["published (MNIST)"]] * 2
        theirs = [*panels[3:6], *panels[9:]]
        for axes, (quantity, l_max) in zip(
            theirs, itertools.product((TEST_ERROR, WEIGHTS), (2, 3, 4)), strict=True
        ):
            mesh = mesh_of(axes)
            cells = cells_published(published, l_max, quantity)
            assert np.array_equal(np.asarray(mesh.get_array()).reshape(6, 8), cells.to_numpy())
            assert mesh.norm.vmax == quantity.scale.top and mesh.norm.vmin == 0.0
        assert mesh_of(theirs[0]).norm.linthresh == 0.15

    def test_diverged_cells_carry_a_cross(self, published):
        table = synthetic.fig3(seeds=2, networks=(3,))
        none = self.functions()["fig3"](table, published)
        assert "diverged" not in legend_texts(none)
        one = (table["panel"] == "t_gamma") & (table["t"] == "64") & (table["gamma"] == 10)
        one &= (table["l_max"] == 3) & (table["seed"] == synthetic.SEEDS[-1])
        one &= table["protocol"] == "calibrated"
        table.loc[one, "diverged_epoch"] = 2
        figure = self.functions()["fig3"](table, published)
        assert "diverged" in legend_texts(figure)
        crosses = [
            (axes, line.get_xydata())
            for axes in figure.axes
            for line in axes.lines
            if line.get_gid() == style.DIVERGED
        ]
        assert len(crosses) == 2  # one in each of our two maps of this network
        for axes, places in crosses:
            assert "$l_{max}$ = 3" in axes.get_title(loc="left")
            assert np.array_equal(np.floor(places), [[7, 5]])

    def test_calibrated_is_shown_first_and_as_coded_in_its_own_picture(self, drawn, published):
        labels = [axes.get_ylabel() for axes in drawn["fig3"].axes]
        assert any(label.startswith("calibrated") for label in labels)
        assert not any("as coded" in label for label in labels)
        labels = [axes.get_ylabel() for axes in drawn["beyond.fig3_as_coded_elsewhere"].axes]
        assert any(label.startswith("as coded elsewhere") for label in labels)
        assert not any("calibrated" in label for label in labels)

    @pytest.mark.parametrize("name", ["beyond.conditions", "supp.fig2"])
    def test_few_seeds_are_drawn_one_by_one(self, name):
        self.check_seeds(name)

    def test_long_numbers_are_written_out_in_the_supplement_only(self, published):
        table = synthetic.fig3(seeds=1, protocols=("as_coded_elsewhere",), networks=(2,))
        chosen = (table["panel"] == "t_gamma") & (table["t"] == "64") & (table["gamma"] == 10)
        table.loc[chosen, "weight_divergence_sum"] = 2.4e15
        weights = [
            axes for axes in maps_of(self.functions()["fig3"](table, published)) if axes.texts
        ][2]
        assert cell_texts(weights)[5][7] == "≫"
        weights = maps_of(self.functions()["supp.fig1"](table, published))[1]
        assert cell_texts(weights)[5][7] == "2e15\n(≥50)"

    def test_numbers_fit_into_their_cells(self, drawn):
        for name in ("fig3", "supp.fig1", "supp.fig3", "beyond.calibration"):
            renderer = FigureCanvasAgg(drawn[name]).get_renderer()
            for axes in maps_of(drawn[name]):
                columns = mesh_of(axes).get_coordinates().shape[1] - 1
                width = axes.get_window_extent(renderer).width / columns
                widest = max(text.get_window_extent(renderer).width for text in axes.texts)
                assert widest <= width, (name, axes.get_title(loc="left"))

    def test_a_sign_in_a_cell_is_explained(self, published):
        table = synthetic.fig3(seeds=1, networks=(2,))
        for largest, words in ((900.0, []), (2e15, ["1000 and more"]), (np.inf, ["beyond all"])):
            one = (table["panel"] == "t_gamma") & (table["t"] == "64") & (table["gamma"] == 10)
            table.loc[one, "weight_divergence_sum"] = largest
            texts = " ".join(legend_texts(self.functions()["fig3"](table, published)))
            told = [word for word in ("1000 and more", "beyond all") if word in texts]
            assert told == words

    def test_violations_lie_inside_their_panels(self, published):
        table = synthetic.fig3()
        more = [table.assign(seed=table["seed"] + 1000 * copy) for copy in range(3)]
        for rows in (table, pd.concat(more, ignore_index=True)):
            figure = self.functions()["beyond.conditions"](rows, published)
            check_nothing_is_cut(figure)
            for axes in figure.axes:
                shift = axes.transData - axes.transAxes
                marks = [line.get_xydata() for line in axes.lines if line.get_marker() in "os^D"]
                places = shift.transform(np.concatenate(marks))[:, 0]
                # Not on the edge either, where half of a marker would be cut.
                assert places.min() > 0.01 and places.max() < 0.99

    def test_the_published_error_stands_on_the_colour_bar(self, drawn, published):
        printed = 100 * published.values("supp.table2")["test_error_fraction"]["sigma_0"]
        (bar,) = (one for one in drawn["supp.fig3"].axes if one.get_label() == "<colorbar>")
        (line,) = lines_of(bar, style.PUBLISHED_COLOUR)
        assert list(line.get_ydata()) == [printed, printed]

    def test_one_network_is_enough(self, published):
        table = synthetic.fig3(seeds=1, networks=(3,))
        for name in ("fig3", "supp.fig1", "beyond.conditions"):
            assert self.functions()[name](table, published).axes

    def test_published_sigma_values_are_drawn(self, drawn, published):
        printed = published.values("supp.table1")
        for axes, name in zip(
            drawn["supp.fig2"].axes[:2],
            ("divergence_of_test_error", "divergence_of_final_weights"),
            strict=True,
        ):
            black = [line.get_ydata() for line in lines_of(axes, style.PUBLISHED_COLOUR)]
            assert any(np.array_equal(values, list(printed[name].values())) for values in black)

    def test_conditions_draw_the_recovered_row_and_column(self, drawn, published):
        axes = drawn["beyond.conditions"].axes[2]
        cells = 100 * cells_published(published, 2, TEST_ERROR)["l"] / 64
        black = [
            line.get_ydata()
            for line in lines_of(axes, style.PUBLISHED_COLOUR)
            if line.get_marker() == "o"
        ]
        assert np.allclose(black, [cells])

    def test_calibration_lists_the_best_and_says_how_many_are_left_out(self, published):
        table = synthetic.calibration(seeds=1, candidates=55)
        figure = self.functions()["beyond.calibration"](table, published)
        assert figure.get_figheight() * 25.4 <= 247
        assert figure.axes[0].get_ylabel() == "reading, best 48 of 55"
        assert figure.axes[0].get_yticklabels()[0].get_text() == "reading 0"

    def test_weights_are_the_sum_of_the_text_in_every_picture(self, drawn):
        for name in ("fig3", "beyond.fig3_as_coded_elsewhere"):
            words = "sum over matrices"
            labels = [axes.get_ylabel() for axes in drawn[name].axes]
            assert any(label.startswith("divergence of final weights") for label in labels)
            assert all(words in label for label in labels if "final weights" in label)


@pytest.fixture(scope="module")
def published():
    return synthetic.published()


def test_weights_beyond_all_bounds_are_infinite_not_missing(published):
    table = synthetic.fig3(seeds=2, protocols=("as_coded_elsewhere",), networks=(2,))
    chosen = (table["t"] == "16") & (table["gamma"] == 10)
    table.loc[chosen & (table["seed"] == synthetic.SEEDS[-1]), "weight_divergence_sum"] = np.nan
    rows = grid_rows(table, "as_coded_elsewhere")
    like = cells_published(published, 2, WEIGHTS)
    cells = cells_of(rows, 2, WEIGHTS.column, like)
    assert cells.values.loc["10", "16"] == np.inf
    missing = cells_of(rows[rows["t"] != "16"], 2, WEIGHTS.column, like)
    assert np.isnan(missing.values.loc["10", "16"])


def test_sigma_zero_counts_once_for_each_kind_of_noise():
    """The experiment lists sigma = 0 for every noise; the same run must not be averaged twice."""
    rows = [
        dict(protocol="p", panel="sigma", noise=noise, sigma=sigma, l_max=2)
        for noise in ("initial", "persistent")
        for sigma in (0.0, 1.0)
    ]
    chosen = sigma_rows(pd.DataFrame(rows), "p", "persistent")
    assert list(chosen["sigma"]) == [0.0, 1.0] and set(chosen["noise"]) == {"persistent"}


def test_scaled_curves_end_at_zero_and_one():
    weights = scaled_divergence(pd.Series([0.0, 5.0, 50.0, 900.0]), WEIGHTS)
    assert list(weights) == [0.0, 0.1, 1.0, 1.0]
    test = scaled_divergence(pd.Series([0.0, 1e-9, 0.042, 42.0]), TEST_ERROR)
    assert list(test) == pytest.approx([0.0, 0.0, 0.4, 1.0])
    assert list(scaled_divergence(pd.Series([0.0, 0.0]), TEST_ERROR)) == [0.0, 0.0]


def test_distance_of_a_moment_by_hand():
    """l_max = 3 learns at 0, 1, 2: t = 4 is 4, 3 and 2 steps late."""
    distance = moment_distance(pd.Series(["l", "0", "1", "4"]), 3)
    assert list(distance) == pytest.approx([0.0, -1.0, 2 / 3, 3.0])


def test_calibration_scores_by_hand():
    row = dict(candidate="a", l_max=2, seed=0, description="", gamma=0.5, mean_test_error=0.1)
    cells = [
        dict(column="bp", test=0.0, weight=0.0, theirs=(np.nan, np.nan)),
        dict(column="t0", test=15.0, weight=19.0, theirs=(10.0, 20.0)),
        dict(column="tl", test=60.0, weight=np.nan, theirs=(49.3, 49.8)),
    ]
    table = pd.DataFrame(
        {
            **row,
            "column": cell["column"],
            "test_error_divergence_sum": cell["test"],
            "weight_divergence_norm": cell["weight"],
            "published_test_error_divergence": cell["theirs"][0],
            "published_weight_divergence": cell["theirs"][1],
        }
        for cell in cells
    )
    worse = table.assign(candidate="b", test_error_divergence_sum=3.0)
    scores = calibration_scores(pd.concat([worse, table]), 0.10546)
    assert list(scores.index) == ["a", "b"]
    best = scores.loc["a"]
    assert best[(2, "t0_test")] == pytest.approx(0.5)
    assert best[(2, "t0_weights")] == pytest.approx(0.05)
    # Both are beyond the end of the published scale, and weights that overflowed are as well.
    assert best[(2, "tl_test")] == best[(2, "tl_weights")] == 0.0
    assert best[(2, "bp")] == pytest.approx(abs(0.1 - 0.10546) / 0.10546)
    parts = 5 / (10 + 46.2), 1 / (20 + 49.8), best[(2, "bp")]
    assert best[("all", "mean")] == pytest.approx(sum(parts) / 3)


def test_recovered_numbers_that_are_not_there(published):
    assert cells_published(published, 7, WEIGHTS).empty


def test_scales_end_where_the_file_of_recovered_numbers_says(published):
    reading = published.recovered_values("fig3")["reading"]
    assert TEST_ERROR.scale.top == reading["test_error_top_of_scale"]
    assert TEST_ERROR.scale.linear_below == reading["test_error_smallest_non_zero"]
    assert TOP_READING == {
        TEST_ERROR.published: reading["test_error_top_from"],
        WEIGHTS.published: reading["final_weights_top_from"],
    }
