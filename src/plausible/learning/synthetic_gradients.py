"""Synthetic gradients: each layer has a linear model that predicts the gradient of its state.

Source: O'Connor 2020, section 2.6 (after Jaderberg et al. 2017). The predictor A_l of layer l reads
the state of the layer, g_l = (z_l, 1) A_l. It learns from the prediction of the layer above,
propagated down by one layer, and the last one from the true gradient,

    target_l = (f'_(l+1) g_(l+1)) W_(l+1)^T,    target_L = dLoss/dz_L
    A_l <- A_l + rate <(z_l, 1)^T (target_l - g_l)>

States are [batch, units] of the layers 1 .. L, weights W_l [units below, units].
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from plausible.errors import ConfigError


def with_one(states: Tensor) -> Tensor:
    """(z, 1), [batch, units + 1]."""
    return torch.cat([states, states.new_ones(len(states), 1)], dim=1)


def predict(predictors: Sequence[Tensor], states: Sequence[Tensor]) -> list[Tensor]:
    """g_l of each layer, [batch, units]."""
    return [
        with_one(state) @ predictor for state, predictor in zip(states, predictors, strict=True)
    ]


def bootstrap_targets(
    predictions: Sequence[Tensor],
    weights: Sequence[Tensor],
    slopes: Sequence[Tensor],
    last_gradient: Tensor,
) -> list[Tensor]:
    """What each predictor learns, [batch, units]; the last one the true gradient.

    ``weights`` and ``slopes`` (f' at each state) are those of all layers, 1 .. L.

    Raises
    ------
    ConfigError
        If the layers are not equally many.
    """
    if not len(predictions) == len(weights) == len(slopes):
        raise ConfigError(
            f"synthetic gradients: {len(predictions)} predictions, {len(weights)} weights and "
            f"{len(slopes)} slopes were found, expected one of each for every layer."
        )
    above = zip(predictions[1:], weights[1:], slopes[1:], strict=True)
    return [(slope * gradient) @ weight.T for gradient, weight, slope in above] + [last_gradient]


def learned(
    predictors: Sequence[Tensor], states: Sequence[Tensor], targets: Sequence[Tensor], rate: float
) -> list[Tensor]:
    """Predictors after a step down the gradient of 1/2 <|target - g|^2>."""
    found = []
    for predictor, state, target in zip(predictors, states, targets, strict=True):
        read = with_one(state)
        found.append(predictor + rate / len(read) * (read.T @ (target - read @ predictor)))
    return found
