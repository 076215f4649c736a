"""Pictures of chapter 3's trainings, drawn from made-up tables and from those of the reference."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from plausible.drawing import style
from plausible.drawing.over_seeds import ONE_LINE
from plausible.studies.oconnor2020.ch3_learning import figures as plots
from plausible.studies.oconnor2020.ch3_learning import figures_beyond as beyond

from ....drawing.pictures import legend_texts, lines_of
from ...part_results import functions_of, published_of, results_of
from ..picture_rules import PictureRules
from .synthetic import DENSE, HIDDEN, SPARSE, good_tables

PRINTED_TRAINING = {"sgd": 2.484, "fsgd": 0.37, "relu": 0.426}
PART = "oconnor2020.ch3_learning"
FIGURES = functions_of(PART, "figure")
SHOWN = {name: results_of(PART)[name].get("data", name) for name in FIGURES}
"""The table that a picture shows."""


class TestFigures(PictureRules):
    """What all pictures share."""

    part = PART
    tables = {
        name: partial(lambda shown: good_tables(published_of(PART))[shown], shown)
        for name, shown in SHOWN.items()
    }


@pytest.fixture(scope="module")
def published():
    return published_of(PART)


@pytest.fixture(scope="module")
def tables(published):
    return good_tables(published)


def draw(name, table, published, dataset="mnist"):
    figure = FIGURES[name](table, published, dataset)
    figure.draw_without_rendering()
    return figure


@pytest.fixture(scope="module")
def drawn(tables, published):
    return {name: draw(name, tables[shown], published) for name, shown in SHOWN.items()}


@pytest.mark.parametrize("name", FIGURES)
def test_panels_have_titles_and_the_legend_no_entry_twice(name, drawn):
    assert all(axes._left_title.get_text() for axes in drawn[name].axes)
    texts = legend_texts(drawn[name])
    assert texts and len(set(texts)) == len(texts)


def test_learning_curves_are_means_over_seeds_with_published_errors(drawn, tables, published):
    panels = drawn["ch3.fig3.2"].axes
    table = tables["ch3.fig3.2"]
    for axes, part in zip(panels, ("thesis", "official"), strict=False):
        for network, error in (("relu", 1.63), ("fsgd", 2.07), ("sgd", 3.6)):
            look = plots.TRAINED[network]
            curves = lines_of(axes, look.colour, "-")
            rows = table[(table["network"] == network) & (table["epoch"] > 0)]
            wanted = rows[rows["part"] == part].groupby("epoch")["error_percent"].mean()
            *seeds, curve = curves
            assert np.allclose(curve.get_ydata(), wanted) and len(seeds) == 3
            marks = [
                (line.get_ydata()[0], line.get_markerfacecolor())
                for line in axes.lines
                if line.get_marker() == "D" and line.get_markeredgecolor() == look.colour
            ]
            assert marks == [(error, "none"), (PRINTED_TRAINING[network], look.colour)]
            low, high = axes.get_ylim()
            assert low < PRINTED_TRAINING[network] < error < high
    legend = legend_texts(drawn["ch3.fig3.2"])
    assert "published, test, epoch 50" in legend and "published, training, epoch 50" in legend
    # Gaps of 1 point and less, of the first twenty epochs.
    *seeds, gap = lines_of(panels[2], plots.TRAINED["relu"].colour)
    assert len(seeds) == 3
    assert np.allclose(gap.get_ydata(), 1.0) and max(gap.get_xdata()) == 20


def test_early_guesses_stand_beside_both_passes(drawn):
    panels = drawn["ch3.fig3.3"].axes
    assert ["official" in axes._left_title.get_text() for axes in panels] == [
        False,
        False,
        True,
        True,
    ]
    for axes, share in zip(panels, (1.0, HIDDEN, 1.0, HIDDEN), strict=True):
        points = {
            line.get_marker(): line.get_xdata()[0]
            for line in lines_of(axes, plots.TRAINED["relu"].colour)
            if line.get_marker() in "PX"
        }
        assert points == {
            "P": pytest.approx(share * DENSE / 1e3),
            "X": pytest.approx(share * SPARSE / 1e3),
        }
    assert "spiking, regularised FSGD (20 epochs)" in legend_texts(drawn["ch3.fig3.3"])
    *seeds, line = [
        one for one in lines_of(panels[1], plots.TRAINED["fsgd"].colour) if len(one.get_xdata())
    ]
    assert len(seeds) == 3 and {one.get_linewidth() for one in seeds} == {ONE_LINE["lw"]}
    assert line.get_xdata()[0] == pytest.approx(8.0)
    assert line.get_ydata()[:2] == pytest.approx([2.03 + 10, 2.03 + 5])


def means_and_dots(axes, protocol):
    """Points [points, 2] of means and of single seeds, by networks."""
    look = style.PROTOCOLS[protocol]
    lines = [line for line in lines_of(axes, look.colour) if len(line.get_xdata())]
    return tuple(
        [line.get_xydata() for line in lines if line.get_marker() == marker]
        for marker in (look.marker, "o")
    )


def test_variants_stand_beside_their_published_error(drawn, published):
    left, right = drawn["table_a1"].axes
    labels = [text.get_text() for text in left.get_yticklabels()]
    rows = published.values("table_a1")["rows"]
    printed = {row["variant"]: row["error_percent"] for row in rows}
    assert labels == [*printed, "Depth-First, error held"]
    for axes in (left, right):
        (marks,) = lines_of(axes, style.PUBLISHED_COLOUR)
        assert list(marks.get_xdata()) == list(printed.values())
        means, dots = means_and_dots(axes, "as_coded")
        assert [len(one) for one in dots] == [3] * len(means)
        found = {labels[round(where)]: error for ((error, where),) in means}
        assert {name: found[name] for name in printed} == pytest.approx(printed)


def test_few_seeds_are_dots_and_many_an_interval(tables, published):
    table = tables["table_a1"]
    change = (table["network"] == "zero_reset") & (table["seed"] == 1)
    table = table.assign(error_percent=table["error_percent"].mask(change, 6.0))
    table = table[(table["network"] != "depth_first_held") | (table["seed"] == 0)]
    figure = draw("table_a1", table, published)
    for axes in figure.axes:
        assert axes.get_xlim()[1] == 100.0 and not axes.collections
        means, dots = means_and_dots(axes, "as_coded")
        # A single seed is its own mean.
        assert len(means) == 10 and [len(one) for one in dots] == [3] * 9
        assert 6.0 in np.concatenate(dots)[:, 0]
    assert {
        "ours, as published",
        "ours, as coded",
        "published",
        "one seed",
        "one seed alone",
    } == set(legend_texts(figure))
    figure = draw("table_a1", good_tables(published, range(5))["table_a1"], published)
    assert all(axes.collections for axes in figure.axes)
    assert "95 % interval over 5 seeds" in legend_texts(figure)
    assert "one seed" not in legend_texts(figure)


def test_curves_of_many_seeds_have_a_band_and_those_of_few_are_lines(published):
    for seeds, legend, missing in (
        (5, "95 % interval over 5 seeds", "one seed"),
        (3, "one seed", "95 % interval over 3 seeds"),
    ):
        table = good_tables(published, range(seeds))["ch3.fig3.2"]
        figure = draw("ch3.fig3.2", table, published)
        assert len(figure.axes[0].collections) == (3 if seeds == 5 else 0)
        lines = lines_of(figure.axes[0], plots.TRAINED["fsgd"].colour)
        assert sum(one.get_linewidth() == ONE_LINE["lw"] for one in lines) == (
            0 if seeds == 5 else 3
        )
        assert legend in legend_texts(figure) and missing not in legend_texts(figure)


@pytest.mark.parametrize("name", ["ch3.fig3.2", "beyond.fsgd_and_sgd"])
def test_networks_that_are_not_drawn_do_not_stand_in_the_legend(name, published):
    """Fewer seeds of the regularised network, say."""
    table = good_tables(published, range(5))["ch3.fig3.2"]
    other = table[(table["network"] == "fsgd") & (table["seed"] < 3)]
    table = pd.concat([table, other.assign(network="fsgd_regularised")])
    assert "one seed" not in legend_texts(draw(name, table, published))


def test_gain_at_equal_epochs_and_at_equal_operations(tables, drawn):
    table = tables["ch3.fig3.2"]
    lines = {
        equal: lines_of(drawn["beyond.fsgd_and_sgd"].axes[2], look.colour)[-1]
        for equal, look in beyond.EQUAL.items()
    }
    sgd, fsgd = (
        table[(table["network"] == name) & (table["part"] == "thesis") & (table["epoch"] > 0)]
        for name in ("sgd", "fsgd")
    )
    mean = {
        name: rows.groupby("epoch")["error_percent"].mean().loc[1:]
        for name, rows in (("sgd", sgd), ("fsgd", fsgd))
    }
    equal, costs = lines["epoch"], lines["training_operations"]
    assert list(equal.get_xdata()) == list(mean["sgd"].index)
    assert np.allclose(equal.get_ydata(), mean["sgd"] - mean["fsgd"])
    # An epoch of FSGD costs 10/9 of one of SGD: SGD is read at a later epoch, where there is one.
    assert list(costs.get_xdata()) == [1, 2, 5, 10, 20]
    one, two = mean["sgd"].loc[[1, 2]]
    assert costs.get_ydata()[0] == pytest.approx(one + (two - one) / 9 - mean["fsgd"].loc[1])


def test_both_readings_of_the_first_weights_end_at_their_errors(drawn):
    ends = {"": (3.38, 3.1), "_variance": (70.0, 70.0)}
    for panel, axes in enumerate(drawn["beyond.initial_weights"].axes):
        for ending, look in beyond.READINGS.items():
            *seeds, line = (one for one in lines_of(axes, look.colour) if len(one.get_xdata()))
            assert line.get_ydata()[-1] == pytest.approx(ends[ending][panel])
            assert len(seeds) == 3 and {one.get_linewidth() for one in seeds} == {ONE_LINE["lw"]}
            last = [one.get_ydata()[-1] for one in seeds]
            assert np.mean(last) == pytest.approx(ends[ending][panel])
        assert axes.get_ylim()[1] == 100.0 and not axes.collections
        (printed,) = lines_of(axes, style.PUBLISHED_COLOUR)
        assert set(printed.get_ydata()) == {ends[""][panel]}


def test_one_rule_alone_has_no_gain(tables, published):
    table = tables["ch3.fig3.2"]
    figure = draw("beyond.fsgd_and_sgd", table[table["network"] == "fsgd"], published)
    assert "no data" in [text.get_text() for text in figure.axes[2].texts]


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "beyond.zero_reset"])
def test_one_seed_has_no_intervals(name, tables, published):
    table = tables[SHOWN[name]]
    figure = draw(name, table[table["seed"] == 0], published)
    assert not [text for text in legend_texts(figure) if "interval" in text or text == "one seed"]
    assert not [one for axes in figure.axes for one in axes.collections if len(one.get_paths())]


def test_markers_of_a_variant_do_not_cover_each_other(drawn):
    """Ours and what is printed, wherever their errors are the same."""
    figure = drawn["table_a1"]
    for axes in figure.axes:
        points = [
            axes.transData.transform(line.get_xydata()[0])[1]
            for line in axes.lines
            if line.get_marker() in "^sD" and len(line.get_xdata())
        ]
        gaps = np.diff(np.sort(points)) * 72 / figure.dpi
        assert gaps.min() > style.RC["lines.markersize"]


def test_a_network_that_diverged_is_not_put_among_the_best(tables, published):
    table = tables["table_a1"].copy()
    table.loc[table["network"] == "steps_20", "error_percent"] = np.nan
    for axes in draw("table_a1", table, published).axes:
        marks = [line for line in axes.lines if line.get_gid() == style.DIVERGED]
        assert marks and all((line.get_xdata() > 0.9).all() for line in marks)


def test_no_point_of_the_gap_leaves_its_panel(tables, published):
    """However far apart the errors are at first."""
    table = tables["ch3.fig3.2"].copy()
    table.loc[(table["epoch"] == 1) & (table["part"] == "train"), "error_percent"] += 40.0
    axes = draw("ch3.fig3.2", table, published).axes[2]
    low, high = axes.get_ylim()
    heights = np.concatenate([line.get_ydata() for line in axes.lines])
    assert low < heights.min() < -30 and heights.max() < high


def test_printed_errors_stand_beyond_the_end_of_the_training(drawn):
    """Not at an epoch that nobody trained."""
    for axes in drawn["ch3.fig3.2"].axes[:2]:
        marks = [line for line in axes.lines if line.get_marker() == "D"]
        assert len(marks) == 6 and not any(line.get_clip_on() for line in marks)
        assert all(line.get_transform() == axes.get_yaxis_transform() for line in marks)
        assert all((line.get_xdata() > 1).all() for line in marks)


def test_identity_is_drawn_on_equal_axes(drawn):
    (axes,) = drawn["beyond.counted_additions"].axes
    assert axes.get_xlim() == axes.get_ylim() and axes.get_aspect() == 1
    assert "both equal" in legend_texts(drawn["beyond.counted_additions"])


@pytest.mark.parametrize(
    ("name", "panels"), [("beyond.fsgd_and_sgd", 2), ("beyond.relu_learning_rates", 2)]
)
def test_errors_are_compared_on_one_axis(name, panels, drawn):
    assert len({axes.get_ylim() for axes in drawn[name].axes[:panels]}) == 1


def test_a_shorter_training_is_named(tables, published):
    table = tables["table_a1"]
    short = (table["protocol"] == "as_published") & (table["epoch"] > 2)
    texts = legend_texts(draw("table_a1", table[~short], published))
    assert "ours, as published (2 epochs)" in texts and "ours, as coded" in texts


@pytest.mark.parametrize("name", ["ch3.fig3.2", "table_a1", "beyond.fsgd_and_sgd"])
def test_a_diverged_network_is_drawn_as_such(name, tables, published):
    table = tables[SHOWN[name]].copy()
    lost = table["network"].isin(["sgd", "steps_20"]) & (table["epoch"] > 1)
    table.loc[lost, ["error_percent", "diverged_epoch"]] = [np.nan, 1.3]
    figure = draw(name, table, published)
    assert style.DIVERGED in legend_texts(figure)


def test_another_data_set_is_named(tables, published):
    figure = draw("ch3.fig3.2", tables["ch3.fig3.2"], published, "digits")
    assert "published (MNIST), test, epoch 50" in legend_texts(figure)


def test_learning_rates_of_the_relu_network_stand_beside_the_printed_errors(drawn):
    panels = drawn["beyond.relu_learning_rates"].axes
    for axes, error in zip(panels, (0.426, 1.63), strict=True):
        (printed,) = lines_of(axes, style.PUBLISHED_COLOUR)
        assert set(printed.get_ydata()) == {error}
    ends = [
        lines_of(panels[0], beyond.RATES[name].colour)[0].get_ydata()[-1]
        for name in ("half", "relu")
    ]
    assert ends[0] - ends[1] == pytest.approx(0.3)
    assert "learning rate 1/2 of it" in legend_texts(drawn["beyond.relu_learning_rates"])


def test_counted_additions_stand_against_both_sums(drawn, tables):
    (axes,) = drawn["beyond.counted_additions"].axes
    table = tables["beyond.counted_additions"]
    for told, look in beyond.TOLD.items():
        (points,) = lines_of(axes, look.colour)
        assert np.allclose(points.get_xdata(), table[told] / 1e3)
        assert np.allclose(points.get_ydata(), table["counted"] / 1e3)
