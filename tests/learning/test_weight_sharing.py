"""The error network against autograd, and gradients of shared parameters."""

from types import SimpleNamespace

import pytest
import torch

from plausible.errors import ConfigError
from plausible.learning.backprop import gradients
from plausible.learning.weight_sharing import (
    ForwardNetwork,
    convolution_index,
    error_network,
    local_gradients,
    run_errors,
    run_forward,
    sgd_step,
    tie,
    tied_gradient,
)
from plausible.networks.activations import make_activation

SIZES = (6, 5, 4, 3)


def normal(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def network(activation: str = "tanh") -> ForwardNetwork:
    return ForwardNetwork(
        tuple(normal(i, SIZES[i], SIZES[i + 1]) for i in range(3)),
        tuple(normal(10 + i, SIZES[i + 1]) for i in range(3)),
        make_activation(SimpleNamespace(activation=activation)),
    )


INPUTS, TARGETS = normal(20, 8, 6), normal(21, 8, 3)


def gradients_of(forward: ForwardNetwork, inputs=INPUTS, targets=TARGETS):
    """Errors, and gradients of 1/2 sum |output - target|^2."""
    activities, slopes = run_forward(forward, inputs)
    errors = run_errors(error_network(forward, slopes), activities[-1] - targets)
    return activities, errors, *local_gradients(activities, slopes, errors)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "identity"])
def test_errors_and_gradients_against_autograd(activation) -> None:
    forward = network(activation)
    ours, errors, weight_gradients, bias_gradients = gradients_of(forward)
    weights = [value.clone().requires_grad_() for value in forward.weights]
    biases = [value.clone().requires_grad_() for value in forward.biases]
    activities = [INPUTS.clone().requires_grad_()]
    for weight, bias in zip(weights, biases, strict=True):
        activities.append(forward.activation.value(activities[-1] @ weight + bias))
        activities[-1].retain_grad()
    (0.5 * (activities[-1] - TARGETS).square().sum()).backward()
    for a, b in zip(ours, activities, strict=True):
        assert torch.allclose(a, b.detach(), rtol=0, atol=1e-14)
    for name, found, leaves in (
        ("error", errors, activities),
        ("weight", weight_gradients, weights),
        ("bias", bias_gradients, biases),
    ):
        for a, b in zip(found, leaves, strict=True):
            assert torch.allclose(a, b.grad, rtol=0, atol=1e-10), name


def test_gradients_against_finite_differences() -> None:
    forward = network()
    found = gradients_of(forward)[2]
    for layer, gradient in enumerate(found):
        for entry in range(gradient.numel()):
            losses = []
            for step in (1e-5, -1e-5):
                moved = [value.clone() for value in forward.weights]
                moved[layer].view(-1)[entry] += step
                output = run_forward(forward._replace(weights=tuple(moved)), INPUTS)[0][-1]
                losses.append(0.5 * (output - TARGETS).square().sum())
            slope = float(losses[0] - losses[1]) / 2e-5
            assert slope == pytest.approx(float(gradient.reshape(-1)[entry]), abs=1e-6)


def test_the_networks_share_their_memory() -> None:
    """A change of the forward weights is one of the error weights; copies go wrong."""
    forward = network()
    activities, slopes = run_forward(forward, INPUTS)
    backward = error_network(forward, slopes)
    frozen = backward._replace(weights=tuple(weight.clone() for weight in backward.weights))
    for ours, theirs in zip(backward.weights, reversed(forward.weights), strict=True):
        assert ours.data_ptr() == theirs.data_ptr() and ours.shape == theirs.T.shape
    forward.weights[1].mul_(-1.0)
    activities, slopes = run_forward(forward, INPUTS)
    error = activities[-1] - TARGETS
    backward = backward._replace(gates=tuple(reversed(slopes)))
    fresh = run_errors(error_network(forward, slopes), error)
    assert all(torch.equal(a, b) for a, b in zip(run_errors(backward, error), fresh, strict=True))
    stale = run_errors(frozen._replace(gates=tuple(reversed(slopes))), error)
    assert not torch.allclose(stale[0], fresh[0], rtol=0.1)


def test_mean_of_minibatch_gradients_is_the_full_gradient(make_problem) -> None:
    problem = make_problem(batch=12)
    _, full = gradients(problem.network, problem.inputs, problem.one_hot)
    parts = [
        gradients(problem.network, problem.inputs[i : i + 3], problem.one_hot[i : i + 3])[1]
        for i in range(0, 12, 3)
    ]
    for layer, whole in enumerate(full.weights):
        mean = torch.stack([part.weights[layer] for part in parts]).mean(dim=0)
        assert torch.allclose(mean, whole, rtol=0, atol=1e-10)
    # One minibatch alone is an approximation only.
    assert not torch.allclose(parts[0].weights[0], full.weights[0], rtol=0, atol=1e-3)


def test_a_small_step_lowers_the_loss_by_the_squared_gradient() -> None:
    forward = network()
    weights = gradients_of(forward)[2]

    def loss(rate: float) -> float:
        moved = forward._replace(weights=tuple(sgd_step(forward.weights, weights, rate)))
        return float(0.5 * (run_forward(moved, INPUTS)[0][-1] - TARGETS).square().sum())

    slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
    assert slope == pytest.approx(-sum(float(g.square().sum()) for g in weights), rel=1e-7)


def test_spatial_sharing_is_a_convolution() -> None:
    kernel, inputs = normal(30, 4), normal(31, 5, 9)
    index = convolution_index(9, 4)
    matrix = tie(kernel, index)
    leaf = kernel.clone().requires_grad_()
    expected = torch.nn.functional.conv1d(inputs[:, None], leaf[None, None])[:, 0]
    assert torch.allclose(inputs @ matrix, expected.detach(), rtol=0, atol=1e-14)
    error = normal(32, 5, 6)
    (expected * error).sum().backward()
    dense = inputs.T @ error  # gradient as if each place had weights of its own
    assert torch.allclose(tied_gradient(dense, index, 4), leaf.grad, rtol=0, atol=1e-12)


def test_unknown_parameters() -> None:
    with pytest.raises(ConfigError, match="from 0 to 4"):
        tie(torch.zeros(4), torch.tensor([[0, 4]]))
    with pytest.raises(ConfigError, match="from -2 to 1"):
        tie(torch.zeros(4), torch.tensor([[-2, 1]]))
