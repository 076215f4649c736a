"""Checks on learning by Z-IL against backprop."""

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import (
    Evidence,
    Number,
    Outcome,
    by_protocol,
    judge,
    outcome_of,
)

ACCURACY = "test_accuracy_percent"


def accuracy_curves(evidence: Evidence) -> pd.DataFrame:
    """Test accuracies of figure 5."""
    frame = evidence.table("fig5", "protocol", "algorithm", "seed", "step", "quantity", "value")
    return frame[frame["quantity"] == ACCURACY]


def curves_coincide(evidence: Evidence) -> list[Outcome]:
    """Two findings: largest accuracy difference of a run, and weight equality in float64.

    The former is the maximum over all common evaluations of one seed, judged by its mean over
    seeds; the latter the maximum over steps and seeds of the equality experiment.
    """
    points = evidence.bound("curves_coincide", "points")
    weight_bound = evidence.bound("curves_coincide", "relative_weight_difference")
    outcomes = []
    for protocol, frame in by_protocol(accuracy_curves(evidence)):
        wide = frame.pivot(index=["seed", "step"], columns="algorithm", values="value").dropna()
        apart = (wide["zil"] - wide["backprop"]).abs().groupby("seed").max()
        note = f"largest accuracy difference of a run, percentage points; worst {apart.max():.3g}"
        outcomes.append(outcome_of(judge(apart, high=points), protocol, note, variant="accuracy"))
    for protocol, frame in by_protocol(_equality(evidence)):
        apart = _weights_apart(frame[frame["dtype"] == "float64"], protocol, "weights")
        outcomes.append(apart._replace(holds=apart.reproduced <= weight_bound))
    return outcomes


def _weights_apart(frame: pd.DataFrame, protocol: str, variant: str) -> Outcome:
    """Largest relative weight difference in a table, not judged yet."""
    apart = float(frame["max_relative_weight_difference"].max())
    note = f"largest relative weight difference up to step {frame['step'].max()}"
    seeds = frame["seed"].nunique()
    return Outcome(protocol, False, apart, n_seeds=seeds, note=note, variant=variant)


def _equality(evidence: Evidence) -> pd.DataFrame:
    columns = ("protocol", "dtype", "seed", "step", "max_relative_weight_difference")
    return evidence.table("claim.zil_equals_backprop_training", *columns)


def final_zil_accuracy(evidence: Evidence) -> dict[str, np.ndarray]:
    """Accuracy of Z-IL after the last update of figure 5, by protocol, one value per seed."""
    frame = accuracy_curves(evidence).sort_values("step")
    return {
        protocol: part.groupby("seed")["value"].last().to_numpy()
        for protocol, part in by_protocol(frame[frame["algorithm"] == "zil"])
    }


def final_accuracy_of_the_curve(evidence: Evidence) -> list[Outcome]:
    """|mean over seeds - 97.31| <= 0.7 points, at full scale only."""
    return _near(numbers_of_fig5(evidence))


def final_accuracy_of_the_text(evidence: Evidence) -> list[Outcome]:
    """|mean over seeds - 97.31| <= 0.7 points, at full scale only."""
    return _near(numbers_of_claim_zil_final_accuracy(evidence))


def zil_accuracies(evidence: Evidence) -> dict[str, np.ndarray]:
    """Final accuracy of Z-IL by protocol, one value per seed."""
    frame = evidence.table("claim.zil_final_accuracy", "protocol", "algorithm", "seed", ACCURACY)
    frame = frame[frame["algorithm"] == "zil"]
    return {protocol: part[ACCURACY].to_numpy() for protocol, part in by_protocol(frame)}


def _near(numbers: list[Number]) -> list[Outcome]:
    """Whether published numbers are met within their tolerances."""
    outcomes = []
    for one in numbers:
        low, high = one.published - one.tolerance, one.published + one.tolerance
        judged = judge(one.values, low, high, strict=False)
        outcomes.append(outcome_of(judged, one.protocol, full_scale=True))
    return outcomes


def weights_stay_equal(evidence: Evidence) -> list[Outcome]:
    """Exact: largest relative weight difference over seeds, up to the first record at step 100."""
    steps = evidence.bound("weights_stay_equal", "steps")
    outcomes = []
    for protocol, frame in by_protocol(_equality(evidence)):
        for dtype in ("float64", "float32"):
            bound = evidence.bound("weights_stay_equal", dtype)
            part = frame[frame["dtype"] == dtype]
            reached = part.loc[part["step"] >= steps, "step"]
            if reached.empty:
                raise StudyError(
                    f"claim.zil_equals_backprop_training: {protocol}, {dtype} has no record at or "
                    f"after step {steps:g}, where the statement is made; train longer."
                )
            apart = _weights_apart(part[part["step"] <= reached.min()], protocol, dtype)
            outcomes.append(apart._replace(holds=apart.reproduced < bound))
    return outcomes


def numbers_of_fig5(evidence: Evidence) -> list[Number]:
    """Accuracy of Z-IL after the last update of figure 5."""
    place, statement = "final_test_accuracy_zil_percent", "final_accuracy_of_the_curve"
    return _accuracies(evidence, place, final_zil_accuracy(evidence), statement)


def numbers_of_claim_zil_final_accuracy(evidence: Evidence) -> list[Number]:
    """The 97.31 % of section 4.1."""
    return _accuracies(evidence, ACCURACY, zil_accuracies(evidence), "final_accuracy_of_the_text")


def _accuracies(
    evidence: Evidence, place: str, found: dict[str, np.ndarray], statement: str
) -> list[Number]:
    """A published accuracy in every protocol, with the tolerance of a statement."""
    published, tolerance = evidence.entry["values"][place], evidence.bound(statement, "points")
    return [
        Number(place, protocol, published, tuple(map(float, values)), tolerance, statement)
        for protocol, values in found.items()
    ]
