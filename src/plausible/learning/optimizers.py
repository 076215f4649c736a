"""Stochastic gradient descent and Adam, with the variants found in the thesis and its code.

Parameters are updated in place, layer by layer, from the local terms of ``backprop``.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from plausible.learning.backprop import LocalTerms, mean_gradients, mean_squares
from plausible.learning.settings import TrainingSettings
from plausible.networks.mlp import Network

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-8


class OptimizerState(NamedTuple):
    """Number of updates made and, for Adam, both moments of every parameter.

    The moments are keyed by (kind, layer) and hold (first, second) for weight and bias, or for
    gain and shift. SGD has none.
    """

    step: int
    moments: dict[tuple[str, int], tuple[tuple[Tensor, Tensor], ...]]


def learned_parameters(network: Network) -> dict[tuple[str, int], tuple[Tensor, Tensor]]:
    """(weight, bias) under ("linear", layer), (gain, shift) under ("batch_norm", layer)."""
    found = {}
    for layer, norm in enumerate(network.batch_norms):
        found["linear", layer] = (network.weights[layer], network.biases[layer])
        if norm is not None and norm.affine:
            found["batch_norm", layer] = (norm.gain, norm.shift)
    return found


def init_optimizer(network: Network, settings: TrainingSettings) -> OptimizerState:
    """State before the first update: all moments zero."""
    if settings.optimizer == "sgd":
        return OptimizerState(0, {})
    return OptimizerState(
        0,
        {
            key: tuple((torch.zeros_like(each), torch.zeros_like(each)) for each in pair)
            for key, pair in learned_parameters(network).items()
        },
    )


def apply_terms(
    network: Network, terms: LocalTerms, state: OptimizerState, settings: TrainingSettings
) -> None:
    """Update the parameters that ``terms`` belong to, in place.

    ``state.step`` is the number of this update, from 1.
    """
    norm = network.batch_norms[terms.layer]
    if terms.kind == "batch_norm":
        if not norm.affine:
            return
        parameters = (norm.gain, norm.shift)
    else:
        parameters = (network.weights[terms.layer], network.biases[terms.layer])
    if settings.optimizer == "sgd":
        _sgd(parameters, terms, settings.learning_rate)
        return
    gradients = mean_gradients(terms)
    per_sample = settings.adam_second_moment == "per_sample"
    squares = mean_squares(terms) if per_sample else (None, None)
    moments = state.moments[terms.kind, terms.layer]
    for parameter, gradient, square, (first, second) in zip(
        parameters, gradients, squares, moments, strict=True
    ):
        adam_step(parameter, gradient, square, first, second, state.step, settings)


def _sgd(parameters: tuple[Tensor, Tensor], terms: LocalTerms, learning_rate: float) -> None:
    """W <- W - alpha dLoss/dW, with the gradient's matrix product fused into the update."""
    rate = -learning_rate / terms.error.shape[0]
    if terms.kind == "linear":
        parameters[0].t().addmm_(terms.error.t(), terms.activity, alpha=rate)
    else:
        parameters[0].add_((terms.error * terms.activity).sum(dim=0), alpha=rate)
    if not terms.centred:
        parameters[1].add_(terms.error.sum(dim=0), alpha=rate)


def adam_step(
    parameter: Tensor,
    gradient: Tensor,
    square: Tensor | None,
    first: Tensor,
    second: Tensor,
    step: int,
    settings: TrainingSettings,
) -> None:
    """One Adam update of one parameter, in place (Thuesen 2022, section 2.7, eq. 27-29).

        m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g^2
        w <- w - alpha (m / c1) / (sqrt(v / c2) + epsilon)

    with c = 1 - b^t (``powers``) or, as eq. 28 prints it, c = 1 - b (``as_printed``).
    ``square`` replaces g^2 where given (``adam_second_moment: per_sample``). With
    ``adam_epsilon_inside_root`` the denominator is sqrt((v + epsilon) / c2), as in the code behind
    the thesis.
    """
    power = step if settings.adam_bias_correction == "powers" else 1
    correction_1, correction_2 = 1.0 - BETA_1**power, 1.0 - BETA_2**power
    first.lerp_(gradient, 1.0 - BETA_1)
    if square is None:
        second.mul_(BETA_2).addcmul_(gradient, gradient, value=1.0 - BETA_2)
    else:
        second.lerp_(square, 1.0 - BETA_2)
    # The factor 1 / sqrt(c2) of the denominator moves into the step size, so epsilon is rescaled.
    rate = settings.learning_rate * correction_2**0.5 / correction_1
    if settings.adam_epsilon_inside_root:
        denominator = (second + EPSILON).sqrt_()
    else:
        # The smallest normal number changes nothing beside epsilon, but roots of denormal numbers
        # (squares of tiny gradients in float32) would take 30 times as long.
        denominator = second + torch.finfo(second.dtype).tiny
        denominator.sqrt_().add_(EPSILON * correction_2**0.5)
    parameter.addcdiv_(first, denominator, value=-rate)
