"""Readable tables that all studies share."""

import pandas as pd

from plausible.reproduction.markdown import theorems_markdown


def test_the_worst_value_of_a_theorem_is_the_one_nearest_to_its_bound():
    rows = [
        ("x.a", 0, "upper", "corrected", seed, value, 1.0, "<=")
        for seed, value in enumerate((0.1, -0.3, 0.2))
    ]
    rows += [
        ("x.b", 0, "lower", "corrected", seed, value, 0.5, ">")
        for seed, value in enumerate((0.9, 0.6, 0.7))
    ]
    columns = ["id", "check", "statement", "protocol", "seed", "deviation", "bound", "comparison"]
    text = theorems_markdown(pd.DataFrame(rows, columns=columns), {})
    assert "| x.a | upper | corrected | -0.3 | <= 1 |" in text
    assert "| x.b | lower | corrected | 0.6 | > 0.5 |" in text
