"""Theorems of chapter 4 and appendix B of O'Connor 2020: scales and their optimisation.

One function per published entry, as in `theorems`.
"""

from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from plausible.learning.scale_optimisation import (
    ScaleSettings,
    dense_maps,
    initial_log_scales,
    optimise_scales,
    original_outputs,
    scale_gradients,
)
from plausible.measure.operations import event_additions
from plausible.measure.trend import SIGNIFICANT, fall
from plausible.networks.sigma_delta import bake_scales, dense_network, run
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import (
    COMPUTATION,
    random_weights,
    relative_error,
)

SIZES = (12, 20, 15, 8)
NETWORKS = 20
SCALES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
LAMBDAS = (1e-5, 1e-4, 1e-3)
OPTIMISATION = {
    "gradients": "gradients by the logarithms of the scales against autograd with straight-through "
    "rounding, largest difference over three lambdas",
    "loss_falls": "chance of such a fall of the loss over 24 epochs (one-sided p of Kendall's "
    "tau), largest of three lambdas",
    "loss_ends_lower": "loss of the last of 24 epochs over that of the first, largest of three "
    "lambdas",
    "larger_lambda_gives_smaller_scales": "scale at ten times the lambda over scale, largest over "
    "layers and lambdas",
}
"""Statements about the descent, and what is measured of them."""


def theorem_generator(name: str, seed: int) -> np.random.Generator:
    """Random stream of the checks of one entry."""
    return numpy_generator("oconnor2020", "theorems", name, seed)


def random_parameters(
    generator: np.random.Generator, sizes: Sequence[int] = SIZES, bias_deviation: float = 0.3
) -> tuple[list[NDArray], list[NDArray]]:
    """Weights [above, below] and biases of a random network."""
    weights = random_weights(sizes, generator)
    return weights, [bias_deviation * generator.standard_normal(size) for size in sizes[1:]]


def differing(one: ArrayLike, other: ArrayLike) -> float:
    """Number of entries that are not the same."""
    return float(np.sum(np.not_equal(one, other)))


def larger_scales(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.4-4.6: round(k x) / k; a larger k lowers the error and raises the computation."""
    check = partial(Check, "larger_scales_cost_more_and_err_less")
    generator = theorem_generator("eq4.6", seed)
    kinds = ("rounding", "sigma_delta")
    errors, additions = np.zeros((2, len(kinds), NETWORKS, len(SCALES)))
    for network in range(NETWORKS):
        layers = dense_network(*random_parameters(generator), output="relu")
        frames = generator.standard_normal((50, SIZES[0]))
        original = run(layers, frames, "original").outputs
        for (row, kind), (column, scale) in product(enumerate(kinds), enumerate(SCALES)):
            result = run(layers, frames, kind, [scale] * len(layers))
            errors[row, network, column] = relative_error(result.outputs, original)
            additions[row, network, column] = sum(
                event_additions(sent, layer.fan_out).sum()
                for layer, sent in zip(layers, result.messages, strict=True)
            )
    text = f"mean of {NETWORKS} networks, k = {', '.join(f'{scale:g}' for scale in SCALES)}"
    found = []
    for row, kind in enumerate(kinds):
        where = f"of the {kind.replace('_', '-')} network from one k to the next, {text}"
        rise = float(np.diff(errors[row].mean(axis=0)).max())
        fall = float(np.diff(additions[row].mean(axis=0)).min())
        found += [
            check(f"largest change of the relative error {where}", rise, 0.0, "<"),
            check(f"smallest change of the additions {where}", fall, 0.0, ">"),
        ]
    return found


def _loss_by_autograd(
    weights: Sequence[Tensor], biases: Sequence[Tensor], inputs: Tensor, log_scales, average: bool
) -> tuple[Tensor, Tensor]:
    """KL divergence and computation of a batch, as eq. 4.7-4.10 print them."""
    original, activity, computation = inputs, inputs, inputs.new_zeros(len(inputs))
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        scale = log_scales[index].exp()
        computation = computation + len(weight) * (activity.detach() * scale).abs().sum(dim=1)
        scaled = activity * scale
        # Rounding whose derivative is 1.
        current = (scaled + (scaled.round() - scaled).detach()) / scale @ weight.t() + bias
        original = original @ weight.t() + bias
        if index < len(weights) - 1:
            current, original = torch.relu(current), torch.relu(original)
        activity = current
    true, found = torch.log_softmax(original, 1), torch.log_softmax(activity, 1)
    error = (found.exp() * (found - true)).sum(dim=1).mean()
    return error, computation.mean() if average else computation.sum()


def scale_optimisation(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.7-4.10: gradients by autograd; the loss falls; larger lambdas, smaller scales."""
    generator = theorem_generator("eq4.10", seed)
    weights, biases = (list(map(torch.from_numpy, part)) for part in random_parameters(generator))
    inputs = torch.from_numpy(generator.standard_normal((300, SIZES[0])))
    maps, found = dense_maps(weights, biases), []
    for protocol, computation in COMPUTATION.items():
        chosen = ScaleSettings(
            LAMBDAS, computation=computation, learning_rate=0.01, epochs=24, record_every_epochs=1.0
        )
        batch = inputs[:10]
        log_scales = tuple(
            each + torch.from_numpy(generator.normal(0.0, 0.5, each.shape))
            for each in initial_log_scales(maps, batch, chosen)
        )
        targets = original_outputs(maps, batch, chosen.error)
        gradients = scale_gradients(maps, log_scales, batch, targets, chosen).log_scales
        apart = 0.0
        for index, weight in enumerate(LAMBDAS):
            leaves = [each[index].clone().requires_grad_() for each in log_scales]
            error, price = _loss_by_autograd(weights, biases, batch, leaves, computation == "mean")
            expected = torch.autograd.grad(error + weight * price, leaves)
            for ours, theirs in zip(gradients, expected, strict=True):
                apart = max(apart, float((ours[index] - theirs).abs().max()))
        history = optimise_scales(maps, inputs, chosen)
        per_sample = 1 if computation == "mean" else chosen.batch_size
        price = np.array(LAMBDAS) * per_sample
        loss = history.error[1:] + price * history.computation[1:]
        chance = max(fall(np.arange(len(loss)), column).chance for column in loss.T)
        ends = np.stack([layer[-1] for layer in history.scales])
        smaller = float((ends[:, 1:] / ends[:, :-1]).max())
        found += [
            Check(name, OPTIMISATION[name], deviation, bound, comparison, protocol)
            for name, deviation, comparison, bound in (
                ("gradients", apart, "<=", 1e-12),
                ("loss_falls", chance, "<", SIGNIFICANT),
                ("loss_ends_lower", float((loss[-1] / loss[0]).max()), "<", 1.0),
                ("larger_lambda_gives_smaller_scales", smaller, "<", 1.0),
            )
        ]
    return found


def scales_can_be_baked(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.17: w' = w k2 / k1 and b' = k2 b, because ReLU lets a factor through."""
    check = partial(Check, "outputs_equal")
    generator = theorem_generator("eqB.17", seed)
    weights, biases = random_parameters(generator)
    frames = generator.standard_normal((100, SIZES[0]))
    kinds = {
        "a scale for each layer": [float(k) for k in generator.uniform(0.5, 8.0, len(weights))],
        "a scale for each unit": [generator.uniform(0.5, 8.0, size) for size in SIZES[:-1]],
    }
    found = []
    for name, scales in kinds.items():
        scaled = run(dense_network(weights, biases), frames, "rounding", scales)
        without = dense_network(*bake_scales(weights, biases, scales))
        baked = run(without, frames * scales[0], "rounding")
        apart = float(np.abs(scaled.outputs - baked.outputs).max())
        others = sum(map(differing, scaled.messages, baked.messages))
        outputs = f"{name}: outputs of the network without scales, largest difference"
        messages = f"{name}: messages of the network without scales that differ"
        found += [check(outputs, apart, 1e-10), check(messages, others, 0.0, "==")]
    return found
