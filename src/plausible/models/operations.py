"""Arithmetic of one inference of a model, layer by layer."""

import numpy as np
import pandas as pd
import torch
from torch import nn

from plausible.errors import ModelError
from plausible.measure.energy import dense_energy_nj, spiking_energy_nj
from plausible.models.data import Data, as_samples
from plausible.models.fused_layers import fused_layers
from plausible.models.sequential import read_sequential
from plausible.models.spiking import SpikingModel
from plausible.models.spiking_convolutional import SpikingGraph


def operations(model: nn.Sequential | SpikingModel, inputs: Data, **options) -> pd.DataFrame:
    """Operations and energy of one inference, as means over ``inputs``: a row a layer, then all.

    Columns:

    - ``dense_multiply_adds``: one for each weight, whatever the inputs;
    - ``sparse_operations``: those left when zeros are skipped. Of a ``torch`` model, multiply-adds
      of non-zero inputs of a layer. Of a spiking model, additions: one for each spike and weight
      that it reaches; while its inputs are constant currents, the multiply-adds of the first layer
      are those of a single pass, in a column of their own, ``input_multiply_adds``;
    - ``dense_energy_nj``, ``sparse_energy_nj``: in 32-bit floating-point arithmetic of a 45 nm
      process, 0.9 pJ an addition and 3.7 pJ a multiplication (Horowitz, ISSCC 2014). Arithmetic
      alone: memory, neurons and communication cost more on real hardware.

    Biases are left out: they are the same everywhere. ``options`` are those of the simulation; of
    several times, the last one counts. A `DeepSpikingClassifier`, `rounding` and `sigma_delta` have
    their own counts, ``additions``.

    Raises
    ------
    ModelError
        If the model or the inputs are not what is expected.
    """
    if isinstance(model, SpikingModel):
        return _spiking(model, inputs, options)
    if isinstance(model, SpikingGraph):
        raise ModelError(
            "the model is a convolutional SpikingGraph, whose additions are those of its simulate; "
            "expected is a SpikingModel of linear layers, or a torch.nn.Sequential."
        )
    if not isinstance(model, nn.Sequential):
        raise ModelError(
            f"the model is a {type(model).__name__}, expected a torch.nn.Sequential or a "
            "SpikingModel."
        )
    if options:
        raise ModelError(
            f"{', '.join(options)}: options of a simulation, expected with a SpikingModel only."
        )
    return _sequential(model, inputs)


def _sequential(model: nn.Sequential, inputs: Data) -> pd.DataFrame:
    reading = read_sequential(model)
    layers = list(fused_layers(reading))
    activity, counts = as_samples(inputs, len(layers[0].weight)), []
    for layer in layers:
        counts.append(np.count_nonzero(activity, axis=1).mean() * layer.weight.shape[1])
        current = torch.from_numpy(activity @ layer.weight + layer.bias)
        activity = reading.network.activation.value(current).numpy()
    dense = np.array([layer.weight.size for layer in layers])
    sparse = np.array(counts)
    return _table(dense, sparse, dense_energy_nj(sparse))


def _spiking(model: SpikingModel, inputs: Data, options: dict) -> pd.DataFrame:
    x = as_samples(inputs, model.layer_sizes[0])
    options["time_ms"] = np.atleast_1d(options.get("time_ms", 200.0))[-1:]
    spikes = model.simulate(x, **options).spikes[:, :-1, 0].mean(axis=0)
    additions = spikes * np.array(model.layer_sizes[1:])
    dense = np.array([weight.size for weight in model.weights])
    multiply_adds = np.zeros(len(dense))
    if options.get("coding", "current") == "current":
        multiply_adds[0] = np.count_nonzero(x, axis=1).mean() * model.layer_sizes[1]
    energy = spiking_energy_nj(additions) + dense_energy_nj(multiply_adds)
    table = _table(dense, additions, energy)
    table.insert(3, "input_multiply_adds", [*multiply_adds, multiply_adds.sum()])
    return table


def _table(dense: np.ndarray, sparse: np.ndarray, energy: np.ndarray) -> pd.DataFrame:
    columns = {
        "dense_multiply_adds": dense,
        "sparse_operations": sparse,
        "dense_energy_nj": dense_energy_nj(dense),
        "sparse_energy_nj": energy,
    }
    names = [*(str(layer) for layer in range(1, len(dense) + 1)), "all"]
    return pd.DataFrame(
        {"layer": names} | {name: [*each, each.sum()] for name, each in columns.items()}
    )
