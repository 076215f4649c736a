"""Names of the verdicts, and the form of the rows that tell them."""

from typing import Any

from plausible.reproduction.judging import DIFFERS, NAN, REPRODUCED, UNDECIDED
from plausible.reproduction.published import Entry

NOT_COMPARABLE = "not comparable at this scale"
NEEDS_DATA = "needs external data"
ILLUSTRATION = "illustration only"
NOT_IN_RUN = "not in this run"
"""A run that is kept may be older than a check."""
VERDICTS = (
    REPRODUCED,
    DIFFERS,
    UNDECIDED,
    NOT_COMPARABLE,
    NOT_IN_RUN,
    NEEDS_DATA,
    ILLUSTRATION,
)
NOT_JUDGED = (NOT_COMPARABLE, NOT_IN_RUN, NEEDS_DATA, ILLUSTRATION)
COLUMNS = (
    "id",
    "kind",
    "title",
    "check",
    "variant",
    "statement",
    "protocol",
    "published",
    "reproduced",
    "ci_low",
    "ci_high",
    "n_seeds",
    "resolution",
    "verdict",
    "seeds_needed",
    "duplicate_of",
    "note",
    "reason",
)


def verdict_row(entry: Entry, **cells: Any) -> dict[str, Any]:
    """Row of an entry; what ``cells`` do not tell is empty."""
    counts = {"n_seeds": 0, "seeds_needed": 0}
    empty = dict.fromkeys(COLUMNS, "") | {"ci_low": NAN, "ci_high": NAN} | counts
    return empty | {"id": entry["id"], "kind": entry["kind"], "title": entry["title"]} | cells
