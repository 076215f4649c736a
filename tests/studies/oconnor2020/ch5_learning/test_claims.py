"""Verdicts on PDNNs that learn MNIST: they hold, and each of them can fail."""

import pandas as pd
import pytest

from plausible.reproduction import verdicts as vd
from plausible.studies.oconnor2020.ch5_learning import claims

from ...claim_harness import ClaimTests, Spoil
from . import synthetic


def change(column, rows, value):
    """Tables in which a column of the table of C.6 is changed where ``rows`` is true."""

    def spoil(tables):
        frame = tables["table_c6"].copy()
        chosen = frame.eval(rows)
        assert chosen.any()
        frame.loc[chosen, column] = value(frame.loc[chosen, column])
        return {**tables, "table_c6": frame}

    return spoil


SCORE = "test_score_percent"
CONTRADICTED = "value:rows.temporal_mnist_1_pdnn.test_score_percent"
"""98.39 % in the table of C.6, 97.99 % in figure 5.5: too far apart for one network."""


def times(factor):
    """A column that is larger."""
    return lambda column: factor * column


def plus(points):
    """A column that is moved."""
    return lambda column: column + points


class TestClaims(ClaimTests):
    """Everything is read from one table."""

    part = "oconnor2020.ch5_learning"
    good_tables = staticmethod(synthetic.good_tables)
    scale = "paper"
    spoils = [
        Spoil(
            "ch5.fig5.5", "score_near_mlp", "worse on Temporal MNIST",
            change(SCORE, "network == 'pdnn' and order == 'temporal'", plus(-0.5)),
        ),
        Spoil(
            "ch5.fig5.5", "fewer_operations_on_temporal", "more there",
            change("update", "network == 'pdnn' and order == 'temporal'", times(6.0)),
        ),
        Spoil(
            "ch5.fig5.5", "less_energy_than_mlp", "dear updates",
            change("update", "network == 'pdnn' and order == 'file'", times(80.0)),
        ),
        Spoil(
            "ch5.quantization_regularises", "leads_the_mlp", "behind",
            change(SCORE, "network == 'pdnn' and order == 'file'", plus(-0.2)),
        ),
        Spoil(
            "ch5.temporal_needs_less", "about_half_of_the_operations", "as many",
            change("forward", "network == 'pdnn' and order == 'temporal'", times(1.9)),
        ),
        Spoil(
            "ch5.temporal_slightly_worse", "below_the_mlp", "ahead",
            change(SCORE, "network == 'pdnn' and order == 'temporal'", plus(0.2)),
        ),
        Spoil(
            "ch5.temporal_slightly_worse", "only_slightly", "far behind",
            change(SCORE, "network == 'pdnn' and order == 'temporal'", plus(-2.0)),
        ),
        Spoil(
            "ch5.update_cost", "touches_fewer_entries", "all and more",
            change("touched_share", "network == 'pdnn' and epoch == 1", times(9.0)),
        ),
        Spoil(
            "ch5.operations_axis", "all_passes", "more than the MLP",
            change("update", "network == 'pdnn' and order == 'file'", times(2.0)),
        ),
        Spoil(
            "ch5.operations_axis", "all_passes_at_equal_score", "more than the MLP",
            change("update", "network == 'pdnn' and order == 'file'", times(30.0)),
        ),
        Spoil(
            "ch5.operations_axis", "forward_pass_alone", "more than the MLP",
            change("forward", "network == 'pdnn' and order == 'file'", times(3.0)),
        ),
        Spoil(
            "ch5.reduced_computation", "modest_decrease", "hardly less",
            change("spikes", "network == 'pdnn' and order == 'temporal'", times(1.35)),
        ),
        Spoil(
            "table_c6", "score_near_mlp_at_every_depth", "worse where it is deep",
            change(SCORE, "network == 'pdnn' and hidden_layers == 3", plus(-0.6)),
        ),
        Spoil(
            "table_c6", "fewer_operations_at_every_depth", "more where it is deep",
            change(
                "forward", "network == 'pdnn' and order == 'temporal' and hidden_layers == 4",
                times(9.0),
            ),
        ),
        Spoil(
            "table_c6", "no_drop_with_depth", "a drop",
            change(SCORE, "network == 'pdnn' and hidden_layers == 4", plus(-0.6)),
        ),
        Spoil(
            "appC.noise_over_depth", "noise_does_not_grow", "more noise above",
            change("noise_last", "network == 'pdnn'", times(3.0)),
        ),
    ]  # fmt: skip

    def test_everything_is_reproduced_by_the_good_tables(self, good):
        """But what the table of C.6 denies of the text: few operations, and one score."""
        more = ("all_passes", "all_passes_at_equal_score", "less_than_a_traditional_network")
        denied = good["check"].isin([*more, CONTRADICTED])
        assert denied.sum() == 6 + 4 and set(good.loc[denied, "verdict"]) == {vd.DIFFERS}
        super().test_everything_is_reproduced_by_the_good_tables(good[~denied])

    def test_a_spoilt_table_fails(self, tables, published, spoilt):
        """That a PDNN needs fewer operations holds of none of the printed numbers."""
        if spoilt.statement.startswith("all_passes"):
            tables = change("update", "network == 'pdnn'", times(0.1))(tables)
        super().test_a_spoilt_table_fails(tables, published, spoilt)


def _run(**columns):
    return pd.DataFrame({"seed": 0, "diverged_epoch": -1, **columns})


def test_operations_weigh_every_sample_alike():
    rows = _run(
        epoch=[0, 1, 2], samples=[0, 10, 30], forward=[9.0, 1.0, 2.0],
        backward=[9.0, 0.0, 0.0], update=[9.0, 3.0, 1.0],
    )  # fmt: skip
    assert claims.operations(rows)[0] == pytest.approx((10 * 4 + 30 * 3) / 40)
    assert claims.operations(rows, "forward")[0] == pytest.approx((10 * 1 + 30 * 2) / 40)


def test_the_published_number_of_operations_is_a_sum_of_sums():
    """211 additions of a sample, 101 tests, half an epoch of 60,000 samples between them."""
    epochs = [part / 2 for part in range(101)]
    rows = _run(epoch=epochs, samples=[0] + [30_000] * 100, forward=[0.0] + [211e3] * 100)
    assert claims._checkpoint_sum(rows)[0] == pytest.approx(211e3 * 30_000 * 50 * 101)


def test_best_and_last_scores():
    rows = _run(epoch=[0.0, 0.5, 1.0], test_score_percent=[10.0, 98.0, 97.0])
    assert claims.score(rows, "best")[0] == 98.0 and claims.score(rows, "last")[0] == 97.0


def test_a_network_that_diverged_has_no_score():
    rows = _run(epoch=[0.0, 0.5], test_score_percent=[10.0, 98.0], diverged_epoch=[-1, 1])
    assert claims.score(rows, "best").isna().all() and claims.score(rows, "last").isna().all()
