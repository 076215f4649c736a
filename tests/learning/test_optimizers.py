"""SGD and Adam against torch.optim and against the formulas, number by number."""

import math

import pytest
import torch

from plausible.learning.optimizers import adam_step, init_optimizer, learned_parameters
from plausible.learning.settings import TrainingSettings
from plausible.learning.update import update
from plausible.networks.mlp import clone_network

BASE = TrainingSettings(optimizer="adam", learning_rate=0.03)


def parameters(network):
    return [each for pair in learned_parameters(network).values() for each in pair]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_ten_updates_equal_torch_optim(make_problem, autograd, optimizer, batch_norm):
    network, inputs, one_hot, settings = make_problem(
        optimizer=optimizer, learning_rate=0.02, batch_norm=batch_norm
    )
    reference = clone_network(network)
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
    torch_optimizer = kind(parameters(reference), lr=0.02)
    state = init_optimizer(network, settings)
    for _ in range(10):
        state, _ = update(network, state, inputs, one_hot, settings)
        _, expected = autograd(reference, inputs, one_hot, True)
        assign_gradients(reference, expected, batch_norm)
        torch_optimizer.step()
    assert state.step == 10
    for layer in range(3):
        torch.testing.assert_close(
            network.weights[layer], reference.weights[layer], rtol=1e-10, atol=1e-12
        )
    if batch_norm:
        torch.testing.assert_close(
            network.batch_norms[1].gain, reference.batch_norms[1].gain, rtol=1e-10, atol=1e-12
        )
    else:
        torch.testing.assert_close(network.biases[0], reference.biases[0], rtol=1e-10, atol=1e-12)


def assign_gradients(network, expected, batch_norm):
    for (kind, layer), pair in learned_parameters(network).items():
        names = ("weights", "biases") if kind == "linear" else ("gains", "shifts")
        for name, parameter in zip(names, pair, strict=True):
            gradient = expected[name][layer]
            if batch_norm and name == "biases" and layer < 2:
                # Zero up to rounding, which Adam would blow up to steps of random sign.
                gradient = torch.zeros_like(gradient)
            parameter.grad = gradient


@pytest.mark.parametrize("correction", ["powers", "as_printed"])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("per_sample", [False, True])
def test_adam_switches_against_the_formulas(correction, inside, per_sample):
    settings = BASE.changed(adam_bias_correction=correction, adam_epsilon_inside_root=inside)
    parameter = torch.tensor([0.5], dtype=torch.float64)
    first, second = torch.zeros_like(parameter), torch.zeros_like(parameter)
    w, m, v = 0.5, 0.0, 0.0
    # Tiny gradients too, so that epsilon matters.
    for step, g in enumerate([3.0, -1e-4, 2e-5, 1e-5, -1e-3], start=1):
        square = 7.0 * g * g if per_sample else None
        adam_step(
            parameter,
            torch.tensor([g], dtype=torch.float64),
            torch.tensor([square], dtype=torch.float64) if per_sample else None,
            first,
            second,
            step,
            settings,
        )
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * (square if per_sample else g * g)
        power = step if correction == "powers" else 1
        c1, c2 = 1 - 0.9**power, 1 - 0.999**power
        if inside:
            w -= 0.03 * math.sqrt(c2) / c1 * m / math.sqrt(v + 1e-8)
        else:
            w -= 0.03 * (m / c1) / (math.sqrt(v / c2) + 1e-8)
        assert float(parameter) == pytest.approx(w, rel=1e-12)


def test_first_adam_step_has_the_size_of_the_learning_rate():
    parameter = torch.zeros(3, dtype=torch.float64)
    gradient = torch.tensor([5.0, -0.01, 1e3], dtype=torch.float64)
    zeros = torch.zeros_like(parameter)
    adam_step(parameter, gradient, None, zeros.clone(), zeros.clone(), 1, BASE)
    expected = torch.tensor([-0.03, 0.03, -0.03], dtype=torch.float64)
    torch.testing.assert_close(parameter, expected, rtol=1e-5, atol=0)


def test_per_sample_second_moment_makes_smaller_steps(make_problem):
    """mean(g^2) >= (mean g)^2, so no weight can move further than with Adam's own moment."""
    moves = {}
    for moment in ("batch_gradient", "per_sample"):
        network, inputs, one_hot, settings = make_problem(
            optimizer="adam", adam_second_moment=moment
        )
        before = network.weights[0].clone()
        update(network, init_optimizer(network, settings), inputs, one_hot, settings)
        moves[moment] = (network.weights[0] - before).abs()
    assert (moves["per_sample"] <= moves["batch_gradient"] * (1 + 1e-9)).all()
    assert float(moves["per_sample"].mean()) < 0.8 * float(moves["batch_gradient"].mean())


def test_without_affine_gain_and_shift_stay(make_problem):
    network, inputs, one_hot, settings = make_problem(
        optimizer="adam", batch_norm=True, batch_norm_affine=False
    )
    state = init_optimizer(network, settings)
    assert not any(kind == "batch_norm" for kind, _ in state.moments)
    update(network, state, inputs, one_hot, settings)
    for norm in network.batch_norms[:2]:
        assert torch.equal(norm.gain, torch.ones_like(norm.gain))
        assert torch.equal(norm.shift, torch.zeros_like(norm.shift))
