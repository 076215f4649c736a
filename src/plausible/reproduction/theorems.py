"""Findings about theorems, from the table of their measured deviations."""

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured
from plausible.reproduction.theorem_rows import THEOREM_COLUMNS

PUBLISHED, CORRECTED = "as_published", "corrected"


def theorem_findings(evidence: Evidence, statement_id: str) -> list[Measured]:
    """Measured deviations of a theorem's statement, of which every seed must respect the bound.

    A deviation that is measured in the corrected form alone is that of every protocol: the document
    prints the right form. If only the author's code has another one, the corrected form is the
    published one.

    Raises
    ------
    StudyError
        If the table of theorems has no row for the statement.
    """
    identifier = evidence.entry["id"]
    frame = evidence.table("theorems", *THEOREM_COLUMNS)
    frame = frame[(frame["id"] == identifier) & (frame["check"] == statement_id)]
    frame = frame.fillna({"variant": "", "control": ""})
    measured = frame[frame["control"] == ""]
    if measured.empty:
        raise StudyError(
            f"{identifier}: nothing judges the statement '{statement_id}': its part's claims have "
            "no function of that name, and the table of theorems has no row; add one of them."
        )
    broken = frame[frame["control"] != ""].groupby("control", sort=False)["deviation"]
    controls = {name: tuple(deviations) for name, deviations in broken}
    findings = []
    for variant, rows in measured.groupby("variant", sort=False):
        right = "" if set(rows["protocol"]) == {CORRECTED} else PUBLISHED
        if PUBLISHED not in set(rows["protocol"]):
            rows = rows.replace({"protocol": {CORRECTED: right}})
        for protocol, part in rows.groupby("protocol", sort=False):
            findings.append(
                Measured(
                    str(protocol),
                    tuple(part["deviation"]),
                    variant=str(variant),
                    note=part["statement"].iloc[0],
                    seeded=False,
                    exact_seeds=part["seed"].nunique(),
                    controls=controls,
                )
            )
    return findings
