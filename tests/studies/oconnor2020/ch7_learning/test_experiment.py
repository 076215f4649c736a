"""Trainings of chapter 7, small, against what is known."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from plausible.data.registry import prepare
from plausible.learning.equilibrium_training import Networks, train_batches
from plausible.studies.oconnor2020.ch7_learning import (
    experiment,
    experiment_after,
    experiment_asymmetric,
)
from plausible.studies.oconnor2020.ch7_learning.settings import (
    AfterTraining,
    AsymmetricFeedback,
    FeedbackWay,
    LambdaScan,
    MnistTraining,
    NetworkSettings,
    Run,
)

SMALL = NetworkSettings(hidden_sizes=(20,), learning_rates=(0.4, 0.2), positive_steps=4, beta=0.5)
LARGE = NetworkSettings(
    hidden_sizes=(12, 12, 12), learning_rates=(0.2, 0.1, 0.1, 0.05), positive_steps=4, beta=1.0
)
TRAINING = MnistTraining(
    networks={"small": SMALL, "large": LARGE},
    runs={
        "plain": Run(network="small", negative_steps=6, epochs=1, seeds=2, initialised=False),
        "aligned": Run(
            network="large", negative_steps=6, epochs=1, seeds=1, pull=0, alignment_samples=40
        ),
    },
    batch=5,
    tested_images=100,
    failed_after=2,
)
SCAN = LambdaScan(
    networks={"small": SMALL},
    negative_steps={"small": (4, 20)},
    lambdas={"small": (0.0, 0.5, 4.8)},
    epochs={"small": 2},
    seeds={"small": 1},
    batch=5,
    cause_epochs=3,
    cause_seeds=1,
)
AFTER = AfterTraining(
    network=SMALL,
    negative_steps=20,
    pull=0.1,
    batch=5,
    epochs=6,
    samples=60,
    settled_steps=200,
    settled_change=1e-3,
    distances_after=(0, 4),
    pulls=(0.0, 1.0),
    convergence_passes=10,
    feedback_sizes=(20,),
    feedback_rate=0.1,
    feedback_epochs=1,
)


@pytest.fixture(scope="module")
def digits():
    return prepare("digits")


def test_trainings_and_their_parts(digits, tmp_path):
    table = experiment.mnist_training(TRAINING, [0, 1], digits, None)
    assert set(zip(table["run"], table["seed"], strict=True)) == {
        ("plain", 0), ("plain", 1), ("aligned", 0),
    }  # fmt: skip
    plain, aligned = (table[table["run"] == name] for name in ("plain", "aligned"))
    assert plain["thesis_forward_error_percent"].isna().all()
    assert plain["alignment_1"].isna().all() and aligned["alignment_3"].abs().le(1).all()
    last = plain[plain["epoch"] == 1]
    assert (last["training_error_percent"] < 60).all()
    # Until the last test on the first images of either set, then on all of them.
    images = 239
    errors = last["thesis_error_percent"].to_numpy() * images / 100
    np.testing.assert_allclose(errors, np.round(errors), atol=1e-9)
    parts = [
        experiment.mnist_training(
            TRAINING.model_copy(update={"shard": k, "shards": 3, "checkpoints": tmp_path}),
            [0, 1], digits, None,
        )
        for k in range(3)
    ]  # fmt: skip
    pd.testing.assert_frame_equal(
        pd.concat(parts, ignore_index=True)[list(table.columns)], table, check_exact=True
    )


def test_one_networks_trainings_begin_with_the_same_weights(digits):
    given = experiment.images_of(digits)
    plain, initialised = (experiment.fresh(SMALL, given.train, 3, kind) for kind in (False, True))
    np.testing.assert_array_equal(plain.equilibrium.weights[0], initialised.equilibrium.weights[0])
    assert plain.initialiser is None and initialised.initialiser is not None
    other = experiment.fresh(SMALL, given.train, 4, False)
    assert (other.equilibrium.weights[0] != plain.equilibrium.weights[0]).any()


def test_large_lambda_fails_and_half_the_step_mends_it(digits):
    table = experiment.lambda_scan(SCAN, [0], digits, None)
    assert len(table) == 2 * 3 + 4 + 4
    alike = table[table["pull"] == 0.125]
    assert set(alike["negative_steps"]) == {1, 2, 4, 20} and set(alike["epochs"]) == {2}
    cause = table[(table["epochs"] == 3) & (table["pull"] == 4.8)].set_index("step_size")
    assert cause.loc[0.5, "training_error_percent"] > 80
    assert cause.loc[0.25, "training_error_percent"] < 50


def test_measurements_of_trained_networks(digits):
    table = experiment_after.after_training(AFTER, [0], digits, None)
    value = table.set_index(["measure", "variant", "steps"])["value"]
    assert not table.duplicated(["measure", "variant", "steps"]).any()
    assert value["distance", "zero", 4] < value["distance", "zero", 0]
    assert value["distance", "forward", 0] < value["distance", "zero", 0]
    assert value["settling_steps", "forward", 1.0] < value["settling_steps", "forward", 0.0]
    assert value["energy_rise", "small", 0.05] <= 1e-10 < value["energy_rise", "long", 2.5]
    assert value["dead_share", "initialised", 0] == 0 < value["dead_share", "no_leak", 0]
    assert value["training_error", "initialised", 0] < 40
    assert value["printed_training_error", "initialised", 0] > 70
    assert value["feedback_angle", "hidden", 1] < value["feedback_angle", "hidden", 0]


def test_unknown_network_and_missing_rate():
    stated = TRAINING.model_dump(exclude=set(MnistTraining.given))
    stated["runs"]["plain"]["network"] = "smal"
    with pytest.raises(ValidationError, match="none of small, large"):
        MnistTraining(**stated)
    with pytest.raises(ValidationError, match="one for each matrix"):
        NetworkSettings(hidden_sizes=(3,), learning_rates=(0.1, 0.1, 0.1), positive_steps=1, beta=1)


ASYMMETRIC = AsymmetricFeedback(
    network=SMALL,
    negative_steps=6,
    pull=0.1,
    batch=10,
    epochs=2,
    tested_images=100,
    decay=0.01,
    ways={
        "symmetric": FeedbackWay(feedback="symmetric"),
        "fixed": FeedbackWay(feedback="drawn"),
        "learned": FeedbackWay(feedback="drawn", learns=True),
        "learned_decay": FeedbackWay(feedback="drawn", learns=True, decays=True),
        "symmetric_decay": FeedbackWay(feedback="symmetric", decays=True),
        "none": FeedbackWay(feedback="none"),
    },
)


@pytest.fixture(scope="module")
def asymmetric(digits):
    return experiment_asymmetric.asymmetric_feedback(ASYMMETRIC, [0], digits, None)


def test_every_way_learns_and_tells_its_angle(asymmetric):
    assert not asymmetric.duplicated(["way", "initialised", "seed", "epoch"]).any()
    ends = asymmetric[asymmetric["epoch"] == 2].set_index(["way", "initialised"])
    assert (ends["training_error_percent"] < 80).all()
    assert (
        ends["thesis_forward_error_percent"]
        .notna()
        .equals(pd.Series(ends.index.get_level_values("initialised"), ends.index))
    )
    angles = ends["angle_degrees"]
    assert angles["none"].isna().all()
    assert (angles[["symmetric", "symmetric_decay"]] < 0.05).all()
    for initialised in (False, True):
        drawn = [angles[way, initialised] for way in ("learned_decay", "learned", "fixed")]
        assert 0 < drawn[0] < drawn[1] < drawn[2] < 90
    begun = asymmetric[asymmetric["epoch"] == 0].set_index(["way", "initialised"])["angle_degrees"]
    assert begun["fixed"].between(75, 105).all() and (begun["symmetric"] == 0).all()


def test_without_feedback_only_the_outputs_learn(digits):
    """Hidden units have settled after long phases, and no target moves them any more."""
    settled = ASYMMETRIC.model_copy(update={"negative_steps": 60})
    given = experiment.images_of(digits).train
    moved = {}
    for way in ("none", "fixed"):
        task = experiment_asymmetric.Task(way, False, 0)
        made = experiment.fresh(SMALL, given, 0, False)
        network = experiment_asymmetric.with_feedback(
            made.equilibrium, ASYMMETRIC.ways[way], experiment.generator("test", 0)
        )
        before = [weight.copy() for weight in network.weights]
        recipe = experiment_asymmetric.recipe_of(settled, task)
        order = np.arange(300).reshape(-1, 10)
        train_batches(Networks(network), recipe, given, order, np.full(30, 0.5))
        pairs = zip(network.weights, before, strict=True)
        moved[way] = [np.abs(after - begun).max() for after, begun in pairs]
    assert moved["none"][0] < 1e-6 and moved["none"][1] > 1e-3
    assert moved["fixed"][0] > 1e-3


def test_angles_against_the_definition():
    rng = np.random.default_rng(0)
    network = experiment_asymmetric.make_equilibrium((5, 4, 3, 2), rng, untied=True)
    up = [value for weight in network.weights[1:] for value in weight.ravel()]
    down = [value for matrix in network.feedback for value in matrix.T.ravel()]
    dot = sum(a * b for a, b in zip(up, down, strict=True))
    size = sum(a * a for a in up) ** 0.5 * sum(b * b for b in down) ** 0.5
    expected = np.degrees(np.arccos(dot / size))
    assert experiment_asymmetric.angle(network) == pytest.approx(expected)
    against = network._replace(feedback=tuple(-2 * weight.T for weight in network.weights[1:]))
    assert experiment_asymmetric.angle(against) == pytest.approx(180.0)


def test_parts_of_the_ways_and_a_killed_one(digits, asymmetric, tmp_path):
    ways = {name: ASYMMETRIC.ways[name] for name in ("symmetric", "learned_decay")}
    some = ASYMMETRIC.model_copy(update={"ways": ways})
    parts = [
        experiment_asymmetric.asymmetric_feedback(
            some.model_copy(update={"shard": k, "shards": 2}), [0], digits, None
        )
        for k in range(2)
    ]
    expected = asymmetric[asymmetric["way"].isin(ways)].reset_index(drop=True)
    together = pd.concat(parts, ignore_index=True)
    assert all(len(part) for part in parts)
    pd.testing.assert_frame_equal(together[list(expected.columns)], expected, check_exact=True)
    kept = some.model_copy(update={"checkpoints": tmp_path})
    experiment_asymmetric.asymmetric_feedback(
        kept.model_copy(update={"epochs": 1}), [0], digits, None
    )
    again = experiment_asymmetric.asymmetric_feedback(kept, [0], digits, None)
    ends = [each[each["epoch"] == 2].reset_index(drop=True) for each in (again, expected)]
    pd.testing.assert_frame_equal(ends[0][list(expected.columns)], ends[1], check_exact=True)
