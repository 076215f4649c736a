"""The true gradient at a fixed point, by implicit differentiation. Numpy only.

Source: what equilibrium propagation estimates (O'Connor 2020, eq. 2.11 to 2.13), without its
phases. At a fixed point units strictly between 0 and 1 have F(s, theta) = ds/dt = 0, the others
stay at their limit when theta changes a little. With J = dF/ds among the free units and g = dC/ds

    dC/dtheta = v^T dF/dtheta,   v = -J^-T g   (0 for units at a limit)

The limit itself, where a unit at 0 or 1 is not pressed against it, has no derivative. rho is the
hard sigmoid: states lie where it is the identity and rho' is 1, and of the input rho(x) counts.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.learning.equilibrium_propagation import Gradients
from plausible.networks.equilibrium import Equilibrium, States
from plausible.networks.leaky_clip import HARD_SIGMOID


def fixed_point_gradient(
    network: Equilibrium, inputs: NDArray, states: States, targets: NDArray, pull: float = 0.0
) -> Gradients:
    """Gradient of the batch mean of |s_L - y|^2 at ``states``, a fixed point for ``inputs``.

    ``targets`` [batch, outputs] are y; ``pull`` is that of the settling, towards anchors that are
    held. Weights of a network with feedback matrices enter in one direction only.

    Raises
    ------
    StudyError
        If rho is another function, or states leave the range from 0 to 1.
    """
    flat = np.concatenate(states, axis=1)
    if network.rho != HARD_SIGMOID or not ((flat >= 0.0) & (flat <= 1.0)).all():
        raise StudyError(
            f"Gradient at a fixed point: found rho {tuple(network.rho)} and states from "
            f"{flat.min():g} to {flat.max():g}; expected the hard sigmoid {tuple(HARD_SIGMOID)} "
            "and states from 0 to 1."
        )
    sizes = [layer.shape[1] for layer in states]
    first = np.cumsum([0, *sizes])
    coupling = np.zeros((first[-1], first[-1]))
    """d(pressure of the row's unit) / d(state of the column's unit)"""
    for layer in range(1, len(states)):
        low, high = slice(*first[layer - 1 : layer + 1]), slice(*first[layer : layer + 2])
        coupling[high, low] = network.weights[layer].T
        down = network.feedback[layer - 1] if network.feedback else network.weights[layer].T
        coupling[low, high] = down.T
    slopes = np.zeros_like(flat)
    slopes[:, first[-2] :] = 2.0 * (states[-1] - targets)
    effects = np.zeros_like(flat)
    for sample, state in enumerate(flat):
        (free,) = np.nonzero((state > 0.0) & (state < 1.0))
        jacobian = coupling[np.ix_(free, free)] - (1.0 + pull) * np.eye(len(free))
        effects[sample, free] = -np.linalg.solve(jacobian.T, slopes[sample, free])
    effect = np.split(effects, first[1:-1], axis=1)
    below, batch = (network.rho.value(inputs), *states[:-1]), len(inputs)
    forward = [b.T @ e / batch for b, e in zip(below, effect, strict=True)]
    backward = [s.T @ e / batch for s, e in zip(states[1:], effect, strict=False)]
    biases = tuple(e.mean(axis=0) for e in effect)
    if network.feedback is not None:
        return Gradients(tuple(forward), biases, tuple(backward))
    both = [f + b.T for f, b in zip(forward[1:], backward, strict=True)]
    return Gradients((forward[0], *both), biases)
