"""Checks on trained networks: figure 5, table 1 and the equality of Z-IL and backprop.

Statements about accuracies are judged on the mean over seeds, with the 95 % Student t interval of
that mean. Differences are formed seed by seed first, so the interval is that of the difference.
"""

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import (
    Evidence,
    Outcome,
    Registry,
    by_protocol,
    judge,
    outcome_of,
    outcome_of_all,
    paired_difference,
)

REGISTRY = Registry()
RATE_AND_SPIKING_ROWS = {
    "SNN": (2, 3),
    "SPCN SGD": (4, 5),
    "SPCN Adam": (6, 7),
    "SPCN Adam BN": (8, 9),
}
"""Rows of table 1 (counted from 1) that hold the same network, rate-coded and spiking."""
BACKPROP_ROWS, SGD_ROW, ADAM_ROW, BEST_SPCN_ROW = (1, 2), 4, 6, 8
ACCURACY = "test_accuracy_percent"


def accuracy_curves(evidence: Evidence) -> pd.DataFrame:
    """Test accuracies of figure 5."""
    frame = evidence.table("fig5", "protocol", "algorithm", "seed", "step", "quantity", "value")
    return frame[frame["quantity"] == ACCURACY]


@REGISTRY.check("fig5", 0)
def curves_coincide(evidence: Evidence) -> list[Outcome]:
    """Two findings: largest accuracy difference of a run, and weight equality in float64.

    The former is the maximum over all common evaluations of one seed, judged by its mean over
    seeds; the latter the maximum over steps and seeds of the equality experiment.
    """
    points, weight_bound = evidence.bounds(0)[:2]
    outcomes = []
    for protocol, frame in by_protocol(accuracy_curves(evidence)):
        wide = frame.pivot(index=["seed", "step"], columns="algorithm", values="value").dropna()
        apart = (wide["zil"] - wide["backprop"]).abs().groupby("seed").max()
        note = f"largest accuracy difference of a run, percentage points; worst {apart.max():.3g}"
        outcomes.append(outcome_of(judge(apart, high=points), protocol, note, aspect="accuracy"))
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
                aspect="weights",
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


@REGISTRY.check("fig5", 1)
def final_accuracy_of_the_curve(evidence: Evidence) -> list[Outcome]:
    """|mean over seeds - 97.31| <= 0.7 points, at full scale only."""
    published = evidence.entry["values"]["final_test_accuracy_zil_percent"]
    return _near(final_zil_accuracy(evidence), published, evidence.bounds(1)[0])


@REGISTRY.check("claim.zil_final_accuracy", 0)
def final_accuracy_of_the_text(evidence: Evidence) -> list[Outcome]:
    """|mean over seeds - 97.31| <= 0.7 points, at full scale only."""
    published = evidence.entry["values"]["test_accuracy_percent"]
    return _near(zil_accuracies(evidence), published, evidence.bounds(0)[0])


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


def table1(evidence: Evidence) -> pd.DataFrame:
    """Table 1 of this run with the number of the printed row, found by what identifies a row.

    Rows of ours that the thesis does not have are left out. Where several of ours look like a
    printed one, the one with its number counts.

    Raises
    ------
    StudyError
        If a printed row is missing, or several look like it and none has its number.
    """
    keys = ["model", "optimizer", "batch_norm", "spiking"]
    frame = evidence.table("table1", "row", *keys, "protocol", "seed", ACCURACY)
    printed = pd.DataFrame(evidence.published.entry("table1")["values"]["rows"])[keys]
    printed = printed.assign(printed_row=range(1, len(printed) + 1))
    merged = frame.merge(printed, on=keys)
    chosen = []
    for wanted in printed.itertuples():
        rows = merged[merged["printed_row"] == wanted.printed_row]
        if rows["row"].nunique() > 1:
            rows = rows[rows["row"] == wanted.printed_row]
        if rows.empty:
            name = ", ".join(f"{key} {getattr(wanted, key)}" for key in keys)
            raise StudyError(
                f"table 1: row {wanted.printed_row} of the thesis ({name}) is missing from our "
                "table, or several rows look like it and none has its number."
            )
        chosen.append(rows)
    return pd.concat(chosen)


def row_values(frame: pd.DataFrame, row: int) -> pd.Series:
    """Accuracies of one printed row, by seed."""
    return frame[frame["printed_row"] == row].set_index("seed")[ACCURACY].sort_index()


@REGISTRY.check("table1", 0)
def every_row_near(evidence: Evidence) -> list[Outcome]:
    """Mean over seeds of each of the nine rows within one point; the worst row is reported."""
    (tolerance,) = evidence.bounds(0)
    rows = evidence.entry["values"]["rows"]
    outcomes = []
    for protocol, frame in by_protocol(table1(evidence)):
        judged = {
            f"row {number}": judge(
                row_values(frame, number) - row[ACCURACY], -tolerance, tolerance, strict=False
            )
            for number, row in enumerate(rows, start=1)
        }
        outcomes.append(
            outcome_of_all(judged, protocol, "reproduced minus published, points", full_scale=True)
        )
    return outcomes


@REGISTRY.check("table1", 1)
def spiking_below_rate(evidence: Evidence) -> list[Outcome]:
    """Drop of each of the four networks, seed by seed, between 0 and 2 points."""
    return _drops_within(evidence, *evidence.bounds(1))


def _drops_within(evidence: Evidence, low: float, high: float) -> list[Outcome]:
    """Two findings: the drop's sign at any scale; its size, which depends on the data, at full."""
    outcomes = []
    for protocol, frame in by_protocol(table1(evidence)):
        drops = table1_drops(frame)
        note = "drop in percentage points"
        sign = {network: judge(drop, low=low) for network, drop in drops.items()}
        size = {network: judge(drop, high=high) for network, drop in drops.items()}
        outcomes.append(outcome_of_all(sign, protocol, note, aspect="sign"))
        outcomes.append(outcome_of_all(size, protocol, note, aspect="size", full_scale=True))
    return outcomes


def table1_drops(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Rate-coded minus spiking accuracy of each network, by seed."""
    return {
        network: paired_difference(frame, ACCURACY, "printed_row", rate, spiking)
        for network, (rate, spiking) in RATE_AND_SPIKING_ROWS.items()
    }


@REGISTRY.check("table1", 2)
def adam_beats_sgd(evidence: Evidence) -> list[Outcome]:
    """Adam minus SGD, seed by seed, above 0."""
    return [
        outcome_of(
            judge(paired_difference(frame, ACCURACY, "printed_row", ADAM_ROW, SGD_ROW), low=0.0),
            protocol,
            "Adam minus SGD, percentage points",
        )
        for protocol, frame in by_protocol(table1(evidence))
    ]


@REGISTRY.check("table1", 3)
def best_spcn_near_best_backprop(evidence: Evidence) -> list[Outcome]:
    """Backprop row with the higher mean minus the best SPCN row, seed by seed, below the bound."""
    accepted = evidence.bounds(3)[-1]
    outcomes = []
    for protocol, frame in by_protocol(table1(evidence)):
        best = max(BACKPROP_ROWS, key=lambda row, rows=frame: row_values(rows, row).mean())
        gap = paired_difference(frame, ACCURACY, "printed_row", best, BEST_SPCN_ROW)
        note = f"row {best} minus row {BEST_SPCN_ROW}, percentage points"
        outcomes.append(outcome_of(judge(gap, high=accepted), protocol, note))
    return outcomes


@REGISTRY.check("claim.zil_equals_backprop_training", 0)
def weights_stay_equal(evidence: Evidence) -> list[Outcome]:
    """Exact: largest relative weight difference over seeds, up to the first record at step 100."""
    bound64, steps, bound32 = evidence.bounds(0)
    outcomes = []
    for protocol, frame in by_protocol(_equality(evidence)):
        for dtype, bound in (("float64", bound64), ("float32", bound32)):
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
                    aspect=dtype,
                )
            )
    return outcomes


@REGISTRY.check("claim.spiking_drop", 0)
def drop_of_every_network(evidence: Evidence) -> list[Outcome]:
    """Drop of each network in table 1 (whole test set), seed by seed, between 0 and 2 points."""
    return _drops_within(evidence, *evidence.statement_numbers(0))
