"""Checks on table A.1: what the settings of a spiking network do to its error."""

from plausible.reproduction.evidence import (
    Evidence,
    Number,
    Outcome,
    judge,
    outcome_of,
    outcome_of_all,
)
from plausible.reproduction.published import stated_numbers
from plausible.studies.oconnor2020.ch3_learning.rows import (
    TABLE_A1_PARTS,
    common,
    split,
    variant,
    variant_protocols,
)

"""Those of these checks stand with the other ones on the training runs."""
BASELINE, FRACTIONAL, SMOOTH = "Baseline", "Fractional Updates", "Smooth Gradients"
ZERO, RANDOM = "Back-Quantization = Zero-Reset", "Back-Quantization = Random"
"""Rows of table A.1."""
PERCENT = (0.0, 100.0)
"""Which errors are possible."""
DIVERGED_ERROR = 100.0
"""What a network that diverged counts as, where a statement says that it fails."""


def where_the_baseline_learns(evidence: Evidence, protocol: str, outcome: Outcome) -> Outcome:
    """An effect of a setting is one only if the baseline of the protocol learns without it."""
    claim = evidence.published.entry("ch3.no_zero_reset")
    _, works = stated_numbers(claim["expect"][0]["test"])
    error = variant(evidence, protocol, BASELINE).mean(skipna=False)
    if error < works:
        return outcome
    note = f"{outcome.note}; but the baseline fails as well ({error:.3g} %, must be < {works:g})"
    return outcome._replace(holds=False, decided=True, note=note)


def _above(evidence: Evidence, label: str, bound: float, variant: str = "") -> list[Outcome]:
    outcomes = []
    for protocol in variant_protocols(evidence):
        errors = variant(evidence, protocol, label)
        note = f"percent error, {split(TABLE_A1_PARTS[protocol])}; must be > {bound:g}"
        if errors.isna().any():
            note += f"; {int(errors.isna().sum())} of {len(errors)} diverged and count as failed"
        note += f"; baseline {variant(evidence, protocol, BASELINE).mean(skipna=False):.3g}"
        judged = judge(errors.fillna(DIVERGED_ERROR), low=bound)
        outcome = outcome_of(judged, protocol, note, variant=variant)
        outcomes.append(where_the_baseline_learns(evidence, protocol, outcome))
    return outcomes


def more_steps_help(evidence: Evidence) -> list[Outcome]:
    """Errors with 5 minus 10 and 10 minus 20 time steps."""
    order = {5: "5 Time Steps", 10: BASELINE, 20: "20 Time Steps"}
    outcomes = []
    for protocol in variant_protocols(evidence):
        errors = {steps: variant(evidence, protocol, name) for steps, name in order.items()}
        judged = {
            f"T = {few} minus T = {many}": judge(common(errors[few], errors[many]), low=0.0)
            for few, many in ((5, 10), (10, 20))
        }
        note = f"points, {split(TABLE_A1_PARTS[protocol])}; must be > 0"
        outcome = outcome_of_all(judged, protocol, note)
        outcomes.append(where_the_baseline_learns(evidence, protocol, outcome))
    return outcomes


def zero_reset_fails(evidence: Evidence) -> list[Outcome]:
    """Error with quantizers of errors that are reset to zero."""
    return _above(evidence, ZERO, evidence.bounds(1)[0])


def depth_first_fails(evidence: Evidence) -> list[Outcome]:
    """Error with depth-first routing: as coded without held errors, as published by its name."""
    return _above(evidence, "Depth-First Propagation", evidence.bounds(2)[0])


def smooth_and_fractional_help(evidence: Evidence) -> list[Outcome]:
    """Baseline minus smooth gradients, baseline minus fractional updates."""
    outcomes = []
    for protocol in variant_protocols(evidence):
        baseline = variant(evidence, protocol, BASELINE)
        for label, name in ((SMOOTH, "smooth"), (FRACTIONAL, "fractional")):
            judged = judge(common(baseline, variant(evidence, protocol, label)), low=0.0)
            note = f"baseline minus {name} in points, {split(TABLE_A1_PARTS[protocol])}"
            outcome = outcome_of(judged, protocol, f"{note}; must be > 0", variant=name)
            outcomes.append(where_the_baseline_learns(evidence, protocol, outcome))
    return outcomes


def numbers_of_table_a1(evidence: Evidence) -> list[Number]:
    """The nine errors."""
    return [
        Number(
            row["variant"], protocol, row["error_percent"],
            tuple(variant(evidence, protocol, row["variant"])), None,
            note=split(TABLE_A1_PARTS[protocol]), possible=PERCENT,
        )
        for protocol in variant_protocols(evidence)
        for row in evidence.entry["values"]["rows"]
    ]  # fmt: skip


def only_zero_reset_fails(evidence: Evidence) -> list[Outcome]:
    """Errors with zero reset and with no reset."""
    fails, works = evidence.statement_numbers(0)
    outcomes = _above(evidence, ZERO, fails, "zero reset")
    for protocol in variant_protocols(evidence):
        judged = judge(variant(evidence, protocol, BASELINE), high=works)
        note = f"percent error, {split(TABLE_A1_PARTS[protocol])}; must be < {works:g}"
        outcomes.append(outcome_of(judged, protocol, note, variant="no reset"))
    return outcomes


def numbers_of_ch3_no_zero_reset(evidence: Evidence) -> list[Number]:
    """The three errors of the claim."""
    labels = {"zero_reset": ZERO, "no_reset": BASELINE, "random": RANDOM}
    return [
        Number(
            name, protocol, evidence.entry["values"][name],
            tuple(variant(evidence, protocol, label)), None, note=split(TABLE_A1_PARTS[protocol]),
            possible=PERCENT,
        )
        for protocol in variant_protocols(evidence)
        for name, label in labels.items()
    ]  # fmt: skip
