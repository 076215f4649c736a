"""Verdicts on equilibrium propagation: they hold, and each of them can fail."""

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


PHASES, BITS = "ch2.fig2.3", "ch2.eqprop_needs_fine_states"
UNTIED, SYMMETRY = "ch2.asymmetric_still_settles", "ch2.symmetry_relaxed"
ENDS = "layer == 2 and step == 20"


class TestClaims(ClaimTests):
    """Pictures and trainings; the theorems have tests of their own."""

    part = "oconnor2020.ch2_equilibrium"
    good_tables = staticmethod(synthetic.good_tables)
    scale = "paper"
    spoils = [
        Spoil(
            PHASES, "outputs_are_pulled", "pushed away",
            change(PHASES, "state", ENDS, lambda state: 1.0 - state),
        ),
        Spoil(
            PHASES, "pulled_weakly", "at the target",
            change(PHASES, "state", ENDS, lambda state: (state > 0.5).astype(float)),
        ),
        Spoil(
            SYMMETRY, "weights_become_symmetric", "less and less",
            change(UNTIED, "symmetry", "weights == 'untied'", lambda cosine: -cosine),
        ),
        Spoil(
            BITS, "bits_do_not_change", "some do",
            change(BITS, "unchanged_share", "states == 'bits'", lambda share: share - 0.2),
        ),
        Spoil(
            BITS, "bits_lose_the_gradient", "they keep it",
            change(BITS, "cosine", "states == 'bits'", lambda cosine: cosine + 0.6),
        ),
        Spoil(
            BITS, "real_states_keep_it", "they lose it",
            change(BITS, "cosine", "states == 'real'", lambda cosine: cosine - 0.1),
        ),
        Spoil(
            UNTIED, "performance_kept", "a point worse",
            change(
                UNTIED, "thesis_error_percent", "weights == 'untied'", lambda error: error + 1.0
            ),
        ),
        Spoil(
            UNTIED, "performance_kept", "a point worse on the official images",
            change(
                UNTIED, "official_error_percent", "weights == 'untied'", lambda error: error + 1.0
            ),
        ),
        Spoil(
            UNTIED, "states_settle", "cycles",
            change(UNTIED, "settled_share", "settled_share > 0", lambda share: share - 0.1),
        ),
    ]  # fmt: skip
