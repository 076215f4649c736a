"""Verdicts on chapter 7 without images: they hold, and each of them can fail."""

from ...claim_harness import ClaimTests, Spoil
from . import synthetic


def change(table, column, rows, value):
    """Tables in which a column is another where ``rows`` is true."""

    def spoil(tables):
        frame = tables[table].copy()
        chosen = frame.eval(rows)
        assert chosen.any()
        frame[column] = frame[column].astype(float)
        frame.loc[chosen, column] = value(frame[column]) if callable(value) else value
        return {**tables, table: frame}

    return spoil


PANES, TOY, RATES = "ch7.fig7.1", "ch7.fig7.2", "ch7.cause_confusing_distant"
EARLY, STEPS, TIED = "ch7.early_layers_help", "ch7.steps_superlinear", "ch7.tied_forward_pass"


class TestClaims(ClaimTests):
    """Pictures and experiments; the theorems have tests of their own."""

    part = "oconnor2020.ch7_principles"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [
        Spoil(
            PANES, "panes_are_the_algorithm", "one state",
            change(PANES, "deviation", "pane == 'positive' and unit == 1 and step == 2", 1e-12),
        ),
        Spoil(
            TOY, "local_training_faster", "slower",
            change(TOY, "loss", "training == 'local'", lambda loss: 5.0 * loss + 300.0),
        ),
        Spoil(
            TOY, "gradients_align", "they part",
            change(TOY, "alignment", "training == 'local'", lambda cosine: 0.3 - cosine),
        ),
        Spoil(
            RATES, "upper_layers_at_the_target", "no help",
            change(
                RATES, "iterations", "comparison == 'lower_layers' and training == 'global'",
                lambda steps: 3.0 * steps,
            ),
        ),
        Spoil(
            RATES, "best_rates", "global is faster",
            change(
                RATES, "iterations", "comparison == 'all_layers' and training == 'global'",
                lambda steps: 0.2 * steps,
            ),
        ),
        Spoil(
            EARLY, "loss_of_the_next_layer_falls", "it rises",
            change(EARLY, "loss_change", "draw >= 0", lambda loss: -loss),
        ),
        Spoil(
            EARLY, "no_waiting", "all wait",
            change(EARLY, "alone_iterations", "draw >= 0", lambda steps: 0.3 * steps),
        ),
        Spoil(
            STEPS, "steps_grow_superlinearly", "slowly",
            change(STEPS, "steps", "seed >= 0", lambda steps: steps**0.4),
        ),
        Spoil(
            TIED, "autoencoders_predict", "the other way",
            change(TIED, "rank_correlation", "seed >= 0", lambda rank: -rank),
        ),
    ]  # fmt: skip
