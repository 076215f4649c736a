"""Verdicts of chapter 1 beside its theorems: the five gaps."""

from plausible.reproduction.evidence import Evidence, Number, Outcome

COLUMNS = ("number", "gap", "closed_by", "implemented_in", "found", "measured_in")


def gaps_are_rows(evidence: Evidence) -> list[Outcome]:
    """Every gap is one row, implemented by names that exist and measured by published results."""
    frame = evidence.table("ch1.gaps", *COLUMNS)
    wanted = list(evidence.entry["values"]["gaps"].values())
    closed = int((frame["closed_by"].fillna("") != "").sum())
    named = [set(str(cell).split("; ")) for cell in frame["measured_in"].fillna("")]
    published = evidence.published
    known = {*published.entries, *published.omitted}
    unknown = sorted(
        name for name in set().union(*named) if f"{published.study}.{name}" not in known
    )
    rows = f"{sum(gap in wanted for gap in frame['gap'])} of {len(wanted)} gaps"
    closing = f"systems of the thesis close {closed} of them"
    held = frame["found"].astype(bool)
    implemented = f"{held.sum()} of {len(frame)} gaps"
    exist = "every name of the package that stands for the gap exists"
    measured = f"{len(set().union(*named)) - len(unknown)} results"
    note = f"not published: {', '.join(unknown)}" if unknown else "all are published results"
    return [
        Outcome("", list(frame["gap"]) == wanted, rows, variant="rows", note=closing),
        Outcome("", bool(held.all()), implemented, variant="implemented", note=exist),
        Outcome("", not unknown, measured, variant="measured", note=note),
    ]


def numbers_of_ch1_gaps(evidence: Evidence) -> list[Number]:
    """The published names, by the numbers of the gaps."""
    frame = evidence.table("ch1.gaps", *COLUMNS)
    ours = dict(zip(frame["number"].astype(str), frame["gap"], strict=True))
    return [
        Number(f"gaps.{number}", "", gap, ours.get(number, "none"), None, label=f"gap {number}")
        for number, gap in evidence.entry["values"]["gaps"].items()
    ]
