"""How a feed-forward network learns to guess an equilibrium: local and global losses. Numpy only.

Source: O'Connor 2020, section 7.3.2 (eq. 7.2 to 7.4), 7.3.4 and D.2. With targets t (the settled
states s_-, or s_+), layer l has the loss L_l = 1/2 |s_f_l - t_l|^2, mean over the batch. (The
thesis prints no 1/2; the author's code has it.) The local rule keeps of the gradient of all losses
by W_l the term of L_l alone, the others are distant.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.networks.equilibrium import States
from plausible.networks.initialiser import ForwardPass, Initialiser


class LayerGradients(NamedTuple):
    """Mean gradients over the batch, of layers 1 .. L."""

    weights: tuple[NDArray, ...]
    biases: tuple[NDArray, ...]


def layer_losses(states: States, targets: States) -> NDArray[np.floating]:
    """L_l of each layer, mean over the batch, [L] (eq. 7.2)."""
    pairs = zip(states, targets, strict=True)
    return np.array([0.5 * ((s - t) ** 2).sum(axis=1).mean() for s, t in pairs])


def local_gradients(
    network: Initialiser, inputs: NDArray, passed: ForwardPass, targets: States
) -> LayerGradients:
    """dL_l/dW_l: each layer from its own input and its own error (first term of eq. 7.4)."""
    errors = [
        (s - t) * network.squash.slope(z)
        for s, z, t in zip(passed.states, passed.sums, targets, strict=True)
    ]
    return _outer(inputs, passed, errors)


def global_gradients(
    network: Initialiser,
    inputs: NDArray,
    passed: ForwardPass,
    targets: States,
    feedback: Sequence[NDArray] | None = None,
) -> LayerGradients:
    """d(sum of L_k)/dW_l, backpropagated through all layers above (eq. 7.4 as a whole).

    ``feedback`` are matrices, [units above, units] for layers 1 .. L - 1, that carry errors down
    in the place of W^T: feedback alignment.
    """
    errors, from_above = [], 0.0
    for layer in reversed(range(len(targets))):
        error = passed.states[layer] - targets[layer] + from_above
        error = error * network.squash.slope(passed.sums[layer])
        errors.insert(0, error)
        if layer:
            from_above = error @ (feedback[layer - 1] if feedback else network.weights[layer].T)
    return _outer(inputs, passed, errors)


def _outer(inputs: NDArray, passed: ForwardPass, errors: Sequence[NDArray]) -> LayerGradients:
    """Products of what each layer saw and its error, mean over the batch."""
    below = (inputs, *passed.states[:-1])
    weights = tuple(b.T @ e / len(inputs) for b, e in zip(below, errors, strict=True))
    return LayerGradients(weights, tuple(e.mean(axis=0) for e in errors))


def descend(
    parameters: Sequence[NDArray], gradients: Sequence[NDArray], rates: Sequence[float]
) -> None:
    """Each of ``parameters`` less its rate times its gradient, **in place**."""
    for parameter, gradient, rate in zip(parameters, gradients, rates, strict=True):
        parameter -= rate * gradient
