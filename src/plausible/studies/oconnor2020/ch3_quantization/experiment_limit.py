"""Figure A.1 of O'Connor 2020: the spiking network approaches the ReLU network."""

import numpy as np
import pandas as pd

from plausible.kernels.deep_spiking_counts import layer_counts
from plausible.kernels.deep_spiking_types import initial_weights, make_network, make_rule
from plausible.kernels.spike_emission import input_trains
from plausible.measure.slopes import log_spaced
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch3_quantization.settings import SpikingLimit


def rectified_values(weights: list[np.ndarray], inputs: np.ndarray) -> list[np.ndarray]:
    """Values of all layers of the ReLU network, the input first; the output is rectified too."""
    values = [inputs]
    for matrix in weights:
        values.append(np.maximum(values[-1] @ matrix, 0))
    return values


def spiking_limit(settings: SpikingLimit, seeds, dataset, networks) -> pd.DataFrame:
    """Spike counts over T against ReLU activations, layer by layer, for a random input vector.

    Columns: protocol, seed, layer (1 is the first hidden one), steps T, error (mean over the units
    of |spikes / T - activation|, NaN from where the network diverged), activation (mean over the
    units), gate_agreement (share of the units where the filter of eq. 3.5, summed input >= 0, is
    the ReLU derivative of the mean input).
    """
    sizes, steps = settings.layer_sizes, settings.steps
    times = log_spaced(steps, settings.points)
    rule = make_rule(steps)
    rows = []
    for protocol, std in settings.weight_std.items():
        for seed in seeds:
            rng = numpy_generator("oconnor2020", "spiking_limit", seed)
            weights = initial_weights(sizes, rng, std)
            vector = rng.random(sizes[0])
            values = rectified_values(weights, vector)
            counts = layer_counts(
                make_network(weights, rule), rule, input_trains(vector[None], steps), 0, times
            )
            for layer, value in enumerate(values[1:], start=1):
                for place, t in enumerate(times):
                    error = agreement = np.nan
                    if place < counts.times_done:
                        error = np.abs(counts.spikes[layer - 1][place] / t - value).mean()
                        agreement = ((counts.inputs[layer - 1][place] >= 0) == (value > 0)).mean()
                    rows.append((protocol, seed, layer, t, error, value.mean(), agreement))
    columns = ["protocol", "seed", "layer", "steps", "error", "activation", "gate_agreement"]
    return pd.DataFrame(rows, columns=columns)
