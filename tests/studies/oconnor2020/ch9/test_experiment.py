"""Experiments of chapter 9, small, against what is known."""

import numpy as np

from plausible.studies.oconnor2020.ch9 import experiment

from ...part_results import read_sweep

PART = "oconnor2020.ch9"


def test_every_system_is_measured():
    few = {"layer_sizes": [20, 12, 8, 4], "settling_steps": 20, "frames": 40}
    settings = read_sweep(PART, "characteristics", **few)
    table = experiment.characteristics(settings, [0, 1], None, None)
    assert len(table) == 2 * len(experiment.SYSTEMS)
    means = table.groupby("system")[["whole_share", "partial_cost"]].mean()
    assert (
        means.loc[["sigma_delta", "pdnn", "deep_spiking", "spiking_eqprop"], "whole_share"] == 1
    ).all()
    assert (means.loc[["backprop", "initialized_eqprop"], "whole_share"] < 0.5).all()
    assert (table["partial_cost"] >= 0).all()


def test_cost_of_a_change_is_counted_in_the_first_layer():
    """One layer: rounding sends the change of one unit to all units above."""
    rng = np.random.default_rng(0)
    before = np.full(5, 0.5)
    after = before.copy()
    after[0] = 1.0
    pair = experiment.Pair(before, after, [rng.normal(size=(5, 3))])
    messages, cost = experiment.SYSTEMS["sigma_delta"](None, pair, rng)
    assert messages.tolist() == [4.0] * 5 + [4.0, 0, 0, 0, 0] and cost == 4.0 * 3


def test_what_is_learnt_first_is_forgotten(digits):
    settings = read_sweep(PART, "forgetting", "demo", width=20, epochs=6)
    table = experiment.forgetting(settings, [0], digits)
    mlp = table[table["network"] == "mlp"].set_index("stage")
    assert mlp.loc["first", "old_error_percent"] < 20 < 80 < mlp.loc["second", "old_error_percent"]
    assert mlp.loc["second", "new_error_percent"] < 20 > mlp.loc["both", "old_error_percent"]


def test_responses_hold_one_train():
    settings = read_sweep(PART, "responses")
    table = experiment.responses(settings, [3], None, None)
    counts = table[table["element"] == "sent"].groupby("step").size()
    assert set(counts.index) == {0.0, *settings.steps} and counts.min() > 3
    assert (table["element"] == "arrival").sum() == settings.arrivals


def test_spikes_keep_a_neuron_in_its_range():
    """The event-driven neuron refuses to leave it."""
    for seed in range(20):
        train = experiment.spikes(24, 20.0, np.random.default_rng(seed))
        found = experiment.continuous_neuron(*train, experiment.Rates(0.9, 0.35, 0.3), [10.0, 20.0])
        assert 0 < found.states.min() and found.states.max() < 1
