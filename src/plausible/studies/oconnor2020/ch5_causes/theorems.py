"""Entries of a matrix that an update changes (O'Connor 2020, section 5.3.6), counted one by one."""

import numpy as np
from numpy.typing import NDArray

from plausible.kernels import pdnn
from plausible.kernels.pdnn_types import (
    TRACE,
    Network,
    Rule,
    Side,
    initial_weights,
    make_network,
    make_rule,
    starts,
)
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, controls
from plausible.seeds import numpy_generator

SIZES = (20, 15, 10)
WARM_UP, STEPS = 400, 40
BIAS = 2.0
"""Of hidden units, so that all of them are active."""


def _fired(side: Side, before: NDArray, layer: slice, rule: Rule) -> int:
    """Units whose reconstruction is not what decay alone leaves of it."""
    return int((side.units[TRACE, layer] != rule.k_alpha * before[layer]).sum())


def _started(seed: int, rule: Rule) -> tuple[Network, np.random.Generator]:
    rng = numpy_generator("oconnor2020", "ch5_causes", "update_entries", seed)
    biases = [np.full(SIZES[1], BIAS), np.zeros(SIZES[2])]
    network = make_network(initial_weights(SIZES, rng), rule, biases)
    past = make_rule(rule.learning_rate, rule.k_alpha, rule.k_beta_relative)
    pdnn.train(network, past, *_samples(rng, WARM_UP))
    return network, rng


def _samples(rng: np.random.Generator, number: int) -> tuple[NDArray, float, NDArray]:
    images = rng.uniform(0.2, 1.0, (number, SIZES[0]))
    return images, 1.0, rng.integers(SIZES[-1], size=number)


def counts(seed: int, update: str = "past") -> list[tuple[int, int, int, int, int]]:
    """Changed weights, firing inputs, firing errors, height and width, of each step and matrix."""
    rule = make_rule(0.01, 0.9, 0.5, update=update)
    network, rng = _started(seed, rule)
    first, found = starts(SIZES), []
    parts = [slice(first[k], first[k + 1]) for k in range(len(SIZES))]
    for _ in range(STEPS):
        old = [matrix.copy() for matrix in network.matrices]
        before = [side.units[TRACE].copy() for side in (network.forward, network.backward)]
        pdnn.train(network, rule, *_samples(rng, 1))
        for layer, matrix in enumerate(network.matrices):
            inputs = _fired(network.forward, before[0], parts[layer], rule)
            errors = _fired(network.backward, before[1], parts[layer + 1], rule)
            found.append((int((matrix != old[layer]).sum()), inputs, errors, *matrix.shape))
    return found


def update_entries(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Rows of firing inputs and columns of firing errors."""

    def off(update: str = "past", both: bool = False) -> int:
        return max(
            abs(changed - (x * e if both else x * width + e * height - x * e))
            for changed, x, e, height, width in counts(seed, update)
        )

    name = "touched_entries"
    broken = {"at_every_step": off("reconstruction"), "where_both_fire": off(both=True)}
    return [
        Check(name, "largest difference of changed weights from rows and columns", off()),
        *controls(name, broken),
    ]
