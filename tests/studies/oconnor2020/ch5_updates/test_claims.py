"""Verdicts on update rules: they hold, and each of them can fail."""

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


AREAS, KERNELS, RULES, MAPS = "ch5.fig5.3", "ch5.fig5.4", "fig_c1", "fig_c2"


class TestClaims(ClaimTests):
    """Pictures; the theorems have tests of their own."""

    part = "oconnor2020.ch5_updates"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [
        Spoil(AREAS, "past_area", "u", change(AREAS, "past_difference", "seed == 1", 1e-9)),
        Spoil(AREAS, "future_area", "u", change(AREAS, "future_difference", "seed == 1", 1e-9)),
        Spoil(
            KERNELS, "past_and_future_mirror", "one side",
            change(KERNELS, "asymmetry", "panel == 'same_sign' and lag_steps == 4", 1e-11),
        ),
        Spoil(
            KERNELS, "past_and_future_mirror", "the same sign",
            change(KERNELS, "mirror_difference", "lag_steps == 4", 0.3),
        ),
        Spoil(
            KERNELS, "kernel_decay", "one step",
            change(KERNELS, "decay_difference", "panel == 'same_sign' and lag_steps == 7", 0.1),
        ),
        Spoil(
            KERNELS, "kernel_is_that_of_the_rule", "another rule",
            change(KERNELS, "numerical_difference", "panel == 'opposite_sign'", 1e-9),
        ),
        Spoil(
            KERNELS, "stdp_antisymmetric", "one side",
            change(KERNELS, "asymmetry", "panel == 'classic' and lag_steps == -3", 1e-11),
        ),
        Spoil(
            RULES, "same_final_value", "past",
            change(RULES, "final_difference", "element == 'end' and seed == 0", 1e-7),
        ),
        Spoil(
            RULES, "same_final_value", "as printed",
            change(RULES, "printed_difference", "element == 'end' and seed == 0", 0.5),
        ),
        Spoil(
            RULES, "differ_before_the_end", "the same way",
            change(RULES, "past_and_future", "element == 'end' and seed == 1", 0.0),
        ),
        Spoil(
            MAPS, "error_high_in_corners", "small k_d",
            change(MAPS, "both_similarity", "element == 'cell' and k_d == 0.1", 0.99),
        ),
        Spoil(
            MAPS, "error_high_in_corners", "large k_d",
            change(MAPS, "both_similarity", "element == 'cell' and k_p == 0.001", 0.999),
        ),
        Spoil(
            MAPS, "spikes_grow_with_coefficients", "fewer",
            change(MAPS, "number_of_spikes", "element == 'cell' and k_d == 10", 1.0),
        ),
        Spoil(
            MAPS, "both_coefficients_best", "an axis",
            change(MAPS, "both_similarity", "element == 'cell' and k_p == 0", 0.9999),
        ),
    ]  # fmt: skip
