"""Comparisons of measured deviations with their bounds."""

from plausible.reproduction.theorem_checks import holds


def test_comparisons_with_nan_are_never_true():
    assert not any(holds(float("nan"), sign, 1.0) for sign in ("<=", "<", ">=", ">", "=="))
    assert holds(1.0, "<=", 1.0) and not holds(1.0, "<", 1.0)
    assert holds(1.0, ">=", 1.0) and not holds(1.0, ">", 1.0) and holds(1.0, "==", 1.0)
