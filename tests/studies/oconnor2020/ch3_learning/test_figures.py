"""Pictures of chapter 3's training runs, drawn from tables that follow the contract."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from plausible.drawing import oconnor2020, style
from plausible.drawing import oconnor2020_spiking_beyond as beyond
from plausible.drawing import oconnor2020_spiking_training as plots
from plausible.reproduction.published import load_curves, load_published

from ..reproduction.synthetic_oconnor2020_spiking import DENSE, SPARSE, good_tables
from .pictures import legend_texts, lines_of

PRINTED_TRAINING = {"sgd": 2.484, "fsgd": 0.37, "relu": 0.426}
FOLDER = Path(__file__).parents[2] / "workflow" / "published"
DRAWN = {
    "ch3_fig3_2": "ch3.fig3.2",
    "ch3_fig3_3": "ch3.fig3.3",
    "table_a1_figure": "table_a1",
    "fsgd_and_sgd": "ch3.fig3.2",
    "early_guesses": "ch3.fig3.3",
    "initial_weights_figure": "beyond.initial_weights",
}


@pytest.fixture(scope="module")
def published():
    return load_curves(FOLDER / "curves", "oconnor2020")


@pytest.fixture(scope="module")
def tables():
    return good_tables(load_published(FOLDER / "oconnor2020.yaml"))


def draw(name, table, published, dataset="mnist"):
    figure = oconnor2020.FIGURES[name](table, published, dataset)
    FigureCanvasAgg(figure).draw()
    return figure


@pytest.fixture(scope="module")
def drawn(tables, published):
    return {name: draw(name, tables[table], published) for name, table in DRAWN.items()}


@pytest.mark.parametrize("name", DRAWN)
def test_picture_has_labels_and_nothing_outside(name, drawn):
    figure = drawn[name]
    assert isinstance(figure, Figure)
    assert figure.get_figwidth() == pytest.approx(style.DOUBLE_COLUMN_MM / 25.4)
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    for axes in figure.axes:
        assert axes.get_xlabel() and axes._left_title.get_text()
        written = [axes.xaxis.label, axes.yaxis.label, axes._left_title]
        for one in (*(text for text in written if text.get_text()), *figure.legends):
            box = one.get_window_extent(renderer)
            assert -1 <= box.x0 and box.x1 <= width + 1 and -1 <= box.y0 and box.y1 <= height + 1
    assert legend_texts(figure) and len(set(legend_texts(figure))) == len(legend_texts(figure))


def test_learning_curves_are_means_over_seeds_with_published_errors(drawn, tables, published):
    panels = drawn["ch3_fig3_2"].axes
    table = tables["ch3.fig3.2"]
    for axes, part in zip(panels, ("thesis", "official"), strict=False):
        for network, error in (("relu", 1.63), ("fsgd", 2.07), ("sgd", 3.6)):
            look = plots.TRAINED[network]
            curves = lines_of(axes, look.colour, "-")
            rows = table[(table["network"] == network) & (table["epoch"] > 0)]
            wanted = rows[rows["part"] == part].groupby("epoch")["error_percent"].mean()
            assert np.allclose(curves[0].get_ydata(), wanted)
            marks = [
                (line.get_ydata()[0], line.get_markerfacecolor())
                for line in axes.lines
                if line.get_marker() == "D" and line.get_markeredgecolor() == look.colour
            ]
            assert marks == [(error, "none"), (PRINTED_TRAINING[network], look.colour)]
            low, high = axes.get_ylim()
            assert low < PRINTED_TRAINING[network] < error < high
    legend = legend_texts(drawn["ch3_fig3_2"])
    assert "published, test, epoch 50" in legend and "published, training, epoch 50" in legend
    # Gaps of 1 point and less, of the first twenty epochs.
    (gap,) = lines_of(panels[2], plots.TRAINED["relu"].colour)
    assert np.allclose(gap.get_ydata(), 1.0) and max(gap.get_xdata()) == 20


def test_early_guesses_stand_beside_both_passes(drawn):
    panels = drawn["ch3_fig3_3"].axes
    assert ["official" in axes._left_title.get_text() for axes in panels] == [
        False,
        False,
        True,
        True,
    ]
    for axes, share in zip(panels, (1.0, 0.3, 1.0, 0.3), strict=True):
        points = {
            line.get_marker(): line.get_xdata()[0]
            for line in lines_of(axes, plots.TRAINED["relu"].colour)
            if line.get_marker() in "PX"
        }
        assert points == {
            "P": pytest.approx(share * DENSE / 1e3),
            "X": pytest.approx(share * SPARSE / 1e3),
        }
    assert "spiking, regularised FSGD (20 epochs)" in legend_texts(drawn["ch3_fig3_3"])
    (line,) = [
        one for one in lines_of(panels[1], plots.TRAINED["fsgd"].colour) if len(one.get_xdata())
    ]
    assert line.get_xdata()[0] == pytest.approx(8.0)
    assert line.get_ydata()[:2] == pytest.approx([2.03 + 10, 2.03 + 5])


def test_variants_stand_beside_their_published_error(drawn, published):
    left, right = drawn["table_a1_figure"].axes
    labels = [text.get_text() for text in left.get_yticklabels()]
    printed = {row["variant"]: row["error_percent"] for row in published.values("table_a1")["rows"]}
    for axes in (left, right):
        (marks,) = lines_of(axes, style.PUBLISHED_COLOUR)
        assert sorted(marks.get_xdata()) == sorted(printed.values())
        (coded,) = (
            line
            for line in lines_of(axes, style.PROTOCOLS["as_coded"].colour)
            if len(line.get_xdata())
        )
        for error, place in zip(coded.get_xdata(), coded.get_ydata(), strict=True):
            row = list(plots.VARIANTS)[round(place)]
            if plots.VARIANTS[row][0]:
                assert error == pytest.approx(printed[plots.VARIANTS[row][0]])
    assert labels[0].startswith("baseline") and len(labels) == 10


def test_an_error_ends_at_all_images_and_a_single_seed_is_an_open_marker(tables, published):
    table = tables["table_a1"]
    change = (table["network"] == "zero_reset") & (table["seed"] == 1)
    table = table.assign(error_percent=table["error_percent"].mask(change, 6.0))
    table = table[(table["network"] != "depth_first_held") | (table["seed"] == 0)]
    figure = draw("table_a1_figure", table, published)
    colour = style.PROTOCOLS["as_coded"].colour
    for axes in figure.axes:
        assert axes.get_xlim()[1] == 100.0
        filled = {
            line.get_markerfacecolor(): len(line.get_xdata()) for line in lines_of(axes, colour)
        }
        assert filled["white"] == 1 and filled[colour] == 9
    legend = legend_texts(figure)
    assert {"ours, as published", "ours, as coded", "published"} < set(legend)
    assert {"95 % interval over 3 seeds", "one seed"} < set(legend)
    whole = legend_texts(draw("table_a1_figure", tables["table_a1"], published))
    assert "one seed" not in whole


def test_gain_at_equal_epochs_and_at_equal_operations(tables, drawn):
    table = tables["ch3.fig3.2"]
    lines = {
        equal: next(
            line
            for line in lines_of(drawn["fsgd_and_sgd"].axes[2], look.colour)
            if len(line.get_xdata())
        )
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
    for panel, axes in enumerate(drawn["initial_weights_figure"].axes):
        for ending, look in beyond.READINGS.items():
            *seeds, line = (one for one in lines_of(axes, look.colour) if len(one.get_xdata()))
            assert line.get_ydata()[-1] == pytest.approx(ends[ending][panel])
            assert len(seeds) == 3 and {one.get_linewidth() for one in seeds} == {0.6}
            last = [one.get_ydata()[-1] for one in seeds]
            assert np.mean(last) == pytest.approx(ends[ending][panel])
        assert axes.get_ylim()[1] == 100.0 and not axes.collections
        (printed,) = lines_of(axes, style.PUBLISHED_COLOUR)
        assert set(printed.get_ydata()) == {ends[""][panel]}


def test_one_rule_alone_has_no_gain(tables, published):
    table = tables["ch3.fig3.2"]
    figure = draw("fsgd_and_sgd", table[table["network"] == "fsgd"], published)
    assert "no data" in [text.get_text() for text in figure.axes[2].texts]


@pytest.mark.parametrize("name", DRAWN)
def test_one_seed_has_no_intervals(name, tables, published):
    table = tables[DRAWN[name]]
    figure = draw(name, table[table["seed"] == 0], published)
    assert "95 % interval over seeds" not in legend_texts(figure)
    assert not [one for axes in figure.axes for one in axes.collections if len(one.get_paths())]


@pytest.mark.parametrize("name", ["ch3_fig3_2", "table_a1_figure", "fsgd_and_sgd"])
def test_a_diverged_network_is_drawn_as_such(name, tables, published):
    table = tables[DRAWN[name]].copy()
    lost = table["network"].isin(["sgd", "steps_20"]) & (table["epoch"] > 1)
    table.loc[lost, ["error_percent", "diverged_epoch"]] = [np.nan, 1.3]
    figure = draw(name, table, published)
    assert style.DIVERGED in legend_texts(figure)


def test_another_data_set_is_named(tables, published):
    figure = draw("ch3_fig3_2", tables["ch3.fig3.2"], published, "digits")
    assert "published (MNIST), test, epoch 50" in legend_texts(figure)


def test_tables_are_read_from_files_as_well(tables, published, tmp_path):
    """A result's table is a CSV file; empty columns come back as numbers."""
    for name, source in DRAWN.items():
        path = tmp_path / "table.csv"
        tables[source].to_csv(path, index=False)
        draw(name, pd.read_csv(path), published)
