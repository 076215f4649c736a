"""Checks on chapter 3's long training runs: table 3.2, learning curves, claims made of them.

Each is judged on both test parts, that of the thesis first; see ``claims_rows``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from plausible.measure.trend import SIGNIFICANT, fall
from plausible.reproduction.evidence import Evidence, Number, Outcome, judge, outcome_of_all
from plausible.studies.oconnor2020.ch3_learning.claims_hyperparameters import (
    BASELINE,
    FRACTIONAL,
    effect,
)
from plausible.studies.oconnor2020.ch3_learning.claims_rows import (
    CURVES,
    TABLE,
    TABLE_A1_PARTS,
    TEST_PARTS,
    TRAINING_PART,
    common,
    final,
    found,
    gaps,
    on_split,
    parts,
    row_errors,
    row_protocols,
    shown_curves,
    shown_epochs,
    split,
)
from plausible.studies.oconnor2020.ch3_learning.tables import NETWORKS

SPIKING_NETWORKS = ("fsgd", "sgd")
TRAINED = {"sgd": "spiking", "fsgd": "spiking", "relu": "rectified"}
"""Networks of table 3.2, and the form in which they were trained."""
SGD, FSGD, RELU = TRAINED.items()


# ----------------------------------------------------------------------- table 3.2


def trained(rows: pd.DataFrame, network: str) -> pd.Series:
    """Error of a network in the form in which it was trained."""
    return final(rows, network, TRAINED[network])


def _apart(
    evidence: Evidence,
    network: tuple[str, str],
    other: tuple[str, str],
    what: str,
    name: str = "",
    **bounds: Any,
) -> list[Outcome]:
    """Error of a network in a form minus that of another one, seed by seed, on both test parts."""
    outcomes = []
    for protocol, part, rows in parts(evidence, TABLE):
        points = common(final(rows, *network), final(rows, *other))
        note, variant = f"{what} in points, {split(part)};", on_split(name, part)
        outcomes.append(found(points, protocol, note, variant=variant, **bounds))
    return outcomes


def fsgd_beats_sgd(evidence: Evidence) -> list[Outcome]:
    """Error of SGD minus error of FSGD, seed by seed."""
    return _apart(evidence, SGD, FSGD, "error of SGD minus error of FSGD", low=0.0)


def relu_is_best(evidence: Evidence) -> list[Outcome]:
    """ReLU network below both spiking ones, and FSGD within the stated distance of it."""
    best = []
    for protocol, part, rows in parts(evidence, TABLE):
        relu = trained(rows, "relu")
        points = {NETWORKS[name]: common(trained(rows, name), relu) for name in SPIKING_NETWORKS}
        note = f"points above the ReLU network, {split(part)};"
        best.append(found(points, protocol, note, low=0.0, variant=on_split("best", part)))
    margin = evidence.bound("relu_is_best", "points")
    return best + _apart(evidence, FSGD, RELU, "FSGD minus ReLU", "margin", high=margin)


def _between_forms(evidence: Evidence, statement: str, network: str) -> list[Outcome]:
    bound = evidence.bound(statement, "points")
    what = "spiking network minus vector network of the same weights"
    forms = (network, "spiking"), (network, "rectified")
    return _apart(evidence, *forms, what, low=-bound, high=bound, strict=False)


def spiking_with_relu_weights(evidence: Evidence) -> list[Outcome]:
    """Spiking network with the weights of the ReLU network against the latter."""
    return _between_forms(evidence, "spiking_with_relu_weights", "relu")


def relu_with_spiking_weights(evidence: Evidence) -> list[Outcome]:
    """ReLU network with the weights of the FSGD network against the latter."""
    return _between_forms(evidence, "relu_with_spiking_weights", "fsgd")


def numbers_of_ch3_table3_2(evidence: Evidence) -> list[Number]:
    """The ten cells: errors of both test parts beside the printed one, and training errors."""
    tested = list(parts(evidence, TABLE, (*TEST_PARTS, TRAINING_PART)))
    numbers = []
    for row in evidence.entry["values"]["rows"]:
        for protocol, part, rows in tested:
            training = part == TRAINING_PART
            kind = "training" if training else "test"
            cell, values = f"{kind}_error_percent", tuple(final(rows, row["weights"], row["form"]))
            told = {"note": "all training images"} if training else {"variant": split(part)}
            told["label"] = f"{row['network']}: {kind} error"
            place = f"rows.{row['id']}.{cell}"
            numbers.append(Number(place, protocol, row[cell], values, None, **told))
    return numbers


# ----------------------------------------------------------------------- learning curves


def smaller_gap_at_the_end(evidence: Evidence) -> list[Outcome]:
    """Gaps after the epochs that the figure shows."""
    return _gaps(evidence, True, "at the end of the shown epochs")


def smaller_gap_on_the_way(evidence: Evidence) -> list[Outcome]:
    """Gaps over the epochs that the figure shows, and those after the whole training."""
    on_the_way = _gaps(evidence, False, "mean over the test points of the shown epochs")
    return on_the_way + _gaps_after_training(evidence)


def _gaps_after_training(evidence: Evidence) -> list[Outcome]:
    """Gaps of table 3.2: all training images, after all epochs."""
    training = {protocol: rows for protocol, _, rows in parts(evidence, TABLE, (TRAINING_PART,))}
    outcomes = []
    for network in SPIKING_NETWORKS:
        for protocol, part, rows in parts(evidence, TABLE):
            gap, relu = (
                common(trained(rows, name), trained(training[protocol], name))
                for name in (network, "relu")
            )
            note = (
                f"gap {gap.mean():.3g}, that of ReLU {relu.mean():.3g} points, after all epochs, "
                f"{split(part)}; the difference"
            )
            variant = on_split(f"{network} after the training", part)
            outcomes.append(found(common(gap, relu), protocol, note, high=0.0, variant=variant))
    return outcomes


def _gaps(evidence: Evidence, at_end: bool, when: str) -> list[Outcome]:
    """Gap of a spiking network minus that of ReLU: after the shown epochs, or their mean."""
    outcomes = []
    for protocol, curves in shown_curves(evidence):
        for network in SPIKING_NETWORKS:
            for part in TEST_PARTS:
                wide = (gaps(curves, part, name) for name in (network, "relu"))
                points = (one.iloc[-1] if at_end else one.mean(skipna=False) for one in wide)
                note = (
                    f"gap of test and training error minus that of ReLU in points, {when}, "
                    f"{split(part)}; training error of the images tested on the way;"
                )
                variant = on_split(network, part)
                outcomes.append(found(common(*points), protocol, note, high=0.0, variant=variant))
    return outcomes


def _later(evidence: Evidence, protocol: str, part: str) -> str:
    """What became of the test errors after the shown epochs, for networks trained longer."""
    curves, shown = evidence.table(CURVES), shown_epochs(evidence)
    curves = curves[(curves["protocol"] == protocol) & (curves["part"] == part)]
    changes = []
    for network in TRAINED:
        mine = curves[curves["network"] == network]
        errors = mine.pivot(index="seed", columns="epoch", values="error_percent")
        last = errors.columns.max()
        if last > shown and shown in errors:
            change = (errors[last] - errors[shown])[errors[last].notna()].mean()
            changes.append(f"{NETWORKS[network]} {change:+.2f}")
    if not changes:
        return ""
    return f"; from epoch {shown:g} to {curves['epoch'].max():g}: {', '.join(changes)} points"


def curves_fall(evidence: Evidence) -> list[Outcome]:
    """Kendall's tau of test and training errors over the shown epochs, from the first epoch on.

    Over the seeds tau is below zero, and each curve for itself falls more than it would by chance.
    """
    outcomes = []
    for protocol, curves in shown_curves(evidence):
        # The first epoch, in which every network that learns at all falls, tells nothing.
        curves = curves[curves["epoch"] >= min(1.0, curves["epoch"].max())]
        for part in TEST_PARTS:
            judged, chances = {}, []
            for network in TRAINED:
                for where in (part, TRAINING_PART):
                    rows = curves[(curves["network"] == network) & (curves["part"] == where)]
                    runs = (run for _, run in rows.groupby("seed"))
                    trends = [fall(run["epoch"], run["error_percent"]) for run in runs]
                    falls = judge([one.tau for one in trends], high=0.0)
                    judged[f"{NETWORKS[network]} {where}"] = falls
                    chances += [one.chance for one in trends]
            note = (
                "Kendall's tau of error and epoch, mean over seeds; must be < 0; "
                f"largest p of one curve {np.max(chances):.2g}, must be < {SIGNIFICANT}"
                + _later(evidence, protocol, part)
            )
            outcome = outcome_of_all(judged, protocol, note, variant=split(part))
            # A p that is not a number is not below the bound either.
            clear = all(chance < SIGNIFICANT for chance in chances)
            # Curves that fall, but no more than by chance, do not decide.
            decided = outcome.decided and (clear or not outcome.holds)
            outcomes.append(outcome._replace(holds=outcome.holds and clear, decided=decided))
    return outcomes


# ----------------------------------------------------------------------- claims


def fsgd_better_in_both_tables(evidence: Evidence) -> list[Outcome]:
    """Error of SGD minus error of FSGD, in table 3.2 and in table A.1."""
    what = "error of SGD minus error of FSGD"
    outcomes = _apart(evidence, SGD, FSGD, what, "table 3.2", low=0.0)
    for protocol in row_protocols(evidence):
        gain = common(*(row_errors(evidence, protocol, row) for row in (BASELINE, FRACTIONAL)))
        outcomes.append(effect(evidence, protocol, gain, f"{what} in points", "table A.1"))
    return outcomes


def _numbers(evidence: Evidence, errors: Mapping[str, float], place: str = "") -> list[Number]:
    """Test errors of networks, by their names below a place of the entry."""
    return [
        Number(
            f"{place}{network}",
            protocol,
            error,
            tuple(trained(rows, network)),
            None,
            variant=split(part),
        )
        for network, error in errors.items()
        for protocol, part, rows in parts(evidence, TABLE)
    ]


def numbers_of_ch3_fsgd_better(evidence: Evidence) -> list[Number]:
    """The four cells of the claim."""
    values = evidence.entry["values"]
    numbers = _numbers(evidence, values["table3_2"], "table3_2.")
    for protocol in row_protocols(evidence):
        note = split(TABLE_A1_PARTS[protocol])
        for network, error in values["tableA_1"].items():
            place, ours = f"tableA_1.{network}", tuple(row_errors(evidence, protocol, network))
            numbers.append(Number(place, protocol, error, ours, None, note=note))
    return numbers


def swapping_changes_less_than_training(evidence: Evidence) -> list[Outcome]:
    """Distance of the ReLU weights' two forms minus distance of FSGD and ReLU."""
    outcomes = []
    for protocol, part, rows in parts(evidence, TABLE):
        relu = trained(rows, "relu")
        forward = common(final(rows, "relu", "spiking"), relu).abs()
        training = common(trained(rows, "fsgd"), relu).abs()
        note = (
            f"{forward.mean():.3g} points by the forward pass alone (ReLU weights), "
            f"{training.mean():.3g} in all (FSGD), {split(part)}; the difference"
        )
        points = common(forward, training)
        outcomes.append(found(points, protocol, note, high=0.0, variant=split(part)))
    return outcomes


def close_to_relu(evidence: Evidence) -> list[Outcome]:
    """Distance of the FSGD network from the ReLU network."""
    bound = evidence.bound("close_to_relu", "points")
    return _apart(evidence, FSGD, RELU, "FSGD minus ReLU", low=-bound, high=bound)


def numbers_of_ch3_close_to_relu(evidence: Evidence) -> list[Number]:
    """The two test errors."""
    return _numbers(evidence, evidence.entry["values"])
