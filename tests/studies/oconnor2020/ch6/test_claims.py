"""Verdicts of chapter 6 of O'Connor 2020: they hold, and each of them can fail."""

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


RISING, CIRCUIT, KERNELS, SYNAPSE = "ch6.fig6.2", "ch6.fig6.3", "ch6.fig6.4", "ch6.fig6.5"


class TestClaims(ClaimTests):
    """Pictures of the chapter; its theorems have tests of their own."""

    part = "oconnor2020.ch6"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [
        Spoil(
            RISING, "rising_rate_spikes_after", "fewer after",
            change(RISING, "after_less_before", "slope_hz_per_s > 0", lambda each: -each),
        ),
        Spoil(
            RISING, "stdp_follows_the_slope", "a weight that falls",
            change(RISING, "weight_change", "slope_hz_per_s > 0", lambda each: -each),
        ),
        Spoil(
            CIRCUIT, "drawn_blocks", "another signal",
            change(CIRCUIT, "deviation", "block == 'sum'", 1e-9),
        ),
        *(
            Spoil(
                KERNELS, statement, "another number",
                change(KERNELS, "deviation", f"kernel == '{name}' and lag_steps == 3", 1e-11),
            )
            for statement, name in (
                ("decoder_kernel", "decoding"),
                ("correlation_kernel", "symmetric"),
                ("difference_kernel", "difference"),
                ("stdp_kernel", "stdp"),
            )
        ),
        Spoil(
            SYNAPSE, "same_final_value", "another end",
            change(SYNAPSE, "final_difference", "element == 'end' and seed == 1", 1e-9),
        ),
        Spoil(
            SYNAPSE, "follows_unquantized", "another way",
            change(SYNAPSE, "correlation", "element == 'end'", lambda each: -each),
        ),
    ]  # fmt: skip
