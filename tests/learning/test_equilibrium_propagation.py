"""Equilibrium propagation against implicit differentiation, finite differences and slow loops."""

import numpy as np
import pytest
import torch

from plausible.errors import StudyError
from plausible.learning.equilibrium_gradient import fixed_point_gradient
from plausible.learning.equilibrium_propagation import (
    DIRECTED,
    FIXED,
    HEBBIAN,
    LINEARISED,
    Recipe,
    both_phases,
    check_recipe,
    contrast,
    learn,
    negative_phase,
)
from plausible.learning.initialiser import (
    global_gradients,
    layer_losses,
    local_gradients,
)
from plausible.measure.slopes import log_slope
from plausible.networks.equilibrium import Forces, fixed_point, make_equilibrium, zero_states
from plausible.networks.initialiser import forward_pass, make_initialiser

SIZES = (6, 8, 7, 4)


def problem(seed: int, untied: bool = False, batch: int = 5):
    rng = np.random.default_rng(seed)
    network = make_equilibrium(SIZES, rng, untied)
    network = network._replace(
        weights=tuple(0.35 * each for each in network.weights),
        biases=tuple(rng.uniform(0.2, 0.7, size) for size in SIZES[1:]),
    )
    if untied:
        network = network._replace(feedback=tuple(0.35 * each for each in network.feedback))
    targets = np.eye(SIZES[-1])[rng.integers(SIZES[-1], size=batch)]
    return network, rng.uniform(size=(batch, SIZES[0])), targets, rng


def flat(gradients) -> np.ndarray:
    parts = [*gradients.weights, *gradients.biases, *(gradients.feedback or ())]
    return np.concatenate([part.ravel() for part in parts])


def loss(network, inputs, targets) -> float:
    settled = fixed_point(network, inputs, zero_states(network, len(inputs))).states[-1]
    return float(((settled - targets) ** 2).sum(axis=1).mean())


@pytest.mark.parametrize("untied", [False, True])
def test_implicit_gradient_is_the_finite_difference(untied) -> None:
    network, inputs, targets, _ = problem(0, untied)
    settled = fixed_point(network, inputs, zero_states(network, 5)).states
    found = fixed_point_gradient(network, inputs, settled, targets)
    kinds = ("weights", "biases", *(["feedback"] if untied else []))
    for kind in kinds:
        for layer, array in enumerate(getattr(network, kind)):
            place = (2, 1)[: array.ndim]
            array[place] += 1e-6
            up = loss(network, inputs, targets)
            array[place] -= 2e-6
            down = loss(network, inputs, targets)
            array[place] += 1e-6
            expected = getattr(found, kind)[layer][place]
            assert (up - down) / 2e-6 == pytest.approx(expected, abs=1e-6)


def test_gradient_of_what_the_input_sends() -> None:
    """Of inputs beyond 1 the network hears 1."""
    network, inputs, targets, _ = problem(0)
    settled = fixed_point(network, inputs, zero_states(network, 5)).states
    clipped, loud = np.minimum(2.0 * inputs, 1.0), 2.0 * inputs
    assert (loud > 1.0).any()
    one, other = (
        flat(fixed_point_gradient(network, each, settled, targets)) for each in (clipped, loud)
    )
    np.testing.assert_array_equal(one, other)


def test_gradient_of_other_networks_is_refused() -> None:
    network, inputs, targets, _ = problem(0)
    states = zero_states(network, 5)
    with pytest.raises(StudyError, match="expected the hard sigmoid"):
        other = network._replace(rho=network.rho._replace(leak=0.01))
        fixed_point_gradient(other, inputs, states, targets)
    with pytest.raises(StudyError, match="states from 0 to 1"):
        beyond = (*states[:-1], states[-1] + 1.5)
        fixed_point_gradient(network, inputs, beyond, targets)


@pytest.mark.parametrize("form", ["energy", LINEARISED])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_contrast_tends_to_the_gradient_to_first_order_in_beta(form, sign) -> None:
    network, inputs, targets, _ = problem(1)
    minus = fixed_point(network, inputs, zero_states(network, 5)).states
    expected = flat(fixed_point_gradient(network, inputs, minus, targets))
    betas, off = (0.01, 0.003, 0.001), []
    for beta in betas:
        plus = fixed_point(network, inputs, minus, Forces(target=targets, beta=sign * beta)).states
        found = flat(contrast(network, inputs, minus, plus, sign * beta, form))
        off.append(np.linalg.norm(found - expected) / np.linalg.norm(expected))
    assert off[-1] < 0.01 and log_slope(betas, off) == pytest.approx(1.0, abs=0.1)


def test_contrast_with_a_pull_tends_to_the_gradient_too() -> None:
    network, inputs, targets, rng = problem(2)
    anchors = tuple(rng.uniform(0.2, 0.8, (5, size)) for size in SIZES[1:])
    forces = Forces(anchors, 0.5)
    minus = fixed_point(network, inputs, zero_states(network, 5), forces).states
    expected = flat(fixed_point_gradient(network, inputs, minus, targets, 0.5))
    nudged = forces._replace(target=targets, beta=1e-4)
    plus = fixed_point(network, inputs, minus, nudged).states
    found = flat(contrast(network, inputs, minus, plus, 1e-4))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3 * np.abs(expected).max())


def test_contrast_of_products_weight_by_weight() -> None:
    network, inputs, targets, rng = problem(3)
    minus, plus = (tuple(rng.uniform(-0.2, 1.2, (5, size)) for size in SIZES[1:]) for _ in range(2))
    beta = -0.4
    found = contrast(network, inputs, minus, plus, beta)
    linear = contrast(network, inputs, minus, plus, beta, LINEARISED)
    one_way = contrast(
        network._replace(feedback=tuple(w.T for w in network.weights[1:])),
        inputs, minus, plus, beta,
    )  # fmt: skip
    rho = lambda value: np.clip(value, 0, 1)  # noqa: E731
    i, j = 3, 2
    pre, post = ([rho(phase[0][:, i]), rho(phase[1][:, j])] for phase in (minus, plus))
    product = np.mean(post[0] * post[1] - pre[0] * pre[1]) / -beta
    assert found.weights[1][i, j] == pytest.approx(product)
    forward = np.mean(pre[0] * (post[1] - pre[1])) / -beta
    backward = np.mean((post[0] - pre[0]) * pre[1]) / -beta
    assert linear.weights[1][i, j] == pytest.approx(forward + backward)
    assert one_way.weights[1][i, j] == pytest.approx(forward)
    assert one_way.feedback[0][j, i] == pytest.approx(backward)
    assert found.biases[1][j] == pytest.approx(np.mean(post[1] - pre[1]) / -beta)


def test_forward_gradients_against_autograd() -> None:
    rng = np.random.default_rng(4)
    network = make_initialiser(SIZES, rng)
    inputs = rng.uniform(size=(5, SIZES[0]))
    passed = forward_pass(network, inputs)
    targets = tuple(rng.uniform(size=(5, size)) for size in SIZES[1:])
    weights = [torch.from_numpy(w).requires_grad_() for w in network.weights]
    biases = [torch.from_numpy(b).requires_grad_() for b in network.biases]
    for blocked, rule in ((True, local_gradients), (False, global_gradients)):
        state, losses = torch.from_numpy(inputs), []
        for weight, bias, target in zip(weights, biases, targets, strict=True):
            total = (state.detach() if blocked else state) @ weight + bias
            state = total.clamp(0, 1) + 0.01 * total
            losses.append(0.5 * ((state - torch.from_numpy(target)) ** 2).sum(1).mean())
        expected = torch.autograd.grad(sum(losses), [*weights, *biases])
        found = rule(network, inputs, passed, targets)
        for one, other in zip([*found.weights, *found.biases], expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(layer_losses(passed.states, targets), [x.item() for x in losses])
    transposes = [weight.T for weight in network.weights[1:]]
    for one, other in zip(
        global_gradients(network, inputs, passed, targets).weights,
        global_gradients(network, inputs, passed, targets, transposes).weights,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_learning_follows_algorithm_6() -> None:
    network, inputs, targets, rng = problem(5)
    initialiser = make_initialiser(SIZES, rng)
    recipe = Recipe(7, 3, 0.5, (0.3, 0.2, 0.1), pull=0.1)
    before = [array.copy() for array in (*network.weights, *initialiser.weights)]
    phases = both_phases(network, initialiser, recipe, inputs, targets, -0.5)
    settled, _ = negative_phase(network, initialiser, recipe, inputs)
    np.testing.assert_array_equal(settled[1], phases.minus[1])
    moved = contrast(network, inputs, phases.minus, phases.plus, -0.5)
    guess = local_gradients(initialiser, inputs, phases.forward, phases.minus)
    learn(network, initialiser, recipe, inputs, targets, -0.5)
    after = [*network.weights, *initialiser.weights]
    for old, new, gradient, rate in zip(
        before, after, (*moved.weights, *guess.weights), 2 * recipe.learning_rates, strict=True
    ):
        np.testing.assert_allclose(new, old - rate * gradient, rtol=0, atol=1e-15)


@pytest.mark.parametrize("untied", [False, True])
def test_learning_lowers_the_loss(untied) -> None:
    network, inputs, targets, rng = problem(6, untied)
    initialiser = None if untied else make_initialiser(SIZES, rng)
    recipe = Recipe(30, 10, 0.3, (0.05, 0.05, 0.05))
    first = loss(network, inputs, targets)
    for _ in range(1000):
        learn(network, initialiser, recipe, inputs, targets, rng.choice((-0.3, 0.3)))
    assert loss(network, inputs, targets) < 0.2 * first
    if initialiser is not None:
        guess = forward_pass(initialiser, inputs).states[-1]
        assert ((guess - targets) ** 2).sum(axis=1).mean() < 0.5 * first


def test_recipes_that_mean_nothing_are_refused() -> None:
    good = Recipe(4, 4, 0.5, (0.1, 0.1))
    check_recipe(good, 2)
    for changed, text in (
        ({"contrast": "none"}, "contrast"),
        ({"feedback_rule": "none"}, "feedback_rule"),
        ({"forward_loss": "x"}, "forward_loss"),
        ({"forward_target": "x"}, "forward_target"),
        ({"beta": 0.0}, "beta"),
        ({"learning_rates": (0.1,)}, "learning rates"),
    ):
        with pytest.raises(StudyError, match=text):
            check_recipe(good._replace(**changed), 2)


def trained(network, rule, decay=0.0, minibatches=6):
    """Parameters after some minibatches of algorithm 6, with an initialising network."""
    _, inputs, targets, rng = problem(8)
    initialiser = make_initialiser(SIZES, np.random.default_rng(9))
    recipe = Recipe(7, 3, 0.5, (0.3, 0.2, 0.1), pull=0.1, feedback_rule=rule, decay=decay)
    for _ in range(minibatches):
        learn(network, initialiser, recipe, inputs, targets, rng.choice((-0.5, 0.5)))
    return network


def test_transposes_that_learn_by_products_stay_transposes() -> None:
    """So the network is the symmetric one; with other feedback, or another rule, it is not."""
    symmetric = trained(problem(7)[0], HEBBIAN)
    begun = problem(7)[0]
    transposes = tuple(weight.T.copy() for weight in begun.weights[1:])
    ours = trained(begun._replace(feedback=transposes), HEBBIAN)
    for matrix, feedback in zip(ours.weights[1:], ours.feedback, strict=True):
        np.testing.assert_array_equal(matrix.T, feedback)
    for one, other in zip(symmetric.weights, ours.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    for rule, feedback in ((FIXED, [w.T for w in problem(7)[0].weights[1:]]), (HEBBIAN, None)):
        begun = problem(7, untied=True)[0]
        feedback = begun.feedback if feedback is None else tuple(each.copy() for each in feedback)
        other = trained(begun._replace(feedback=feedback), rule)
        assert np.abs(other.weights[1] - symmetric.weights[1]).max() > 1e-6


def test_asymmetry_decays_by_the_share_that_is_lost() -> None:
    """Kolen and Pollack: W - B^T is multiplied by 1 - decay, and by nothing else."""
    begun = problem(7, untied=True)[0]
    before = [w - b.T for w, b in zip(begun.weights[1:], begun.feedback, strict=True)]
    for decay in (0.0, 0.1):
        network = problem(7, untied=True)[0]
        first = [array.copy() for array in network.weights]
        trained(network, HEBBIAN, decay)
        for was, w, b in zip(before, network.weights[1:], network.feedback, strict=True):
            np.testing.assert_allclose(w - b.T, (1 - decay) ** 6 * was, rtol=0, atol=1e-13)
        assert np.abs(network.weights[1] - (1 - decay) ** 6 * first[1]).max() > 1e-4
    fixed = trained(problem(7, untied=True)[0], FIXED)
    for kept, b in zip(begun.feedback, fixed.feedback, strict=True):
        np.testing.assert_array_equal(kept, b)
    directed = trained(problem(7, untied=True)[0], DIRECTED)
    assert max(
        np.abs(w - b.T - was).max()
        for was, w, b in zip(before, directed.weights[1:], directed.feedback, strict=True)
    ) > 1e-6  # fmt: skip
