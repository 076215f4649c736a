"""A ``torch.nn.Sequential`` as a network that settles, and gradients by equilibrium propagation.

O'Connor 2020, section 2.7; Scellier and Bengio 2017. Each ``Linear`` connects its two layers both
ways, by its matrix and its transpose; units are hard sigmoids, ``Hardtanh(0, 1)``. What such a
network outputs is where it settles (`settle`), not what ``model(inputs)`` computes, which hears
nothing from above.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from plausible.errors import ModelError
from plausible.learning.equilibrium_propagation import Gradients, Recipe, both_phases, contrast
from plausible.models.data import (
    Data,
    as_array,
    as_classes,
    as_count,
    as_given,
    as_number,
    as_reals,
    as_samples,
)
from plausible.networks.equilibrium import Equilibrium, zero_states
from plausible.networks.equilibrium import settle as settle_states

_EXPECTED = "expected are Linear layers, each followed by Hardtanh(0, 1), perhaps behind a Flatten"


def eqprop(
    model: nn.Sequential,
    inputs: Data,
    labels: Data,
    *,
    beta: float = 0.5,
    steps: int = 20,
    nudged_steps: int = 4,
    step_size: float = 0.5,
) -> Tensor:
    """Add the update of equilibrium propagation to ``.grad``; return the loss before it.

    The network settles with its inputs held, then goes on from there with its outputs nudged by
    ``beta`` towards the targets. The contrast of the two states, divided by ``beta``, tends to the
    gradient of the loss at the fixed point as ``beta`` goes to 0 and the steps suffice:

        dW = -(s_i+ s_j+ - s_i- s_j-) / beta

    Source: O'Connor 2020, eq. 2.9 to 2.13.

    Parameters
    ----------
    model:
        ``Linear`` layers, each followed by ``Hardtanh(0, 1)``; a ``Flatten`` may come first.
    inputs:
        Real numbers [batch, features], best from 0 to 1: what is outside is clipped.
    labels:
        Classes, integers [batch], or targets, real numbers [batch, outputs]: the loss is the
        squared distance of the settled outputs from the targets, mean over the batch.
    beta:
        Size of the nudge. Its sign may be drawn anew for each batch, which cancels what an
        unfinished settling leaves behind.
    steps, nudged_steps:
        Of the first and of the nudged settling, from 1.
    step_size:
        Of the Euler steps, below 1; a deeper network needs more steps.

    Returns
    -------
    Tensor
        The loss at the settled state, one number, before any update.

    Raises
    ------
    ModelError
        If the model has another module, or an argument is not what is expected.
    """
    network, linears = _read(model)
    given = _inputs(inputs, network)
    targets = _targets(labels, len(given), network.biases[-1].size)
    if not (isinstance(beta, int | float) and np.isfinite(beta) and beta):
        raise ModelError(f"beta: found {beta!r}, expected a number that is not 0.")
    recipe = Recipe(
        as_count(steps, "steps", 1),
        as_count(nudged_steps, "nudged_steps", 1),
        float(beta),
        (1.0,) * len(linears),
        as_number(step_size, "step_size"),
    )
    phases = both_phases(network, None, recipe, given, targets)
    _add(linears, contrast(network, given, phases.minus, phases.plus, recipe.beta))
    loss = ((phases.minus[-1] - targets) ** 2).sum(axis=1).mean()
    return torch.as_tensor(loss, dtype=linears[0].weight.dtype, device=linears[0].weight.device)


def settle(model: nn.Sequential, inputs: Data, *, steps: int = 20, step_size: float = 0.5) -> Data:
    """Settled outputs [batch, outputs] of a model that `eqprop` trains, from zero states.

    The class of a sample is that of its largest output. Arguments are those of `eqprop`.
    """
    network, _ = _read(model)
    given = _inputs(inputs, network)
    size = as_number(step_size, "step_size")
    states = settle_states(
        network, given, zero_states(network, len(given)), as_count(steps, "steps", 1),
        step_size=size,
    )  # fmt: skip
    return as_given(states[-1], inputs)


def _read(model: nn.Sequential) -> tuple[Equilibrium, list[nn.Linear]]:
    """The network in float64, and the modules whose parameters it copies."""
    if not isinstance(model, nn.Sequential):
        raise ModelError(f"the model is a {type(model).__name__}, expected a torch.nn.Sequential.")
    modules = list(model)
    if modules and type(modules[0]) is nn.Flatten:
        modules = modules[1:]
    linears, clips = modules[::2], modules[1::2]
    if not linears or len(clips) != len(linears):
        raise ModelError(f"the model has {len(modules)} modules; {_EXPECTED}.")
    for linear, clip in zip(linears, clips, strict=True):
        if type(linear) is not nn.Linear:
            raise ModelError(f"found a {type(linear).__name__}; {_EXPECTED}.")
        if type(clip) is not nn.Hardtanh or (clip.min_val, clip.max_val) != (0.0, 1.0):
            raise ModelError(f"found {clip}; {_EXPECTED}.")
    weights = tuple(_numbers(linear.weight).T for linear in linears)
    for below, above in zip(weights, weights[1:], strict=False):
        if below.shape[1] != above.shape[0]:
            raise ModelError(
                f"a layer takes {above.shape[0]} inputs, where the one below has "
                f"{below.shape[1]} units."
            )
    biases = tuple(
        np.zeros(linear.out_features) if linear.bias is None else _numbers(linear.bias)
        for linear in linears
    )
    return Equilibrium(weights, biases), linears


def _numbers(parameter: Tensor) -> NDArray[np.float64]:
    found = parameter.detach().cpu().numpy().astype(np.float64)
    if not np.isfinite(found).all():
        raise ModelError("a weight or bias of the model is not finite, as after a divergence.")
    return found


def _inputs(inputs: Data, network: Equilibrium) -> NDArray[np.float64]:
    return as_samples(inputs, network.weights[0].shape[0])


def _targets(labels: Data, samples: int, outputs: int) -> NDArray[np.float64]:
    """One-hot labels, or the targets."""
    if as_array(labels, "labels").dtype.kind != "f":
        return np.eye(outputs)[as_classes(labels, samples, outputs)]
    targets = as_reals(labels, "targets")
    if targets.shape != (samples, outputs):
        raise ModelError(
            f"targets: found the shape {list(targets.shape)}, expected real numbers [{samples}, "
            f"{outputs}], or classes, integers [{samples}]."
        )
    return targets


def _add(linears: list[nn.Linear], found: Gradients) -> None:
    """Add gradients to ``.grad``; a module's matrix is [units, inputs]."""
    with torch.no_grad():
        for linear, weight, bias in zip(linears, found.weights, found.biases, strict=True):
            for parameter, gradient in ((linear.weight, weight.T), (linear.bias, bias)):
                if parameter is None or not parameter.requires_grad:
                    continue
                change = torch.as_tensor(np.ascontiguousarray(gradient)).to(parameter)
                parameter.grad = change if parameter.grad is None else parameter.grad + change
