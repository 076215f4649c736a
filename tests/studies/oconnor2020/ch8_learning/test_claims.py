"""Verdicts on networks that learn with bits: they hold, and each of them can fail."""

from plausible.reproduction import verdicts as vd

from ...claim_harness import ClaimTests, Spoil
from . import synthetic

TRAININGS = "ch8.fig8.3"


def change(table, column, rows, value):
    """Tables in which a column is another where ``rows`` is true."""

    def spoil(tables):
        frame = tables[table].copy()
        chosen = frame.eval(rows)
        assert chosen.any()
        frame.loc[chosen, column] = value(frame.loc[chosen, column]) if callable(value) else value
        return {**tables, table: frame}

    return spoil


def plus(points):
    """A column that is moved."""
    return lambda column: column + points


TEST = "test_error_percent"


class TestClaims(ClaimTests):
    """Trainings, searches and updates."""

    part = "oconnor2020.ch8_learning"
    good_tables = staticmethod(synthetic.good_tables)
    scale = "paper"
    spoils = [
        Spoil(
            TRAININGS, "binary_like_continuous", "worse",
            change(TRAININGS, TEST, "variant == 'binary'", plus(0.7)),
        ),
        Spoil(
            "ch8.longer_phases_needed", "short_phases_worse", "as good",
            change(TRAININGS, TEST, "variant == 'binary_short_tuned'", plus(-3.0)),
        ),
        Spoil(
            "ch8.persistent_states_help", "kept_states_lower_the_error", "worse",
            change(TRAININGS, "training_error_percent", "variant == 'continuous_keeping'", plus(1)),
        ),
        Spoil(
            "ch8.osa_equals_schedule", "osa_like_schedule", "worse",
            change("fig_e2", "error", "element == 'again' and search == 'osa'", plus(1.0)),
        ),
        Spoil(
            "appE.splitstream", "parity_without_more_steps", "worse",
            change(TRAININGS, TEST, "variant == 'binary_checkpoint'", plus(1.0)),
        ),
        Spoil(
            "appE.splitstream", "checkpoint_lowers_variance", "more",
            change("appE.splitstream", "with_checkpoint", "element == 'variance'", plus(2.0)),
        ),
        Spoil(
            "ch8.deep_network", "binary_above_continuous", "below",
            change(TRAININGS, TEST, "variant == 'binary_deep'", plus(-2.0)),
        ),
        Spoil(
            "ch8.cause_longer_phases", "longer_phases_close_the_gap", "a little of it",
            change(TRAININGS, TEST, "variant == 'binary_deep_long'", plus(0.9)),
        ),
        Spoil(
            "ch8.cause_longer_phases", "contrast_comes_near", "another direction",
            change("appE.splitstream", "cosine", "factor == 4", plus(-0.3)),
        ),
        Spoil(
            "ch8.cause_longer_phases", "printed_rate_is_worse", "better",
            change(TRAININGS, TEST, "variant == 'binary_deep_printed'", plus(-1.0)),
        ),
    ]  # fmt: skip

    def test_deep_findings_say_their_epochs(self, good):
        statements = [
            "binary_above_continuous",
            "longer_phases_close_the_gap",
            "printed_rate_is_worse",
        ]
        rows = good[good["check"].isin(statements)]
        assert len(rows) == 4 and set(rows["variant"]) == {"deep network, 25 epochs"}

    def test_deep_networks_that_stop_early_are_not_compared(self, tables, published):
        early = change(TRAININGS, "thesis_epochs", "variant.str.contains('deep')", 500)(
            dict(tables)
        )
        judged = self.judged(early, published)
        numbers = judged[
            (judged["id"] == "oconnor2020.ch8.deep_network")
            & judged["check"].str.startswith("value:")
        ]
        assert len(numbers) == 8 and set(numbers["verdict"]) == {vd.NOT_COMPARABLE}
