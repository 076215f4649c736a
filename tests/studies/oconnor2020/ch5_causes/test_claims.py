"""Verdicts on causes of chapter 5: they hold, and each of them can fail."""

import numpy as np
import pandas as pd
import pytest

from plausible.reproduction import verdicts as vd
from plausible.studies.oconnor2020.ch5_causes import claims

from ...claim_harness import ClaimTests, Spoil
from . import synthetic

RATES = "ch5.computation_follows_change"
NOISE = "ch5.cause_quantization_regularises"
GRADIENTS = "ch5.cause_correlated_gradients"
SHRINK, FLOOR = "appC.gradients_shrink", "appC.flat_line_cause"


def change(result, column, rows, value):
    """Tables in which a column of a result is changed where ``rows`` is true."""

    def spoil(tables):
        frame = tables[result].copy()
        chosen = frame.eval(rows)
        assert chosen.any()
        frame.loc[chosen, column] = value(frame.loc[chosen, column])
        return {**tables, result: frame}

    return spoil


def times(factor):
    """A column that is larger."""
    return lambda column: factor * column


def plus(points):
    """A column that is moved."""
    return lambda column: column + points


SCORE = "test_score_percent"
FADED = "network == 'pdnn' and order == 'temporal'"


class TestClaims(ClaimTests):
    """Frame rates, noise, gradients, and what sets the floor."""

    part = "oconnor2020.ch5_causes"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [
        Spoil(
            RATES, "sub_frames_cost_less", "dearer at one rate",
            change(RATES, "forward", f"{FADED} and sub_frames == 8", times(3.0)),
        ),
        Spoil(
            RATES, "time_costs_little_more", "a floor",
            change(RATES, "forward", FADED, plus(60e3)),
        ),
        Spoil(
            RATES, "temporal_order_saves", "more there",
            change("beyond.one_pass", "forward", "way == 'pdnn' and order == 'temporal'", times(3)),
        ),
        Spoil(
            NOISE, "matched_noise_helps", "worse with noise",
            change(NOISE, SCORE, "way == 'mlp_noise'", plus(-0.5)),
        ),
        Spoil(
            NOISE, "fine_codes_lose_the_lead", "it stays",
            change(NOISE, SCORE, "way == 'pdnn_fine'", plus(0.3)),
        ),
        Spoil(
            GRADIENTS, "gradients_are_correlated", "in the other order",
            change(
                GRADIENTS, "gradient_cosine", "order == 'file' and layer == 'output'", plus(0.8)
            ),
        ),
        Spoil(
            GRADIENTS, "moving_weights_disturb_tracking", "weights that stay do worse",
            change(GRADIENTS, "frozen_tracking_error", "order == 'temporal'", times(2.0)),
        ),
        Spoil(
            GRADIENTS, "smaller_steps_close_the_gap", "the gap opens",
            change(GRADIENTS, SCORE, "way == 'pdnn_slow'", plus(-1.0)),
        ),
        Spoil(
            SHRINK, "gradients_become_small", "they stay large",
            change(SHRINK, "gradient_size", "layer == 'hidden' and epoch == 5", times(5.0)),
        ),
        Spoil(
            SHRINK, "fixed_scales_lose_them", "they do as well",
            change(SHRINK, "training_score_percent", "way == 'pdnn_fixed'", plus(9.0)),
        ),
        Spoil(
            FLOOR, "still_input_sends_k_p", "twice as much in one seed",
            change(FLOOR, "input_deviation", "seed == 1", plus(1.0)),
        ),
        Spoil(
            FLOOR, "roughness_sets_the_floor", "nearly all of it with a still picture",
            change(FLOOR, "forward", "element == 'still'", times(1.7)),
        ),
        Spoil(
            FLOOR, "no_floor_without_k_p", "one spike",
            change(FLOOR, "late_spikes_without_k_p", "seed == 2", plus(1.0)),
        ),
        Spoil(
            FLOOR, "follows_change_without_k_p", "as much in each sub-frame",
            change(RATES, "forward", "network == 'differences'", lambda column: 0.0 * column + 5e4),
        ),
        Spoil(
            FLOOR, "hidden_layers_stay_rough", "smoother than the input",
            change(FLOOR, "hidden_change", "sub_frames == 64", times(0.5)),
        ),
    ]  # fmt: skip

    @pytest.mark.parametrize(
        "result, statement, spoil",
        [
            (
                RATES,
                "time_costs_little_more",
                change(RATES, "forward", "network == 'memoryless' and sub_frames > 1", times(0.1)),
            ),
            (
                RATES,
                "temporal_order_saves",
                change(
                    "beyond.one_pass",
                    "forward",
                    "way == 'pdnn_memoryless' and order == 'temporal'",
                    times(0.5),
                ),
            ),
            (
                NOISE,
                "matched_noise_helps",
                change(NOISE, "noisy_score_percent", "way == 'mlp'", plus(1.0)),
            ),
            (
                FLOOR,
                "still_input_sends_k_p",
                change(FLOOR, "moving_deviation", "seed == 0", lambda column: 0.0),
            ),
            (
                FLOOR,
                "no_floor_without_k_p",
                change(FLOOR, "late_spikes", "seed == 0", lambda column: 0.0),
            ),
        ],
    )
    def test_a_control_that_does_not_fail_takes_the_verdict(
        self, tables, published, result, statement, spoil
    ):
        """The comparison would then say nothing."""
        found = self.verdicts_on(spoil(dict(tables)), published, result, statement)
        assert set(found) == {vd.UNDECIDED}


def test_slopes_of_known_costs():
    wide = pd.DataFrame([[100.0 / n for n in claims.RATES], [7.0] * 5], columns=claims.RATES)
    assert claims.slopes(wide) == pytest.approx([0.0, 1.0])


def test_best_and_last_scores_are_those_of_whole_epochs():
    rows = pd.DataFrame(
        {"way": "mlp", "order": "file", "seed": [0, 0, 0, 1, 1], "epoch": [1.0, 1.5, 2.0, 1.0, 2.0]}
    ).assign(test_score_percent=[98.0, 99.0, 97.0, 90.0, 95.0])
    rows = rows.assign(diverged_epoch=[-1, -1, -1, -1, 1.5])
    best, last = (claims.score(rows, "mlp", "file", moment) for moment in claims.MOMENTS)
    assert (best[0], last[0]) == (98.0, 97.0)
    assert np.isnan(best[1]) and np.isnan(last[1])  # it diverged


def test_additions_weigh_every_sample_alike():
    rows = pd.DataFrame({"seed": 0, "samples": [0, 10, 30], "forward": [9.0, 1.0, 2.0]})
    assert claims.forward_of_training(rows)[0] == pytest.approx(70 / 40)
