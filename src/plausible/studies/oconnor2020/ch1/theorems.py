"""Backprop, recurrence and shared weights of chapter 1, and all theorems of the chapter as a sweep.

O'Connor 2020, sections 1.1, 1.1.1 and 1.1.3. References are autograd on a network written out for
it, and finite differences of fourth order; both share no code with the implementation.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import torch
from torch import Tensor

from plausible.learning.bptt import backprop_through_time, convolution_gradients
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
from plausible.networks.recurrent import Recurrent, TemporalConvolution, convolve, unroll
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, normal, relative_difference
from plausible.seeds import torch_seed

SIZES = (6, 5, 4, 3)
BATCH, MINIBATCH = 12, 3
STEPS, UNITS, FEATURES, TAPS = 7, 4, 3, 3
DIFFERENCE_STEP = 2e-4
"""Of the finite differences: their error grows with its fourth power."""
APART = 1e-3
"""A relative difference above this is no rounding error."""


def generator(entry: str, seed: int) -> torch.Generator:
    """Random stream of one entry and seed."""
    named = torch_seed("oconnor2020", "theorems_chapter1", seed, entry)
    return torch.Generator().manual_seed(named)


def activation(name: str):
    """Activation of the networks in this module."""
    return make_activation(SimpleNamespace(activation=name))


def slopes_by_differences(loss: Callable[[list[Tensor]], Tensor], leaves: Sequence[Tensor]):
    """Gradient of ``loss(leaves)`` entry by entry, (8 (f_1 - f_-1) - (f_2 - f_-2)) / 12 h."""
    gradients = []
    for which, leaf in enumerate(leaves):
        gradient = torch.zeros_like(leaf)
        for entry in range(leaf.numel()):
            values = {}
            for shift in (-2, -1, 1, 2):
                moved = [value.clone() for value in leaves]
                moved[which].view(-1)[entry] += shift * DIFFERENCE_STEP
                values[shift] = loss(moved)
            slope = (8 * (values[1] - values[-1]) - (values[2] - values[-2])) / 12
            gradient.view(-1)[entry] = slope / DIFFERENCE_STEP
        gradients.append(gradient)
    return gradients


def by_autograd(loss: Callable[[list[Tensor]], Tensor], leaves: Sequence[Tensor]) -> list[Tensor]:
    """Gradient of ``loss(leaves)`` by torch."""
    copies = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    return list(torch.autograd.grad(loss(copies), copies))


def _network(rng: torch.Generator, name: str) -> ForwardNetwork:
    pairs = list(zip(SIZES, SIZES[1:], strict=False))
    return ForwardNetwork(
        tuple(normal(rng, fan_out, fan_in) for fan_in, fan_out in pairs),
        tuple(normal(rng, fan_out) for _, fan_out in pairs),
        activation(name),
    )


def _written_out(name: str, inputs: Tensor, targets: Tensor) -> Callable[[list[Tensor]], Tensor]:
    """Mean over the samples of 1/2 |output - target|^2, of weights and biases W1 b1 W2 b2 .."""
    functions = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}

    def loss(leaves: list[Tensor]) -> Tensor:
        values = inputs
        for weight, bias in zip(leaves[::2], leaves[1::2], strict=True):
            values = functions[name](torch.einsum("oi,bi->bo", weight, values) + bias)
        return 0.5 * (values - targets).square().sum() / len(inputs)

    return loss


def _mean_gradients(network: ForwardNetwork, inputs: Tensor, targets: Tensor) -> list[Tensor]:
    """Gradients W1 b1 W2 b2 .. of the same loss, by the implementation."""
    activities, slopes = run_forward(network, inputs)
    errors = run_errors(error_network(network, slopes), (activities[-1] - targets) / len(inputs))
    return _interleaved(*local_gradients(activities, slopes, errors))


def _interleaved(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> list[Tensor]:
    return [part for pair in zip(weights, biases, strict=True) for part in pair]


def backprop_sgd(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.3-1.5: gradients, their means over minibatches, and the step."""
    rng = generator("eq1.5", seed)
    inputs, targets = normal(rng, BATCH, SIZES[0]), normal(rng, BATCH, SIZES[-1])
    apart, differences = [], []
    for name in ("tanh", "sigmoid", "relu"):
        network = _network(rng, name)
        leaves = _interleaved(network.weights, network.biases)
        loss = _written_out(name, inputs, targets)
        found = _mean_gradients(network, inputs, targets)
        apart.append(relative_difference(found, by_autograd(loss, leaves)))
        if name != "relu":  # Its kinks make finite differences wrong where one lies in between.
            numerical = slopes_by_differences(loss, leaves)
            differences.append(relative_difference(found, numerical))
    network = _network(rng, "tanh")
    full = _mean_gradients(network, inputs, targets)
    minibatches = zip(inputs.split(MINIBATCH), targets.split(MINIBATCH), strict=True)
    parts = [_mean_gradients(network, *minibatch) for minibatch in minibatches]
    mean = [torch.stack(copies).mean(dim=0) for copies in zip(*parts, strict=True)]
    single = min(relative_difference(part, full) for part in parts)
    leaves = _interleaved(network.weights, network.biases)
    loss = _written_out("tanh", inputs, targets)

    def after_step(rate: list[Tensor]) -> Tensor:
        return loss(sgd_step(leaves, full, float(rate[0])))

    (slope,) = slopes_by_differences(after_step, [torch.zeros(1, dtype=torch.float64)])
    squared = sum(float(part.square().sum()) for part in full)
    along = abs(float(slope) / squared + 1.0)
    gradients = {
        "gradients against autograd, three nonlinearities: relative": max(apart),
        "gradients against finite differences of fourth order, tanh and sigmoid: relative": max(
            differences
        ),
        "slope of the loss along the step of eq. 1.5 against -|gradient|^2: relative": along,
    }
    text = (
        f"mean of the gradients of minibatches of {MINIBATCH} against the full gradient: relative"
    )
    alone = (
        f"one minibatch of {MINIBATCH} alone gives an approximation only: smallest relative "
        "difference to the full gradient"
    )
    return [
        *checks("gradients", 1e-8, gradients),
        Check("minibatches", text, relative_difference(mean, full), 1e-10),
        Check("minibatches", alone, single, APART, ">"),
    ]


def _sequence_loss(inputs: Tensor, targets: Tensor) -> Callable[[list[Tensor]], Tensor]:
    """1/2 sum |s_t - target_t|^2 of a recurrent tanh layer, of W_x, W_s, b and s_0."""

    def loss(leaves: list[Tensor]) -> Tensor:
        input_weights, state_weights, biases, state = leaves
        total = torch.zeros((), dtype=torch.float64)
        for values, target in zip(inputs, targets, strict=True):
            state = torch.tanh(values @ input_weights.T + state @ state_weights.T + biases)
            total = total + 0.5 * (state - target).square().sum()
        return total

    return loss


def _recurrent(rng: torch.Generator):
    """A recurrent layer, its start, a sequence and what the states should be."""
    leaves = [normal(rng, UNITS, FEATURES), 0.7 * normal(rng, UNITS, UNITS), normal(rng, UNITS)]
    leaves.append(0.5 * normal(rng, BATCH, UNITS))
    return leaves, normal(rng, STEPS, BATCH, FEATURES), normal(rng, STEPS, BATCH, UNITS)


def _through_time(leaves, inputs: Tensor, targets: Tensor, window: int | None = None):
    network = Recurrent(*leaves[:3], activation("tanh"))
    record = unroll(network, inputs, leaves[3])
    return list(backprop_through_time(network, record, record.states[1:] - targets, window))


def recurrent_forms(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 1.1.1: BPTT, its truncated form, and the temporal convolution."""
    rng = generator("rnn_tcn", seed)
    leaves, inputs, targets = _recurrent(rng)
    exact = slopes_by_differences(_sequence_loss(inputs, targets), leaves)
    found = _through_time(leaves, inputs, targets)
    whole = _through_time(leaves, inputs, targets, window=STEPS)
    cut = _through_time(leaves, inputs, targets, window=2)
    kernel, biases = normal(rng, TAPS, UNITS, FEATURES), normal(rng, UNITS)

    def convolution_loss(parameters: list[Tensor]) -> Tensor:
        weights, offset = parameters
        total = torch.zeros((), dtype=torch.float64)
        for t in range(STEPS):
            drive = sum(inputs[t - k] @ weights[k].T for k in range(min(TAPS, t + 1))) + offset
            total = total + 0.5 * (torch.tanh(drive) - targets[t]).square().sum()
        return total

    network = TemporalConvolution(kernel, biases, activation("tanh"))
    ours = convolution_gradients(network, inputs, convolve(network, inputs) - targets)
    numerical = slopes_by_differences(convolution_loss, [kernel, biases])
    deviations = {
        f"BPTT over {STEPS} steps against finite differences: relative": relative_difference(
            found, exact
        ),
        "BPTT truncated to windows as long as the sequence against finite differences: "
        "relative": relative_difference(whole, exact),
        f"temporal convolution of {TAPS} inputs, weights shared over time, against finite "
        "differences: relative": relative_difference(list(ours), numerical),
    }
    text = "BPTT truncated to windows of 2 steps is another gradient: relative difference"
    truncated = Check("bptt", text, relative_difference(cut, exact), APART, ">")
    return [*checks("bptt", 1e-6, deviations), truncated]


def _errors_by_autograd(network: ForwardNetwork, inputs: Tensor, targets: Tensor) -> list[Tensor]:
    """dLoss/da of every layer, input first, of the sum over samples of 1/2 |a(L) - target|^2."""
    values = [inputs.clone().requires_grad_()]
    for weight, bias in zip(network.weights, network.biases, strict=True):
        values.append(torch.tanh(values[-1] @ weight.T + bias))
    return list(torch.autograd.grad(0.5 * (values[-1] - targets).square().sum(), values))


def shared_weights(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 1.1.3: the error network, and weights shared over space and over time."""
    rng = generator("weight_sharing", seed)
    inputs, targets = normal(rng, BATCH, SIZES[0]), normal(rng, BATCH, SIZES[-1])
    network = _network(rng, "tanh")
    activities, slopes = run_forward(network, inputs)
    errors = run_errors(error_network(network, slopes), activities[-1] - targets)
    kernel, signal = normal(rng, TAPS), normal(rng, BATCH, 9)
    index = convolution_index(9, TAPS)
    error = signal @ tie(kernel, index).T

    def convolution_loss(leaves: list[Tensor]) -> Tensor:
        return 0.5 * torch.conv1d(signal[:, None], leaves[0][None, None]).square().sum()

    spatial = tied_gradient(error.T @ signal, index, TAPS)
    leaves, sequence, wanted = _recurrent(rng)
    temporal = by_autograd(_sequence_loss(sequence, wanted), leaves)
    shown = _errors_by_autograd(network, inputs, targets)
    convolved = by_autograd(convolution_loss, [kernel])
    deviations = {
        "errors of the error network against autograd, every layer: relative": relative_difference(
            errors, shown
        ),
        "weights shared over space: gradient summed over copies against autograd of a "
        "convolution: relative": relative_difference([spatial], convolved),
        "weights shared over time: gradient summed over copies against autograd: "
        "relative": relative_difference(_through_time(leaves, sequence, wanted), temporal),
    }
    return checks("error_recursion", 1e-10, deviations)
