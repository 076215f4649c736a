"""Verdicts on PD coding: they hold, and each of them can fail."""

from ...claim_harness import ClaimTests, Spoil
from . import synthetic


def change(table, column, rows, value):
    """Tables in which a column is another where ``rows`` is true."""

    def spoil(tables):
        frame = tables[table].copy()
        chosen = frame.eval(rows)
        assert chosen.any()
        frame.loc[chosen, column] = value(frame[column]) if callable(value) else value
        return {**tables, table: frame}

    return spoil


GRID, DRIFT = "ch5.fig5.1", "ch5.fig5.2"


class TestClaims(ClaimTests):
    """Pictures; the theorems have tests of their own."""

    part = "oconnor2020.ch5_coding"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [
        Spoil(
            GRID, "error_falls_with_coefficients", "an error that grows with k_d",
            change(GRID, "mean_error", "element == 'cell' and k_d == 4", 3.0),
        ),
        Spoil(
            GRID, "spikes_grow_with_coefficients", "fewer spikes of a large k_p",
            change(GRID, "number_of_spikes", "element == 'cell' and k_p == 2", 1),
        ),
        Spoil(
            GRID, "differences_only_round", "memory",
            change(GRID, "rounding_difference", "k_p == 0 and k_d == 1 and seed == 1", 0.123),
        ),
        Spoil(
            DRIFT, "error_stays_without_k_p", "an error that returns",
            change(DRIFT, "late_error", "element == 'error' and k_p == 0", 0.01),
        ),
        Spoil(
            DRIFT, "error_falls_with_k_p", "a large k_p that errs",
            change(DRIFT, "mean_error", "k_p == 0.1 and quantized == False", 3.0),
        ),
    ]  # fmt: skip
