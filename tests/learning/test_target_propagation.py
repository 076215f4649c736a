"""Difference target propagation: targets by hand, rules by autograd, a small problem."""

import pytest
import torch
from torch.nn import functional

from plausible.errors import ConfigError
from plausible.learning.target_propagation import (
    Rates,
    difference_target,
    feedback_cosines,
    random_network,
    states,
    targets,
    train_batch,
)

SIZES = (5, 7, 6, 3)
RATES = Rates(hidden=0.1, output=0.2, feedback=0.3, target_step=0.5, noise=0.0)


def problem(sizes: tuple[int, ...] = SIZES, batch: int = 8):
    own = torch.Generator().manual_seed(1)
    network = random_network(sizes, own)
    inputs = torch.randn(batch, sizes[0], generator=own)
    labels = functional.one_hot(torch.randint(sizes[-1], (batch,), generator=own), sizes[-1])
    return network, inputs, labels.float()


def test_states_send_signs():
    network, inputs, _ = problem()
    first, second, last = network.forward
    hidden = torch.tanh(inputs @ first.weights + first.biases)
    above = torch.tanh(hidden.sign() @ second.weights + second.biases)
    outputs = torch.softmax(above.sign() @ last.weights + last.biases, dim=1)
    for found, expected in zip(
        states(network, inputs), (inputs, hidden, above, outputs), strict=True
    ):
        torch.testing.assert_close(found, expected)


def test_targets_go_down_layer_by_layer():
    network, inputs, labels = problem()
    found = states(network, inputs)
    _, hidden, above, outputs = found

    def restored(number, state):
        feedback = network.feedback[number]
        return torch.tanh(state @ feedback.weights + feedback.biases)

    upper = above + restored(1, labels) - restored(1, outputs)
    lower = hidden + restored(0, upper) - restored(0, above)
    for one, expected in zip(targets(network, found, labels), (lower, upper, labels), strict=True):
        torch.testing.assert_close(one, expected)
    same = targets(network, found, outputs)
    assert torch.equal(same[0], hidden) and torch.equal(same[1], above)


def test_a_difference_of_nothing_moves_nothing():
    state = torch.randn(4, 3, dtype=torch.float64)
    restored = 1e6 * torch.randn(4, 3, dtype=torch.float64)
    assert torch.equal(difference_target(state, restored, restored), state)


def test_each_layer_follows_its_own_gradient():
    """Hidden layers 1/2 |z - target|^2, the last the cross-entropy, feedback 1/2 |z - g|^2."""
    network, inputs, labels = problem()
    found = states(network, inputs)
    wanted = targets(network, found, found[-1] + 0.5 * (labels - found[-1]))
    after = train_batch(network, inputs, labels, RATES, torch.Generator())
    for number, (affine, moved) in enumerate(zip(network.forward, after.forward, strict=True)):
        weights = affine.weights.clone().requires_grad_()
        sent = found[number].sign() if number else found[number]
        drive = sent @ weights + affine.biases
        if number == 2:
            loss, rate = functional.cross_entropy(drive, labels), RATES.output
        else:
            loss = 0.5 * ((torch.tanh(drive) - wanted[number]) ** 2).sum() / len(inputs)
            rate = RATES.hidden
        (gradient,) = torch.autograd.grad(loss, weights)
        torch.testing.assert_close(moved.weights, affine.weights - rate * gradient)
    for number, (affine, moved) in enumerate(zip(network.feedback, after.feedback, strict=True)):
        weights = affine.weights.clone().requires_grad_()
        restored = torch.tanh(found[number + 2] @ weights + affine.biases)
        loss = 0.5 * ((found[number + 1] - restored) ** 2).sum() / len(inputs)
        (gradient,) = torch.autograd.grad(loss, weights)
        torch.testing.assert_close(moved.weights, affine.weights - RATES.feedback * gradient)


def test_it_learns_what_a_frozen_layer_cannot():
    """Parity of two signs, among inputs that say nothing."""
    own = torch.Generator().manual_seed(4)
    inputs = torch.randn(2000, 8, generator=own)
    classes = (inputs[:, 0] * inputs[:, 1] > 0).long()
    labels = functional.one_hot(classes, 2).float()

    def error(hidden_rate: float) -> float:
        network = random_network((8, 12, 2), torch.Generator().manual_seed(5))
        rates = Rates(hidden_rate, 0.1, 0.05, 0.5, 0.1)
        for _ in range(40):
            for chosen in torch.randperm(2000, generator=own).split(20):
                network = train_batch(network, inputs[chosen], labels[chosen], rates, own)
        return float((states(network, inputs)[-1].argmax(dim=1) != classes).float().mean())

    assert error(0.3) < error(0.0) - 0.1


def test_cosines_of_tied_weights_are_one():
    network, *_ = problem()
    tied = network._replace(
        feedback=tuple(
            feedback._replace(weights=2.0 * forward.weights.T)
            for feedback, forward in zip(network.feedback, network.forward[1:], strict=True)
        )
    )
    for cosines, units in zip(feedback_cosines(tied), SIZES[1:-1], strict=True):
        torch.testing.assert_close(cosines, torch.ones(units))
    assert feedback_cosines(network)[0].abs().mean() < 0.9


def test_a_network_without_hidden_layers_has_no_targets():
    with pytest.raises(ConfigError, match="three or more"):
        random_network((4, 2), torch.Generator())
