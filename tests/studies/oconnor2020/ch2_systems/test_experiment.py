"""Experiments on chapter 2's systems, small, against what is known."""

import numpy as np
import pandas as pd
import pytest
import torch

from plausible.learning.recurrent_gradients import rtrl_gradient
from plausible.networks.restricted_boltzmann import gibbs_kernel, log_visible, random_restricted
from plausible.studies.oconnor2020.ch2_systems import experiment, experiment_recurrent
from plausible.studies.oconnor2020.ch2_systems.experiment import generator, torch_generator

from ...part_results import read_sweep

PART = "oconnor2020.ch2_systems"


def test_the_graph_runs_as_it_is_drawn():
    settings = read_sweep(PART, "unrolled_graph")
    table = experiment_recurrent.unrolled_graph(settings, [0, 1], None, None)
    known = table.dropna()
    assert set(known["kind"]) == {"z", "loss"} and (known["deviation"] == 0).all()
    assert known.groupby("seed")["two_steps"].max().min() > 0.1
    named, sources = set(table["node"]), table["inputs"].str.split("; ").explode()
    assert set(sources) - {""} <= named
    assert (table["kind"] == "x").sum() == 2 * settings.steps


def test_distances_are_those_of_the_kernel():
    settings = read_sweep(
        PART, "contrastive_divergence", machines=2, visible=4, hidden=3, weight_deviations=[1.0]
    )
    table = experiment.contrastive_divergence(settings, [3], None, None)
    rng = generator("contrastive_divergence", 3, 1_000_000)
    one, _ = random_restricted(rng, 4, 3), random_restricted(rng, 4, 3)
    data = experiment.random_data(rng, 16, settings.patterns)
    kernel, model = gibbs_kernel(one), np.exp(log_visible(one))
    first = table[table["machine"] == 0].set_index("gibbs_steps")
    for step in (0, 1, 3):
        reached = data @ np.linalg.matrix_power(kernel, step)
        assert first.loc[step, "distance"] == pytest.approx(np.abs(reached - model).sum() / 2)
    assert data.sum() == pytest.approx(1.0) and (data > 0).sum() <= settings.patterns
    assert first["distance"].diff().max() < 1e-12 and np.isnan(first.loc[0, "bias"])


def test_costs_by_hand():
    settings = read_sweep(PART, "recurrent_costs", widths=[4, 8], horizons=[1, 3])
    table = experiment_recurrent.recurrent_costs(settings, [0], None, None)
    costs = table.set_index(["rule", "units"])["multiplications"]
    assert costs["forward", 8] == 8 * 8 + 8 * 8 and costs["recurrent_product", 8] == 64
    # 8 x 8 times 8 x (17 x 8), and each of 8 x 17 x 8 by a slope.
    assert costs["rtrl", 8] == 8 * 8 * 17 * 8 + 8 * 17 * 8
    assert costs["recurrent_influence", 100] == 20000 * costs["recurrent_product", 100]
    horizons = table[table["rule"] == "bptt"].set_index("horizon")["multiplications"]
    assert horizons[3] == 3 * horizons[1]
    assert (table.loc[table["units"] == 100, "weights"] == 20000).all()


def small_projections(seeds):
    settings = read_sweep(
        PART, "random_projections", units=2, inputs=2, steps=6, draws=3000, networks=2,
        horizons=[1, 6], estimates=[1, 16],
    )  # fmt: skip
    return experiment_recurrent.random_projections(settings, seeds, None, None)


def test_estimates_scatter_around_the_gradient():
    table = small_projections([0])
    weights = table[table["element"] == "weight"]
    generator = torch_generator("random_projections", 0)
    for horizon in (1, 6, 6):  # two horizons, then the sequence itself
        sequence = experiment_recurrent.random_sequence(generator, 2, 2, horizon)
        last = experiment_recurrent.signs(generator, horizon, 3000, 2)
    np.testing.assert_allclose(weights["gradient"], rtrl_gradient(*sequence).ravel())
    off = (weights["mean"] - weights["gradient"]) / weights["standard_error"]
    assert off.abs().max() < 5
    assert set(last.unique().tolist()) == {-1.0, 1.0}
    means = table[table["element"] == "mean"].set_index("estimates")["error"]
    assert means[16] == pytest.approx(means[1] / 4, rel=0.15)
    signs = table[table["element"] == "signs"]
    np.testing.assert_allclose(signs["mean_of_four"], np.log(0.25), atol=0.2)


def test_same_seed_same_rows_whatever_the_others():
    both, alone = (small_projections(seeds) for seeds in ([0, 1], [1]))
    kinds = ["horizon", "mean", "signs"]
    parts = [
        table[(table["seed"] == 1) & table["element"].isin(kinds)].dropna(axis=1, how="all")
        for table in (both, alone)
    ]
    pd.testing.assert_frame_equal(*(part.reset_index(drop=True) for part in parts))


def test_target_propagation_trains_and_the_frozen_layer_stays(digits):
    torch.set_num_threads(1)
    settings = read_sweep(PART, "target_propagation", "demo", epochs=3)
    table = experiment.target_propagation(settings, [0], digits, None)
    assert list(table.groupby("network").size()) == [4, 4]
    start, end = (table[table["epoch"] == epoch].set_index("network") for epoch in (0, 3))
    errors = end["test_error_percent"]
    assert errors["target_propagation"] < errors["frozen"] < 60
    assert start["test_error_percent"].nunique() == 1 and start["feedback_cosine"].nunique() == 1
    again = experiment.target_propagation(settings, [0], digits, None)
    pd.testing.assert_frame_equal(table, again, check_exact=True)
