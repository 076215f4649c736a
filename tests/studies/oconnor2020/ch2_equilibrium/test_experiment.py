"""Experiments on equilibrium propagation, small, against what is known."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from plausible.data.registry import prepare
from plausible.networks.equilibrium import energy
from plausible.studies.oconnor2020.ch2_equilibrium import experiment, networks
from plausible.studies.oconnor2020.ch2_equilibrium.settings import (
    GradientError,
    RoundedStates,
    TwoPhases,
    UntiedTraining,
)

PHASES = TwoPhases(sizes=(4, 5, 3), negative_steps=60, positive_steps=40, step_size=0.2, beta=0.2)
TRAINING = UntiedTraining(
    hidden_sizes=(20,),
    learning_rates=(0.2, 0.1),
    negative_steps=10,
    positive_steps=4,
    beta=0.5,
    batch=5,
    epochs=1,
    settling_images=50,
    settling_steps=300,
    settled_change=1e-4,
    random_scale=4.0,
)


def test_phases_follow_each_other():
    table = experiment.two_phases(PHASES, [0, 3], None, None)
    assert set(table["layer"]) == {0, 1, 2} and table["step"].max() == 100
    for _, rows in table[table["step"] == 60].groupby("seed"):
        wide = rows.pivot_table(index=["layer", "unit"], columns="phase", values="state")
        assert (wide["negative"] == wide["positive"]).all()
    clamped = table[table["layer"] == 0].groupby(["seed", "unit"])["state"].nunique()
    assert (clamped == 1).all()
    assert table["state"].between(0, 1).all()
    given = networks.random_problem(
        experiment.generator("two_phases", 3), (4, 5, 3), 1, strength=0.6
    )
    last = table[(table["seed"] == 3) & (table["phase"] == "negative")]

    def at(step):
        rows = last[last["step"] == step]
        return tuple(rows[rows["layer"] == k]["state"].to_numpy()[None] for k in (1, 2))

    energies = [energy(given.network, given.inputs, at(step))[0] for step in (0, 5, 20, 60)]
    assert energies == sorted(energies, reverse=True)


def test_error_falls_with_beta_if_settled_and_not_else():
    settings = GradientError(sizes=(4, 5, 3), betas=(0.001, 0.01), unsettled_steps=3)
    table = experiment.gradient_error(settings, [0, 1], None, None)
    assert len(table) == 2 * 2 * 2 * 2
    wide = table.pivot_table(
        index=["seed", "contrast"], columns=["phases", "beta"], values="relative_error"
    )
    ratio = wide["settled"][0.01] / wide["settled"][0.001]
    np.testing.assert_allclose(ratio, 10.0, rtol=0.15)
    assert (wide["unsettled"][0.001] > 5 * wide["unsettled"][0.01]).all()


def test_bits_do_not_move():
    settings = RoundedStates(networks=3, sizes=(10, 12, 5), samples=6, beta=0.01, steps=200)
    table = experiment.rounded_states(settings, [0], None, None).set_index(["states", "network"])
    assert len(table) == 6
    assert (table.loc["bits"]["unchanged_share"] > table.loc["real"]["unchanged_share"]).all()
    assert (table.loc["real"]["cosine"] > 0.99).all()


def test_untied_training_says_what_it_measures(tmp_path):
    digits = prepare("digits")
    table = experiment.untied_training(TRAINING, [0, 1], digits, None)
    assert len(table) == 2 * 2 * 5
    untied, tied = (table[table["weights"] == kind] for kind in ("untied", "tied"))
    assert tied["symmetry"].isna().all() and untied["symmetry"].notna().all()
    assert abs(untied.loc[untied["epoch"] == 0, "symmetry"]).max() < 0.3
    last = untied[untied["epoch"] == 1]
    assert last["settled_share"].between(0, 1).all() and (last["settled_share"] > 0.9).all()
    assert (last["thesis_error_percent"] < 60).all()
    parts = [
        experiment.untied_training(
            TRAINING.model_copy(update={"shard": k, "shards": 2, "checkpoints": tmp_path}),
            [0, 1], digits, None,
        )
        for k in range(2)
    ]  # fmt: skip
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), table, check_exact=True)


def test_smooth_problems_are_away_from_kinks():
    problem, settled = networks.smooth_problem(np.random.default_rng(0))
    inside = np.concatenate([each.ravel() for each in settled])
    inside = inside[(inside > 0) & (inside < 1)]
    assert np.minimum(inside, 1 - inside).min() > networks.MARGIN
    assert problem.targets.shape == (3, 4)


def test_a_rate_for_each_matrix():
    with pytest.raises(ValidationError, match="one for each matrix"):
        UntiedTraining(
            **{**TRAINING.model_dump(exclude=set(UntiedTraining.given)), "hidden_sizes": (9, 9)}
        )
