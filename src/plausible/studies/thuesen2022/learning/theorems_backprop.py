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
from plausible.reproduction.theorem_checks import (
    Check,
    checks,
    normal,
    one_hot,
    relative_difference,
)
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


def parameters_of(network: Network) -> list[Tensor]:
    """Weights, biases, then gains and shifts: the order of the lists of gradients here."""
    norms = [norm for norm in network.batch_norms if norm is not None]
    return [
        *network.weights,
        *network.biases,
        *(learned for norm in norms for learned in (norm.gain, norm.shift)),
    ]


def problem(name: str, seed: int, **settings) -> tuple[torch.Generator, Network, Tensor, Tensor]:
    """Generator, random network, inputs [batch, 20] and one-hot labels."""
    generator = generator_of(name, seed)
    network, inputs = random_network(generator, **settings), normal(generator, BATCH, SIZES[0])
    return generator, network, inputs, one_hot(generator, BATCH, SIZES[-1])


def reference_activation(name: str, z: Tensor) -> Tensor:
    """The activation written for autograd: the formulas of the thesis and nothing else."""
    return functional.relu(z) if name == "relu" else 0.05 * reference_soft_rate(z, 0.05)


def reference_gradients(network: Network, inputs: Tensor, labels: Tensor) -> list[Tensor]:
    """Gradients of the mean cross entropy by autograd, in the order of ``parameters_of``."""
    variables = [parameter.clone().requires_grad_() for parameter in parameters_of(network)]
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


def backprop(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 23-26: the recursion gives the gradient, at the cost of about two forward passes."""
    deviations = {}
    for activation in ("relu", "soft_rate"):
        generator, network, inputs, labels = problem(
            f"backprop.{activation}", seed, activation=activation
        )
        _, found = gradients(network, inputs, labels)
        text = f"gradients of a 20-16-12-10 network ({activation}) against autograd: maximum "
        deviations[text + "relative difference"] = relative_difference(
            [*found.weights, *found.biases], reference_gradients(network, inputs, labels)
        )
    # Multiplications in matrix products of a forward pass, and of a forward and backward pass.
    forward = count_multiply_adds(lambda: forward_pass(network, inputs))
    both = count_multiply_adds(lambda: gradients(network, inputs, labels))
    weights = sum(weight.numel() for weight in network.weights)
    passes = "counted multiplications of the backward pass over those of a forward pass"
    perturbed = (
        "counted multiplications of one forward pass per weight (perturbation) over those of "
        "backprop, divided by the number of weights"
    )
    cost, share = "costs_few_forward_passes", weights * forward / both / weights
    return [
        *checks("gradients_equal_autodiff", 1e-10, deviations),
        # One product for the errors, one for the weights; the errors need none below layer 1.
        Check(cost, passes, (both - forward) / forward, 2.0),
        Check(cost, perturbed, share, 1.0 / 3.0, ">="),
    ]


def adam(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 27-29: with powers of beta in the bias correction this is Adam."""
    variants = {
        "corrected": ("bias correction 1 - beta^t", {}),
        "as_published": (
            "bias correction 1 - beta, as eq. 28 is printed",
            {"adam_bias_correction": "as_printed"},
        ),
        "as_coded": (
            "the author's code (mean of squared per-sample gradients, epsilon inside the root)",
            {"adam_second_moment": "per_sample", "adam_epsilon_inside_root": True},
        ),
    }
    found = []
    for protocol, (variant, changes) in variants.items():
        text = f"{variant}: weights after 200 steps against torch.optim.Adam, maximum difference"
        apart = _adam_difference(TrainingSettings(optimizer="adam", **changes), seed)
        found.append(Check("equals_reference_adam", text, apart, 1e-10, protocol=protocol))
    return found


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
    mean, spread = output.mean(dim=0) - shift, output.std(dim=0, correction=0) - gain.abs()
    text = "training output: maximum difference of its mean to beta and of its standard deviation "
    largest = float(torch.cat([mean, spread]).abs().max())
    found = [Check("output_has_shift_and_gain", text + "to |gamma|", largest, 1e-3)]
    check, apart = "inference_is_the_affine_map", float((inference - affine).abs().max())
    text = "inference output against the affine map of eq. 33: maximum difference"
    found.append(Check(check, text, apart, 1e-12))
    expected = [trained.running_mean, trained.running_var]
    for protocol, (weight, each) in zip(
        ("corrected", "as_published"), moments.items(), strict=True
    ):
        apart = relative_difference([each.running_mean, each.running_variance], expected)
        text = f"moving averages with weight {weight} on the new batch against torch's "
        text += "BatchNorm1d after 20 batches: maximum relative difference"
        found.append(Check(check, text, apart, 1e-12, protocol=protocol))
    return found


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
    expected = functional.batch_norm(
        functional.linear(inputs, weight, bias), mean, variance, gain, shift, eps=1e-5
    )
    found = []
    for dtype, bound in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        arrays = [each.to(dtype).numpy() for each in (weight, bias, gain, shift, mean, variance)]
        fused = [
            torch.from_numpy(np.ascontiguousarray(array)).to(dtype)
            for array in fuse_batch_norm(*arrays, 1e-5)
        ]
        output = functional.linear(inputs.to(dtype), *fused).to(torch.float64)
        name = str(dtype).removeprefix("torch.")
        text = f"{name}: output of the fused layer against a linear layer and torch's batch norm "
        text += "in float64, relative to the largest output"
        apart = relative_difference([output], [expected])
        found.append(Check("same_outputs", text, apart, bound))
    return found


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
        d_gain, d_shift = (d * normalised).sum(dim=0), d.sum(dim=0)
        formulas = [d_normalised, d_variance, d_mean, d_x, d_gain, d_shift]
        norm = _norm(features, gain, shift)
        _, record = normalise(norm, x, batch_statistics=True)
        implemented = propagate(norm, record, d)
    texts = [f"{name} of eq. 55 against autograd: maximum " for name in variables]
    texts.append("dL/dx as implemented (mean and variance eliminated) against autograd: maximum ")
    found, expected = [*formulas, implemented], [*automatic, automatic[3]]
    return [
        Check(
            "equals_autodiff",
            text + "relative difference",
            relative_difference([one], [other]),
            1e-8,
        )
        for text, one, other in zip(texts, found, expected, strict=True)
    ]
