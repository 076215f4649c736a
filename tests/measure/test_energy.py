"""Operations and energy against counting by hand."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.kernels.lif_network import input_spikes, simulate_network, simulate_spikes
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.measure.energy import (
    FLOAT32_ADD_PJ,
    FLOAT32_MULTIPLY_PJ,
    dense_energy_nj,
    dense_multiply_adds,
    spiking_energy_nj,
    synaptic_operations,
)


def test_operations_are_spikes_times_the_neurons_they_reach() -> None:
    layer_spikes = np.array([[[10, 20], [3, 5], [2, 4], [7, 9]]])
    operations = synaptic_operations(layer_spikes, (784, 300, 200, 10))
    expected = [10 * 300 + 3 * 200 + 2 * 10, 20 * 300 + 5 * 200 + 4 * 10]
    assert operations.tolist() == [expected]


def test_operations_of_a_simulation_are_the_additions_it_needs() -> None:
    rng = np.random.default_rng(1)
    sizes = (12, 9, 5)
    network = SpikingNetwork(
        tuple(rng.normal(0, 1, (b, a)).T for a, b in zip(sizes[:-1], sizes[1:], strict=True)),
        tuple(rng.normal(1, 1, size) for size in sizes[1:]),
        input_scale=5.0,
    )
    images = rng.integers(0, 17, (3, 12)).astype(np.uint8)
    chosen = SimulationSettings(simulation_time_ms=80)
    counts = input_spikes(images, 16, chosen, 2)
    trains = [counts, *simulate_spikes(counts, network, chosen)]
    additions = np.zeros(3, int)
    for train, weight in zip(trains[:-1], network.weights, strict=True):
        for image, step, neuron in np.argwhere(train > 0):
            additions[image] += train[image, step, neuron] * len(weight[neuron])
    result = simulate_network(images, 16, network, chosen, 2, dtype=np.float64)
    assert synaptic_operations(result.layer_spikes, sizes)[:, 0].tolist() == additions.tolist()


def test_dense_multiply_adds_are_the_weights() -> None:
    assert dense_multiply_adds((784, 300, 300, 10)) == 784 * 300 + 300 * 300 + 300 * 10


def test_energies_are_horowitz_numbers() -> None:
    assert (FLOAT32_ADD_PJ, FLOAT32_MULTIPLY_PJ) == (0.9, 3.7)
    assert spiking_energy_nj(1000) == pytest.approx(0.9)
    assert dense_energy_nj(1000) == pytest.approx(4.6)
    assert np.allclose(spiking_energy_nj(np.array([0, 2000])), [0, 1.8])
    # A spiking network saves energy only while it needs fewer than 5.1 additions per weight.
    assert dense_energy_nj(1) / spiking_energy_nj(1) == pytest.approx(5.111, abs=1e-3)


def test_counts_of_other_layers_are_said() -> None:
    with pytest.raises(StudyError, match=r"shape \(2, 3, 1\), expected \(images, 4, checkpoints\)"):
        synaptic_operations(np.zeros((2, 3, 1)), (4, 3, 2, 1))
