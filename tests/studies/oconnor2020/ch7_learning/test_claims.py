"""Verdicts on trainings of chapter 7: they hold, and each of them can fail."""

from plausible.reproduction.evidence import Evidence
from plausible.studies.oconnor2020.ch7_learning import claims_lambda

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


TRAINING, AFTER, SCAN = "ch7.fig7.3", "ch7.starts_in_right_regime", "fig_d1"


def run(name, column, value):
    return change(TRAINING, column, f"run == '{name}'", value)


def measure(name, variant, value):
    return change(AFTER, "value", f"measure == '{name}' and variant == '{variant}'", value)


def worse(error):
    return error + 3.0


def better(error):
    return error - 90.0


THESIS, OFFICIAL = "thesis_error_percent", "official_error_percent"


class TestClaims(ClaimTests):
    """Every statement of the part."""

    part = "oconnor2020.ch7_learning"
    good_tables = staticmethod(synthetic.good_tables)
    scale = "paper"
    spoils = [
        Spoil(TRAINING, "plain_fails_with_few_steps", "it learns",
              run("small_plain_few", THESIS, better)),
        Spoil(TRAINING, "close_with_enough_steps", "plain is worse",
              run("small_plain_many", THESIS, worse)),
        Spoil(TRAINING, "close_with_enough_steps", "the large net's s_f is worse",
              run("large_initialised_many", "official_forward_error_percent", worse)),
        Spoil(TRAINING, "forward_as_good_as_settled", "worse",
              run("large_initialised_few", "thesis_forward_error_percent", worse)),
        Spoil("ch7.algorithm7", "near_iterative_inference", "worse",
              run("small_initialised_many", "thesis_forward_error_percent", worse)),
        Spoil("ch7.more_steps_no_gain", "no_gain_from_more_steps", "a gain",
              run("small_initialised_few", OFFICIAL, worse)),
        Spoil("ch7.target_s_plus_worse", "s_minus_is_better_target", "better",
              run("small_s_plus_few", THESIS, better)),
        Spoil("ch7.s_plus_reason", "vanishes_with_convergence", "it does not",
              run("small_s_plus_many", THESIS, worse)),
        Spoil("ch7.s_plus_reason", "nearer_to_the_minimum", "farther",
              measure("energy_gradient", "s_plus", lambda size: 0.1 * size)),
        Spoil("ch7.random_beta_sign", "random_sign_is_stable", "unstable",
              run("small_initialised_few", "training_error_percent", 60.0)),
        Spoil("ch7.eqprop_terminated", "plain_is_terminated", "one seed is not",
              change(TRAINING, "ended_epoch", "run == 'large_plain_few' and seed == 1", -1.0)),
        Spoil("ch7.eqprop_terminated", "initialised_is_not", "one seed is",
              change(TRAINING, "ended_epoch", "run == 'small_initialised_few' and seed == 1", 3.0)),
        Spoil("ch7.fig7.4", "local_loss_no_worse", "worse", run("large_local", THESIS, worse)),
        Spoil("ch7.fig7.4", "local_gradients_align_early", "opposed",
              run("large_local", "alignment_2", lambda cosine: -cosine)),
        Spoil("ch7.algorithm6", "training_error_falls", "it stays",
              measure("training_error", "initialised", 89.0)),
        Spoil("ch7.algorithm8", "energy_does_not_rise", "it rises",
              measure("energy_rise", "small", 0.1)),
        Spoil(AFTER, "nearer_than_zero", "farther",
              measure("distance", "forward", lambda size: 5.0 * size)),
        Spoil("ch7.unreachable_targets", "lambda_narrows_the_gap", "wider",
              measure("residual", "initialised", lambda size: 3.0 * size)),
        Spoil("ch7.unreachable_targets", "gap_remains", "it vanishes",
              measure("frozen_residual", "no_pull", lambda size: 1e-3 * size)),
        Spoil("ch7.unreachable_targets", "capacity", "lambda is much better",
              measure("training_error", "no_pull", lambda error: 4.0 * error)),
        Spoil("ch7.lambda_faster_settling", "fewer_steps_with_lambda", "one lambda takes longer",
              change(AFTER, "value", "measure == 'settling_steps' and steps == 0.3", 30.0)),
        Spoil("ch7.leak_prevents_dead", "fewer_dead_units", "none",
              measure("dead_share", "no_leak", lambda share: -share)),
        Spoil("ch7.leak_prevents_dead", "error_without_leak", "better",
              measure("forward_error", "no_leak", 1.0)),
        Spoil("ch7.feedback_alignment", "within_90_degrees", "beyond",
              change(AFTER, "value", "measure == 'feedback_angle' and steps == 1", 100.0)),
        Spoil("ch7.feedback_alignment", "at_right_angles_before", "aligned",
              change(AFTER, "value", "measure == 'feedback_angle' and steps == 0", 60.0)),
        Spoil("ch7.feedback_alignment", "forward_weights_align", "they part",
              change(AFTER, "value", "measure == 'feedback_cosine' and steps == 1",
                     lambda cosine: -cosine)),
        Spoil(SCAN, "moderate_lambda_helps", "it does not",
              change(SCAN, THESIS, "network == 'small' and pull == 0.125", 20.0)),
        Spoil(SCAN, "large_lambda_fails", "one learns",
              change(SCAN, "training_error_percent",
                     "network == 'large' and negative_steps == 10 and pull == 4.8", 20.0)),
        Spoil("ch9.initialization_partial", "deeper_needs_more_steps", "as many for one layer",
              change(SCAN, THESIS,
                     "network == 'small' and negative_steps < 20 and epochs == 1", worse)),
        Spoil("appD.lambda_euler_cause", "half_the_step_works", "one seed fails",
              change(SCAN, "training_error_percent",
                     "step_size == 0.25 and pull == 4.8 and seed == 1", 80.0)),
        Spoil("appD.lambda_euler_cause", "long_step_fails", "one seed learns",
              change(SCAN, "training_error_percent",
                     "step_size == 0.5 and epochs == 3 and pull == 4.8 and seed == 1", 8.0)),
    ]  # fmt: skip

    def test_every_claim_has_a_table_that_fails(self, published):
        """The threshold of Euler steps reads no table; it has a test of its own."""
        own = {one.statement for one in self.spoils} | {"threshold_of_euler"}
        assert set(self.claims()) >= own
        for entry in published.entries.values():
            if entry["reproducible"] == "full":
                stated = {one["id"] for one in entry["expect"] if one["id"] in self.claims()}
                assert stated <= own


def test_depth_is_all_that_differs_between_the_networks_that_are_compared():
    """Trainings of the figure, with other epochs, do not enter."""
    tables = change(SCAN, THESIS, "epochs == 10", worse)(synthetic.good_tables())
    evidence = Evidence(tables, {"id": "ch9.initialization_partial"}, None, True)
    for found in claims_lambda.deeper_needs_more_steps(evidence):
        assert list(found.values) == [5.0, 5.0, 5.0]
        assert found.variant.endswith("split, 1 epoch")


def test_a_table_without_equal_trainings_decides_nothing_on_depth():
    tables = synthetic.good_tables()
    tables = tables | {SCAN: tables[SCAN].query("epochs != 1")}
    evidence = Evidence(
        change(SCAN, "epochs", "network == 'large'", 1.0)(tables),
        {"id": "ch9.initialization_partial"}, None, True,
    )  # fmt: skip
    (found,) = claims_lambda.deeper_needs_more_steps(evidence)
    assert "not trained with the same epochs" in found.absent


def test_numbers_of_steps_with_one_lambda_are_not_of_the_figure():
    rows = claims_lambda.scanned(synthetic.scan_table())
    assert set(rows.loc[rows["network"] == "large", "negative_steps"]) == {10, 20, 50}
    assert set(rows["epochs"]) == {10.0}


def test_threshold_of_euler_follows_step_and_convention():
    assert abs(claims_lambda._threshold("as_coded", 0.5) - 3.0) < 0.05
    assert abs(claims_lambda._threshold("as_coded", 0.25) - 7.0) < 0.1
    assert abs(claims_lambda._threshold("as_published", 0.5) - 1.5) < 0.05
