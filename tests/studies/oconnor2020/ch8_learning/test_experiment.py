"""Trainings with bits as experiments: small real runs, against what is known of them."""

import numpy as np
import pandas as pd
import pytest

from plausible.learning.binary_propagation import BinaryRecipe
from plausible.learning.equilibrium_propagation import LINEARISED, Recipe
from plausible.learning.equilibrium_training import train_batches
from plausible.networks.binary_equilibrium import informed, settle_binary
from plausible.networks.initialiser import forward_pass
from plausible.studies.oconnor2020.ch8_learning import (
    experiment,
    experiment_contrasts,
    experiment_initialised,
    experiment_search,
)
from plausible.studies.oconnor2020.ch8_learning.settings import Variant

from ...part_results import read_sweep

PART = "oconnor2020.ch8_learning"
FEW = {"width": 12, "batch": 5, "whole_epochs": 2, "short_epochs": 2, "deep_epochs": 1}
SETTINGS = read_sweep(PART, "trainings", "demo", **FEW)


def only(*names, settings=SETTINGS):
    """Settings with some of the variants."""
    chosen = {name: settings.variants[name] for name in names}
    return settings.model_copy(update={"variants": chosen})


@pytest.fixture(scope="module")
def few(digits):
    """The first 480 training images and 60 test images."""
    return digits._replace(
        train_images=digits.train_images[:480],
        train_labels=digits.train_labels[:480],
        test_images=digits.test_images[:60],
        test_labels=digits.test_labels[:60],
    )


SHORT = ("continuous", "binary_short", "continuous_keeping")


@pytest.fixture(scope="module")
def table(few):
    return experiment.trainings(only(*SHORT), [0, 1], few)


def test_rows_of_every_checkpoint(table):
    assert not table.duplicated(["variant", "seed", "epoch"]).any()
    stops = table.groupby(["variant", "seed"])["epoch"].apply(list)
    assert all(each == [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0] for each in stops)
    assert (table["last_epoch"] == 2).all()


def test_networks_learn(table):
    ends = [table[table["epoch"] == epoch].groupby("variant")["training_error_percent"].mean()
            for epoch in (0.0, 2.0)]  # fmt: skip
    assert (ends[0] > 75).all() and (ends[1] < 80).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_network_that_keeps_states_and_diverges_ends_there(few):
    wild = SETTINGS.model_copy(
        update={"learning_rates": ((1e40, 1e40), SETTINGS.learning_rates[1])}
    )
    table = experiment.trainings(only("continuous_keeping", settings=wild), [0], few)
    assert (table["ended_epoch"] == 0.25).all()
    assert (table.groupby("variant")["epoch"].max() == 0.25).all()


def test_real_networks_begin_alike(table):
    """A quarter of an epoch later, states that are kept have not come back yet."""
    rows = table[(table["seed"] == 0) & (table["epoch"] == 0.0)].set_index("variant")
    columns = ["training_error_percent", "test_error_percent", "official_error_percent"]
    pd.testing.assert_series_equal(
        rows.loc["continuous", columns], rows.loc["continuous_keeping", columns], check_names=False
    )


def test_recipes_are_those_of_the_variants():
    real = experiment.recipe_of(SETTINGS, SETTINGS.variants["continuous"])
    assert real == Recipe(20, 4, 0.5, (0.1, 0.05), contrast=LINEARISED)
    bits = experiment.recipe_of(SETTINGS, SETTINGS.variants["binary_deep"])
    assert isinstance(bits, BinaryRecipe) and bits.beta == 1.0
    assert bits.coding.step == (0.0686, 1e-15) and bits.coding.decay == (0.771, 0.0)
    assert experiment.recipe_of(SETTINGS, SETTINGS.variants["binary_checkpoint"]).from_checkpoint


def test_shards_share_the_networks_and_change_nothing(few, table):
    parts = [
        experiment.trainings(
            only(*SHORT).model_copy(update={"shard": shard, "shards": 3}), [0, 1], few
        )
        for shard in range(3)
    ]
    together = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(together, table, check_exact=True)


def test_a_killed_job_goes_on(few, table, tmp_path):
    kept = only("continuous", "binary_short").model_copy(update={"checkpoints": tmp_path})
    experiment.trainings(kept.model_copy(update={"whole_epochs": 1, "short_epochs": 1}), [0], few)
    again = experiment.trainings(kept, [0], few)
    whole = table[table["variant"].isin(["continuous", "binary_short"]) & (table["seed"] == 0)]
    rows = again.groupby("variant", sort=False).tail(1)
    expected = whole.groupby("variant", sort=False).tail(1)
    pd.testing.assert_frame_equal(
        rows.reset_index(drop=True), expected.reset_index(drop=True), check_exact=True
    )


def test_a_search_trains_its_best_settings_again(few, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    settings = read_sweep(
        PART, "mnist_search", "demo", width=8, steps=[10, 5], calls={"scheduled": 4, "osa": 4}
    )
    table = experiment_search.mnist_search(settings, [0, 1], few)
    for _, rows in table.groupby("search"):
        trials, again = (rows[rows["element"] == kind] for kind in ("trial", "again"))
        best = trials.loc[trials["error"].idxmin(), list(experiment_search.PARAMETERS)]
        assert len(trials) == 4 and len(again) == 2
        for _, row in again.iterrows():
            pd.testing.assert_series_equal(
                row[list(experiment_search.PARAMETERS)], best, check_names=False, check_dtype=False
            )
    kept = settings.model_copy(update={"checkpoints": tmp_path})
    experiment_search.mnist_search(kept, [0, 1], few)
    monkeypatch.setattr(experiment_search, "train", None)
    again = experiment_search.mnist_search(kept, [0, 1], few)
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def test_contrasts_of_a_trained_network(few):
    settings = read_sweep(
        PART, "contrasts", "demo", width=12, epochs=2, repeats=4, factors=[1, 8], batches=1
    )
    table = experiment_contrasts.contrasts(settings, [0], few)
    variance = table[table["element"] == "variance"].iloc[0]
    assert 0 <= variance["with_checkpoint"] < variance["without_checkpoint"]
    cosines = table[table["element"] == "cosine"]
    assert cosines["factor"].tolist() == [1, 8] and cosines["cosine"].between(-1, 1).all()
    assert np.isfinite(cosines["cosine"]).all()


WAYS = ("real_forward", "bits_zero", "bits_told", "bits_forward")


def initialised(**changes):
    """Settings of small networks that begin in several ways."""
    kept = {"width": 20, "learning_rates": (0.4, 0.2), "epochs": 2, "tested_after": (1, 4, 16)}
    kept |= changes
    settings = read_sweep(PART, "initialised_bits", "demo")
    runs = {name: settings.runs[name] for name in WAYS}
    return settings.model_copy(update={"runs": runs, **kept})


@pytest.fixture(scope="module")
def started(few):
    return experiment_initialised.initialised_bits(initialised(), [0, 1], few)


def test_tests_after_each_number_of_steps(started):
    assert not started.duplicated(["run", "seed", "steps"]).any()
    steps = started.groupby("run")["steps"].apply(lambda each: sorted(set(each)))
    assert steps["bits_zero"] == steps["bits_told"] == [1, 4, 16]
    assert steps["bits_forward"] == steps["real_forward"] == [0, 1, 4, 16]
    errors = started.pivot_table(index="run", columns="steps", values="official_error_percent")
    # Bits of the input arrive at step 2, those of the hidden layer later; a forward pass is there.
    assert errors.loc["bits_zero", 1] > 80 > 10 + errors.loc["bits_forward", 1]
    assert errors.loc["bits_zero", 16] < 70


def test_an_initialised_training_is_tested_as_by_the_readable_form(few, started):
    """From the networks of a training, redone minibatch by minibatch; other starts differ."""
    settings, data = initialised(), experiment.prepared(few, "test")
    recipe = experiment_initialised.recipe_of(settings, settings.runs["bits_forward"])
    weights, signs = (experiment.generator(purpose, 1) for purpose in ("weights", "signs"))
    sizes = experiment.sizes_of(settings, False, data)
    networks = experiment.fresh_networks(sizes, weights, True)
    order = np.arange(len(data.train.images) // 10 * 10).reshape(-1, 10)
    for _ in range(settings.epochs):
        betas = recipe.beta * signs.choice((-1.0, 1.0), len(order))
        assert train_batches(networks, recipe, data.train, order, betas) == len(order)
    test = data.tests["official"]
    inputs = test.images.astype(np.float32) / np.float32(test.white)
    guess = forward_pass(networks.initialiser, inputs).states
    network = networks.equilibrium._replace(
        weights=tuple(each.astype(float) for each in networks.equilibrium.weights)
    )
    rows = started[(started["run"] == "bits_forward") & (started["seed"] == 1)].set_index("steps")
    for steps in (1, 4):
        now = informed(network, inputs.astype(float), guess)
        more = {"anchors": guess, "pull": 0.1}
        now = settle_binary(network, recipe.coding, inputs.astype(float), now, steps, **more)
        wrong = 100 * (now.states[-1].argmax(axis=1) != test.labels).mean()
        # Single precision in the compiled form may decide a sample or two otherwise.
        assert abs(rows.loc[steps, "official_error_percent"] - wrong) < 2 * 100 / 60 + 1e-9
    wrong = 100 * (guess[-1].argmax(axis=1) != test.labels).mean()
    assert rows.loc[0, "official_error_percent"] == pytest.approx(wrong)


def test_parts_of_the_starts_and_a_killed_one(few, started, tmp_path):
    parts = [
        experiment_initialised.initialised_bits(initialised(shard=k, shards=3), [0, 1], few)
        for k in range(3)
    ]
    together = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(together, started, check_exact=True)
    kept = {"checkpoints": tmp_path}
    experiment_initialised.initialised_bits(initialised(epochs=1, **kept), [0], few)
    again = experiment_initialised.initialised_bits(initialised(**kept), [0], few)
    expected = started[started["seed"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, expected, check_exact=True)


def test_how_each_start_settles():
    settings = initialised()
    found = {
        name: experiment_initialised.recipe_of(settings, run) for name, run in settings.runs.items()
    }
    assert found["real_forward"] == Recipe(20, 4, 0.5, settings.learning_rates, pull=0.1)
    assert not found["bits_zero"].informed and found["bits_told"].informed
    assert found["bits_told"].pull == 0 and found["bits_forward"].pull == 0.1
    assert found["bits_forward"].coding == found["bits_zero"].coding


def test_bits_that_keep_states_are_refused():
    stated = SETTINGS.variants["binary"].model_dump()
    with pytest.raises(ValueError, match="keeps_states: found with bits"):
        Variant(**{**stated, "keeps_states": True})
