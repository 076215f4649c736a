"""Checks on chapter 3's long training runs: table 3.2, learning curves, claims made of them.

Each is judged on both test parts, that of the thesis first; see ``spiking_rows``.
"""

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
from plausible.studies.oconnor2020.ch3_learning.rows import (
    CURVES,
    NAMES,
    TABLE,
    TABLE_A1_PARTS,
    TEST_PARTS,
    TRAINING_PART,
    common,
    final,
    gaps,
    on_split,
    parts,
    shown_curves,
    shown_epochs,
    split,
    variant,
    variant_protocols,
)
from plausible.studies.oconnor2020.ch3_learning.tables import TABLE3_2

SPIKING_NETWORKS = ("fsgd", "sgd")
TESTED_AS = {"fsgd": "spiking", "sgd": "spiking", "relu": "rectified"}
"""Networks of table 3.2 and the form in which they were trained."""


# ----------------------------------------------------------------------- table 3.2


def fsgd_beats_sgd(evidence: Evidence) -> list[Outcome]:
    """Error of SGD minus error of FSGD, seed by seed."""
    return [
        outcome_of(
            judge(common(final(rows, "sgd", "spiking"), final(rows, "fsgd", "spiking")), low=0.0),
            protocol,
            f"error of SGD minus error of FSGD in points, {split(part)}; must be > 0",
            variant=split(part),
        )
        for protocol, part, rows in parts(evidence, TABLE)
    ]


def relu_is_best(evidence: Evidence) -> list[Outcome]:
    """ReLU network below both spiking ones, and FSGD within the stated distance of it."""
    margin = evidence.bounds(1)[0]
    best, near = [], []
    for protocol, part, rows in parts(evidence, TABLE):
        relu = final(rows, "relu", "rectified")
        judged = {
            NAMES[name]: judge(common(final(rows, name, "spiking"), relu), low=0.0)
            for name in SPIKING_NETWORKS
        }
        note = f"points above the ReLU network, {split(part)}"
        variant = on_split("ReLU is best", part)
        best.append(outcome_of_all(judged, protocol, f"{note}; must be > 0", variant=variant))
        apart = judge(common(final(rows, "fsgd", "spiking"), relu), high=margin)
        note = f"FSGD, {note}; must be < {margin:g}"
        near.append(outcome_of(apart, protocol, note, variant=on_split("margin", part)))
    return best + near


def _between_forms(evidence: Evidence, network: str, index: int) -> list[Outcome]:
    bound = evidence.statement_numbers(index)[0]
    outcomes = []
    for protocol, part, rows in parts(evidence, TABLE):
        apart = common(final(rows, network, "spiking"), final(rows, network, "rectified"))
        note = f"spiking network minus vector network of the same weights in points, {split(part)}"
        judged = judge(apart, -bound, bound, strict=False)
        note = f"{note}; must be within {bound:g}"
        outcomes.append(outcome_of(judged, protocol, note, variant=split(part)))
    return outcomes


def spiking_with_relu_weights(evidence: Evidence) -> list[Outcome]:
    """Spiking network with the weights of the ReLU network against the latter."""
    return _between_forms(evidence, "relu", 2)


def relu_with_spiking_weights(evidence: Evidence) -> list[Outcome]:
    """ReLU network with the weights of the FSGD network against the latter."""
    return _between_forms(evidence, "fsgd", 3)


def numbers_of_ch3_table3_2(evidence: Evidence) -> list[Number]:
    """The ten cells: errors of both test parts beside the printed one, and training errors."""
    found = list(parts(evidence, TABLE, (*TEST_PARTS, TRAINING_PART)))
    numbers = []
    for row in evidence.entry["values"]["rows"]:
        network, form = TABLE3_2[row["network"]]
        for protocol, part, rows in found:
            training = part == TRAINING_PART
            name = f"{row['network']}: {'training' if training else 'test'} error"
            numbers.append(
                Number(
                    name if training else on_split(name, part),
                    protocol,
                    row["training_error_percent" if training else "test_error_percent"],
                    tuple(final(rows, network, form)),
                    None,
                    note="all training images" if training else "",
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
                for network, form in TESTED_AS.items():
                    apart = common(final(rows, network, form), final(training, network, form))
                    gaps_of[protocol, part, network] = apart
    outcomes = []
    for network in SPIKING_NETWORKS:
        for protocol, part in dict.fromkeys(key[:2] for key in gaps_of):
            gap, relu = gaps_of[protocol, part, network], gaps_of[protocol, part, "relu"]
            note = (
                f"gap {gap.mean():.3g}, that of ReLU {relu.mean():.3g} points, after all epochs, "
                f"{split(part)}; the difference must be < 0"
            )
            variant = on_split(f"{NAMES[network]} after the training", part)
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
            variant=on_split(NAMES[network], part),
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
    for network, name in NAMES.items():
        errors = curves[curves["network"] == network].pivot(
            index="seed", columns="epoch", values="error_percent"
        )
        last = errors.columns.max()
        if last > shown and shown in errors:
            longest = errors[errors[last].notna()]
            changes.append(f"{name} {(longest[last] - longest[shown]).mean():+.2f}")
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
            for network, name in NAMES.items():
                for where in (part, TRAINING_PART):
                    rows = curves[(curves["network"] == network) & (curves["part"] == where)]
                    trends = [
                        fall(one["epoch"], one["error_percent"]) for _, one in rows.groupby("seed")
                    ]
                    judged[f"{name} {where}"] = judge([one.tau for one in trends], high=0.0)
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
    for protocol in variant_protocols(evidence):
        gain = common(
            variant(evidence, protocol, BASELINE), variant(evidence, protocol, FRACTIONAL)
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
            on_split(f"table3_2 {rule}", part), protocol, values["table3_2"][rule],
            tuple(final(rows, rule, "spiking")), None,
        )
        for rule in SPIKING_NETWORKS
        for protocol, part, rows in parts(evidence, TABLE)
    ]  # fmt: skip
    rows_of_rules = {"sgd": BASELINE, "fsgd": FRACTIONAL}
    return numbers + [
        Number(
            f"tableA_1 {rule}", protocol, values["tableA_1"][rule],
            tuple(variant(evidence, protocol, label)), None, note=split(TABLE_A1_PARTS[protocol]),
        )
        for protocol in variant_protocols(evidence)
        for rule, label in rows_of_rules.items()
    ]  # fmt: skip


def swapping_changes_less_than_training(evidence: Evidence) -> list[Outcome]:
    """Distance of the ReLU weights' two forms minus distance of FSGD and ReLU."""
    outcomes = []
    for protocol, part, rows in parts(evidence, TABLE):
        relu = final(rows, "relu", "rectified")
        forward = common(final(rows, "relu", "spiking"), relu).abs()
        training = common(final(rows, "fsgd", "spiking"), relu).abs()
        note = (
            f"{forward.mean():.3g} points by the forward pass alone (ReLU weights), "
            f"{training.mean():.3g} in all (FSGD), {split(part)}; the difference must be < 0"
        )
        judged = judge(common(forward, training), high=0.0)
        outcomes.append(outcome_of(judged, protocol, note, variant=split(part)))
    return outcomes


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
            variant=split(part),
        )
        for protocol, part, rows in parts(evidence, TABLE)
    ]


def numbers_of_ch3_close_to_relu(evidence: Evidence) -> list[Number]:
    """The two test errors."""
    forms = {"fsgd": "spiking", "relu": "rectified"}
    return [
        Number(
            on_split(name, part), protocol, evidence.entry["values"][name],
            tuple(final(rows, name, form)), None,
        )
        for name, form in forms.items()
        for protocol, part, rows in parts(evidence, TABLE)
    ]  # fmt: skip
