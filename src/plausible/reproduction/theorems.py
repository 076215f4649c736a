"""Findings about theorems: measured deviations against the bounds that they must respect."""

from plausible.errors import StudyError
from plausible.reproduction.evidence import NAN, Evidence, Outcome
from plausible.reproduction.theorem_rows import COMPARISONS, THEOREM_COLUMNS


def _bound_text(bound: float) -> str:
    """A bound for people: counts in full, all else to three digits."""
    count = bound.is_integer() and 1000 <= abs(bound) < 1e9
    return f"{bound:.0f}" if count else f"{bound:.3g}"


def theorem_outcomes(evidence: Evidence, statement_id: str) -> list[Outcome]:
    """Measured deviations of a theorem's statement; every seed must respect its bound.

    Raises
    ------
    StudyError
        If the table of theorems has no row for the statement, or an unknown comparison.
    """
    identifier = evidence.entry["id"]
    frame = evidence.table("theorems", *THEOREM_COLUMNS)
    frame = frame[(frame["id"] == identifier) & (frame["check"] == statement_id)]
    if frame.empty:
        raise StudyError(
            f"{identifier}: nothing judges the statement '{statement_id}': its part's claims have "
            "no function of that name, and the table of theorems has no row; add one of them."
        )
    outcomes = []
    several = frame.groupby("protocol")["statement"].nunique()
    for (protocol, statement), rows in frame.groupby(["protocol", "statement"], sort=False):
        comparison, bound = rows["comparison"].iloc[0], float(rows["bound"].iloc[0])
        if comparison not in COMPARISONS or rows["comparison"].nunique() > 1:
            raise StudyError(
                f"{identifier}: the table of theorems compares by {comparison!r}; allowed is one "
                f"of {', '.join(COMPARISONS)}, the same for all seeds."
            )
        holds = all(map(COMPARISONS[comparison], rows["deviation"], rows["bound"]))
        worst = rows["deviation"].min() if comparison in (">=", ">") else rows["deviation"].max()
        if rows["deviation"].isna().any():
            worst = NAN
        outcomes.append(
            Outcome(
                str(protocol),
                bool(holds),
                float(worst),
                n_seeds=rows["seed"].nunique(),
                note=f"{statement}; must be {comparison} {_bound_text(bound)}",
                variant=f"#{len(outcomes) + 1}"
                if several[protocol] > 1 or len(several) > 1
                else "",
            )
        )
    return outcomes
