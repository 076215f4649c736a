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
        frame = frame[frame["dtype"] == "float64"]
        apart = float(frame["max_relative_weight_difference"].max())
        note = f"largest relative weight difference up to step {frame['step'].max()}"
        outcomes.append(
            Outcome(
                protocol,
                apart <= weight_bound,
                apart,
                n_seeds=frame["seed"].nunique(),
                note=note,
                variant="weights",
            )
        )
    return outcomes


def _equality(evidence: Evidence) -> pd.DataFrame:
    return evidence.table(
        "claim.zil_equals_backprop_training",
        "protocol",
        "dtype",
        "seed",
        "step",
        "max_relative_weight_difference",
    )


def final_zil_accuracy(evidence: Evidence) -> dict[str, np.ndarray]:
    """Accuracy of Z-IL after the last update of figure 5, by protocol, one value per seed."""
    final = {}
    for protocol, frame in by_protocol(accuracy_curves(evidence)):
        last = (
            frame[frame["algorithm"] == "zil"].sort_values("step").groupby("seed")["value"].last()
        )
        final[protocol] = last.to_numpy()
    return final


def final_accuracy_of_the_curve(evidence: Evidence) -> list[Outcome]:
    """|mean over seeds - 97.31| <= 0.7 points, at full scale only."""
    published = evidence.entry["values"]["final_test_accuracy_zil_percent"]
    tolerance = evidence.bound("final_accuracy_of_the_curve", "points")
    return _near(final_zil_accuracy(evidence), published, tolerance)


def final_accuracy_of_the_text(evidence: Evidence) -> list[Outcome]:
    """|mean over seeds - 97.31| <= 0.7 points, at full scale only."""
    published = evidence.entry["values"]["test_accuracy_percent"]
    tolerance = evidence.bound("final_accuracy_of_the_text", "points")
    return _near(zil_accuracies(evidence), published, tolerance)


def zil_accuracies(evidence: Evidence) -> dict[str, np.ndarray]:
    """Final accuracy of Z-IL by protocol, one value per seed."""
    frame = evidence.table("claim.zil_final_accuracy", "protocol", "algorithm", "seed", ACCURACY)
    frame = frame[frame["algorithm"] == "zil"]
    return {protocol: part[ACCURACY].to_numpy() for protocol, part in by_protocol(frame)}


def _near(values: dict[str, np.ndarray], published: float, tolerance: float) -> list[Outcome]:
    return [
        outcome_of(
            judge(accuracies, published - tolerance, published + tolerance, strict=False),
            protocol,
            full_scale=True,
        )
        for protocol, accuracies in values.items()
    ]


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
            early = part[part["step"] <= reached.min()]
            apart = float(early["max_relative_weight_difference"].max())
            note = f"largest relative weight difference up to step {reached.min()}"
            outcomes.append(
                Outcome(
                    protocol,
                    apart < bound,
                    apart,
                    n_seeds=part["seed"].nunique(),
                    note=note,
                    variant=dtype,
                )
            )
    return outcomes


def numbers_of_fig5(evidence: Evidence) -> list[Number]:
    """Accuracy of Z-IL after the last update of figure 5."""
    return _accuracies(
        evidence,
        "final_test_accuracy_zil_percent",
        final_zil_accuracy(evidence),
        "final_accuracy_of_the_curve",
    )


def numbers_of_claim_zil_final_accuracy(evidence: Evidence) -> list[Number]:
    """The 97.31 % of section 4.1."""
    return _accuracies(
        evidence, "test_accuracy_percent", zil_accuracies(evidence), "final_accuracy_of_the_text"
    )


def _accuracies(
    evidence: Evidence, place: str, found: dict[str, np.ndarray], statement: str
) -> list[Number]:
    """A published accuracy in every protocol, with the tolerance of a statement."""
    published, tolerance = evidence.entry["values"][place], evidence.bound(statement, "points")
    return [
        Number(place, protocol, published, tuple(map(float, values)), tolerance, statement)
        for protocol, values in found.items()
    ]
