"""The rule of judging: every decision against its definition, each with one that goes otherwise."""

import numpy as np
import pytest
from scipy import stats

from plausible.errors import StudyError
from plausible.reproduction.judging import (
    DIFFERS,
    REPRODUCED,
    UNDECIDED,
    judge_all,
    judge_number,
    judge_quantity,
    op_text,
)
from plausible.reproduction.published import Resolution


def around(x, delta, **more):
    return Resolution(x - delta, x + delta, **more)


@pytest.mark.parametrize(
    ("values", "delta", "verdict"),
    [
        ([1.0, 1.1, 0.9], 0.5, REPRODUCED),
        ([1.0, 1.4, 0.6], 0.5, UNDECIDED),  # the interval is wider than the resolution
        ([5.0, 5.1, 4.9], 0.5, DIFFERS),
        ([3.0, 5.0, 1.0], 0.5, UNDECIDED),  # outside, but inside the scatter of single runs
        ([1.6, 1.6, 1.6], 0.5, DIFFERS),  # no scatter at all
        ([1.5, 1.5, 1.5], 0.5, REPRODUCED),  # exactly at the resolution
        ([1.0], 0.5, UNDECIDED),  # one seed decides nothing
        ([1.0, np.nan, 1.0], 0.5, DIFFERS),  # divergence is a result
    ],
)
def test_numbers(values, delta, verdict):
    assert judge_number(1.0, values, around(1.0, delta)).verdict == verdict


def test_the_example_of_the_rule(project_root):
    """Rows of the table in docs/verdicts.md: seeds, mean, c, h and verdict."""
    text = (project_root / "docs/verdicts.md").read_text(encoding="utf-8")
    section = text.split("### An example")[1].split("## One verdict")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| 9")]
    assert len(rows) == 4 and len({row[4].split(":")[0].strip() for row in rows}) == 3
    for seeds, mean, half, single, verdict in rows:
        values = np.array([float(each) for each in seeds.split(",")])
        found = judge_number(96.0, values, around(96.0, 0.39))
        assert found.verdict == verdict.split(":")[0].strip()
        assert values.mean() == pytest.approx(float(mean.split(",")[0]), abs=0.05)
        t, scatter = stats.t.ppf(0.975, 2), values.std(ddof=1)
        assert t * scatter / np.sqrt(3) == pytest.approx(float(half), abs=0.006)
        assert t * scatter * np.sqrt(1 + 1 / 3) == pytest.approx(float(single), abs=0.006)
    assert judge_number(96.0, values, around(96.0, 0.39)).seeds_needed == 12


def test_numbers_against_student():
    """The mean's interval and the prediction interval are those of scipy's Student distribution."""
    values = np.array([2.0, 2.3, 2.6, 2.2])
    found = judge_number(2.0, values, around(2.0, 1.0))
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    scatter, t = values.std(ddof=1), stats.t.ppf(0.975, 3)
    for runs in (1, 3):
        half = t * scatter * np.sqrt(1 / runs + 1 / 4)
        for factor, verdict in ((0.999, UNDECIDED), (1.001, DIFFERS)):
            published = values.mean() - factor * half
            resolution = around(published, 1e-3, runs=runs)
            assert judge_number(published, values, resolution).verdict == verdict


def test_a_mean_of_several_runs_is_told_from_ours_more_easily_than_one_run():
    values = [2.0, 2.2, 2.4]
    assert judge_number(1.5, values, around(1.5, 0.01)).verdict == UNDECIDED
    assert judge_number(1.5, values, around(1.5, 0.01, runs=30)).verdict == DIFFERS


def test_numbers_without_seeds():
    assert judge_number(1.0, [1.1], around(1.0, 0.1), seeded=False).verdict == REPRODUCED
    assert judge_number(1.0, [1.1001], around(1.0, 0.1), seeded=False).verdict == DIFFERS
    assert judge_number(7.0, [7.0], around(7.0, 0.0), seeded=False).verdict == REPRODUCED


def test_a_one_sided_resolution():
    """50 or more."""
    clipped = Resolution(49.7, np.inf)
    assert judge_number(49.8, [80.0, 90.0], clipped).verdict == REPRODUCED
    assert judge_number(49.8, [20.0, 20.1], clipped).verdict == DIFFERS


def test_an_interval_of_an_error_rate_stays_possible():
    found = judge_number(52.0, [5.0, 20.0, 96.0], around(52.0, 1.0, unit="points"))
    assert 0.0 < found.low < found.mean < found.high < 100.0
    assert judge_number(52.0, [5.0, 20.0, 96.0], around(52.0, 1.0)).low < 0.0


def test_an_interval_of_a_statement_in_percent_stays_possible():
    """And decides: of three seeds that err by 97 % and more, none can err by more than 100 %."""
    errors = [97.0, 99.0, 99.9]
    assert judge_quantity(errors, "<", 100.0).high > 100.0
    found = judge_quantity(errors, "<", 100.0, unit="percent")
    assert 0.0 < found.low < found.mean < found.high < 100.0
    assert found.verdict == REPRODUCED
    assert judge_quantity([1.0, 2.0, 30.0], "<", 50.0, unit="points").low < 0.0


@pytest.mark.parametrize("unit", ["share", "share of frames"])
def test_an_interval_of_a_share_stays_between_none_and_all(unit):
    shares = [0.02, 0.1, 0.44]
    assert judge_quantity(shares, "<", 0.9).low < 0.0
    found = judge_quantity(shares, "<", 0.9, unit=unit)
    assert 0.0 < found.low < found.mean < found.high < 1.0
    assert found.verdict == REPRODUCED


def test_the_number_of_seeds_that_would_decide():
    """Fewer do not, that many do, at the same mean and scatter."""
    values = np.array([0.8, 1.0, 1.2])
    found = judge_number(1.0, values, around(1.0, 0.1))
    assert found.verdict == UNDECIDED and found.seeds_needed > 3
    for n, decided in ((found.seeds_needed - 1, False), (found.seeds_needed, True)):
        half = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)
        assert (half <= 0.1) == decided
    assert "would decide" in found.note


def test_a_published_single_run_inside_our_scatter_is_never_told_apart():
    found = judge_number(1.0, [1.2, 2.2, 0.2], around(1.0, 0.01))
    assert found.seeds_needed == 0 and "no number of seeds" in found.note


@pytest.mark.parametrize(
    ("op", "bound", "values", "verdict"),
    [
        ("<", 0.0, [-1.0, -1.1, -0.9], REPRODUCED),
        ("<", 0.0, [1.0, 1.1, 0.9], DIFFERS),
        ("<", 0.0, [-1.0, 0.1, 0.2], UNDECIDED),
        ("<", 0.0, [0.0, 0.0], DIFFERS),
        ("<=", 0.0, [0.0, 0.0], REPRODUCED),
        (">", 0.0, [0.0, 0.0], DIFFERS),
        (">=", 0.0, [0.0, 0.0], REPRODUCED),
        ("within", [0.8, 1.2], [1.0, 1.01, 0.99], REPRODUCED),
        ("within", [0.8, 1.2], [1.5, 1.51, 1.49], DIFFERS),
        ("within", [0.8, 1.2], [1.2, 1.21, 1.19], UNDECIDED),
        ("abs <", 0.1, [-0.05, 0.05, 0.01], UNDECIDED),
        ("abs <", 0.1, [-0.05, -0.051, -0.049], REPRODUCED),
        ("abs <", 0.1, [-0.5, -0.51, -0.49], DIFFERS),
        ("==", 3.0, [3.0, 3.0], REPRODUCED),
        ("==", 3.0, [3.0, 4.0], UNDECIDED),
        ("<", 0.0, [-1.0], UNDECIDED),
        ("<", 0.0, [-1.0, np.nan], DIFFERS),
    ],
)
def test_statements_about_seeds(op, bound, values, verdict):
    assert judge_quantity(values, op, bound).verdict == verdict


def test_ratios_are_judged_by_their_logarithms():
    """One slow network of five must not make "several times as long" undecided."""
    values = [6.0, 11.6, 15.4, 21.9, 373.0]
    found = judge_quantity(values, ">=", 3.0, unit="ratio")
    assert found.verdict == REPRODUCED and found.mean == pytest.approx(np.prod(values) ** 0.2)
    half = stats.sem(np.log(values)) * stats.t.ppf(0.975, 4)
    assert np.log([found.low, found.high]) == pytest.approx(
        [np.log(found.mean) - half, np.log(found.mean) + half]
    )
    assert judge_quantity(values, ">=", 3.0).verdict == UNDECIDED
    # The reciprocal statement has the reciprocal interval and the same verdict.
    turned = judge_quantity([1.0 / one for one in values], "<=", 1.0 / 3.0, unit="ratio")
    assert turned.verdict == REPRODUCED
    assert (turned.low, turned.high) == pytest.approx((1.0 / found.high, 1.0 / found.low))
    # Not a positive quantity after all.
    assert judge_quantity([1.0, 0.0, 2.0], ">", 0.5, unit="ratio").low < 0.0


def test_what_cannot_be_negative_has_no_negative_interval():
    limits = Resolution(1.0, 1.2, "sum of L2 distances", 1)
    found = judge_number(1.1, [0.1, 0.2, 3.0], limits)
    assert 0.0 < found.low < 0.1 and found.high > 3.0
    assert judge_number(1.1, [0.1, 0.2, 3.0], limits._replace(unit="")).low < 0.0


def test_the_level_is_divided_by_the_variants_that_were_tried():
    values = [-0.8, -1.0, -1.3]
    assert judge_quantity(values, "<", 0.0).verdict == REPRODUCED
    assert judge_quantity(values, "<", 0.0, tried=4).verdict == UNDECIDED


def test_every_value_of_an_exact_quantity_must_respect_its_bound():
    found = judge_quantity([1e-13, 5e-13, 2e-13], "<=", 5e-13, seeded=False)
    assert found.verdict == REPRODUCED and found.mean == 5e-13
    found = judge_quantity([1e-13, 6e-13, 2e-13], "<=", 5e-13, seeded=False)
    assert found.verdict == DIFFERS and found.mean == 6e-13
    assert judge_quantity([1.0, np.nan], "<=", 5.0, seeded=False).verdict == DIFFERS


def test_several_quantities_hang_on_the_worst():
    good = judge_quantity([-1.0, -1.1], "<", 0.0)
    open_ = judge_quantity([-1.0, 1.1], "<", 0.0)
    bad = judge_quantity([1.0, 1.1], "<", 0.0)
    assert open_.seeds_needed > 2
    found = judge_all({"a": good, "b": open_, "c": bad})
    assert found[0] == "c" and found[1].seeds_needed == 0, "decided already"
    assert judge_all({"a": good, "b": open_})[1].verdict == UNDECIDED
    assert judge_all({"a": good})[1].verdict == REPRODUCED


def test_between_equal_verdicts_the_nearest_to_the_bound_counts():
    values = {"a": [75.0, 76.0], "b": [17.0, 18.0], "c": [36.0, 37.0]}
    for seeded in (True, False):
        good = {name: judge_quantity(one, ">", 0.0, seeded) for name, one in values.items()}
        assert judge_all(good)[0] == "b"
        bad = {name: judge_quantity(one, "<", 0.0, seeded) for name, one in values.items()}
        assert judge_all(bad)[0] == "a", "the furthest on the other side"
    wide = {name: judge_quantity([-3.0 * one[0], one[0]], ">", 0.0) for name, one in values.items()}
    assert {one.verdict for one in wide.values()} == {UNDECIDED} and judge_all(wide)[0] == "a"


@pytest.mark.parametrize(
    ("op", "bound", "text"),
    [("<", 0.3, "< 0.3"), ("within", [0.8, 1.2], "within 0.8 to 1.2"), ("abs <", 1, "|.| < 1")],
)
def test_bounds_for_people(op, bound, text):
    assert op_text(op, bound) == text


def test_unusable_statements():
    with pytest.raises(StudyError, match="compares by '~'"):
        judge_quantity([1.0, 2.0], "~", 1.0)
    with pytest.raises(StudyError, match="no values"):
        judge_quantity([], "<", 1.0)


def test_decisions_are_right_as_often_as_they_claim():
    """Monte Carlo: of true statements 95 % are not called false, and few false ones true."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(2000):
        runs = rng.normal(97.0, 0.3, 6)
        wrong += judge_number(runs[5], runs[:5], around(runs[5], 0.0)).verdict == DIFFERS
    assert wrong / 2000 == pytest.approx(0.05, abs=0.015)
    called = [
        judge_quantity(rng.normal(0.0, 1.0, 4), "<", 0.0).verdict == REPRODUCED for _ in range(2000)
    ]
    assert np.mean(called) == pytest.approx(0.025, abs=0.012)
