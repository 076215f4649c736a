"""The simulation of a spiking network in a few lines of dense numpy: slow, float64, readable.

This is the definition; ``lif_network`` is its fast form. Source: Thuesen 2022, sections 3.3.2 to
3.4.4, and the notebook of the thesis: layers are simulated one after another over the whole window,
and nothing but the synapse filter delays a spike.
"""

import numpy as np

from plausible.kernels.types import (
    SimulationSettings,
    SpikingNetwork,
    check_network,
    check_settings,
    input_gains,
    synapse_kernel,
)
from plausible.neurons.lif_dynamics import simulate_lif
from plausible.neurons.spikes import apply_kernel


def simulate_spikes(
    input_counts: np.ndarray, network: SpikingNetwork, settings: SimulationSettings
) -> list[np.ndarray]:
    """Spikes of every layer for given input spikes ``[n, steps, pixels]``.

    The current into a layer is h(t) W + b with h(t) = gain * filtered spike counts of the layer
    below. The bias is a constant current and is not filtered. Returns int32 ``[n, steps, neurons]``
    per non-input layer.
    """
    check_network(network)
    check_settings(settings)
    kernel = synapse_kernel(settings)
    spikes = np.moveaxis(input_counts, 1, 0)
    layers = []
    for weight, bias, gain in zip(
        network.weights, network.biases, input_gains(network, settings), strict=True
    ):
        filtered = gain * apply_kernel(spikes, kernel, settings.kernel_order)
        current = filtered @ weight.astype(np.float64) + bias
        spikes = simulate_lif(
            current, settings.dt_s, settings.lif, settings.integration, settings.idle_steps
        )
        layers.append(np.moveaxis(spikes, 0, 1).astype(np.int32))
    return layers
