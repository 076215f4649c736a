"""Form of the table of theorems: a row for each measured deviation."""

THEOREM_COLUMNS = (
    "id",
    "check",
    "variant",
    "control",
    "statement",
    "protocol",
    "seed",
    "deviation",
)
