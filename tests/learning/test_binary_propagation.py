"""Phases and updates of binary equilibrium propagation, against their definition."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.learning.binary_propagation import (
    BinaryRecipe,
    binary_phases,
    check_binary_recipe,
    learn_binary,
)
from plausible.networks.binary_equilibrium import Coding, at_rest, settle_binary
from plausible.networks.equilibrium import make_equilibrium
from plausible.neurons.step_sizes import Adaptive, Schedule

SIZES = (6, 5, 4, 3)
RNG = np.random.default_rng(5)
INPUTS, TARGETS = RNG.random((4, 6)), np.eye(3)[[0, 2, 1, 1]]
RECIPE = BinaryRecipe(Coding(Adaptive(0.05), Schedule(0.3)), 30, 12, 0.5, (0.1, 0.05, 0.02))


def network():
    return make_equilibrium(SIZES, np.random.default_rng(1))


def test_update_connection_by_connection():
    before, after = network(), network()
    phases = learn_binary(after, RECIPE, INPUTS, TARGETS, beta=-0.5)
    minus, plus = ([INPUTS, *each.states] for each in phases)
    for layer, rate in enumerate(RECIPE.learning_rates):
        for i in range(SIZES[layer]):
            for j in range(SIZES[layer + 1]):
                total = 0.0
                for n in range(len(INPUTS)):
                    pre, post = minus[layer][n, i], minus[layer + 1][n, j]
                    total += pre * (plus[layer + 1][n, j] - post)
                    total += (plus[layer][n, i] - pre) * post
                change = rate / -0.5 * total / len(INPUTS)
                found = after.weights[layer][i, j] - before.weights[layer][i, j]
                assert found == pytest.approx(change, abs=1e-14)
        step = rate / -0.5 * (plus[layer + 1] - minus[layer + 1]).mean(axis=0)
        np.testing.assert_allclose(after.biases[layer], step, atol=1e-15)


def test_encoders_go_on_into_the_second_phase():
    phases = binary_phases(network(), RECIPE, INPUTS, TARGETS, beta=0.0)
    whole = settle_binary(network(), RECIPE.coding, INPUTS, at_rest(network(), 4), 42)
    np.testing.assert_array_equal(phases.plus.states[0], whole.states[0])
    assert phases.minus.time == 30 and phases.plus.time == 42


def test_from_a_checkpoint_nothing_is_learnt_without_a_nudge():
    """A nudge towards the outputs that are there anyway: both phases are one and the same."""
    recipe = RECIPE._replace(from_checkpoint=True)
    phases = binary_phases(network(), recipe, INPUTS, TARGETS, beta=0.0)
    for minus, plus in zip(phases.minus.states, phases.plus.states, strict=True):
        np.testing.assert_array_equal(minus, plus)
    plain = binary_phases(network(), RECIPE, INPUTS, TARGETS, beta=0.0)
    assert np.abs(plain.plus.states[0] - plain.minus.states[0]).max() > 1e-3


def test_learns_what_it_is_shown():
    taught = make_equilibrium((6, 20, 3), np.random.default_rng(1))
    coding = Coding(Schedule(0.775, 0.313), Schedule(0.67, 0.578))
    recipe = BinaryRecipe(coding, 80, 40, 0.5, (0.2, 0.1))

    def loss():
        outputs = settle_binary(taught, coding, INPUTS, at_rest(taught, 4), 80).states[-1]
        return float(((outputs - TARGETS) ** 2).sum())

    first = loss()
    for number in range(100):
        learn_binary(taught, recipe, INPUTS, TARGETS, beta=(-1) ** number * 0.5)
    assert loss() < 0.3 * first


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"coding": RECIPE.coding._replace(encoder="morse")}, "encoder 'morse'"),
        ({"learning_rates": (0.1,)}, "1 learning rates were found for 3 layers"),
        ({"beta": 0.0}, "beta must not be 0"),
    ],
)
def test_recipes_that_mean_nothing_are_refused(changed, words):
    check_binary_recipe(RECIPE, 3)
    with pytest.raises(StudyError, match=words):
        check_binary_recipe(RECIPE._replace(**changed), 3)
