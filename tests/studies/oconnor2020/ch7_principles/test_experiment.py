"""Experiments of chapter 7 without images, small, against what is known."""

import numpy as np
import pandas as pd
import pytest

from plausible.networks.initialiser import forward_pass
from plausible.studies.oconnor2020.ch7_principles import experiment, experiment_toy
from plausible.studies.oconnor2020.ch7_principles.settings import (
    DistantGradients,
    EarlyLayers,
    LayerwiseTraining,
    SettlingSteps,
    ThreeStates,
    TiedForwardPass,
)

TOY = {
    "layers": 3,
    "width": 12,
    "samples": 40,
    "batch": 10,
    "iterations": 60,
    "test_every": 20,
    "learning_rate": 0.01,
    "momentum": 0.9,
    "weight_scale": 1.6,
    "leak": 0.01,
}


def test_panes_follow_each_other():
    settings = ThreeStates(
        sizes=(4, 3, 2), negative_steps=6, positive_steps=4, beta=0.5, pull=0.1, updates=5,
        learning_rate=0.1,
    )  # fmt: skip
    table = experiment.three_states(settings, [0, 1], None, None)
    ends = table.dropna(subset=["deviation"])
    assert (ends["deviation"] == 0).all() and len(ends) == 2 * 3 * 5
    assert ends["zero_start_deviation"].max() > 0.01
    free = table[(table["layer"] > 0) & (table["seed"] == 0)]

    def states(pane, step):
        rows = free[(free["pane"] == pane) & (free["step"] == step)]
        return rows.sort_values(["layer", "unit"])["state"].to_numpy()

    np.testing.assert_array_equal(states("forward", 0), states("negative", 0))
    np.testing.assert_array_equal(states("negative", 6), states("positive", 0))


def test_deeper_networks_settle_later():
    settings = SettlingSteps(
        hidden_layers=(1, 2, 4), width=20, samples=5, tolerance=1e-3, max_steps=2000, networks=6
    )
    table = experiment.settling_steps(settings, [0], None, None)
    means = table.groupby("hidden_layers")["steps"].mean()
    assert means[4] > means[1] and (table["unsettled_share"] == 0).all()


def test_rank_correlation_is_that_of_the_rows():
    settings = TiedForwardPass(networks=12, sizes=(10, 10, 10), samples=5, steps=60)
    table = experiment.tied_forward_pass(settings, [0], None, None)
    ranks = table[["reconstruction_error", "forward_error"]].rank()
    expected = np.corrcoef(ranks.to_numpy().T)[0, 1]
    assert table["rank_correlation"].iloc[0] == pytest.approx(expected)


def test_a_step_of_local_training_is_that_of_each_layer():
    settings = LayerwiseTraining(**{**TOY, "iterations": 1, "momentum": 0.0, "batch": 40})
    toy = experiment_toy.make_toy(settings, np.random.default_rng(0))
    course = experiment_toy.train(toy, settings, "local", np.random.default_rng(1))
    states = forward_pass(toy.student, toy.inputs)
    below = (toy.inputs, *states.states[:-1])
    for layer, weight in enumerate(toy.student.weights):
        inside = np.abs(states.sums[layer]) <= 0.5
        error = 2.0 * (states.states[layer] - toy.targets[layer]) * (inside + 0.01)
        expected = weight - 0.01 * below[layer].T @ error / 40
        np.testing.assert_allclose(course.student.weights[layer], expected, rtol=0, atol=1e-5)
    squares = sum(
        ((s - t) ** 2).sum(axis=1).mean() for s, t in zip(states.states, toy.targets, strict=True)
    )
    assert course.losses[0].sum() == pytest.approx(squares, rel=1e-5)


def test_momentum_is_heavy_ball():
    settings = LayerwiseTraining(**{**TOY, "iterations": 2, "test_every": 1, "batch": 40})
    toy = experiment_toy.make_toy(settings, np.random.default_rng(0))
    twice = experiment_toy.train(toy, settings, "global", np.random.default_rng(1))
    one = settings.model_copy(update={"iterations": 1})
    first = experiment_toy.train(toy, one, "global", np.random.default_rng(1)).student
    plain = one.model_copy(update={"momentum": 0.0})
    alone = experiment_toy.train(
        toy._replace(student=first), plain, "global", np.random.default_rng(2)
    ).student
    for start, middle, stepped, both in zip(
        toy.student.weights, first.weights, alone.weights, twice.student.weights, strict=True
    ):
        np.testing.assert_allclose(both, stepped + 0.9 * (middle - start), rtol=0, atol=1e-5)


def test_training_table_and_its_parts(tmp_path):
    settings = LayerwiseTraining(**TOY)
    table = experiment_toy.layerwise_training(settings, [0, 1], None, None)
    assert len(table) == 2 * 2 * 4 * 3
    ends = table[table["layer"] == 1].pivot_table(
        index=["seed", "training"], columns="iteration", values="loss"
    )
    assert (ends[60] < ends[0]).all()
    assert table.loc[table["layer"] == 3, "alignment"].isna().all()
    parts = [
        experiment_toy.layerwise_training(
            settings.model_copy(update={"shard": k, "shards": 2, "checkpoints": tmp_path}),
            [0, 1], None, None,
        )
        for k in range(2)
    ]  # fmt: skip
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), table, check_exact=True)


def test_speeds_say_whether_the_goal_was_reached():
    settings = DistantGradients(**TOY, lower_layers=1, loss_share=0.6, learning_rates=(1e-9, 0.02))
    table = experiment_toy.distant_gradients(settings, [0], None, None)
    assert len(table) == 2 * 3
    slow = table[table["learning_rate"] == 1e-9]
    assert not slow["reached"].any() and (slow["iterations"] == 60).all()
    assert table.loc[table["learning_rate"] == 0.02, "reached"].any()


def test_early_layers_are_told_apart():
    settings = EarlyLayers(**{**TOY, "iterations": 30, "test_every": 5}, draws=2)
    table = experiment_toy.early_layers(settings, [0], None, None)
    assert list(table["draw"]) == [0, 1]
    assert (table["loss_change"] != table["permuted_change"]).all()
    assert (table["together_iterations"] <= table["alone_iterations"]).all()
