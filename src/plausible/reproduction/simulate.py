"""Spiking simulations of any study: the converted networks of one shard on the test set."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from plausible.conversion.shadow import rate_forward
from plausible.data.dataset import Dataset, intensities
from plausible.kernels.lif_network import simulate_network
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.measure.accuracy import accuracy_percent
from plausible.measure.energy import dense_multiply_adds, synaptic_operations
from plausible.neurons.spikes import first_spike_readout, spike_count_readout
from plausible.reproduction.study_models import SpikingSimulation
from plausible.seeds import torch_seed

COLUMNS = [
    "seed",
    "images",
    "time_ms",
    "rate_accuracy_percent",
    "spiking_accuracy_percent",
    "first_spike_accuracy_percent",
    "synaptic_operations",
    "dense_multiply_adds",
]


def simulation_settings(settings: SpikingSimulation) -> SimulationSettings:
    """What the simulator needs of the settings of a study file."""
    return SimulationSettings(**settings.model_dump(include=set(SimulationSettings._fields)))


def simulate_shard(
    networks: Mapping[int, SpikingNetwork],
    dataset: Dataset,
    settings: SpikingSimulation,
    keys: Sequence[str | int],
    labels: Mapping[str, str],
) -> pd.DataFrame:
    """Simulate every network of a shard; one row a seed and checkpoint.

    Columns: the ``labels`` and ``COLUMNS``: ``rate_accuracy_percent`` (the same
    network with analytic rates), ``spiking_accuracy_percent`` (most output spikes up to that time),
    ``first_spike_accuracy_percent`` (earliest output spike up to that time),
    ``synaptic_operations`` and ``dense_multiply_adds`` (per image). A network whose training
    diverged has empty accuracies.
    """
    chosen = simulation_settings(settings)
    images = dataset.test_images[: settings.test_images]
    labels_true = dataset.test_labels[: settings.test_images]
    rows = []
    for seed, network in networks.items():
        times = [
            {**labels, "seed": seed, "images": len(images), "time_ms": time}
            for time in chosen.checkpoints_ms
        ]
        if not all(np.isfinite(array).all() for array in (*network.weights, *network.biases)):
            rows += times
            continue
        rates = rate_forward(
            network,
            intensities(images, dataset.white, np.float64),
            settings.softplus_gamma,
            settings.rate_offset,
        )
        rate_accuracy = accuracy_percent(rates[-1].argmax(axis=1), labels_true)
        result = simulate_network(images, dataset.white, network, chosen, torch_seed(*keys, seed))
        operations = synaptic_operations(result.layer_spikes, network.layer_sizes)
        for index, row in enumerate(times):
            end = chosen.checkpoint_steps[index]
            first = np.where(result.first_spike_step < end, result.first_spike_step, -1)
            rows.append(
                {
                    **row,
                    "rate_accuracy_percent": rate_accuracy,
                    "spiking_accuracy_percent": accuracy_percent(
                        spike_count_readout(result.output_counts[:, index]), labels_true
                    ),
                    "first_spike_accuracy_percent": accuracy_percent(
                        first_spike_readout(first), labels_true
                    ),
                    "synaptic_operations": float(operations[:, index].mean()),
                    "dense_multiply_adds": dense_multiply_adds(network.layer_sizes),
                }
            )
    return pd.DataFrame(rows, columns=[*labels, *COLUMNS])
