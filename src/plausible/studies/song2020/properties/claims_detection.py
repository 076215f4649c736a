"""Claims on table 3: how often the trigger phi finds t = l.

The rule as stated compares errors with zero, so the protocol is ``as_published`` with the exact
test (tolerance 0), for every neuron of every sample; rates are means over networks and training
states. The sweep of tolerances is shown beside it and judged by nothing: any of it would be chosen
by its closeness to the printed row.
"""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured, Number

RATE, FALSE_ALARMS = "success_rate_percent", "false_alarm_rate_percent"
STATED = "per_neuron_and_sample"
NETWORK = ["l_max", "training_state"]
PROTOCOL = "as_published"


def rates(evidence: Evidence, column: str = RATE) -> pd.DataFrame:
    """Rates of the rule as stated: rows by seed, columns by t_d.

    Raises
    ------
    StudyError
        If the table lacks the exact test.
    """
    frame = evidence.table("table3", "tolerance", "counting", *NETWORK, "t_d", "seed", column)
    exact = frame[(frame["tolerance"] == 0.0) & (frame["counting"] == STATED)]
    if exact.empty:
        raise StudyError("the table of song2020.table3 lacks the exact test (tolerance 0).")
    return exact.pivot_table(index="seed", columns="t_d", values=column, aggfunc="mean")


def _columns(found: pd.DataFrame, low: int, high: int = 1000) -> dict[str, tuple[float, ...]]:
    return {f"t_d {step}": tuple(found[step]) for step in found if low <= step <= high}


def all_found_from_four_on(evidence: Evidence) -> list[Measured]:
    """Success rate for every t_d >= 4."""
    return [Measured(PROTOCOL, _columns(rates(evidence), 4))]


def some_missed_below_three(evidence: Evidence) -> list[Measured]:
    """Success rate for t_d = 1 and 2."""
    return [Measured(PROTOCOL, _columns(rates(evidence), 1, 2))]


def three_above_one_and_two(evidence: Evidence) -> list[Measured]:
    """Success rate for t_d = 3 minus those for 1 and 2, seed by seed."""
    found = rates(evidence)
    return [Measured(PROTOCOL, {f"minus t_d {n}": tuple(found[3] - found[n]) for n in (1, 2)})]


def four_above_three(evidence: Evidence) -> list[Measured]:
    """Success rate for t_d = 4 minus that for 3, seed by seed."""
    found = rates(evidence)
    return [Measured(PROTOCOL, tuple(found[4] - found[3]))]


def no_false_alarms(evidence: Evidence) -> list[Measured]:
    """Share of the moments whose signal makes phi fire at another time, for every t_d >= 4."""
    return [Measured(PROTOCOL, _columns(rates(evidence, FALSE_ALARMS), 4))]


def numbers_of_table3(evidence: Evidence) -> list[Number]:
    """The nine printed rates."""
    found = rates(evidence)
    label = "success rate in percent at t_d = {}"
    return [
        Number(f"{RATE}.{step}", PROTOCOL, tuple(found[step]), label=label.format(step))
        for step in found
    ]
