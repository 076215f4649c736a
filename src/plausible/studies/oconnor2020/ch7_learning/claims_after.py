"""What was found on trained networks: settling, residuals, dead units, feedback alignment."""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured

AFTER = "ch7.starts_in_right_regime"


def less(first: pd.Series, second: pd.Series) -> pd.Series:
    """Difference of the seeds that both have."""
    return (first - second).dropna()


def measured(
    evidence: Evidence, measure: str, variant: str, steps: float | None = None
) -> pd.Series:
    """Values of a measure, by seed; ``steps`` where there are several."""
    columns = ("seed", "measure", "variant", "steps", "value")
    table = evidence.table(AFTER, *columns)
    rows = table[(table["measure"] == measure) & (table["variant"] == variant)]
    if steps is not None:
        rows = rows[rows["steps"] == steps]
    if rows.empty:
        raise StudyError(f"the table of trained networks lacks {measure} of {variant}.")
    return rows.set_index("seed")["value"].sort_index()


def steps_of(evidence: Evidence, measure: str) -> list[float]:
    """Steps, or other numbers, at which a measure was taken."""
    columns = ("measure", "steps")
    table = evidence.table(AFTER, *columns)
    return sorted(table.loc[table["measure"] == measure, "steps"].unique())


def training_error_falls(evidence: Evidence) -> list[Measured]:
    """Training error after less before, and after one printed update."""
    before = measured(evidence, "first_training_error", "initialised")
    fall = measured(evidence, "training_error", "initialised") - before
    printed = measured(evidence, "printed_training_error", "initialised") - before
    return [Measured("", fall, controls={"printed_update": printed})]


def energy_does_not_rise(evidence: Evidence) -> list[Measured]:
    """Largest rise with small and long steps."""
    small, long = (measured(evidence, "energy_rise", name) for name in ("small", "long"))
    return [
        Measured("", small, seeded=False, exact_seeds=len(small), controls={"long_steps": long})
    ]


def nearer_than_zero(evidence: Evidence) -> list[Measured]:
    """Relative difference of distances from the converged state."""

    def gap(start: str, steps: float) -> pd.Series:
        zero = measured(evidence, "distance", "zero", steps)
        return measured(evidence, "distance", start, steps) / zero - 1.0

    after = steps_of(evidence, "distance")
    found = {f"after {steps:g} steps": gap("forward", steps) for steps in after}
    return [Measured("", found, controls={"untrained_forward": gap("untrained", after[0])})]


def lambda_narrows_the_gap(evidence: Evidence) -> list[Measured]:
    """Residual with lambda less that without."""
    pair = (measured(evidence, "residual", name) for name in ("initialised", "no_pull"))
    return [Measured("", less(*pair))]


def gap_remains(evidence: Evidence) -> list[Measured]:
    """Residual on frozen states."""
    return [Measured("", measured(evidence, "frozen_residual", "no_pull"))]


def capacity(evidence: Evidence) -> list[Measured]:
    """Training error with lambda = 1 less that with 0."""
    pair = (measured(evidence, "training_error", name) for name in ("strong_pull", "no_pull"))
    return [Measured("", less(*pair))]


def fewer_steps_with_lambda(evidence: Evidence) -> list[Measured]:
    """Largest step of the settling times between neighbouring lambdas."""
    pulls = steps_of(evidence, "settling_steps")
    times = [measured(evidence, "settling_steps", "forward", pull) for pull in pulls]
    steps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    return [Measured("", pd.concat(steps, axis=1).max(axis=1))]


def fewer_dead_units(evidence: Evidence) -> list[Measured]:
    """Share of dead units without less with leak."""
    return [Measured("", _leak(evidence, "dead_share"))]


def error_without_leak(evidence: Evidence) -> list[Measured]:
    """Error of s_f without less with leak."""
    return [Measured("", _leak(evidence, "forward_error"))]


def _leak(evidence: Evidence, measure: str) -> pd.Series:
    return less(*(measured(evidence, measure, name) for name in ("no_leak", "initialised")))


def nearer_to_the_minimum(evidence: Evidence) -> list[Measured]:
    """Energy gradient with target s_minus less that with s_plus."""
    pair = (measured(evidence, "energy_gradient", name) for name in ("initialised", "s_plus"))
    return [Measured("", less(*pair))]


def _feedback(evidence: Evidence, measure: str) -> tuple[pd.Series, pd.Series]:
    first, *_, last = steps_of(evidence, measure)
    return tuple(measured(evidence, measure, "hidden", epoch) for epoch in (first, last))


def within_90_degrees(evidence: Evidence) -> list[Measured]:
    """Angle after training."""
    return [Measured("", _feedback(evidence, "feedback_angle")[1])]


def at_right_angles_before(evidence: Evidence) -> list[Measured]:
    """Angle before training less 90."""
    return [Measured("", _feedback(evidence, "feedback_angle")[0] - 90.0)]


def forward_weights_align(evidence: Evidence) -> list[Measured]:
    """Cosine after less before."""
    before, after = _feedback(evidence, "feedback_cosine")
    return [Measured("", after - before)]
