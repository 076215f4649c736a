"""Verdicts on fixed points under binary communication: they hold, and each of them can fail."""

import numpy as np
import pandas as pd
import pytest

from plausible.studies.oconnor2020.ch8_principles import claims

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


FIGURE, LONG = "ch8.fig8.2", "ch8.lambda_annealing"


def times(factor):
    """A column that is larger."""
    return lambda column: factor * column


def rising(column):
    """A column that grows from row to row."""
    return pd.Series(1e-3 * np.arange(1, len(column) + 1), column.index)


class TestClaims(ClaimTests):
    """Pictures and claims; theorems have tests of their own."""

    part = "oconnor2020.ch8_principles"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [
        Spoil(
            "ch8.fig8.1", "binary_tends_to_continuous", "far away",
            change("ch8.fig8.1", "difference", "element == 'end'", times(10.0)),
        ),
        Spoil(
            FIGURE, "osa_with_prediction_best", "worse at the end",
            change(FIGURE, "error", "scheme.str.contains('osa_') and step == 500", times(30.0)),
        ),
        Spoil(
            "ch8.best_convergence", "best_by_what_the_search_minimised", "worse before",
            change(FIGURE, "error", "scheme == 'osa_scheduled_lambda'", times(30.0)),
        ),
        Spoil(
            FIGURE, "prediction_speeds_convergence", "slower",
            change(FIGURE, "error", "scheme == 'osa_lambda'", times(30.0)),
        ),
        Spoil(
            FIGURE, "annealing_reduces_error", "one that rises",
            change(FIGURE, "error", "scheme == 'osa' and step <= 100", rising),
        ),
        Spoil(
            FIGURE, "jump_at_perturbation", "no jump",
            change(FIGURE, "error", "scheme == 'root' and step in [101, 251]", 1e-4),
        ),
        Spoil(
            "ch8.sigma_delta_faster_in_network", "less_error_than_random_bits", "more error",
            change(FIGURE, "error", "scheme == 'root'", times(100.0)),
        ),
        Spoil(
            "ch8.same_fixed_point", "fewer_steps_with_prediction", "as many and more",
            change(FIGURE, "error", "scheme == 'osa_lambda'", times(30.0)),
        ),
        Spoil(
            LONG, "annealing_lowers_final_error", "a higher one",
            change(LONG, "error", "scheme == 'scheduled'", times(100.0)),
        ),
        Spoil(
            "ch8.eq8.14.model", "reaches_fixed_point", "one network does not",
            change(LONG, "error", "scheme == 'scheduled' and seed == 2", times(20.0)),
        ),
        Spoil(
            "ch8.same_fixed_point", "error_tends_to_zero", "a plateau",
            change(LONG, "error", "scheme == 'scheduled' and step >= 250", rising),
        ),
        Spoil(
            "ch8.no_annealing_no_fixed_point", "plateau_without_annealing", "it falls",
            change(LONG, "error", "scheme == 'constant' and step == 2000", times(0.1)),
        ),
        Spoil(
            "ch8.no_annealing_no_fixed_point", "falls_with_annealing", "it stays",
            change(LONG, "error", "scheme == 'scheduled' and step == 2000", times(6.0)),
        ),
        Spoil(
            "ch8.exponent_range", "best_exponent_above_half", "a small one is best",
            change("ch8.exponent_range", "error", "exponent == 0.3 and decay == 'plain'", 1e-6),
        ),
        Spoil(
            "ch8.exponent_range", "half_still_falls", "it stays",
            change("ch8.exponent_range", "slope", "element == 'half'", -0.05),
        ),
        Spoil(
            "fig_e1", "flat_optimum", "a sharp one",
            change("fig_e1", "error", "sampler == 'uniform' and search == 'osa'", times(3.0)),
        ),
        Spoil(
            "ch8.encoder_overload", "overload_early", "none",
            change("ch8.encoder_overload", "early_share", "seed >= 0", 0.001),
        ),
        Spoil(
            "ch8.encoder_overload", "overload_falls", "more",
            change("ch8.encoder_overload", "late_share", "seed >= 0", times(9.0)),
        ),
        Spoil(
            "ch8.encoder_overload", "bounded_until_overload", "beyond the bound",
            change("ch8.encoder_overload", "bounded_phi", "seed == 1", 0.51),
        ),
        Spoil(
            "ch8.rate_updates_noisy", "rate_update_variance", "less noise",
            change("ch8.rate_updates_noisy", "rate_variance", "seed >= 0", 0.1),
        ),
    ]  # fmt: skip


def test_steps_between_those_that_are_kept():
    run = pd.DataFrame({"step": [1, 10, 100], "error": [1.0, 0.1, 0.01]})
    assert claims._reached(run, 0.1) == pytest.approx(10.0)
    assert claims._reached(run, 10**-1.5) == pytest.approx(10**1.5)
    assert claims._reached(run, 2.0) == 1.0 and np.isnan(claims._reached(run, 1e-3))
