"""Table 3.1: two newsgroups, in three divisions of the same posts.

As published is the division of 7 : 1 in the order of the file; shuffled posts, and the division of
4 : 1 with whose numbers of posts three of the four printed percentages are possible, are variants
with a name. The thesis does not say by which of its two rules the regressor learned, so both are
compared; nor does it state the kernel of its support vector machine, so that both the linear and
the Gaussian one are rivals.
"""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured, Number, paired_difference
from plausible.studies.oconnor2020.ch3_newsgroups import tables
from plausible.studies.oconnor2020.ch3_newsgroups.tables import ERRORS, division_name

RESULT, PROTOCOL, TEST = "ch3.table3.1", "as_published", ERRORS[0]
REGRESSORS = ("sgd", "fsgd")
"""The spiking regressor by both rules."""
NO_NEWSGROUPS = "breast_cancer"
"""Stand-in at the demo scale, which says nothing about newsgroups."""


def _rows(evidence: Evidence) -> pd.DataFrame:
    names = ("division", "data_set", "test_samples", "classifier", "epoch", "seed", *ERRORS)
    return tables.last_epochs(evidence.table(RESULT, *names))


def _lead(rows: pd.DataFrame, kind: str, rival: str) -> pd.Series:
    """Test error of the spiking regressor less that of a rival, in points, seed by seed.

    Counted in whole samples: a difference of none is otherwise a rounding error with a sign.
    """
    point = rows["test_samples"].iloc[0] / 100.0
    difference = paired_difference(rows, TEST, "classifier", kind, rival)
    return (difference * point).round() / point


def _comparisons(evidence: Evidence, rival: str, suffix: str = "") -> list[Measured]:
    rows = _rows(evidence)
    stand_in = (rows["data_set"] == NO_NEWSGROUPS).any()
    return [
        Measured(
            PROTOCOL,
            _lead(part, kind, rival),
            variant=f"{kind}, {division}{suffix}",
            note=f"points, {division_name(division)}",
            full_scale=stand_in,
        )
        for division, part in rows.groupby("division", sort=False)
        for kind in REGRESSORS
    ]


def as_good_as_the_network(evidence: Evidence) -> list[Measured]:
    """Test error less that of the one-layer network."""
    return _comparisons(evidence, "relu")


def better_than_the_machine(evidence: Evidence) -> list[Measured]:
    """Test error less that of the support vector machine, with either kernel: none is stated."""
    return [
        finding
        for rival in tables.MACHINES
        for finding in _comparisons(evidence, rival, f", {rival}")
    ]


def lead_shrinks_when_shuffled(evidence: Evidence) -> list[Measured]:
    """Lead over the machine in the order of the file less that on shuffled posts, both 7 : 1."""
    rows = _rows(evidence)
    stand_in = (rows["data_set"] == NO_NEWSGROUPS).any()
    file, shuffled = (rows[rows["division"] == name] for name in tables.ORDERS)
    return [
        Measured(
            PROTOCOL,
            _lead(shuffled, kind, rival) - _lead(file, kind, rival),
            variant=f"{kind}, {rival}",
            full_scale=stand_in,
        )
        for rival in tables.MACHINES
        for kind in REGRESSORS
    ]


def numbers_of_ch3_table3_1(evidence: Evidence) -> list[Number]:
    """Both errors of every classifier, in every division."""
    known = tables.readings(evidence.entry["values"])
    numbers = []
    for (division, kind), rows in _rows(evidence).groupby(["division", "classifier"], sort=False):
        name, printed = known[kind]
        for column in ERRORS:
            part = column.removesuffix("_error_percent")
            label = f"{name}: {part} error, {division_name(division)}"
            number = Number(
                f"rows.{printed['id']}.{column}",
                PROTOCOL,
                tuple(rows.sort_values("seed")[column]),
                variant=f"{kind}, {division}",
                label=label,
            )
            chance = tables.enters_chance(division, kind)
            numbers.append(number if chance else _same_for_all(number))
    return numbers


def _same_for_all(number: Number) -> Number:
    """Error that no random stream enters: one value."""
    if len(set(number.values)) > 1:
        raise StudyError(
            f"{RESULT}: {number.label} is the same for every seed, but its rows differ."
        )
    note = "no random stream enters"
    return number._replace(values=number.values[:1], note=note, seeded=False)
