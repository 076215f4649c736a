"""Checks on chapter 3's long training runs: table 3.2, learning curves, claims made of them.

Each is judged on both test parts, that of the thesis first; see ``claims_rows``.
"""

import math

import numpy as np
import pandas as pd

from plausible.measure.trend import SIGNIFICANT, fall
from plausible.reproduction.evidence import (
    Evidence,
    Judgement,
    Number,
    Outcome,
    judge,
    outcome_of,
    outcome_of_all,
)
from plausible.studies.oconnor2020.ch3_learning.claims_hyperparameters import (
    BASELINE,
    FRACTIONAL,
    where_the_baseline_learns,
)
from plausible.studies.oconnor2020.ch3_learning.claims_rows import (
    CURVES,
    TABLE,
    TABLE_A1_PARTS,
    TEST_PARTS,
    TRAINING_PART,
    common,
    final,
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
    low: float = -math.inf,
    high: float = math.inf,
    strict: bool = True,
    name: str = "",
) -> list[Outcome]:
    """Error of a network in a form minus that of another one, seed by seed, on both test parts."""
    bound = f"> {low:g}" if high == math.inf else f"< {high:g}"
    bound = f"within {high:g}" if low == -high else bound
    return [
        outcome_of(
            judge(common(final(rows, *network), final(rows, *other)), low, high, strict),
            protocol,
            f"{what} in points, {split(part)}; must be {bound}",
            variant=on_split(name, part),
        )
        for protocol, part, rows in parts(evidence, TABLE)
    ]


def fsgd_beats_sgd(evidence: Evidence) -> list[Outcome]:
    """Error of SGD minus error of FSGD, seed by seed."""
    return _apart(evidence, SGD, FSGD, "error of SGD minus error of FSGD", low=0.0)


def relu_is_best(evidence: Evidence) -> list[Outcome]:
    """ReLU network below both spiking ones, and FSGD within the stated distance of it."""
    best = []
    for protocol, part, rows in parts(evidence, TABLE):
        judged = {
            NETWORKS[name]: judge(common(trained(rows, name), trained(rows, "relu")), low=0.0)
            for name in SPIKING_NETWORKS
        }
        note = f"points above the ReLU network, {split(part)}; must be > 0"
        best.append(outcome_of_all(judged, protocol, note, variant=on_split("best", part)))
    margin = evidence.bound("relu_is_best", "points")
    return best + _apart(evidence, FSGD, RELU, "FSGD minus ReLU", high=margin, name="margin")


def _between_forms(evidence: Evidence, statement: str, network: str) -> list[Outcome]:
    bound = evidence.bound(statement, "points")
    what = "spiking network minus vector network of the same weights"
    forms = (network, "spiking"), (network, "rectified")
    return _apart(evidence, *forms, what, -bound, bound, strict=False)


def spiking_with_relu_weights(evidence: Evidence) -> list[Outcome]:
    """Spiking network with the weights of the ReLU network against the latter."""
    return _between_forms(evidence, "spiking_with_relu_weights", "relu")


def relu_with_spiking_weights(evidence: Evidence) -> list[Outcome]:
    """ReLU network with the weights of the FSGD network against the latter."""
    return _between_forms(evidence, "relu_with_spiking_weights", "fsgd")


def numbers_of_ch3_table3_2(evidence: Evidence) -> list[Number]:
    """The ten cells: errors of both test parts beside the printed one, and training errors."""
    found = list(parts(evidence, TABLE, (*TEST_PARTS, TRAINING_PART)))
    numbers = []
    for row in evidence.entry["values"]["rows"]:
        for protocol, part, rows in found:
            training = part == TRAINING_PART
            kind = "training" if training else "test"
            numbers.append(
                Number(
                    f"rows.{row['id']}.{kind}_error_percent",
                    protocol,
                    row[f"{kind}_error_percent"],
                    tuple(final(rows, row["weights"], row["form"])),
                    None,
                    note="all training images" if training else "",
                    variant="" if training else split(part),
                    label=f"{row['network']}: {kind} error",
                )
            )
    return numbers


# ----------------------------------------------------------------------- learning curves


def _gap_difference(curves: pd.DataFrame, part: str, network: str, at_end: bool) -> Judgement:
    """Gap of a spiking network minus that of ReLU: after the shown epochs, or their mean."""
    values = []
    for name in (network, "relu"):
        table = gaps(curves, part, name)
        values.append(table.iloc[-1] if at_end else table.mean(skipna=False))
    return judge(common(*values), high=0.0)


def smaller_gap_at_the_end(evidence: Evidence) -> list[Outcome]:
    """Gaps after the epochs that the figure shows."""
    return _gaps(evidence, True, "at the end of the shown epochs")


def smaller_gap_on_the_way(evidence: Evidence) -> list[Outcome]:
    """Gaps over the epochs that the figure shows, and those after the whole training."""
    on_the_way = _gaps(evidence, False, "mean over the test points of the shown epochs")
    return on_the_way + _gaps_after_training(evidence)


def _gaps_after_training(evidence: Evidence) -> list[Outcome]:
    """Gaps of table 3.2: all training images, after all epochs."""
    gaps_of: dict[tuple[str, str, str], pd.Series] = {}
    for protocol, _, training in parts(evidence, TABLE, (TRAINING_PART,)):
        for name, part, rows in parts(evidence, TABLE):
            if name == protocol:
                for network in TRAINED:
                    apart = common(trained(rows, network), trained(training, network))
                    gaps_of[protocol, part, network] = apart
    outcomes = []
    for network in SPIKING_NETWORKS:
        for protocol, part in dict.fromkeys(key[:2] for key in gaps_of):
            gap, relu = gaps_of[protocol, part, network], gaps_of[protocol, part, "relu"]
            note = (
                f"gap {gap.mean():.3g}, that of ReLU {relu.mean():.3g} points, after all epochs, "
                f"{split(part)}; the difference must be < 0"
            )
            variant = on_split(f"{network} after the training", part)
            outcomes.append(
                outcome_of(judge(common(gap, relu), high=0.0), protocol, note, variant=variant)
            )
    return outcomes


def _gaps(evidence: Evidence, at_end: bool, when: str) -> list[Outcome]:
    return [
        outcome_of(
            _gap_difference(curves, part, network, at_end),
            protocol,
            f"gap of test and training error minus that of ReLU in points, {when}, "
            f"{split(part)}; training error of the images tested on the way; must be < 0",
            variant=on_split(network, part),
        )
        for protocol, curves in shown_curves(evidence)
        for network in SPIKING_NETWORKS
        for part in TEST_PARTS
    ]


def _later(evidence: Evidence, protocol: str, part: str) -> str:
    """What became of the test errors after the shown epochs, for networks trained longer."""
    curves, shown = evidence.table(CURVES), shown_epochs(evidence)
    curves = curves[(curves["protocol"] == protocol) & (curves["part"] == part)]
    changes = []
    for network in TRAINED:
        errors = curves[curves["network"] == network].pivot(
            index="seed", columns="epoch", values="error_percent"
        )
        last = errors.columns.max()
        if last > shown and shown in errors:
            longest = errors[errors[last].notna()]
            changes.append(f"{NETWORKS[network]} {(longest[last] - longest[shown]).mean():+.2f}")
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
                    trends = [
                        fall(one["epoch"], one["error_percent"]) for _, one in rows.groupby("seed")
                    ]
                    falls = judge([one.tau for one in trends], high=0.0)
                    judged[f"{NETWORKS[network]} {where}"] = falls
                    chances += [one.chance for one in trends]
            outcome = outcome_of_all(
                judged,
                protocol,
                "Kendall's tau of error and epoch, mean over seeds; must be < 0; "
                f"largest p of one curve {np.max(chances):.2g}, must be < {SIGNIFICANT}"
                + _later(evidence, protocol, part),
                variant=split(part),
            )
            # A p that is not a number is not below the bound either.
            clear = all(chance < SIGNIFICANT for chance in chances)
            # Curves that fall, but no more than by chance, do not decide.
            decided = outcome.decided and (clear or not outcome.holds)
            outcomes.append(outcome._replace(holds=outcome.holds and clear, decided=decided))
    return outcomes


# ----------------------------------------------------------------------- claims


def fsgd_better_in_both_tables(evidence: Evidence) -> list[Outcome]:
    """Error of SGD minus error of FSGD, in table 3.2 and in table A.1."""
    outcomes = [
        outcome._replace(variant=f"table 3.2, {outcome.variant}")
        for outcome in fsgd_beats_sgd(evidence)
    ]
    for protocol in row_protocols(evidence):
        gain = common(
            row_errors(evidence, protocol, BASELINE), row_errors(evidence, protocol, FRACTIONAL)
        )
        note = f"error of SGD minus error of FSGD in points, {split(TABLE_A1_PARTS[protocol])}"
        judged = judge(gain, low=0.0)
        outcome = outcome_of(judged, protocol, f"{note}; must be > 0", variant="table A.1")
        outcomes.append(where_the_baseline_learns(evidence, protocol, outcome))
    return outcomes


def numbers_of_ch3_fsgd_better(evidence: Evidence) -> list[Number]:
    """The four cells of the claim."""
    values = evidence.entry["values"]
    numbers = [
        Number(
            f"table3_2.{network}", protocol, error, tuple(trained(rows, network)),
            None, variant=split(part),
        )
        for network, error in values["table3_2"].items()
        for protocol, part, rows in parts(evidence, TABLE)
    ]  # fmt: skip
    return numbers + [
        Number(
            f"tableA_1.{network}", protocol, error, tuple(row_errors(evidence, protocol, network)),
            None, note=split(TABLE_A1_PARTS[protocol]),
        )
        for protocol in row_protocols(evidence)
        for network, error in values["tableA_1"].items()
    ]  # fmt: skip


def swapping_changes_less_than_training(evidence: Evidence) -> list[Outcome]:
    """Distance of the ReLU weights' two forms minus distance of FSGD and ReLU."""
    outcomes = []
    for protocol, part, rows in parts(evidence, TABLE):
        relu = trained(rows, "relu")
        forward = common(final(rows, "relu", "spiking"), relu).abs()
        training = common(trained(rows, "fsgd"), relu).abs()
        note = (
            f"{forward.mean():.3g} points by the forward pass alone (ReLU weights), "
            f"{training.mean():.3g} in all (FSGD), {split(part)}; the difference must be < 0"
        )
        judged = judge(common(forward, training), high=0.0)
        outcomes.append(outcome_of(judged, protocol, note, variant=split(part)))
    return outcomes


def close_to_relu(evidence: Evidence) -> list[Outcome]:
    """Distance of the FSGD network from the ReLU network."""
    bound = evidence.bound("close_to_relu", "points")
    return _apart(evidence, FSGD, RELU, "FSGD minus ReLU", -bound, bound)


def numbers_of_ch3_close_to_relu(evidence: Evidence) -> list[Number]:
    """The two test errors."""
    return [
        Number(
            network, protocol, error, tuple(trained(rows, network)), None,
            variant=split(part),
        )
        for network, error in evidence.entry["values"].items()
        for protocol, part, rows in parts(evidence, TABLE)
    ]  # fmt: skip
