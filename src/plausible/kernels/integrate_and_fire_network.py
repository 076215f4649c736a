"""Simulation of a feed-forward network of integrate-and-fire neurons without leak. Numpy only.

The counterpart of a ReLU network (Diehl et al. 2015; Rueckauer et al. 2017). In every time step,
from the first layer to the last, the potential v of a neuron grows by its input, and a neuron at
its threshold emits one spike, which takes the threshold theta off (reset by subtraction):

    v += W s + b,    spike where v >= theta,    v -= theta,    s = theta where it spiked, else 0

so that nothing is lost: after T steps theta times the number of spikes is T times the mean input,
less what is left in v. As long as no neuron needs more than one spike a step, that is
max(0, W s + b) up to theta / T.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Counts(NamedTuple):
    """Spikes up to each checkpoint."""

    layers: list[NDArray[np.int64]]
    """Per layer [samples, checkpoints, units]."""
    potentials: list[NDArray]
    """v of every layer at the end, [samples, units]."""


def simulate(
    weights: Sequence[NDArray],
    biases: Sequence[NDArray],
    thresholds: Sequence[float],
    inputs: NDArray,
    checkpoints: Sequence[int],
    constant: bool,
) -> Counts:
    """Run layers with ``weights`` [inputs, units] for as many steps as the last of ``checkpoints``.

    ``inputs`` are the same in every step, [samples, features], if ``constant``; else they are one
    array [samples, features] a step, [samples, steps, features].
    """
    samples = len(inputs)
    first = inputs @ weights[0] if constant else None
    potentials = [np.zeros((samples, weight.shape[1])) for weight in weights]
    running = [np.zeros(potential.shape, np.int64) for potential in potentials]
    found = [np.zeros((samples, len(checkpoints), each.shape[1]), np.int64) for each in potentials]
    position = 0
    for step in range(1, checkpoints[-1] + 1):
        sent = inputs if constant else inputs[:, step - 1]
        for layer, (weight, bias, threshold) in enumerate(
            zip(weights, biases, thresholds, strict=True)
        ):
            potential = potentials[layer]
            potential += first if constant and layer == 0 else sent @ weight
            potential += bias
            fired = potential >= threshold
            sent = np.where(fired, threshold, 0.0)
            potential -= sent
            running[layer] += fired
        if step == checkpoints[position]:
            for layer, counts in enumerate(running):
                found[layer][:, position] = counts
            position += 1
    return Counts(found, potentials)
