"""Batch norm of Thuesen 2022 (sections 2.8, 3.4.3, 6.1), checked in float64."""

import torch
from torch import Tensor
from torch.nn import functional

from plausible.conversion.shadow import fuse_batch_norm
from plausible.networks.batch_norm import BatchNorm, init_batch_norm, normalise, propagate
from plausible.reproduction.theorem_checks import (
    Check,
    checks,
    controls,
    normal,
    relative_difference,
)
from plausible.studies.thuesen2022.learning.settings import Theorems
from plausible.studies.thuesen2022.theorem_problems import generator_of

BATCH = 32


def batch_norm(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 30-33: standardisation in training, an affine map of moving statistics afterwards."""
    generator = generator_of("batch_norm", seed)
    return [*_training_statistics(generator), *_inference(generator), *_estimates(generator)]


def _training_statistics(generator: torch.Generator) -> list[Check]:
    """Mean and standard deviation of the training output, and what they must be."""
    features, epsilon = 12, 1e-5
    inputs = 2.0 + 3.0 * normal(generator, BATCH, features)
    gain, shift = 1.0 + 0.3 * normal(generator, features), normal(generator, features)
    output, _ = normalise(_norm(features, gain, shift), inputs, batch_statistics=True)
    variance = inputs.var(dim=0, correction=0)
    spread = output.std(dim=0, correction=0)

    def apart(share: Tensor) -> float:
        """Distance of the spread to |gain| times a share."""
        return float((spread - gain.abs() * share).abs().max())

    sample = inputs.var(dim=0)
    check, text = "output_has_shift_and_gain", "training output: maximum difference of its "
    return [
        *checks(
            check,
            {
                "mean": (f"{text}mean to beta", float((output.mean(dim=0) - shift).abs().max())),
                "spread": (
                    f"{text}standard deviation to |gamma| sqrt(v / (v + epsilon))",
                    apart((variance / (variance + epsilon)).sqrt()),
                ),
            },
        ),
        *controls(
            check,
            {
                "epsilon_outside_the_root": apart(variance.sqrt() / (variance.sqrt() + epsilon)),
                "sample_variance": apart((variance / (sample + epsilon)).sqrt()),
            },
        ),
    ]


def _inference(generator: torch.Generator) -> list[Check]:
    """Eq. 33 with the moving statistics of 20 batches, against its formula and against torch."""
    features = 12
    gain, shift = 1.0 + 0.3 * normal(generator, features), normal(generator, features)
    trained = torch.nn.BatchNorm1d(features, dtype=torch.float64)
    trained.load_state_dict({**trained.state_dict(), "weight": gain, "bias": shift})
    moved, swapped = (_norm(features, gain, shift, weight) for weight in (0.1, 0.9))
    for _ in range(20):
        batch = 2.0 + 3.0 * normal(generator, BATCH, features)
        trained(batch)
        for each in (moved, swapped):
            normalise(each, batch, batch_statistics=True, update_running=True)
    inputs = 2.0 + 3.0 * normal(generator, BATCH, features)
    root = torch.sqrt(moved.running_variance + moved.epsilon)
    affine = gain / root * inputs + (shift - gain * moved.running_mean / root)
    library = trained.eval()(inputs).detach()

    def apart(norm: BatchNorm, expected: Tensor, batch_statistics: bool = False) -> float:
        output, _ = normalise(norm, inputs, batch_statistics)
        return float((output - expected).abs().max())

    check, text = "inference_is_the_affine_map", "inference output after 20 batches: maximum "
    return [
        *checks(
            check,
            {
                "formula": (f"{text}difference to the affine map of eq. 33", apart(moved, affine)),
                "library": (f"{text}difference to torch's BatchNorm1d", apart(moved, library)),
            },
        ),
        *controls(
            check,
            {
                "statistics_of_the_batch": apart(moved, affine, batch_statistics=True),
                "moving_average_roles_swapped": apart(swapped, library),
            },
        ),
    ]


def _estimates(generator: torch.Generator) -> list[Check]:
    """Eq. 32: how near the moving averages come to mean and variance of a data set."""
    features = 64
    data = 2.0 + 3.0 * normal(generator, 128 * BATCH, features)
    goals = (data.mean(dim=0), data.var(dim=0))
    batches = torch.randperm(len(data), generator=generator).split(BATCH)

    def shares(new_weight: float) -> tuple[float, float]:
        """Distance of the moving mean and variance to the data set's over that of one batch's.

        Root mean squares over features and the batches from the 64th on.
        """
        norm = _norm(features, goals[0], goals[0], new_weight)
        apart: list[list[Tensor]] = [[], []]
        single: list[list[Tensor]] = [[], []]
        for number, chosen in enumerate(batches):
            batch = data[chosen]
            normalise(norm, batch, batch_statistics=True, update_running=True)
            if number < 64:
                continue
            for index, (moving, own) in enumerate(
                ((norm.running_mean, batch.mean(dim=0)), (norm.running_variance, batch.var(dim=0)))
            ):
                apart[index].append((moving - goals[index]) ** 2)
                single[index].append((own - goals[index]) ** 2)
        mean, variance = (
            float((torch.stack(moving).mean() / torch.stack(own).mean()).sqrt())
            for moving, own in zip(apart, single, strict=True)
        )
        return mean, variance

    check, found = "moving_averages_estimate_the_data_set", []
    for protocol, weight in (("corrected", 0.1), ("as_published", 0.9), ("as_coded", 0.9)):
        text = f"distance of the moving {{}} with weight {weight} on the new batch to that of the "
        text += "data set, over that of a single batch"
        names = ("mean", "variance")
        both = {
            name: (text.format(name), share)
            for name, share in zip(names, shares(weight), strict=True)
        }
        found += checks(check, both, protocol)
    return [*found, *controls(check, {"last_batch_alone": min(shares(1.0))})]


def _norm(features: int, gain: Tensor, shift: Tensor, new_weight: float = 0.1) -> BatchNorm:
    norm = init_batch_norm(features, 1e-5, new_weight, True, gain.dtype)
    return norm._replace(gain=gain, shift=shift)


def batch_norm_fusion(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 41-42: batch norm at inference disappears in the weights and biases below it."""
    generator = generator_of("batch_norm_fusion", seed)
    weight, bias = normal(generator, 16, 20).t(), normal(generator, 16)
    gain, shift, mean = normal(generator, 3, 16)
    variance = 0.1 + normal(generator, 16) ** 2
    inputs = normal(generator, BATCH, 20)
    fused_weight, fused_bias = (
        torch.from_numpy(array)
        for array in fuse_batch_norm(
            *(each.numpy() for each in (weight, bias, gain, shift, mean, variance)), 1e-5
        )
    )
    linear = functional.linear(inputs, weight.t(), bias)
    expected = functional.batch_norm(linear, mean, variance, gain, shift, eps=1e-5)
    scale = gain / torch.sqrt(variance + 1e-5)

    def apart(output: Tensor, expected: Tensor) -> float:
        return relative_difference([output], [expected])

    own = functional.linear(inputs, fused_weight.t(), fused_bias)
    unscaled = own + (1.0 - scale) * bias
    after = functional.batch_norm(functional.relu(linear), mean, variance, gain, shift, eps=1e-5)
    batch = functional.batch_norm(linear, None, None, gain, shift, training=True, eps=1e-5)
    check, text = "same_outputs", "output of the fused layer against a linear layer and torch's "
    return [
        Check(check, text + "batch norm, relative to the largest output", apart(own, expected)),
        *controls(
            check,
            {
                "bias_not_scaled": apart(unscaled, expected),
                "batch_norm_after_the_activation": apart(functional.relu(own), after),
                "batch_statistics_at_inference": apart(own, batch),
            },
        ),
    ]


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
        "normalised": ("dL/dxhat", normalised),
        "variance": ("dL/dvariance", variance),
        "mean": ("dL/dmean", mean),
        "input": ("dL/dx", x),
        "gain": ("dL/dgamma", gain),
        "shift": ("dL/dbeta", shift),
    }
    d, *automatic = torch.autograd.grad(loss, [y, *(one for _, one in variables.values())])
    with torch.no_grad():
        d_normalised = d * gain

        def d_variance(exponent: float = 1.5) -> Tensor:
            summed = (d_normalised * (x - mean)).sum(dim=0)
            return -0.5 * summed * (variance + epsilon) ** -exponent

        def d_input(variance_term: float = 1.0) -> Tensor:
            through = variance_term * d_variance() * 2.0 * (x - mean) / BATCH
            return d_normalised / root + through + d_mean / BATCH

        d_mean = (-d_normalised / root).sum(dim=0) + d_variance() * (-2 * (x - mean)).mean(dim=0)
        d_gain, d_shift = (d * normalised).sum(dim=0), d.sum(dim=0)
        formulas = [d_normalised, d_variance(), d_mean, d_input(), d_gain, d_shift]
        norm = _norm(features, gain, shift)
        _, record = normalise(norm, x, batch_statistics=True)
        implemented = propagate(norm, record, d)
        check, text = "equals_autodiff", "against autograd: maximum relative difference"
        texts = {key: f"{name} of eq. 55 {text}" for key, (name, _) in variables.items()}
        texts["implemented"] = f"dL/dx as implemented (mean and variance eliminated) {text}"
        pairs = zip([*formulas, implemented], [*automatic, automatic[3]], strict=True)
        deviations = [relative_difference([one], [other]) for one, other in pairs]
        found = zip(texts, zip(texts.values(), deviations, strict=True), strict=True)
        return [
            *checks(check, dict(found)),
            *controls(
                check,
                {
                    "variance_term_omitted": relative_difference([d_input(0.0)], [automatic[3]]),
                    "exponent_one_half": relative_difference([d_variance(0.5)], [automatic[1]]),
                },
            ),
        ]
