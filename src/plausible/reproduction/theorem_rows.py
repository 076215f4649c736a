"""Form of the table of theorems: a row for each measured deviation and its bound."""

import operator

THEOREM_COLUMNS = (
    "id",
    "check",
    "statement",
    "protocol",
    "seed",
    "deviation",
    "bound",
    "comparison",
)
COMPARISONS = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}
