"""Theorems of chapter 4 and appendix B of O'Connor 2020: scales and their optimisation.

One function per published entry, as in `theorems`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from plausible.learning.scale_optimisation import (
    LinearMap,
    ScaleSettings,
    dense_maps,
    initial_log_scales,
    original_outputs,
    scale_gradients,
)
from plausible.measure.operations import event_additions
from plausible.networks.sigma_delta import bake_scales, dense_network, run
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import (
    COMPUTATION,
    random_weights,
    relative_error,
)

SIZES = (12, 20, 15, 8)
NETWORKS = 20
SCALES = tuple(2.0**power for power in range(-2, 7))
AS_PUBLISHED = "as_published"
LAMBDAS = (1e-5, 1e-4, 1e-3)
EPOCHS = 24
Parameters = tuple[Sequence[Tensor], Sequence[Tensor]]


def theorem_generator(name: str, seed: int) -> np.random.Generator:
    """Random stream of the checks of one entry."""
    return numpy_generator("oconnor2020", "theorems", name, seed)


def random_parameters(
    generator: np.random.Generator, sizes: Sequence[int] = SIZES, bias_deviation: float = 0.3
) -> tuple[list[NDArray], list[NDArray]]:
    """Weights [below, above] and biases of a random network."""
    weights = random_weights(sizes, generator)
    return weights, [bias_deviation * generator.standard_normal(size) for size in sizes[1:]]


def differing(one: ArrayLike, other: ArrayLike) -> float:
    """Number of entries that are not the same."""
    return float(np.sum(np.not_equal(one, other)))


def relative(found: ArrayLike, expected: ArrayLike) -> float:
    """Largest difference over the largest expected value."""
    return float(np.abs(np.subtract(found, expected)).max() / np.abs(expected).max())


def larger_scales(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.4-4.6: round(k x) / k; a larger k lowers the error and raises the computation."""
    generator = theorem_generator("eq4.6", seed)
    problems = [
        (random_parameters(generator), generator.standard_normal((50, SIZES[0])))
        for _ in range(NETWORKS)
    ]
    return [
        *_error_and_computation(problems),
        *_forms_of_the_scaled_networks(*problems[0], generator),
    ]


def _error_and_computation(
    problems: Sequence[tuple[tuple[list[NDArray], list[NDArray]], NDArray]],
) -> list[Check]:
    """Errors and operations of both networks over the scales, with k divided out and without."""
    falls, slope = "larger_scales_cost_more_and_err_less", "error_falls_as_one_over_k"
    ordered, slopes, not_divided = {}, {}, {}
    text = f"means of {NETWORKS} networks, k = {SCALES[0]:g} to {SCALES[-1]:g}"
    for kind in ("rounding", "sigma_delta"):
        means = np.mean([_over_scales(*each, kind) for each in problems], axis=0)
        errors, undivided, additions = means
        costs = np.diff(additions) <= 0
        ordered[kind] = (
            f"{kind.replace('_', '-')}: doublings of k with an error that is not lower or "
            f"operations that are not more, {text}",
            float(np.sum((np.diff(errors) >= 0) | costs)),
        )
        slopes[kind] = f"{kind.replace('_', '-')}: {text}", _slope(errors)
        not_divided[kind] = (
            float(np.mean((np.diff(undivided) >= 0) | costs)),
            _slope(undivided),
        )
    at_one = np.full(len(SCALES), additions[SCALES.index(1.0)])
    broken = {
        "no_division_by_k": min(share for share, _ in not_divided.values()),
        "operations_at_k_1": float(np.mean((np.diff(errors) >= 0) | (np.diff(at_one) <= 0))),
    }
    return [
        *checks(falls, ordered),
        *controls(falls, broken),
        *checks(slope, slopes),
        *controls(slope, {"no_division_by_k": min(rise for _, rise in not_divided.values())}),
    ]


def _over_scales(
    parameters: tuple[list[NDArray], list[NDArray]], frames: NDArray, kind: str
) -> NDArray:
    """Error, error where messages are not divided by k, and additions, [3, scales]."""
    layers = dense_network(*parameters, output="relu")
    original = run(layers, frames, "original").outputs
    found = []
    for scale in SCALES:
        multiplied = dense_network([scale * w for w in parameters[0]], parameters[1], output="relu")
        ran, undivided = (
            run(each, frames, kind, [scale] * len(layers)) for each in (layers, multiplied)
        )
        sent = zip(layers, ran.messages, strict=True)
        additions = sum(event_additions(each, layer.fan_out).sum() for layer, each in sent)
        errors = [relative_error(each.outputs, original) for each in (ran, undivided)]
        found.append((*errors, additions))
    return np.array(found).T


def _slope(errors: NDArray) -> float:
    """Slope of the logarithm of the error on that of k, for k >= 4."""
    large = np.array(SCALES) >= 4
    return float(np.polyfit(np.log(np.array(SCALES)[large]), np.log(errors[large]), 1)[0])


def _forms_of_the_scaled_networks(
    parameters: tuple[list[NDArray], list[NDArray]],
    frames: NDArray,
    generator: np.random.Generator,
) -> list[Check]:
    """Eq. 4.6 against eq. 4.5, and the division by k against weights that are divided."""
    same, divided = "sigma_delta_form_equals_rounding_form", "division_belongs_to_the_weights"
    layers = dense_network(*parameters, output="identity")
    scales = [float(k) for k in generator.uniform(0.5, 8.0, len(layers))]
    rounding = run(layers, frames, "rounding", scales).outputs
    literal, printed = (
        relative(run(layers, frames, f"sigma_delta_{kind}", scales).outputs, rounding)
        for kind in ("herding", "as_printed")
    )
    weight, k = parameters[0][0], scales[0]
    whole = np.rint(k * frames)
    right, wrong = (relative(whole @ each, whole / k @ weight) for each in (weight / k, weight))
    return [
        *checks(same, {"": ("eq. 4.6 with herd(Δ(k x)) against eq. 4.5", literal)}),
        *checks(same, {"": ("eq. 4.6 with round(Δ(k x)) against eq. 4.5", printed)}, AS_PUBLISHED),
        *controls(same, {"rounded_after_the_difference": printed}),
        *checks(divided, {"": ("round(k x) (W / k) against (round(k x) / k) W", right)}),
        *controls(divided, {"weights_not_divided": wrong}),
    ]


def _loss_by_autograd(
    parameters: Parameters,
    inputs: Tensor,
    log_scales: Sequence[Tensor],
    average: bool,
    higher_layers: bool = False,
    straight_through: bool = True,
) -> tuple[Tensor, Tensor]:
    """KL divergence and computation of a batch, by eq. 4.7-4.10 or with other gradients.

    ``higher_layers`` lets the computation of a layer depend on the scales below it;
    without ``straight_through`` rounding has its true derivative, 0.
    """
    original, activity, computation = inputs, inputs, inputs.new_zeros(len(inputs))
    for index, (weight, bias) in enumerate(zip(*parameters, strict=True)):
        scale = log_scales[index].exp()
        sent = activity if higher_layers else activity.detach()
        computation = computation + len(bias) * (sent * scale).abs().sum(dim=1)
        scaled = activity * scale
        rounded = scaled.round()
        if straight_through:
            rounded = scaled + (rounded - scaled).detach()
        current = rounded / scale @ weight + bias
        original = original @ weight + bias
        if index < len(parameters[0]) - 1:
            current, original = torch.relu(current), torch.relu(original)
        activity = current
    true, found = torch.log_softmax(original, 1), torch.log_softmax(activity, 1)
    error = (found.exp() * (found - true)).sum(dim=1).mean()
    return error, computation.mean() if average else computation.sum()


def scale_optimisation(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.7-4.10: gradients by autograd; the loss falls; larger lambdas, smaller scales."""
    generator = theorem_generator("eq4.10", seed)
    parameters = tuple(list(map(torch.from_numpy, part)) for part in random_parameters(generator))
    inputs = torch.from_numpy(generator.standard_normal((300, SIZES[0])))
    maps, found = dense_maps(*parameters), []
    for protocol, computation in COMPUTATION.items():
        chosen = ScaleSettings(LAMBDAS, computation=computation, learning_rate=0.01)
        batch = inputs[: chosen.batch_size]
        start = initial_log_scales(maps, batch, chosen)
        moved = [each + torch.from_numpy(generator.normal(0.0, 0.5, each.shape)) for each in start]
        found += _update_rule(parameters, maps, moved, batch, chosen, protocol)
        found += _descent(parameters, maps, inputs, chosen, protocol)
    return found


def _update_rule(
    parameters: Parameters,
    maps: Sequence[LinearMap],
    log_scales: Sequence[Tensor],
    batch: Tensor,
    chosen: ScaleSettings,
    protocol: str,
) -> list[Check]:
    """Gradients against those that autograd finds, by eq. 4.10 and by others."""
    targets = original_outputs(maps, batch, chosen.error)
    gradients = scale_gradients(maps, log_scales, batch, targets, chosen).log_scales

    def apart(**other: bool) -> list[float]:
        """Relative deviation at each lambda."""
        deviations = []
        for index, weight in enumerate(chosen.lambdas):
            leaves = [each[index].clone().requires_grad_() for each in log_scales]
            average = chosen.computation == "mean"
            error, price = _loss_by_autograd(parameters, batch, leaves, average, **other)
            expected = torch.autograd.grad(error + weight * price, leaves)
            ours = torch.cat([each[index].flatten() for each in gradients]).numpy()
            deviations.append(
                relative(ours, torch.cat([each.flatten() for each in expected]).numpy())
            )
        return deviations

    check, text = "update_is_that_of_the_equations", "gradients by log k against autograd"
    broken = {
        "computation_of_higher_layers": max(apart(higher_layers=True)),
        "true_derivative": min(apart(straight_through=False)),
    }
    found = checks(check, {"": (f"{text}, largest over three lambdas", max(apart()))}, protocol)
    return found + (controls(check, broken) if protocol == AS_PUBLISHED else [])


def _descent(
    parameters: Parameters,
    maps: Sequence[LinearMap],
    inputs: Tensor,
    chosen: ScaleSettings,
    protocol: str,
) -> list[Check]:
    """Change of the loss over the descent, and the scales at its end."""
    check, order = "loss_falls", "larger_lambda_gives_smaller_scales"
    start, end = (_descended(maps, inputs, chosen, epochs) for epochs in (0, EPOCHS))
    # Many passes in the other direction would let the scales overflow.
    against = _descended(maps, inputs, chosen, 1, sign=-1)
    free = _descended(maps, inputs, chosen._replace(lambdas=(0.0,) * len(LAMBDAS)), EPOCHS)

    def change(log_scales: Sequence[Tensor]) -> list[float]:
        """Loss at these scales less that at the start, for each lambda."""
        average = chosen.computation == "mean"
        per_sample = 1 if average else chosen.batch_size
        losses = []
        for index, weight in enumerate(chosen.lambdas):
            pair = (
                _loss_by_autograd(parameters, inputs, [each[index] for each in scales], True)
                for scales in (start, log_scales)
            )
            before, after = (float(error + weight * per_sample * price) for error, price in pair)
            losses.append(after - before)
        return losses

    text = f"change of the loss on 300 inputs over {EPOCHS} epochs, lambda"
    changes = zip(chosen.lambdas, change(end), strict=True)
    falling = {f"lambda_{weight:.0e}".replace("-0", "_"): (f"{text} {weight:g}", found)
               for weight, found in changes}  # fmt: skip
    text = "lambdas at which the mean log k of the layers is not lower than at a tenth of it"
    found = [
        *checks(check, falling, protocol),
        *checks(order, {"": (text, float(_not_lower(end).sum()))}, protocol),
    ]
    if protocol == AS_PUBLISHED:
        found += controls(check, {"sign_reversed": min(change(against))})
        found += controls(order, {"no_price": float(_not_lower(free).mean())})
    return found


def _descended(
    maps: Sequence[LinearMap], inputs: Tensor, chosen: ScaleSettings, epochs: int, sign: int = 1
) -> tuple[Tensor, ...]:
    """log k of every layer, [lambdas, 1, 1], after so many passes down the gradient, or up."""
    targets = original_outputs(maps, inputs, chosen.error)
    log_scales = initial_log_scales(maps, inputs, chosen)
    batches = [each.split(chosen.batch_size) for each in (inputs, targets)]
    for rows, wanted in epochs * list(zip(*batches, strict=True)):
        found = scale_gradients(maps, log_scales, rows, wanted, chosen)
        for log_scale, gradient in zip(log_scales, found.log_scales, strict=True):
            log_scale.sub_(gradient, alpha=sign * chosen.learning_rate)
    return log_scales


def _not_lower(log_scales: Sequence[Tensor]) -> NDArray[np.bool_]:
    """Whether the mean log k of the layers is not lower at the next lambda."""
    means = np.mean([each.flatten().numpy() for each in log_scales], axis=0)
    return np.diff(means) >= 0


def scales_can_be_baked(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.17: w' = w k2 / k1 and b' = k2 b, because ReLU lets a factor through."""
    check, generator = "outputs_equal", theorem_generator("eqB.17", seed)
    weights, biases = random_parameters(generator)
    frames = generator.standard_normal((100, SIZES[0]))
    kinds = {
        "layers": [float(k) for k in generator.uniform(0.5, 8.0, len(weights))],
        "units": [generator.uniform(0.5, 8.0, size) for size in SIZES[:-1]],
    }
    doubling = [2.0, 4.0, 8.0]

    def apart(scales, baked_scales=None, baked_biases=True, nonlinearity="relu") -> float:
        """Outputs of the network without scales against those of the network with them."""

        def network(*parameters):
            return dense_network(*parameters, nonlinearity, output="identity")

        baked = bake_scales(weights, biases, scales if baked_scales is None else baked_scales)
        without = network(baked[0], baked[1] if baked_biases else biases)
        scaled = run(network(weights, biases), frames, "rounding", scales).outputs
        return relative(run(without, frames * scales[0], "rounding").outputs, scaled)

    found = {
        name: (f"a scale for each of the {name}: outputs of the network without scales", apart(k))
        for name, k in kinds.items()
    }
    broken = {
        "tanh_for_relu": apart(doubling, nonlinearity="tanh"),
        "biases_not_scaled": apart(doubling, baked_biases=False),
        "negative_scale": apart(doubling, baked_scales=[2.0, -4.0, 8.0]),
    }
    return checks(check, found) + controls(check, broken)
