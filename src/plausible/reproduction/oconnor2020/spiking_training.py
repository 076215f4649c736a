"""Checks on chapter 3's long training runs: table 3.2, learning curves, claims made of them."""

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from plausible.reproduction.evidence import (
    Evidence,
    Judgement,
    Number,
    Outcome,
    Registry,
    judge,
    outcome_of,
    outcome_of_all,
)
from plausible.reproduction.oconnor2020.hyperparameters import (
    BASELINE,
    FRACTIONAL,
    where_the_baseline_learns,
)
from plausible.reproduction.oconnor2020.spiking_explanations import EXPLANATIONS
from plausible.reproduction.oconnor2020.spiking_rows import (
    CURVES,
    NAMES,
    TABLE,
    TEST_PARTS,
    common,
    final,
    gaps,
    parts,
    split,
    variant,
    variant_protocols,
)
from plausible.studies.oconnor2020.tables_spiking_training import TABLE3_2

__all__ = ["EXPLANATIONS", "REGISTRY"]

REGISTRY = Registry()
SPIKING_NETWORKS = ("fsgd", "sgd")
SIGNIFICANT = 0.05


# ----------------------------------------------------------------------- table 3.2


@REGISTRY.check(TABLE, 0)
def fsgd_beats_sgd(evidence: Evidence) -> list[Outcome]:
    """Error of SGD minus error of FSGD, seed by seed."""
    return [
        outcome_of(
            judge(common(final(rows, "sgd", "spiking"), final(rows, "fsgd", "spiking")), low=0.0),
            protocol,
            f"error of SGD minus error of FSGD in points, {split(part)}; must be > 0",
        )
        for protocol, part, rows in parts(evidence, TABLE)
    ]


@REGISTRY.check(TABLE, 1)
def relu_is_best(evidence: Evidence) -> list[Outcome]:
    """ReLU network below both spiking ones, and FSGD within the stated distance of it."""
    margin = evidence.bounds(1)[0]
    outcomes = []
    for protocol, part, rows in parts(evidence, TABLE):
        relu = final(rows, "relu", "rectified")
        judged = {
            NAMES[name]: judge(common(final(rows, name, "spiking"), relu), low=0.0)
            for name in SPIKING_NETWORKS
        }
        note = f"points above the ReLU network, {split(part)}"
        outcomes.append(
            outcome_of_all(judged, protocol, f"{note}; must be > 0", aspect="ReLU is best")
        )
        apart = judge(common(final(rows, "fsgd", "spiking"), relu), high=margin)
        outcomes.append(
            outcome_of(apart, protocol, f"FSGD, {note}; must be < {margin:g}", aspect="margin")
        )
    return outcomes


def _between_forms(evidence: Evidence, network: str, index: int) -> list[Outcome]:
    bound = evidence.statement_numbers(index)[0]
    outcomes = []
    for protocol, part, rows in parts(evidence, TABLE):
        apart = common(final(rows, network, "spiking"), final(rows, network, "rectified"))
        note = f"spiking minus vector form of the same weights in points, {split(part)}"
        judged = judge(apart, -bound, bound, strict=False)
        outcomes.append(outcome_of(judged, protocol, f"{note}; must be within {bound:g}"))
    return outcomes


@REGISTRY.check(TABLE, 2)
def spiking_with_relu_weights(evidence: Evidence) -> list[Outcome]:
    """Spiking network with the weights of the ReLU network against the latter."""
    return _between_forms(evidence, "relu", 2)


@REGISTRY.check(TABLE, 3)
def relu_with_spiking_weights(evidence: Evidence) -> list[Outcome]:
    """ReLU network with the weights of the FSGD network against the latter."""
    return _between_forms(evidence, "fsgd", 3)


@REGISTRY.number(TABLE, "rows")
def errors_of_table3_2(evidence: Evidence) -> list[Number]:
    """The ten cells; training errors once, since no protocol changes the training images."""
    frame = evidence.table(TABLE, "network", "form", "seed", "part", "counting", "error_percent")
    training = frame[frame["part"] == "train"]
    numbers = []
    for protocol, part, rows in parts(evidence, TABLE):
        for row in evidence.entry["values"]["rows"]:
            network, form = TABLE3_2[row["network"]]
            cells = [("test_error_percent", rows, f"{split(part)}")]
            if protocol == "as_coded":
                cells.append(("training_error_percent", training, "all training images"))
            numbers += [
                Number(
                    f"{row['network']}: {key}",
                    protocol,
                    row[key],
                    tuple(final(tested, network, form)),
                    None,
                    note=note,
                )
                for key, tested, note in cells
            ]
    return numbers


# ----------------------------------------------------------------------- learning curves


def _shown_epochs(evidence: Evidence) -> float:
    return float(evidence.published.entry(CURVES)["settings"]["epochs_shown"])


def _gap_difference(evidence: Evidence, part: str, network: str, at_end: bool) -> Judgement:
    """Gap of a spiking network minus that of ReLU: after the shown epochs, or their mean."""
    values = []
    for name in (network, "relu"):
        table = gaps(evidence, part, name)
        table = table[(table.index > 0) & (table.index <= _shown_epochs(evidence))]
        values.append(table.iloc[-1] if at_end else table.mean(skipna=False))
    return judge(common(*values), high=0.0)


@REGISTRY.check(CURVES, 0)
def smaller_gap_at_the_end(evidence: Evidence) -> list[Outcome]:
    """Gaps after the epochs that the figure shows."""
    return _gaps(evidence, True, "at the end of the shown epochs")


@REGISTRY.check("ch3.smaller_generalisation_gap", 0)
def smaller_gap_on_the_way(evidence: Evidence) -> list[Outcome]:
    """Gaps, mean over the test points of the epochs that the figure shows."""
    return _gaps(evidence, False, "mean over the test points of the shown epochs")


def _gaps(evidence: Evidence, at_end: bool, when: str) -> list[Outcome]:
    return [
        outcome_of(
            _gap_difference(evidence, part, network, at_end),
            protocol,
            f"gap of test and training error minus that of ReLU in points, {when}, "
            f"{split(part)}; training error of the images tested on the way; must be < 0",
            aspect=NAMES[network],
        )
        for protocol, part in TEST_PARTS.items()
        for network in SPIKING_NETWORKS
    ]


def _chance_of_fall(curve: pd.DataFrame) -> float:
    """One-sided p of Kendall's tau; not a number for a network that diverged."""
    if curve["error_percent"].isna().any():
        return np.nan
    test = kendalltau(curve["epoch"], curve["error_percent"], alternative="less")
    return float(test.pvalue)


@REGISTRY.check(CURVES, 1)
def curves_fall(evidence: Evidence) -> list[Outcome]:
    """Kendall's test for a falling trend from the first epoch on, of test and training errors."""
    frame = evidence.table(CURVES, "record", "network", "seed", "part", "epoch", "error_percent")
    # Before training an error is that of guessing: with it every curve that learns at all falls.
    frame = frame[frame["epoch"] >= min(1.0, frame["epoch"].max())]
    outcomes = []
    for protocol, part in TEST_PARTS.items():
        judged = {}
        for network, name in NAMES.items():
            for where in (part, "train"):
                rows = frame[(frame["network"] == network) & (frame["part"] == where)]
                chances = [_chance_of_fall(one) for _, one in rows.groupby("seed")]
                judged[f"{name} {where}"] = judge(chances, high=SIGNIFICANT)
        note = f"p of Kendall's tau of error and epoch being < 0 by chance; must be < {SIGNIFICANT}"
        outcomes.append(outcome_of_all(judged, protocol, note))
    return outcomes


# ----------------------------------------------------------------------- claims


@REGISTRY.check("ch3.fsgd_better", 0)
def fsgd_better_in_both_tables(evidence: Evidence) -> list[Outcome]:
    """Error of SGD minus error of FSGD, in table 3.2 and in table A.1."""
    outcomes = [outcome._replace(aspect="table 3.2") for outcome in fsgd_beats_sgd(evidence)]
    for protocol in variant_protocols(evidence):
        gain = common(
            variant(evidence, protocol, BASELINE), variant(evidence, protocol, FRACTIONAL)
        )
        note = f"error of SGD minus error of FSGD in points, {split(TEST_PARTS[protocol])}"
        judged = judge(gain, low=0.0)
        outcome = outcome_of(judged, protocol, f"{note}; must be > 0", aspect="table A.1")
        outcomes.append(where_the_baseline_learns(evidence, protocol, outcome))
    return outcomes


@REGISTRY.number("ch3.fsgd_better", "table3_2", "tableA_1")
def errors_of_both_rules(evidence: Evidence) -> list[Number]:
    """The four cells of the claim."""
    values = evidence.entry["values"]
    numbers = [
        Number(
            f"table3_2 {rule}", protocol, values["table3_2"][rule],
            tuple(final(rows, rule, "spiking")), None, note=split(part),
        )
        for protocol, part, rows in parts(evidence, TABLE)
        for rule in SPIKING_NETWORKS
    ]  # fmt: skip
    rows_of_rules = {"sgd": BASELINE, "fsgd": FRACTIONAL}
    return numbers + [
        Number(
            f"tableA_1 {rule}", protocol, values["tableA_1"][rule],
            tuple(variant(evidence, protocol, label)), None, note=split(TEST_PARTS[protocol]),
        )
        for protocol in variant_protocols(evidence)
        for rule, label in rows_of_rules.items()
    ]  # fmt: skip


@REGISTRY.check("ch3.training_not_forward", 0)
def swapping_changes_less_than_training(evidence: Evidence) -> list[Outcome]:
    """Distance of the ReLU weights' two forms minus distance of FSGD and ReLU."""
    outcomes = []
    for protocol, part, rows in parts(evidence, TABLE):
        relu = final(rows, "relu", "rectified")
        forward = common(final(rows, "relu", "spiking"), relu).abs()
        training = common(final(rows, "fsgd", "spiking"), relu).abs()
        note = (
            f"{forward.mean():.3g} points by the forward pass, {training.mean():.3g} by the "
            f"training, {split(part)}; the difference must be < 0"
        )
        outcomes.append(outcome_of(judge(common(forward, training), high=0.0), protocol, note))
    return outcomes


@REGISTRY.check("ch3.close_to_relu", 0)
def close_to_relu(evidence: Evidence) -> list[Outcome]:
    """Distance of the FSGD network from the ReLU network."""
    bound = evidence.bounds(0)[0]
    return [
        outcome_of(
            judge(
                common(final(rows, "fsgd", "spiking"), final(rows, "relu", "rectified")),
                -bound,
                bound,
            ),
            protocol,
            f"FSGD minus ReLU in points, {split(part)}; must be within {bound:g}",
        )
        for protocol, part, rows in parts(evidence, TABLE)
    ]


@REGISTRY.number("ch3.close_to_relu", "fsgd", "relu")
def errors_of_the_claim(evidence: Evidence) -> list[Number]:
    """The two test errors."""
    forms = {"fsgd": "spiking", "relu": "rectified"}
    return [
        Number(
            name, protocol, evidence.entry["values"][name], tuple(final(rows, name, form)), None,
            note=split(part),
        )
        for protocol, part, rows in parts(evidence, TABLE)
        for name, form in forms.items()
    ]  # fmt: skip
