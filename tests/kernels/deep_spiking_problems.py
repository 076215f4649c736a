"""Small spiking networks and data shared by the tests."""

import numpy as np

from plausible.kernels.deep_spiking_types import Network, Rule, make_network
from plausible.kernels.spike_emission import input_trains

WHITE = 16


def levels(seed: int, samples: int = 8, units: int = 12) -> np.ndarray:
    """Grey levels 0 to 16, half of them black."""
    rng = np.random.default_rng(seed)
    return (
        rng.integers(1, WHITE + 1, (samples, units)) * rng.integers(0, 2, (samples, units))
    ).astype(np.uint8)


def weights(seed: int, sizes: tuple[int, ...]) -> list[np.ndarray]:
    """Weights that let spikes through all layers."""
    rng = np.random.default_rng(seed)
    return [
        rng.normal(0.1, 1.5 / np.sqrt(below), (below, above))
        for below, above in zip(sizes[:-1], sizes[1:], strict=True)
    ]


def problem(rule: Rule, seed: int = 0, sizes: tuple[int, ...] = (12, 9, 7, 4), samples: int = 8):
    """Network, input spikes, labels."""
    network: Network = make_network(weights(seed, sizes), rule)
    trains = input_trains(levels(seed, samples, sizes[0]), rule.steps, WHITE)
    labels = np.random.default_rng(seed).integers(0, sizes[-1], samples)
    return network, trains, labels
