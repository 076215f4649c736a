"""The table of theorems: a row for each deviation, told apart by its ids."""

import pytest

from plausible.errors import StudyError
from plausible.reproduction.theorem_checks import Check, checks, controls, theorem_table
from plausible.reproduction.theorem_rows import THEOREM_COLUMNS


def theorem(settings, seed):
    return [
        Check("agrees", "weights", 1e-13 * seed),
        *checks("falls", {"slow": ("slow frames", -1.0), "fast": ("fast frames", -2.0)}),
        *controls("agrees", {"wrong_order": 0.5}),
    ]


def test_rows_of_a_theorem():
    table = theorem_table({"doc.eq1": theorem}, None, (1, 2))
    assert tuple(table.columns) == THEOREM_COLUMNS
    first = table[table["seed"] == 1]
    assert list(first["variant"]) == ["", "slow", "fast", ""]
    assert list(first["control"]) == ["", "", "", "wrong_order"]
    assert list(table["seed"]) == [1] * 4 + [2] * 4
    assert list(first["deviation"]) == [1e-13, -1.0, -2.0, 0.5]


def test_two_deviations_of_one_name_are_an_error():
    with pytest.raises(StudyError, match="'agrees' has two deviations with the variant ''"):
        theorem_table({"doc.eq1": lambda settings, seed: theorem(settings, seed) * 2}, None, (1,))
