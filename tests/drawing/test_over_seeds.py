"""Values of several seeds: intervals stay possible, few seeds are drawn one by one."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t

from plausible.drawing import style
from plausible.drawing.over_seeds import (
    FEWEST,
    draw_mean_line,
    draw_mean_points,
    fall_apart,
    over_seeds,
    seed_handles,
)

LOOK = style.PROTOCOLS["corrected"]


def apart(seeds=5, column="error_percent"):
    """Seeds of which one is far from the others, at two epochs; costs differ by seed."""
    values = np.array([6.0, *[90.0] * (seeds - 1)])
    rows = [
        pd.DataFrame({"epoch": epoch, "seed": range(seeds), column: values, "cost": epoch + values})
        for epoch in (2, 1)
    ]
    return pd.concat(rows, ignore_index=True)


def even(seeds=5):
    """Seeds that scatter evenly."""
    rows = apart(seeds)
    return rows.assign(error_percent=10.0 + rows["epoch"] + 0.1 * rows["seed"])


def test_an_interval_of_a_percentage_stays_possible_without_being_asked():
    data = over_seeds(apart(), "epoch", "error_percent")
    assert (data["low"] > 0).all() and (data["high"] < 100).all()
    plain = over_seeds(apart(column="error"), "epoch", "error")
    assert (plain["high"] > 100).all()


def test_interval_of_a_positive_quantity_by_hand():
    values = np.array([1.0, 2.0, 6.0, 2.0, 14.0])
    table = pd.DataFrame({"x": 0, "seed": range(5), "loss": values})
    half = student_t.ppf(0.975, 4) * values.std(ddof=1) / np.sqrt(5)
    assert over_seeds(table, "x", "loss")["low"][0] == pytest.approx(5.0 - half) and half > 5.0
    kept = over_seeds(table, "x", "loss", within=style.POSITIVE).iloc[0]
    ends = [5.0 * np.exp(-half / 5.0), 5.0 * np.exp(half / 5.0)]
    assert list(kept[["low", "high"]]) == pytest.approx(ends)


@pytest.mark.parametrize("within", [style.POSITIVE, style.COSINE, style.PERCENT])
def test_intervals_stay_within_what_is_possible_and_small_ones_as_they_are(within):
    middle = 0.9
    low, high = style.possible(middle, middle - 2.0, middle + 2.0, within)
    assert within[0] < low < middle < high < within[1]
    ends = style.possible(middle, middle - 1e-6, middle + 1e-6, within)
    assert ends == pytest.approx((middle - 1e-6, middle + 1e-6), abs=1e-10)


def test_a_mean_at_the_end_of_the_range_has_no_other_interval():
    for mean, within in ((0.0, style.POSITIVE), (1.0, style.COSINE), (0.0, style.PERCENT)):
        assert style.possible(mean, mean, mean, within) == pytest.approx((mean, mean))


@pytest.mark.parametrize("draw", [draw_mean_line, draw_mean_points])
@pytest.mark.parametrize("seeds", [1, 2, 3, FEWEST])
def test_few_seeds_are_drawn_one_by_one_and_many_have_an_interval(draw, seeds):
    axes = style.new_figure().subplots()
    table = even(seeds)
    draw(axes, table, "epoch", "error_percent", LOOK, at="cost")
    single = [line for line in axes.lines if line.get_alpha()]
    assert bool(single) == (1 < seeds < FEWEST) and bool(axes.collections) == (seeds >= FEWEST)
    if single:
        points = np.concatenate([line.get_xydata() for line in single])
        wanted = table[["cost", "error_percent"]].to_numpy()
        assert sorted(map(tuple, points)) == sorted(map(tuple, wanted))
    mean = axes.lines[-1] if draw is draw_mean_line else axes.lines[len(single)]
    assert mean.get_xdata() == pytest.approx(table.groupby("epoch")["cost"].mean())
    assert len(seed_handles(table)) == (seeds > 1)


def test_each_of_many_seeds_may_be_drawn_without_an_interval():
    axes = style.new_figure().subplots()
    draw_mean_line(axes, apart(6), "epoch", "error_percent", LOOK, each=True)
    assert len(axes.lines) == 6 + 1 and not axes.collections
    assert [handle.get_label() for handle in seed_handles(apart(6), each=True)] == ["one seed"]
    assert not seed_handles(apart(1), each=True)


@pytest.mark.parametrize("draw", [draw_mean_line, draw_mean_points])
def test_where_one_seed_stands_apart_each_is_drawn_with_the_median(draw):
    table = even(5)
    failed = table["error_percent"].mask((table["seed"] == 3) & (table["epoch"] == 2), 90.0)
    for values, expected in ((table["error_percent"], False), (failed, True)):
        rows = table.assign(error_percent=values)
        figure = style.new_figure()
        axes = figure.subplots()
        assert fall_apart(rows, "epoch", "error_percent") == expected
        data = draw(axes, rows, "epoch", "error_percent", LOOK)
        single = [line for line in axes.lines if line.get_gid() == style.APART]
        assert bool(single) == expected and data["low"].isna().all() == expected
        if expected:
            medians = rows.groupby("epoch")["error_percent"].median()
            assert list(data["mean"]) == list(medians)
        texts = [text.get_text() for text in style.legend_below(figure, []).get_texts()]
        assert [text.startswith("one run (with") for text in texts] == [True] * expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1.6, 1.7, 1.74, 1.78, 11.1), True),
        ((6.0, 6.8, 90.1, 90.1, 90.1), True),  # the mean is within the range of the others
        ((1.0, 2.0, 3.0, 4.0, 9.0), False),
        ((98.1, 98.1, 98.1, 98.1, 98.3), False),
        ((80.0, 98.0, 98.1, 98.2, 98.3), True),  # the same as errors of 20 and 1.7 to 2
    ],
)
def test_seeds_in_two_places(values, expected):
    rows = pd.DataFrame({"x": 0, "seed": range(5), "error_percent": values})
    assert fall_apart(rows, "x", "error_percent") == expected


def test_a_failed_run_and_few_seeds_do_not_count_as_apart():
    rows = even(5)
    assert not fall_apart(rows.assign(error_percent=np.nan), "epoch", "error_percent")
    assert not fall_apart(even(3).assign(error_percent=[1, 1, 90] * 2), "epoch", "error_percent")


def test_means_may_be_joined():
    axes = style.new_figure().subplots()
    draw_mean_points(axes, apart(1), "epoch", "error_percent", LOOK, joined=True)
    assert [line.get_linestyle() for line in axes.lines] == ["None", "-"]


@pytest.mark.parametrize(("value", "end"), [("error_percent", 0.97), ("overlap", 0.03)])
def test_a_run_that_diverged_is_marked_at_the_bad_end(value, end):
    axes = style.new_figure().subplots()
    table = apart(3, value)
    draw_mean_line(axes, table.assign(**{value: np.nan}), "epoch", value, LOOK)
    (marks,) = [line for line in axes.lines if line.get_gid() == style.DIVERGED]
    assert list(marks.get_ydata()) == [end] * 2


def test_networks_of_few_and_of_many_seeds_have_both_entries():
    table = pd.concat([apart(5).assign(network="a"), apart(2).assign(network="b")])
    labels = [handle.get_label() for handle in seed_handles(table)]
    assert labels == ["95 % interval over 5 seeds", "one seed"]
