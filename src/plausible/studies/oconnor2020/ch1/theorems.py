"""Backprop, recurrence and shared weights of chapter 1, and all theorems of the chapter as a sweep.

O'Connor 2020, sections 1.1, 1.1.1 and 1.1.3. References are autograd on a network written out for
it, and finite differences of fourth order; both share no code with the implementation.
"""

from collections.abc import Callable, Sequence
from itertools import combinations, product
from types import SimpleNamespace

import torch
from torch import Tensor

from plausible.learning.bptt import backprop_through_time, convolution_gradients
from plausible.learning.weight_sharing import (
    ErrorNetwork,
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
from plausible.measure.slopes import log_slope
from plausible.networks.activations import make_activation
from plausible.networks.recurrent import Recurrent, TemporalConvolution, convolve, unroll
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import (
    Check,
    checks,
    controls,
    normal,
    relative_difference,
)
from plausible.seeds import torch_seed

SIZES = (6, 5, 4, 3)
BATCH, SAMPLES, MINIBATCH = 12, 8, 3
STEPS, UNITS, FEATURES, TAPS, LENGTH = 7, 4, 3, 3, 9
DIFFERENCE_STEP = 2e-4
"""Of the finite differences: their error grows with its fourth power."""
RATES = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)
"""Learning rates for the loss after one step."""


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
        for entry in product(*map(range, leaf.shape)):
            values = {}
            for shift in (-2, -1, 1, 2):
                moved = [value.clone() for value in leaves]
                moved[which][entry] += shift * DIFFERENCE_STEP
                values[shift] = loss(moved)
            slope = (8 * (values[1] - values[-1]) - (values[2] - values[-2])) / 12
            gradient[entry] = slope / DIFFERENCE_STEP
        gradients.append(gradient)
    return gradients


def by_autograd(loss: Callable[[list[Tensor]], Tensor], leaves: Sequence[Tensor]) -> list[Tensor]:
    """Gradient of ``loss(leaves)`` by torch."""
    copies = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    return list(torch.autograd.grad(loss(copies), copies))


def _network(rng: torch.Generator, name: str) -> ForwardNetwork:
    pairs = list(zip(SIZES, SIZES[1:], strict=False))
    return ForwardNetwork(
        tuple(normal(rng, fan_out, fan_in).T for fan_in, fan_out in pairs),
        tuple(normal(rng, fan_out) for _, fan_out in pairs),
        activation(name),
    )


def _written_out(name: str, inputs: Tensor, targets: Tensor) -> Callable[[list[Tensor]], Tensor]:
    """Mean over the samples of 1/2 |output - target|^2, of weights and biases W1 b1 W2 b2 .."""
    functions = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}

    def loss(leaves: list[Tensor]) -> Tensor:
        values = inputs
        for weight, bias in zip(leaves[::2], leaves[1::2], strict=True):
            values = functions[name](torch.einsum("io,bi->bo", weight, values) + bias)
        return 0.5 * (values - targets).square().sum() / len(inputs)

    return loss


def _mean_gradients(network: ForwardNetwork, inputs: Tensor, targets: Tensor) -> list[Tensor]:
    """Gradients W1 b1 W2 b2 .. of the same loss, by the implementation."""
    activities, slopes = run_forward(network, inputs)
    errors = run_errors(error_network(network, slopes), (activities[-1] - targets) / len(inputs))
    return _interleaved(*local_gradients(activities, slopes, errors))


def _interleaved(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> list[Tensor]:
    return [part for pair in zip(weights, biases, strict=True) for part in pair]


def _one_output(errors: Tensor) -> Tensor:
    """Errors of the first unit alone: the sum over the outputs of eq. 1.4 cut to one of them."""
    return errors * (torch.arange(errors.shape[1]) == 0)


def backprop_sgd(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.3-1.5: gradients, the step, and minibatches."""
    rng = generator("eq1.5", seed)
    inputs, targets = normal(rng, BATCH, SIZES[0]), normal(rng, BATCH, SIZES[-1])
    apart, differences, cut, flat = [], [], [], []
    for name in ("tanh", "sigmoid", "relu"):
        network = _network(rng, name)
        leaves = _interleaved(network.weights, network.biases)
        loss = _written_out(name, inputs, targets)
        found, exact = _mean_gradients(network, inputs, targets), by_autograd(loss, leaves)
        apart.append(relative_difference(found, exact))
        if name != "relu":  # Its kinks make finite differences wrong where one lies in between.
            differences.append(relative_difference(found, slopes_by_differences(loss, leaves)))
        activities, slopes = run_forward(network, inputs)
        error = (activities[-1] - targets) / BATCH
        for slope, output_error, kept in (
            (slopes, _one_output(error), cut),
            ([torch.ones_like(one) for one in slopes], error, flat),
        ):
            errors = run_errors(error_network(network, slope), output_error)
            broken = _interleaved(*local_gradients(activities, slope, errors))
            kept.append(relative_difference(broken, exact))
    gradients = {
        "autograd": ("gradients against autograd, three nonlinearities: relative", max(apart)),
        "finite_differences": (
            "gradients against finite differences of fourth order, tanh and sigmoid: relative",
            max(differences),
        ),
    }
    return [
        *checks("gradients", gradients),
        *controls("gradients", {"one_output_only": min(cut), "slope_left_out": min(flat)}),
        *_downhill(rng, inputs, targets),
        *_minibatches(rng),
    ]


def _downhill(rng: torch.Generator, inputs: Tensor, targets: Tensor) -> list[Check]:
    """Order in eta of |[L(theta - eta g) - L(theta)] / (-eta |g|^2) - 1|."""
    network = _network(rng, "tanh")
    gradients = _mean_gradients(network, inputs, targets)
    leaves = _interleaved(network.weights, network.biases)
    loss = _written_out("tanh", inputs, targets)
    squared = sum(float(part.square().sum()) for part in gradients)

    def order(sign: float) -> float:
        off = []
        for rate in RATES:
            change = loss(sgd_step(leaves, gradients, sign * rate)) - loss(leaves)
            off.append(abs(float(change) / (-rate * squared) - 1.0))
        return log_slope(RATES, off)

    text = "order in eta in which the fall of the loss by eq. 1.5 approaches eta |gradient|^2"
    name = "step_goes_down"
    return [Check(name, text, order(1.0)), *controls(name, {"step_uphill": order(-1.0)})]


def _minibatches(rng: torch.Generator) -> list[Check]:
    """The mean over all minibatches, drawn without replacement, and the full gradient, a sum."""
    network = _network(rng, "tanh")
    inputs, targets = normal(rng, SAMPLES, SIZES[0]), normal(rng, SAMPLES, SIZES[-1])

    def total(chosen: Sequence[int]) -> list[Tensor]:
        mean = _mean_gradients(network, inputs[list(chosen)], targets[list(chosen)])
        return [len(chosen) * part for part in mean]

    def off(batches: Sequence[Sequence[int]], factors: Sequence[float]) -> float:
        parts = [
            [factor * part for part in total(batch)]
            for batch, factor in zip(batches, factors, strict=True)
        ]
        mean = [torch.stack(copies).mean(dim=0) for copies in zip(*parts, strict=True)]
        return relative_difference(mean, total(range(SAMPLES)))

    drawn = list(combinations(range(SAMPLES), MINIBATCH))
    unequal = [range(MINIBATCH), range(MINIBATCH, SAMPLES)]
    text = (
        f"mean of N/B times the gradient over all minibatches of B = {MINIBATCH} of N = {SAMPLES} "
        "samples against the full gradient: relative"
    )
    broken = {
        "factor_left_out": off(drawn, [1.0] * len(drawn)),
        "unequal_batches": off(unequal, [SAMPLES / len(batch) for batch in unequal]),
    }
    return [
        Check("minibatches", text, off(drawn, [SAMPLES / MINIBATCH] * len(drawn))),
        *controls("minibatches", broken),
    ]


def _sequence_loss(inputs: Tensor, targets: Tensor) -> Callable[[list[Tensor]], Tensor]:
    """1/2 sum |s_t - target_t|^2 of a recurrent tanh layer, of W_x, W_s, b and s_0."""

    def loss(leaves: list[Tensor]) -> Tensor:
        input_weights, state_weights, biases, state = leaves
        total = torch.zeros((), dtype=torch.float64)
        for values, target in zip(inputs, targets, strict=True):
            state = torch.tanh(values @ input_weights + state @ state_weights + biases)
            total = total + 0.5 * (state - target).square().sum()
        return total

    return loss


def _recurrent(rng: torch.Generator):
    """A recurrent layer, its start, a sequence and what the states should be."""
    leaves = [normal(rng, UNITS, FEATURES).T, 0.7 * normal(rng, UNITS, UNITS).T]
    leaves += [normal(rng, UNITS), 0.5 * normal(rng, BATCH, UNITS)]
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
    text = f"BPTT over {STEPS} steps against finite differences: relative"
    found = _through_time(leaves, inputs, targets)
    one_step = _through_time(leaves, inputs, targets, window=1)
    return [
        Check("bptt", text, relative_difference(found, exact)),
        *controls("bptt", {"window_of_one_step": relative_difference(one_step, exact)}),
        *_truncated(leaves, inputs, targets),
        *_shared_over_time(rng, inputs, targets),
    ]


def _truncated(leaves: list[Tensor], inputs: Tensor, targets: Tensor) -> list[Check]:
    """Windows as long as the sequence; and what is needed of the time before the last window."""
    network = Recurrent(*leaves[:3], activation("tanh"))
    record = unroll(network, inputs, leaves[3])
    errors = record.states[1:] - targets
    last = errors * (torch.arange(STEPS) == STEPS - 1)[:, None, None]
    window = STEPS // 2
    old = (torch.arange(STEPS) < STEPS - 1 - (STEPS - 1) % window)[:, None, None]
    changed = record._replace(
        inputs=record.inputs + old,
        states=record.states + torch.cat([old, torch.zeros_like(old[:1])]),
        slopes=record.slopes * (1.0 + 0.5 * old),
    )

    def through(what, of: Tensor, window: int | None) -> list[Tensor]:
        return list(backprop_through_time(network, what, of, window))[:3]

    def older(window: int | None) -> float:
        return relative_difference(through(changed, last, window), through(record, last, window))

    whole = through(record, errors, None)

    def against_whole(window: int) -> float:
        return relative_difference(through(record, errors, window), whole)

    name = "truncated_bptt"
    deviations = {
        "whole_window": (
            "BPTT truncated to windows as long as the sequence against BPTT: relative",
            against_whole(STEPS),
        ),
        "no_older_inputs": (
            "change of the gradient of the last error by other inputs, states and slopes before "
            "its window: relative",
            older(window),
        ),
    }
    broken = {"window_of_two_steps": against_whole(2), "not_truncated": older(None)}
    return [*checks(name, deviations), *controls(name, broken)]


def _shared_over_time(rng: torch.Generator, inputs: Tensor, targets: Tensor) -> list[Check]:
    """Temporal convolution: its gradient, and the sum over copies of the weights for each time."""
    kernel, biases = normal(rng, TAPS, UNITS, FEATURES).mT, normal(rng, UNITS)
    network = TemporalConvolution(kernel, biases, activation("tanh"))
    ours = convolution_gradients(network, inputs, convolve(network, inputs) - targets)[0]

    def loss(copies: list[Tensor]) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for t, weights in enumerate(copies):
            drive = sum(inputs[t - k] @ weights[k] for k in range(min(TAPS, t + 1))) + biases
            total = total + 0.5 * (torch.tanh(drive) - targets[t]).square().sum()
        return total

    def summed(copies: list[Tensor]) -> float:
        return relative_difference([ours], [sum(by_autograd(loss, copies))])

    text = (
        f"temporal convolution of {TAPS} inputs: gradient of the shared weights against the sum "
        f"over {STEPS} copies of their own: relative"
    )
    other = {"one_copy_not_shared": summed([*[kernel] * (STEPS - 1), 2.0 * kernel])}
    name = "weights_shared_over_time"
    return [Check(name, text, summed([kernel] * STEPS)), *controls(name, other)]


def _errors_by_autograd(network: ForwardNetwork, inputs: Tensor, targets: Tensor) -> list[Tensor]:
    """dLoss/da of every layer, input first, of the sum over samples of 1/2 |a(L) - target|^2."""
    values = [inputs.clone().requires_grad_()]
    for weight, bias in zip(network.weights, network.biases, strict=True):
        values.append(torch.tanh(values[-1] @ weight + bias))
    return list(torch.autograd.grad(0.5 * (values[-1] - targets).square().sum(), values))


def shared_weights(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 1.1.3: the error network, and weights shared over space and over time."""
    rng = generator("weight_sharing", seed)
    inputs, targets = normal(rng, BATCH, SIZES[0]), normal(rng, BATCH, SIZES[-1])
    network = _network(rng, "tanh")
    activities, slopes = run_forward(network, inputs)
    shared = error_network(network, slopes)
    exact = _errors_by_autograd(network, inputs, targets)[:-1]

    def off(errors: ErrorNetwork) -> float:
        return relative_difference(run_errors(errors, activities[-1] - targets)[:-1], exact)

    name = "error_recursion"
    text = "errors of the error network against autograd, every layer below the output: relative"
    random = shared._replace(weights=tuple(normal(rng, *w.T.shape).T for w in shared.weights))
    return [
        Check(name, text, off(shared)),
        *controls(name, {"random_backward_weights": off(random)}),
        *_shifted(rng),
        *_gradients_of_copies(rng),
    ]


def _shifted(rng: torch.Generator) -> list[Check]:
    """Circular convolution, a matrix of shared weights: a shifted input shifts the output."""
    places = torch.arange(LENGTH)
    index = (places[:, None] - places[None, :]) % LENGTH
    kernel, signal = normal(rng, LENGTH), normal(rng, BATCH, LENGTH)

    def off(matrix: Tensor) -> float:
        moved = [(signal.roll(n, dims=1) @ matrix) for n in range(1, LENGTH)]
        return relative_difference(
            moved, [(signal @ matrix).roll(n, dims=1) for n in range(1, LENGTH)]
        )

    name = "translation_equivariance"
    text = f"circular convolution of {LENGTH} places, every shift: relative"
    own = {"weights_of_each_place": off(normal(rng, LENGTH, LENGTH).T)}
    return [Check(name, text, off(tie(kernel, index))), *controls(name, own)]


def _gradients_of_copies(rng: torch.Generator) -> list[Check]:
    """The gradient of a shared weight is the sum over its copies, in space and in time."""
    kernel, signal = normal(rng, TAPS), normal(rng, BATCH, LENGTH)
    index = convolution_index(LENGTH, TAPS)
    error = signal @ tie(kernel, index)

    def convolution_loss(leaves: list[Tensor]) -> Tensor:
        return 0.5 * torch.conv1d(signal[:, None], leaves[0][None, None]).square().sum()

    convolved = by_autograd(convolution_loss, [kernel])

    def in_space(copies: Tensor) -> float:
        return relative_difference([tied_gradient(signal.T @ error, copies, TAPS)], convolved)

    leaves, sequence, wanted = _recurrent(rng)
    found = _through_time(leaves, sequence, wanted)

    def unrolled(copies: list[Tensor]) -> Tensor:
        input_weights, _, biases, state = leaves
        total = torch.zeros((), dtype=torch.float64)
        for values, target, weights in zip(sequence, wanted, copies, strict=True):
            state = torch.tanh(values @ input_weights + state @ weights + biases)
            total = total + 0.5 * (state - target).square().sum()
        return total

    copies = by_autograd(unrolled, [leaves[1]] * STEPS)
    name = "gradient_is_the_sum_over_copies"
    deviations = {
        "space": (
            "weights shared over space: gradient summed over copies against autograd of a "
            "convolution: relative",
            in_space(index),
        ),
        "time": (
            "weights of a recurrent layer: BPTT against the sum over its unrolled copies: relative",
            relative_difference([found[1]], [sum(copies)]),
        ),
    }
    left_out = index.clone()
    left_out[:, 0] = -1
    broken = {
        "one_place_left_out": in_space(left_out),
        "one_time_left_out": relative_difference([found[1]], [sum(copies[:-1])]),
    }
    return [*checks(name, deviations), *controls(name, broken)]
