"""Backprop, Adam and batch norm of Thuesen 2022 (sections 2.6 to 2.8, 3.4.3, 6.1), in float64."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from plausible.conversion.shadow import fuse_batch_norm
from plausible.learning.backprop import gradients
from plausible.learning.operation_count import count_multiply_adds
from plausible.learning.optimizers import adam_step
from plausible.learning.settings import TrainingSettings
from plausible.networks.batch_norm import BatchNorm, init_batch_norm, normalise, propagate
from plausible.networks.mlp import Network, forward_pass, init_network
from plausible.reproduction.theorem_checks import Check, normal, one_hot, relative_difference
from plausible.studies.thuesen2022.learning.settings import Theorems
from plausible.studies.thuesen2022.theorem_problems import generator_of, reference_soft_rate

SIZES = (20, 16, 12, 10)
BATCH = 32


def random_network(generator: torch.Generator, **settings) -> Network:
    """Network of ``SIZES`` in float64, with random biases (and gains, shifts)."""
    network = init_network(SIZES, TrainingSettings(dtype="float64", **settings), generator)
    for bias in network.biases:
        bias.copy_(0.5 * normal(generator, len(bias)))
    for norm in network.batch_norms:
        if norm is not None:
            norm.gain.copy_(1.0 + 0.3 * normal(generator, len(norm.gain)))
            norm.shift.copy_(1.0 + 0.3 * normal(generator, len(norm.shift)))
    return network


def reference_activation(name: str, z: Tensor) -> Tensor:
    """The activation written for autograd: the formulas of the thesis and nothing else."""
    if name == "relu":
        return functional.relu(z)
    return 0.05 * reference_soft_rate(z, 0.05)


def reference_gradients(network: Network, inputs: Tensor, labels: Tensor) -> list[Tensor]:
    """Gradients of the mean cross entropy by autograd: weights, biases, then gains and shifts."""
    parameters = [*network.weights, *network.biases]
    for norm in network.batch_norms:
        parameters += [] if norm is None else [norm.gain, norm.shift]
    variables = [parameter.clone().requires_grad_() for parameter in parameters]
    count = len(network.weights)
    learned_norms = iter(variables[2 * count :])
    activity = inputs
    for layer, norm in enumerate(network.batch_norms):
        activity = functional.linear(activity, variables[layer], variables[count + layer])
        if norm is not None:
            gain, shift = next(learned_norms), next(learned_norms)
            activity = functional.batch_norm(
                activity, None, None, gain, shift, training=True, eps=norm.epsilon
            )
        if layer < count - 1:
            activity = reference_activation(network.activation.name, activity)
    loss = functional.cross_entropy(activity, labels)
    return list(torch.autograd.grad(loss, variables))


def in_order(network: Network, found) -> list[Tensor]:
    """``Gradients`` in the order of ``reference_gradients``."""
    ordered = [*found.weights, *found.biases]
    for layer, norm in enumerate(network.batch_norms):
        ordered += [] if norm is None else [found.gains[layer], found.shifts[layer]]
    return ordered


def backprop(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 23-26: the recursion gives the gradient, at the cost of about two forward passes."""
    checks = []
    for activation in ("relu", "soft_rate"):
        generator = generator_of(f"backprop.{activation}", seed)
        network = random_network(generator, activation=activation)
        inputs, labels = normal(generator, BATCH, SIZES[0]), one_hot(generator, BATCH, SIZES[-1])
        found = in_order(network, gradients(network, inputs, labels)[1])
        checks.append(
            Check(
                "gradients_equal_autodiff",
                f"gradients of a 20-16-12-10 network ({activation}) against autograd: maximum "
                "relative difference",
                relative_difference(found, reference_gradients(network, inputs, labels)),
                1e-10,
            )
        )
    forward, both = _multiplications(network, inputs, labels)
    weights = sum(weight.numel() for weight in network.weights)
    checks += [
        Check(
            "costs_few_forward_passes",
            "counted multiplications of the backward pass over those of a forward pass",
            (both - forward) / forward,
            # One product for the errors, one for the weights; the errors need none below layer 1.
            2.0,
        ),
        Check(
            "costs_few_forward_passes",
            "counted multiplications of one forward pass per weight (perturbation) over those of "
            "backprop, divided by the number of weights",
            weights * forward / both / weights,
            1.0 / 3.0,
            ">=",
        ),
    ]
    return checks


def _multiplications(network: Network, inputs: Tensor, labels: Tensor) -> tuple[int, int]:
    """Multiplications in matrix products of a forward pass, and of a forward and backward pass."""
    forward = count_multiply_adds(lambda: forward_pass(network, inputs))
    both = count_multiply_adds(lambda: gradients(network, inputs, labels))
    return forward, both


def adam(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 27-29: with powers of beta in the bias correction this is Adam."""
    variants = [
        ("bias correction 1 - beta^t", {}, "corrected"),
        (
            "bias correction 1 - beta, as eq. 28 is printed",
            {"adam_bias_correction": "as_printed"},
            "as_published",
        ),
        (
            "the author's code (mean of squared per-sample gradients, epsilon inside the root)",
            {"adam_second_moment": "per_sample", "adam_epsilon_inside_root": True},
            "as_coded",
        ),
    ]
    return [
        Check(
            "equals_reference_adam",
            f"{text}: weights after 200 steps against torch.optim.Adam, maximum difference",
            _adam_difference(TrainingSettings(optimizer="adam", **changes), seed),
            1e-10,
            "<=",
            protocol,
        )
        for text, changes, protocol in variants
    ]


def _adam_difference(settings: TrainingSettings, seed: int) -> float:
    """Difference to torch's Adam after 200 steps on the same random gradients."""
    generator = generator_of("adam", seed)
    reference = torch.nn.Parameter(normal(generator, 30))
    ours = reference.detach().clone()
    first, second = torch.zeros_like(ours), torch.zeros_like(ours)
    optimizer = torch.optim.Adam([reference], lr=settings.learning_rate)
    for step in range(1, 201):
        samples = 0.1 + normal(generator, 8, 30)
        gradient = samples.mean(dim=0)
        per_sample = settings.adam_second_moment == "per_sample"
        square = (samples**2).mean(dim=0) if per_sample else None
        adam_step(ours, gradient, square, first, second, step, settings)
        reference.grad = gradient.clone()
        optimizer.step()
    return float((ours - reference.detach()).abs().max())


def batch_norm(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 30-33: standardisation in training, an affine map of moving statistics afterwards."""
    generator = generator_of("batch_norm", seed)
    features = 12
    inputs = 2.0 + 3.0 * normal(generator, BATCH, features)
    gain, shift = 1.0 + 0.3 * normal(generator, features), normal(generator, features)
    norm = _norm(features, gain, shift)
    output, _ = normalise(norm, inputs, batch_statistics=True)
    trained = torch.nn.BatchNorm1d(features, dtype=torch.float64)
    moments = {weight: _norm(features, gain, shift, weight) for weight in (0.1, 0.9)}
    for _ in range(20):
        batch = 2.0 + 3.0 * normal(generator, BATCH, features)
        trained(batch)
        for each in moments.values():
            normalise(each, batch, batch_statistics=True, update_running=True)
    moved = moments[0.1]
    root = torch.sqrt(moved.running_variance + moved.epsilon)
    affine = gain / root * inputs + (shift - gain * moved.running_mean / root)
    inference, _ = normalise(moved, inputs, batch_statistics=False)
    checks = [
        Check(
            "output_has_shift_and_gain",
            "training output: maximum difference of its mean to beta and of its standard deviation "
            "to |gamma|",
            max(
                float((output.mean(dim=0) - shift).abs().max()),
                float((output.std(dim=0, correction=0) - gain.abs()).abs().max()),
            ),
            1e-3,
        ),
        Check(
            "inference_is_the_affine_map",
            "inference output against the affine map of eq. 33: maximum difference",
            float((inference - affine).abs().max()),
            1e-12,
        ),
    ]
    for weight, protocol in ((0.1, "corrected"), (0.9, "as_published")):
        each = moments[weight]
        checks.append(
            Check(
                "inference_is_the_affine_map",
                f"moving averages with weight {weight} on the new batch against torch's "
                "BatchNorm1d after 20 batches: maximum relative difference",
                relative_difference(
                    [each.running_mean, each.running_variance],
                    [trained.running_mean, trained.running_var],
                ),
                1e-12,
                "<=",
                protocol,
            )
        )
    return checks


def _norm(features: int, gain: Tensor, shift: Tensor, new_weight: float = 0.1) -> BatchNorm:
    norm = init_batch_norm(features, 1e-5, new_weight, True, gain.dtype)
    return norm._replace(gain=gain, shift=shift)


def batch_norm_fusion(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 41-42: batch norm at inference disappears in the weights and biases below it."""
    generator = generator_of("batch_norm_fusion", seed)
    weight, bias = normal(generator, 16, 20), normal(generator, 16)
    gain, shift, mean = normal(generator, 3, 16)
    variance = 0.1 + normal(generator, 16) ** 2
    inputs = normal(generator, BATCH, 20)
    checks = []
    for dtype, bound in (("float64", 1e-10), ("float32", 1e-5)):
        arrays = [
            each.numpy().astype(dtype) for each in (weight, bias, gain, shift, mean, variance)
        ]
        fused_weight, fused_bias = fuse_batch_norm(*arrays, 1e-5)
        cast = torch.float64 if dtype == "float64" else torch.float32
        expected = functional.batch_norm(
            functional.linear(inputs, weight, bias), mean, variance, gain, shift, eps=1e-5
        )
        fused = functional.linear(
            inputs.to(cast),
            torch.from_numpy(np.ascontiguousarray(fused_weight)).to(cast),
            torch.from_numpy(np.ascontiguousarray(fused_bias)).to(cast),
        )
        checks.append(
            Check(
                "same_outputs",
                f"{dtype}: output of the fused layer against a linear layer and torch's batch norm "
                "in float64, relative to the largest output",
                relative_difference([fused.to(torch.float64)], [expected]),
                bound,
            )
        )
    return checks


def batch_norm_derivatives(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 55: six partial derivatives of batch norm, each against autograd.

    The loss is a random function of the output y; d = dL/dy.
    """
    generator = generator_of("batch_norm_derivatives", seed)
    features, epsilon = 6, 1e-5
    x = (1.0 + 2.0 * normal(generator, BATCH, features)).requires_grad_()
    gain = (1.0 + 0.3 * normal(generator, features)).requires_grad_()
    shift = normal(generator, features).requires_grad_()
    mean = x.mean(dim=0)
    variance = ((x - mean) ** 2).mean(dim=0)
    root = torch.sqrt(variance + epsilon)
    normalised = (x - mean) / root
    y = gain * normalised + shift
    loss = torch.sin(y * normal(generator, BATCH, features)).sum()
    variables = {
        "dL/dxhat": normalised,
        "dL/dvariance": variance,
        "dL/dmean": mean,
        "dL/dx": x,
        "dL/dgamma": gain,
        "dL/dbeta": shift,
    }
    d, *automatic = torch.autograd.grad(loss, [y, *variables.values()])
    with torch.no_grad():
        d_normalised = d * gain
        d_variance = (d_normalised * (x - mean)).sum(dim=0) * -0.5 * root**-3
        d_mean = (-d_normalised / root).sum(dim=0) + d_variance * (-2 * (x - mean)).mean(dim=0)
        d_x = d_normalised / root + d_variance * 2 * (x - mean) / BATCH + d_mean / BATCH
        formulas = [
            d_normalised,
            d_variance,
            d_mean,
            d_x,
            (d * normalised).sum(dim=0),
            d.sum(dim=0),
        ]
        norm = _norm(features, gain, shift)
        _, record = normalise(norm, x, batch_statistics=True)
        implemented = propagate(norm, record, d)
    checks = [
        Check(
            "equals_autodiff",
            f"{name} of eq. 55 against autograd: maximum relative difference",
            relative_difference([formula], [expected]),
            1e-8,
        )
        for name, formula, expected in zip(variables, formulas, automatic, strict=True)
    ]
    checks.append(
        Check(
            "equals_autodiff",
            "dL/dx as implemented (mean and variance eliminated) against autograd: maximum "
            "relative difference",
            relative_difference([implemented], [automatic[3]]),
            1e-8,
        )
    )
    return checks
