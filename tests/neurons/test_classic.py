"""Artificial, continuous-time and stochastic neurons against closed forms and autograd."""

import numpy as np
import pytest
import torch

from plausible.errors import StudyError
from plausible.neurons.classic import (
    NONLINEARITIES,
    Layer,
    collapse,
    multiplicative_noise,
    noisy_gradients,
    relax,
    respond,
    respond_all,
    respond_with_noise,
    settle,
)

RNG = np.random.default_rng(12)


def layer(outputs: int, inputs: int, nonlinearity: str) -> Layer:
    return Layer(RNG.normal(size=(inputs, outputs)), RNG.normal(size=outputs), nonlinearity)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_one_neuron_at_a_time(name) -> None:
    neurons, inputs = layer(4, 6, name), RNG.normal(size=(3, 6))
    functions = {
        "identity": lambda z: z,
        "relu": lambda z: max(z, 0.0),
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
    }
    for sample, row in zip(inputs, respond(neurons, inputs), strict=True):
        for weights, bias, output in zip(neurons.weights.T, neurons.biases, row, strict=True):
            drive = sum(x * w for x, w in zip(sample, weights, strict=True)) + bias
            assert output == pytest.approx(functions[name](drive), abs=1e-14)


def test_sigmoid_of_large_numbers() -> None:
    neuron = Layer(np.array([[1.0]]), np.zeros(1), "sigmoid")
    assert respond(neuron, np.array([[1e4], [-1e4], [0.0]])).ravel().tolist() == [1.0, 0.0, 0.5]


def test_linear_layers_are_one_linear_map() -> None:
    layers = [layer(7, 5, "identity"), layer(6, 7, "identity"), layer(3, 6, "identity")]
    inputs = RNG.normal(size=(20, 5))
    whole = collapse(layers)
    assert whole.weights.shape == (5, 3)
    np.testing.assert_allclose(
        respond(whole, inputs), respond_all(layers, inputs), rtol=0, atol=1e-12
    )


def test_layers_that_are_not_linear_do_not_collapse() -> None:
    with pytest.raises(StudyError, match="identity"):
        collapse([layer(3, 3, "identity"), layer(3, 3, "relu")])
    with pytest.raises(StudyError, match="softsign"):
        respond(layer(2, 2, "softsign"), np.zeros((1, 2)))


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_steady_state_is_the_static_neuron(name) -> None:
    neurons, inputs = layer(4, 6, name), RNG.normal(size=(3, 6))
    states = settle(neurons, inputs, start=RNG.normal(size=(3, 4)))
    static = respond(neurons, inputs)
    np.testing.assert_allclose(states[-1], static, rtol=0, atol=1e-8)
    distance = np.abs(states - static)
    np.testing.assert_allclose(distance[10], distance[0] * np.exp(-1.0), rtol=1e-10, atol=1e-14)


def test_exact_steps_follow_the_solution_of_the_equation() -> None:
    """Against an adaptive solver, with a target that jumps."""
    from scipy.integrate import solve_ivp

    targets = np.array([1.0, -2.0, 0.5])
    ours = relax(targets, 0.3, 0.7)
    state = 0.3
    for target, expected in zip(targets, ours[1:], strict=True):
        solution = solve_ivp(
            lambda t, s, target=target: target - s, (0, 0.7), [state], rtol=1e-11, atol=1e-13
        )
        state = solution.y[0, -1]
        assert expected == pytest.approx(state, abs=1e-9)


def test_euler_steps_approach_the_exact_ones() -> None:
    errors = []
    for steps in (10, 100, 1000):
        targets = np.ones(steps)
        errors.append(abs(relax(targets, 0.0, 1 / steps, "euler")[-1] - (1 - np.exp(-1))))
    assert errors[0] > 9 * errors[1] > 81 * errors[2]


def test_impossible_relaxations() -> None:
    with pytest.raises(StudyError, match="of 2 at most"):
        relax(np.ones(3), 0.0, 2.5, "euler")
    with pytest.raises(StudyError, match="positive"):
        relax(np.ones(3), 0.0, 0.0)
    with pytest.raises(StudyError, match="'exact' or 'euler'"):
        relax(np.ones(3), 0.0, 0.1, "heun")


@pytest.mark.parametrize("name", NONLINEARITIES)
@pytest.mark.parametrize("kind", ["dropout", "gaussian"])
def test_gradients_pass_through_noise(name, kind) -> None:
    """Autograd of the same function with the noise as a given input."""
    neurons, inputs = layer(4, 6, name), RNG.normal(size=(5, 6))
    noise = multiplicative_noise((5, 4), np.random.default_rng(1), kind)
    error = RNG.normal(size=(5, 4))
    weights, biases, x = (
        torch.tensor(a, requires_grad=True) for a in (neurons.weights, neurons.biases, inputs)
    )
    functions = {"identity": lambda z: z, "relu": torch.relu, "sigmoid": torch.sigmoid}
    output = functions.get(name, torch.tanh)(x @ weights + biases) * torch.tensor(noise)
    np.testing.assert_allclose(
        respond_with_noise(neurons, inputs, noise), output.detach().numpy(), rtol=0, atol=1e-14
    )
    (output * torch.tensor(error)).sum().backward()
    for ours, theirs in zip(
        noisy_gradients(neurons, inputs, noise, error), (weights, biases, x), strict=True
    ):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=0, atol=1e-12)


def test_moments_of_the_noise() -> None:
    rng = np.random.default_rng(2)
    number = 200_000
    dropout = multiplicative_noise((number,), rng, "dropout", keep=0.8)
    assert set(np.unique(dropout)) == {0.0, 1.25}
    assert dropout.mean() == pytest.approx(1.0, abs=5 * dropout.std() / np.sqrt(number))
    normal = multiplicative_noise((number,), rng, "gaussian")
    assert normal.mean() == pytest.approx(1.0, abs=5 / np.sqrt(number))
    assert normal.var() == pytest.approx(1.0, abs=5 * np.sqrt(2 / number))
    assert np.ptp(multiplicative_noise((9,), rng, "gaussian", variance=0.0)) == 0
    assert np.array_equal(multiplicative_noise((9,), rng, "dropout", keep=1.0), np.ones(9))


def test_impossible_noise() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(StudyError, match="poisson"):
        multiplicative_noise((2,), rng, "poisson")
    with pytest.raises(StudyError, match="keep = 0"):
        multiplicative_noise((2,), rng, keep=0.0)
