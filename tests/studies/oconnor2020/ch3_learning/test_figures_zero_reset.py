"""The picture of error spikes with and without a reset of their quantizers: a made-up table."""

import numpy as np
import pytest

from plausible.drawing import style
from plausible.studies.oconnor2020.ch3_learning.figures_zero_reset import LOOKS, zero_reset_figure

from ....drawing.pictures import legend_texts, lines_of
from ...part_results import published_of
from .synthetic import zero_reset_table


@pytest.fixture(scope="module")
def published():
    return published_of("oconnor2020.ch3_learning")


@pytest.fixture(scope="module")
def figure(published):
    return zero_reset_figure(zero_reset_table(), published)


def runs(axes, reset):
    """Lines of single runs: longer than the one point of a printed error."""
    return [line for line in lines_of(axes, LOOKS[reset].colour) if len(line.get_xdata()) > 1]


def test_every_run_is_a_line_of_its_own(figure):
    table = zero_reset_table()
    columns = ["error_spikes"] * 3 + ["spikes", "relative_change", "thesis_error_percent"]
    layers = [1, 2, 3, 2, 3, 1]
    for axes, column, layer in zip(figure.axes, columns, layers, strict=True):
        for reset in LOOKS:
            drawn = runs(axes, reset)
            assert len(drawn) == 3
            for seed, line in enumerate(drawn):
                rows = table[(table["reset"] == reset) & (table["seed"] == seed)]
                rows = rows[(rows["layer"] == layer) & (rows["epoch"] > 0)]
                assert list(line.get_xdata()) == [0.5, 1, 4]
                assert np.allclose(line.get_ydata(), rows[column])
    titles = [axes._left_title.get_text() for axes in figure.axes]
    assert titles[2].endswith("errors, output") and titles[4].endswith("weights to output")
    assert {axes.get_xlabel() for axes in figure.axes} == {"epoch"}
    assert len({axes.get_ylim() for axes in figure.axes[:3]}) == 1


def test_what_never_happens_is_drawn_at_zero(figure):
    for axes in figure.axes[:2]:
        assert axes.get_ylim()[0] == 0
        assert all(not line.get_clip_on() for line in runs(axes, "zero"))
        assert all((line.get_ydata() == 0).all() for line in runs(axes, "zero"))
    for axes in figure.axes[:5]:
        assert axes.get_yticklabels()[0].get_text() == "0"


def test_printed_errors_stand_at_the_right_in_the_colours_of_their_resets(figure, published):
    printed = published.values("ch3.no_zero_reset")["rows"]
    marks = {
        line.get_markeredgecolor(): line.get_ydata()[0]
        for line in figure.axes[-1].lines
        if line.get_marker() == "D"
    }
    assert marks == {LOOKS[row["id"]].colour: row["error_percent"] for row in printed}
    assert {row["error_percent"] for row in printed} == {3.38, 3.15, 87.87}
    assert figure.axes[-1].get_ylim()[0] < 3.15
    axes = figure.axes[-1]
    # The training ends after four epochs: the printed errors stand beyond the panel.
    assert axes.get_xlim()[1] < 5
    assert all(line.get_xdata()[0] > 1 for line in axes.lines if line.get_marker() == "D")


def test_another_data_set_is_named(published):
    figure = zero_reset_figure(zero_reset_table(seeds=(0,)), published, "digits")
    assert {"published (MNIST), one run", "no reset, one line a seed"} < set(legend_texts(figure))


def test_a_diverged_run_is_marked(published):
    table = zero_reset_table()
    lost = (table["reset"] == "random") & (table["seed"] == 1) & (table["epoch"] > 1)
    columns = ["spikes", "error_spikes", "relative_change", "thesis_error_percent"]
    table.loc[lost, columns] = np.nan
    figure = zero_reset_figure(table, published)
    assert style.DIVERGED in legend_texts(figure)
    table = table.assign(**dict.fromkeys(columns, np.nan))
    assert style.DIVERGED in legend_texts(zero_reset_figure(table, published))
