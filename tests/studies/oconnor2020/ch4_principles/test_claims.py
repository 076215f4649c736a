"""Verdicts of chapter 4's principles of O'Connor 2020: they hold, and each of them can fail."""

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd

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


def drop(table, rows):
    """Tables in which rows are missing."""
    return lambda tables: {**tables, table: tables[table].query(f"not ({rows})")}


NETWORKS, SCALES, TEMPORAL = "ch4.fig4.1", "ch4.fig4.2", "ch4.fig4.3"
IMAGES = "appB.temporal_mnist"
ENDS = "kind == 'end' and network == 'layers' and not unitwise"
FRONT, APART = "ends_are_on_the_front", "ends_do_not_dominate_one_another"
ORDERED, UNDONE = "lambda_orders_the_ends", "conditioning_is_undone"
KEPT, NEAREST = "a_permutation_with_labels", "the_nearest_candidate_follows"
NEARER = "larger_buffers_find_nearer_neighbours"


class TestClaims(ClaimTests):
    """Networks, scales, Temporal MNIST."""

    part = "oconnor2020.ch4_principles"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [
        Spoil(NETWORKS, "modules_of_the_networks", "herd", drop(NETWORKS, "module == 'herd'")),
        Spoil(
            NETWORKS, "modules_of_the_networks", "network", drop(NETWORKS, "network == 'rounding'")
        ),
        Spoil(
            SCALES, FRONT, "better random points",
            change(SCALES, "dominating_fraction", f"{ENDS} and `lambda` == 1e-5", 0.01),
        ),
        Spoil(SCALES, FRONT, "diverged", change(SCALES, "dominating_fraction", ENDS, 1.0)),
        Spoil(
            SCALES, APART, "dominated", change(SCALES, "error_fraction", "`lambda` == 1e-6", 0.9)
        ),
        Spoil(SCALES, APART, "diverged", change(SCALES, "error_fraction", ENDS, np.nan)),
        Spoil(
            SCALES, ORDERED, "error", change(SCALES, "error_fraction", "`lambda` == 1e-5", 0.9)
        ),
        Spoil(
            SCALES, ORDERED, "cost", change(SCALES, "kops_per_sample", "`lambda` == 1e-5", 500.0)
        ),
        Spoil(SCALES, UNDONE, "first", change(SCALES, "scale_1", f"{ENDS} and `lambda` == 1e-3",
                                              lambda scale: 0.001 * scale)),
        Spoil(SCALES, UNDONE, "second", change(SCALES, "scale_2", ENDS, 50.0)),
        Spoil(SCALES, "first_scale_rises", "below", change(SCALES, "scale_1", ENDS, 0.7)),
        Spoil(SCALES, "second_scale_falls", "above", change(SCALES, "scale_2", ENDS, 1.2)),
        *(
            Spoil(
                TEMPORAL, "neighbours_are_alike", part,
                change(TEMPORAL, "mean_l2", f"part == '{part}'", 9.0),
            )
            for part in ("official test", "thesis test", "thesis training")
        ),
        Spoil(IMAGES, KEPT, "lost", change(TEMPORAL, "lost_frames", "buffer_size == 10", 1)),
        Spoil(IMAGES, KEPT, "label", change(TEMPORAL, "wrong_labels", "buffer_size == 1000", 2)),
        Spoil(
            IMAGES, NEAREST, "farther", change(TEMPORAL, "farther_steps", "buffer_size == 10", 1)
        ),
        Spoil(
            IMAGES, NEARER, "thesis test", change(TEMPORAL, "mean_l1", "buffer_size == 1000", 110.0)
        ),
    ]  # fmt: skip

    def test_demo_scale_judges_the_same(self, tables, published):
        demo, paper = (self.judged(tables, published, scale) for scale in ("demo", "paper"))
        pd.testing.assert_series_equal(demo["verdict"], paper["verdict"])

    @pytest.mark.parametrize(
        ("statement", "column"),
        [
            (KEPT, "unmoved_labels_fraction"),
            (NEAREST, "random_farther_fraction"),
            (NEARER, "farthest_mean_l1"),
        ],
    )
    def test_a_control_that_does_not_fail_leaves_it_open(
        self, tables, published, statement, column
    ):
        silent = change(TEMPORAL, column, "buffer_size > 0", lambda values: 0 * values)(tables)
        found = self.verdicts_on(silent, published, IMAGES, statement)
        assert set(found) == {vd.UNDECIDED}

    def test_one_network_of_three_is_enough_against_an_order(self, tables, published):
        one = f"{ENDS} and `lambda` == 1e-5 and seed == 0 and protocol == 'as_coded'"
        spoilt = change(SCALES, "error_fraction", one, 0.9)(tables)
        assert vd.DIFFERS in self.verdicts_on(spoilt, published, SCALES, ORDERED)

    def test_missing_rows_are_one_sentence(self, tables, published):
        spoilt = drop(TEMPORAL, "order == 'shuffled'")(tables)
        with pytest.raises(StudyError, match="lacks an order of official test.$"):
            self.verdicts_on(spoilt, published, TEMPORAL, "neighbours_are_alike")

    def test_a_buffer_as_long_as_the_sequence_is_left_out(self, tables, published):
        longest = "buffer_size == 1000"
        spoilt = change(TEMPORAL, "mean_l1", longest, 200.0)(tables)
        spoilt = change(TEMPORAL, "frames", longest, 500)(spoilt)
        assert set(self.verdicts_on(spoilt, published, IMAGES, NEARER)) == {vd.REPRODUCED}
