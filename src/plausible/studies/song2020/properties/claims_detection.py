"""Checks on table 3: how often the trigger phi finds t = l.

The rule as stated compares errors with zero, so the protocol ``as_published`` is that of the exact
test (tolerance 0), for every neuron of every sample. Where the table holds a sweep of tolerances,
the member nearest to the published row stands beside it: chosen afterwards, it shows how near any
tolerance comes and is no reading of the text.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import (
    Evidence,
    Judgement,
    Number,
    Outcome,
    judge,
    outcome_of_all,
    paired_difference,
)

RATE = "success_rate_percent"
STATED = "per_neuron_and_sample"
VARIANT = ["tolerance", "counting", "l_max", "training_state"]


class Rule(NamedTuple):
    """A rule of detection and its success rates: rows by seed, columns by t_d."""

    name: str
    protocol: str
    rates: pd.DataFrame
    note: str


def published_rates(evidence: Evidence) -> pd.Series:
    """The printed row of table 3 by t_d."""
    stated = evidence.published.entry("table3")["values"][RATE]
    return pd.Series({int(steps): rate for steps, rate in stated.items()})


def rules(evidence: Evidence) -> list[Rule]:
    """The stated rule, and the one of the sweep of tolerances that is nearest to the printed row.

    Rates of the stated rule are means over networks and training states.

    Raises
    ------
    StudyError
        If the table lacks the exact test.
    """
    frame = evidence.table("table3", *VARIANT, "t_d", "seed", RATE)
    exact = frame[(frame["tolerance"] == 0.0) & (frame["counting"] == STATED)]
    if exact.empty:
        raise StudyError("the table of song2020.table3 lacks the exact test (tolerance 0).")
    networks = exact[["l_max", "training_state"]].drop_duplicates()
    note = f"mean over {len(networks)} networks (l_max and training state), exact test for zero"
    found = [Rule("exact test", "as_published", _by_seed(exact), note)]
    swept = frame[frame["tolerance"] > 0.0]
    if len(swept):
        found.append(_nearest(swept, published_rates(evidence)))
    return found


def _by_seed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.pivot_table(index="seed", columns="t_d", values=RATE, aggfunc="mean")


def _nearest(swept: pd.DataFrame, stated: pd.Series) -> Rule:
    means = swept.pivot_table(index=VARIANT, columns="t_d", values=RATE, aggfunc="mean")
    apart = (means - stated).abs().mean(axis=1)
    tolerance, counting, depth, state = nearest = apart.idxmin()
    chosen = swept[(swept[VARIANT] == list(nearest)).all(axis=1)]
    words = str(counting).replace("_", " ")
    note = (
        f"nearest of {len(means)} rules with a tolerance: {tolerance:g}, {words}, l_max {depth}, "
        f"{state} weights; {apart.min():.2g} points away on average over t_d"
    )
    return Rule("nearest tolerance", "", _by_seed(chosen), note)


def all_found_from_four_on(evidence: Evidence) -> list[Outcome]:
    """Success rate for every t_d >= 4, 100 to one decimal."""
    points = evidence.bound("all_found_from_four_on", "points")
    return [_all_found(rule, points, lambda steps: steps >= 4) for rule in rules(evidence)]


def td4_detects_all(evidence: Evidence) -> list[Outcome]:
    """Success rate of the stated rule for t_d = 4, 100 to one decimal."""
    points = evidence.bound("td4_detects_all", "points")
    return [_all_found(rules(evidence)[0], points, lambda steps: steps == 4)]


def _all_found(rule: Rule, points: float, which: Callable[[int], bool]) -> Outcome:
    steps = filter(which, rule.rates.columns)
    above = rule._replace(rates=rule.rates - 100.0)
    return _outcome(_between(above, steps, -points, points), rule, "percent above 100; ")


def _between(rule: Rule, steps: Iterable[int], low: float, high: float) -> dict[str, Judgement]:
    return {
        f"t_d {t_d}": judge(rule.rates[t_d], low, high, strict=False)
        for t_d in steps
        if t_d in rule.rates
    }


def some_missed_below_three(evidence: Evidence) -> list[Outcome]:
    """Success rate for t_d = 1 and 2 between the stated bounds."""
    low, high = (
        evidence.bound("some_missed_below_three", key) for key in ("low_percent", "high_percent")
    )
    return [_outcome(_between(rule, (1, 2), low, high), rule) for rule in rules(evidence)]


def three_above_one_and_two(evidence: Evidence) -> list[Outcome]:
    """Success rate for t_d = 3 minus those for 1 and 2, seed by seed.

    Above half of the last printed digit: rates that are printed alike do not rise.
    """
    points = evidence.bound("three_above_one_and_two", "points")
    outcomes = []
    for rule in rules(evidence):
        long = rule.rates.reset_index().melt("seed", var_name="t_d", value_name=RATE)
        judged = {
            f"t_d 3 minus {t_d}": judge(paired_difference(long, RATE, "t_d", 3, t_d), low=points)
            for t_d in (1, 2)
        }
        outcomes.append(_outcome(judged, rule))
    return outcomes


def _outcome(judged: dict[str, Judgement], rule: Rule, unit: str = "") -> Outcome:
    return outcome_of_all(judged, rule.protocol, unit + rule.note, variant=rule.name)


def numbers_of_table3(evidence: Evidence) -> list[Number]:
    """The nine printed rates, to their printed decimal."""
    points = evidence.bound("all_found_from_four_on", "points")
    return [
        _rate(f"{RATE}.{steps}", rule, steps, rate, points)
        for rule in rules(evidence)
        for steps, rate in published_rates(evidence).items()
        if steps in rule.rates
    ]


def numbers_of_claim_td4_detects_all(evidence: Evidence) -> list[Number]:
    """The rate of the stated rule for t_d = 4."""
    stated, points = evidence.entry["values"], evidence.bound("td4_detects_all", "points")
    return [_rate(RATE, rules(evidence)[0], stated["t_d"], stated[RATE], points)]


def _rate(place: str, rule: Rule, steps: int, rate: float, points: float) -> Number:
    return Number(
        place,
        rule.protocol,
        float(rate),
        tuple(rule.rates[steps]),
        points,
        "one printed decimal",
        rule.note,
        variant="" if rule.protocol else rule.name,
        label=f"success rate in percent at t_d = {steps}",
    )
