"""Backprop and Adam of Thuesen 2022 (sections 2.6 and 2.7), checked in float64."""

from functools import partial
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

from plausible.learning.backprop import (
    Gradients,
    backward,
    collect,
    cross_entropy,
    gradients,
    mean_gradients,
)
from plausible.learning.operation_count import count_multiply_adds
from plausible.learning.optimizers import adam_step
from plausible.learning.settings import TrainingSettings
from plausible.networks.mlp import Network, forward_pass, init_network
from plausible.reproduction.theorem_checks import (
    Check,
    checks,
    controls,
    normal,
    one_hot,
    relative_difference,
)
from plausible.studies.thuesen2022.learning.settings import Theorems
from plausible.studies.thuesen2022.theorem_problems import generator_of, reference_soft_rate

SIZES = (20, 16, 12, 10)
BATCH = 32


def random_network(generator: torch.Generator, sizes: tuple[int, ...], **settings) -> Network:
    """Network in float64, with random biases (and gains, shifts)."""
    network = init_network(sizes, TrainingSettings(dtype="float64", **settings), generator)
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


def problem(
    name: str, seed: int, sizes: tuple[int, ...] = SIZES, **settings
) -> tuple[torch.Generator, Network, Tensor, Tensor]:
    """Generator, random network, inputs [batch, sizes[0]] and one-hot labels."""
    generator = generator_of(name, seed)
    network = random_network(generator, sizes, **settings)
    inputs = normal(generator, BATCH, sizes[0])
    return generator, network, inputs, one_hot(generator, BATCH, sizes[-1])


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
        activity = functional.linear(activity, variables[layer].t(), variables[count + layer])
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
    # Two square matrices, so that one can stand in the place of the other.
    sizes = (20, 16, 16, 16, 10)
    check, found = "gradients_equal_autodiff", []
    for activation in ("relu", "soft_rate"):
        _, network, inputs, labels = problem(
            f"backprop.{activation}", seed, sizes, activation=activation
        )
        own = partial(_recursion_apart, network, inputs, labels)
        text = f"gradients of a {'-'.join(map(str, sizes))} network ({activation}) against "
        text += "autograd: maximum relative difference"
        _, implemented = gradients(network, inputs, labels)
        found += checks(
            check, {activation: (text, _gradients_apart(network, inputs, labels, implemented))}
        )
    return [
        *found,
        *controls(
            check,
            {
                "slope_of_the_layer_above": own(slopes=(1, 1, 2)),
                "slope_omitted": own(slopes=(0, None, 2)),
                "weights_of_the_layer_itself": own(weights=(0, 1, 1, 3)),
            },
        ),
        *_costs(seed),
    ]


def _gradients_apart(network: Network, inputs: Tensor, labels: Tensor, found: Gradients) -> float:
    reference = reference_gradients(network, inputs, labels)
    return relative_difference([*found.weights, *found.biases], reference)


def _recursion_apart(
    network: Network,
    inputs: Tensor,
    labels: Tensor,
    slopes: tuple[int | None, ...] = (0, 1, 2),
    weights: tuple[int, ...] = (0, 1, 2, 3),
) -> float:
    """Distance to autograd of the recursion with slopes (None: 1) and weights of other layers."""
    record = forward_pass(network, inputs)
    _, error = cross_entropy(record.logits, labels)
    own = [layer.slope for layer in record.layers]
    layers = [
        layer._replace(slope=torch.ones_like(layer.slope) if taken is None else own[taken])
        for layer, taken in zip(record.layers, slopes, strict=False)
    ]
    sent = network._replace(weights=tuple(network.weights[taken] for taken in weights))
    terms = backward(sent, record._replace(layers=(*layers, record.layers[-1])), error)
    return _gradients_apart(network, inputs, labels, collect(network, terms))


def _costs(seed: int) -> list[Check]:
    """Counted multiplications in matrix products of the backward pass, and of perturbation."""
    cost, naive = "costs_few_forward_passes", "perturbation_costs_a_pass_per_weight"
    text = "counted multiplications of the backward pass over those of a forward pass"
    found = {}
    for variant, sizes in (
        ("narrow", SIZES),
        ("wide", (80, 64, 48, 40)),
        ("deep", (16,) * 9),
    ):
        _, network, inputs, labels = problem(f"costs.{variant}", seed, sizes)
        forward, reused = (
            count_multiply_adds(lambda run=run, own=network, x=inputs, y=labels: run(own, x, y))
            for run in (lambda own, x, y: forward_pass(own, x), gradients)
        )
        found[variant] = (f"{text}, {'-'.join(map(str, sizes))}", (reused - forward) / forward)
    anew = count_multiply_adds(lambda: _errors_anew(network, inputs, labels))
    _, small, inputs, labels = problem("costs.perturbation", seed, (6, 5, 4))
    weights = sum(weight.numel() for weight in small.weights)
    passes = weights * count_multiply_adds(lambda: forward_pass(small, inputs))
    perturbed = count_multiply_adds(lambda: _perturbed_gradients(small, inputs, labels))
    backprop = count_multiply_adds(lambda: gradients(small, inputs, labels))
    text = "counted multiplications of the gradient by perturbing each weight, over those of a "
    return [
        *checks(cost, found),
        *controls(cost, {"error_terms_not_reused": (anew - forward) / forward}),
        Check(naive, text + "forward pass times the number of weights", perturbed / passes),
        *controls(naive, {"backprop": backprop / passes}),
    ]


def _errors_anew(network: Network, inputs: Tensor, labels: Tensor) -> list[Tensor]:
    """Weight gradients by the recursion, each layer's error computed from the output on."""
    record = forward_pass(network, inputs)
    _, error = cross_entropy(record.logits, labels)
    found = []
    for layer in range(len(network.weights)):
        for terms in backward(network, record, error.clone()):
            if terms.layer == layer:
                found.append(mean_gradients(terms)[0])
                break
    return found


def _perturbed_gradients(network: Network, inputs: Tensor, labels: Tensor) -> list[Tensor]:
    """Weight gradients by one forward pass for each weight, and one without perturbation."""

    def loss() -> Tensor:
        return cross_entropy(forward_pass(network, inputs).logits, labels)[0]

    base, step, found = loss(), 1e-6, []
    for weight in network.weights:
        gradient = torch.zeros_like(weight)
        for index in product(*map(range, weight.shape)):
            weight[index] += step
            gradient[index] = (loss() - base) / step
            weight[index] -= step
        found.append(gradient)
    return found


def adam(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 27-29: with powers of beta in the bias correction this is Adam."""
    check = "equals_reference_adam"
    text = "{}: weights after 100 steps against torch.optim.Adam, maximum difference in units of "
    text += "the learning rate"
    printed = {"adam_bias_correction": "as_printed"}
    author = {"adam_second_moment": "per_sample", "adam_epsilon_inside_root": True}
    coded = "the author's code (mean of squared per-sample gradients, epsilon inside the root)"
    own, as_printed, as_coded, inside = (
        _adam_difference(TrainingSettings(optimizer="adam", **changes), seed)
        for changes in ({}, printed, author, {"adam_epsilon_inside_root": True})
    )
    missing = text.format("bias correction 1 - beta, as eq. 28 is printed")
    return [
        Check(check, text.format("bias correction 1 - beta^t"), own),
        Check(check, missing, as_printed, protocol="as_published"),
        Check(check, text.format(coded), as_coded, protocol="as_coded"),
        *controls(
            check, {"bias_correction_without_power": as_printed, "epsilon_inside_the_root": inside}
        ),
    ]


def _adam_difference(settings: TrainingSettings, seed: int) -> float:
    """Difference to torch's Adam after 100 steps on the same random gradients of about 1e-3.

    Smaller ones make epsilon felt.
    """
    generator = generator_of("adam", seed)
    reference = torch.nn.Parameter(normal(generator, 30))
    ours = reference.detach().clone()
    first, second = torch.zeros_like(ours), torch.zeros_like(ours)
    optimizer = torch.optim.Adam([reference], lr=settings.learning_rate)
    for step in range(1, 101):
        samples = 1e-3 * (0.1 + normal(generator, 8, 30))
        gradient = samples.mean(dim=0)
        per_sample = settings.adam_second_moment == "per_sample"
        square = (samples**2).mean(dim=0) if per_sample else None
        adam_step(ours, gradient, square, first, second, step, settings)
        reference.grad = gradient.clone()
        optimizer.step()
    return float((ours - reference.detach()).abs().max()) / settings.learning_rate
