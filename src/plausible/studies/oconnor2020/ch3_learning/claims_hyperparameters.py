"""Checks on table A.1: what the settings of a spiking network do to its error."""

from typing import Any

from plausible.reproduction.evidence import Evidence, Number, Outcome
from plausible.studies.oconnor2020.ch3_learning.claims_rows import (
    TABLE_A1_PARTS,
    common,
    found,
    row_errors,
    row_protocols,
    split,
)

BASELINE, FRACTIONAL, SMOOTH = "baseline", "fractional", "smooth"
ZERO, DEPTH_FIRST = "zero_reset", "depth_first"
"""Rows of table A.1."""
RESET, RESET_FAILS = "ch3.no_zero_reset", "only_zero_reset_fails"
PERCENT = (0.0, 100.0)
"""Which errors are possible."""
DIVERGED_ERROR = 100.0
"""What a network that diverged counts as, where a statement says that it fails."""


def effect(
    evidence: Evidence,
    protocol: str,
    values: Any,
    what: str,
    variant: str = "",
    low: float = 0.0,
    told: str = "",
) -> Outcome:
    """Outcome of an effect of a setting: one only if the protocol's baseline learns without it."""
    outcome = found(values, protocol, _note(what, protocol), low, variant=variant)
    outcome = outcome._replace(note=outcome.note + told)
    works = evidence.bound(RESET_FAILS, "no_reset_error_percent", of=RESET)
    error = row_errors(evidence, protocol, BASELINE).mean(skipna=False)
    if error < works:
        return outcome
    note = f"{outcome.note}; but the baseline fails as well ({error:.3g} %, must be < {works:g})"
    return outcome._replace(holds=False, decided=True, note=note)


def _note(what: str, protocol: str) -> str:
    return f"{what}, {split(TABLE_A1_PARTS[protocol])};"


def _above(evidence: Evidence, row: str, bound: float, finding: str = "") -> list[Outcome]:
    outcomes = []
    for protocol in row_protocols(evidence):
        errors = row_errors(evidence, protocol, row)
        told = ""
        if errors.isna().any():
            told = f"; {int(errors.isna().sum())} of {len(errors)} diverged and count as failed"
        told += f"; baseline {row_errors(evidence, protocol, BASELINE).mean(skipna=False):.3g}"
        errors = errors.fillna(DIVERGED_ERROR)
        outcomes.append(effect(evidence, protocol, errors, "percent error", finding, bound, told))
    return outcomes


def more_steps_help(evidence: Evidence) -> list[Outcome]:
    """Errors with 5 minus 10 and 10 minus 20 time steps."""
    order = {5: "steps_5", 10: BASELINE, 20: "steps_20"}
    outcomes = []
    for protocol in row_protocols(evidence):
        errors = {steps: row_errors(evidence, protocol, name) for steps, name in order.items()}
        points = {
            f"T = {few} minus T = {many}": common(errors[few], errors[many])
            for few, many in ((5, 10), (10, 20))
        }
        outcomes.append(effect(evidence, protocol, points, "points"))
    return outcomes


def zero_reset_fails(evidence: Evidence) -> list[Outcome]:
    """Error with quantizers of errors that are reset to zero."""
    return _above(evidence, ZERO, evidence.bound("zero_reset_fails", "error_percent"))


def depth_first_fails(evidence: Evidence) -> list[Outcome]:
    """Error with depth-first routing: as coded without held errors, as published by its name."""
    return _above(evidence, DEPTH_FIRST, evidence.bound("depth_first_fails", "error_percent"))


def smooth_and_fractional_help(evidence: Evidence) -> list[Outcome]:
    """Baseline minus smooth gradients, baseline minus fractional updates."""
    outcomes = []
    for protocol in row_protocols(evidence):
        for name in (SMOOTH, FRACTIONAL):
            points = common(*(row_errors(evidence, protocol, row) for row in (BASELINE, name)))
            what = f"baseline minus {name} in points"
            outcomes.append(effect(evidence, protocol, points, what, name))
    return outcomes


def numbers_of_table_a1(evidence: Evidence) -> list[Number]:
    """The nine errors."""
    return _numbers(evidence, "id", "variant")


def _numbers(evidence: Evidence, network: str, label: str) -> list[Number]:
    """Errors of the rows of an entry, whose keys name the network and what people call it."""
    return [
        Number(
            f"rows.{row['id']}.error_percent", protocol, row["error_percent"],
            tuple(row_errors(evidence, protocol, row[network])), None,
            note=split(TABLE_A1_PARTS[protocol]), possible=PERCENT, label=row[label],
        )
        for protocol in row_protocols(evidence)
        for row in evidence.entry["values"]["rows"]
    ]  # fmt: skip


def only_zero_reset_fails(evidence: Evidence) -> list[Outcome]:
    """Errors with zero reset and with no reset."""
    fails = evidence.bound(RESET_FAILS, "zero_reset_error_percent")
    works = evidence.bound(RESET_FAILS, "no_reset_error_percent")
    outcomes = _above(evidence, ZERO, fails, "zero reset")
    for protocol in row_protocols(evidence):
        note = _note("percent error", protocol)
        errors = row_errors(evidence, protocol, BASELINE)
        outcomes.append(found(errors, protocol, note, high=works, variant="no reset"))
    return outcomes


def numbers_of_ch3_no_zero_reset(evidence: Evidence) -> list[Number]:
    """The three errors of the claim."""
    return _numbers(evidence, "network", "label")
