"""Training by equilibrium propagation: it learns, stops, resumes and fails as it says."""

import numpy as np
import pytest

from plausible.data.dataset import intensities
from plausible.data.registry import prepare
from plausible.data.splits import split_dataset
from plausible.learning import equilibrium_training as training
from plausible.learning.binary_propagation import BinaryRecipe, learn_initialised_binary
from plausible.learning.equilibrium_propagation import Recipe
from plausible.learning.equilibrium_training import (
    Failure,
    Images,
    TrainingSchedule,
    errors,
    fresh_networks,
    train,
)
from plausible.networks.binary_equilibrium import Coding
from plausible.neurons.step_sizes import Adaptive, Schedule

RECIPE = Recipe(10, 4, 0.5, (0.4, 0.2), pull=0.1)


@pytest.fixture(scope="module")
def data() -> tuple[Images, Images]:
    parts = split_dataset(prepare("digits"), "thesis")
    return tuple(
        Images(images[:600], labels[:600].astype(np.int64), float(parts.white))
        for images, labels in (
            (parts.train_images, parts.train_labels),
            (parts.test_images, parts.test_labels),
        )
    )


def run(data, path=None, stops=(0.0, 1.0, 3.0), recipe=RECIPE, seed=0, **changes):
    images, test = data
    networks = fresh_networks((64, 30, 10), np.random.default_rng(seed), True)
    schedule = TrainingSchedule(stops, **{"batch": 20, **changes})
    return train(networks, recipe, schedule, images, {"test": test}, np.random.default_rng(1), path)


def test_it_learns(data) -> None:
    done = run(data, stops=(0.0, 3.0, 12.0), batch=5)
    first, *_, last = done.rows
    assert first["test_error_percent"] > 70 and last["test_error_percent"] < 20
    assert last["test_forward_error_percent"] < 40 and last["dead_classes"] == 0
    assert last["training_error_percent"] == errors(done.networks, RECIPE, data[0]).minus
    assert done.batches == 12 * 600 / 5 and done.ended_epoch == -1


def test_a_killed_run_goes_on_with_the_same_bits(data, tmp_path) -> None:
    whole = run(data)
    path = tmp_path / "folder" / "run.npz"
    run(data, path, stops=(0.0, 1.0))
    resumed = run(data, path)
    assert resumed.rows == whole.rows
    for one, other in zip(
        training._arrays(resumed.networks).values(),
        training._arrays(whole.networks).values(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_a_run_that_fails_is_stopped(data) -> None:
    lame = RECIPE._replace(learning_rates=(1e-9, 1e-9))
    stops = (0.0, 1.0, 2.0, 3.0, 4.0)
    done = run(data, stops=stops, recipe=lame, failure=Failure(after=2.0, percent=50.0))
    assert done.ended_epoch == 3.0 and len(done.rows) == 4 and not done.diverged
    assert len(run(data, stops=stops, recipe=lame, failure=Failure(2.0, 99.0)).rows) == 5
    assert len(run(data, stops=stops, recipe=lame).rows) == 5


def test_a_run_that_diverges_says_where(data, monkeypatch) -> None:
    monkeypatch.setattr(training, "train_batches", lambda *given: 3)
    done = run(data)
    assert done.diverged and done.ended_epoch == 1.0 and len(done.rows) == 2


@pytest.mark.parametrize("untied", [False, True])
def test_every_parameter_counts_as_divergence(data, untied) -> None:
    """A hidden bias that is no number; compiled, and with feedback matrices."""
    order, betas = np.arange(15).reshape(3, 5), np.full(3, 0.5)
    networks = fresh_networks((64, 12, 10), np.random.default_rng(0), False, untied)
    assert training.train_batches(networks, RECIPE, data[0], order, betas) == 3
    networks.equilibrium.biases[0][-1] = np.nan
    assert training.train_batches(networks, RECIPE, data[0], order, betas) == 0


def test_signs_of_beta_are_drawn_or_plus(data, monkeypatch) -> None:
    seen = []

    def record(networks, recipe, images, order, betas):
        seen.append((order, betas))
        return len(order)

    monkeypatch.setattr(training, "train_batches", record)
    run(data, stops=(0.5, 2.0))
    order = np.concatenate([each[0] for each in seen])
    betas = np.concatenate([each[1] for each in seen])
    np.testing.assert_array_equal(order.ravel(), np.arange(1200) % 600)
    assert set(betas) == {-0.5, 0.5}
    seen.clear()
    run(data, stops=(1.0,), signs="plus")
    assert set(seen[0][1]) == {0.5}


def test_progress_is_told(data, capsys) -> None:
    images, test = data
    networks = fresh_networks((64, 30, 10), np.random.default_rng(0), False)
    rng = np.random.default_rng(0)
    done = train(
        networks, RECIPE, TrainingSchedule((0.0,), 20), images, {"test": test}, rng,
        name="plain.0", measure=lambda networks: {"extra": 3},
    )  # fmt: skip
    assert "plain.0, epoch 0/0: error training" in capsys.readouterr().err
    assert done.rows[0]["extra"] == 3 and np.isnan(done.rows[0]["test_forward_error_percent"])


def test_compiled_and_readable_training_are_the_same(data) -> None:
    images, test = data
    order, betas = np.arange(60).reshape(3, 20), np.array([0.5, -0.5, 0.5])
    found = []
    for compiled in (True, False):
        rng = np.random.default_rng(0)
        networks = fresh_networks((64, 30, 10), rng, False, dtype="float64")
        if not compiled:
            transposed = tuple(w.T.copy() for w in networks.equilibrium.weights[1:])
            networks = networks._replace(
                equilibrium=networks.equilibrium._replace(feedback=transposed)
            )
        classes, _ = training.predict(networks, RECIPE, test)
        assert training.train_batches(networks, RECIPE, images, order[:1], betas[:1]) == 1
        found.append((classes, networks.equilibrium.weights[0]))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    # The first layer's update is the same with tied weights and with transposes of their own.
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=0, atol=1e-12)


def test_binary_communication_learns_and_resumes(data, tmp_path) -> None:
    coding = Coding(Adaptive(0.0346, 1e-15), Schedule(0.275))
    recipe = BinaryRecipe(coding, 30, 15, 0.5, (0.4, 0.2))
    whole = run_binary(data, recipe)
    first, last = (whole.rows[place]["test_error_percent"] for place in (0, -1))
    assert last < 50 < first  # single precision: machines differ by 10 %
    path = tmp_path / "run.npz"
    run_binary(data, recipe, path, (0.0, 1.0))
    assert [row["epoch"] for row in run_binary(data, recipe, path).rows] == [0.0, 1.0, 8.0]
    assert run_binary(data, recipe, path).rows[-1] == run_binary(data, recipe).rows[-1] | {
        "training_forward_error_percent": pytest.approx(float("nan"), nan_ok=True),
        "test_forward_error_percent": pytest.approx(float("nan"), nan_ok=True),
    }


def run_binary(data, recipe, path=None, stops=(0.0, 1.0, 8.0)):
    images, test = data
    networks = fresh_networks((64, 30, 10), np.random.default_rng(0), False)
    schedule = TrainingSchedule(stops, batch=5)
    return train(networks, recipe, schedule, images, {"test": test}, np.random.default_rng(1), path)


BITS = BinaryRecipe(Coding(Adaptive(0.0346, 1e-15), Schedule(0.275)), 20, 4, 0.5, (0.4, 0.2))
ORDER, BETAS = np.arange(60).reshape(3, 20), np.array([0.5, -0.5, 0.5])


def double(seed=0):
    """Both networks in float64."""
    return fresh_networks((64, 30, 10), np.random.default_rng(seed), True, dtype="float64")


def arrays(networks):
    """All parameters."""
    return [array for network in networks for array in (*network.weights, *network.biases)]


@pytest.mark.parametrize("changes", [{"pull": 0.1, "informed": True}, {"informed": True}])
def test_initialised_bits_learn_as_the_readable_form(data, changes) -> None:
    images, recipe = data[0], BITS._replace(**changes)
    ours, theirs, other = double(), double(), double()
    assert training.train_batches(ours, recipe, images, ORDER, BETAS) == 3
    training.train_batches(other, recipe._replace(pull=0.3), images, ORDER, BETAS)
    for samples, beta in zip(ORDER, BETAS, strict=True):
        inputs = intensities(images.images[samples], images.white, np.float64)
        targets = np.eye(10)[images.labels[samples]]
        learn_initialised_binary(*theirs, recipe, inputs, targets, beta)
    for one, same, begun in zip(arrays(ours), arrays(theirs), arrays(double()), strict=True):
        np.testing.assert_allclose(one, same, rtol=0, atol=1e-11)
        assert np.abs(one - begun).max() > 1e-6
    assert np.abs(arrays(other)[0] - arrays(ours)[0]).max() > 1e-6


def test_an_initialised_network_of_bits_is_tested_from_its_forward_pass(data) -> None:
    """A network whose equilibrium part knows nothing is as good as its forward pass, at first."""
    done = run(data, stops=(0.0, 12.0), batch=5)
    guess = training.guesses(done.networks.initialiser, data[1])[:, -10:].argmax(axis=1)
    for matrix in done.networks.equilibrium.weights:
        matrix[...] = 0.0
    still = BITS._replace(coding=Coding(Schedule(0.0), Schedule(0.275)), informed=True)
    settled, forward = training.predict(done.networks, still, data[1])
    np.testing.assert_array_equal(forward, guess)
    # States begin clipped, so outputs below 0 are alike.
    begun = np.clip(training.guesses(done.networks.initialiser, data[1])[:, -10:], 0, 1)
    np.testing.assert_array_equal(settled, begun.argmax(axis=1))
    forgets, _ = training.predict(done.networks, BITS, data[1])
    assert (forgets != guess).mean() > 0.5


def test_asymmetric_networks_are_tested_with_their_forward_pass(data) -> None:
    networks = double()
    transposed = tuple(weight.T.copy() for weight in networks.equilibrium.weights[1:])
    untied = networks._replace(equilibrium=networks.equilibrium._replace(feedback=transposed))
    for one, other in zip(
        training.predict(untied, RECIPE, data[1]),
        training.predict(networks, RECIPE, data[1]),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
