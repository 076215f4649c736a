"""Spiking models in the Neuromorphic Intermediate Representation (NIR).

NIR (Pedersen et al., *Neuromorphic intermediate representation*, 2024) is the exchange format of
snnTorch, Norse, Sinabs, Lava and others; the package ``nir`` of the extra ``nir`` reads and writes
it. A model becomes a chain: input, then for each layer an ``Affine`` map and, but for the output,
its neurons, ``LIF`` or ``IF``. A spike is a 1 for one time step; what it is worth (see
`SpikingModel`) is in the weights that it meets.

NIR knows neither the refractory period, nor the synapse of LIF networks here, nor reset by
subtraction of IF neurons, and other simulators leave them out: with them, the rates of a network
are near those of `SpikingModel.simulate`, not equal. They are kept as metadata, for `load_nir`.
"""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from plausible.errors import DataError, ModelError
from plausible.files import atomic_path
from plausible.models.data import as_number
from plausible.models.spiking import SpikingModel
from plausible.neurons.lif_dynamics import LIF


def save_nir(model: SpikingModel, path: str | Path, *, dt_ms: float = 0.1) -> None:
    """Write a spiking model as a NIR graph (an HDF5 file), completely or not at all.

    Parameters
    ----------
    model:
        What `to_spiking` returned.
    path:
        Of the file; missing folders are made.
    dt_ms:
        Time step in which the other simulator will run LIF neurons (snnTorch: 0.1 ms): a spike of
        one step carries a current of ``full_activity`` / step. IF neurons have no unit of time.

    Raises
    ------
    ModelError
        If the package ``nir`` is not installed, or an argument is not what is expected.
    """
    nir, dt_ms = _nir(), as_number(dt_ms, "dt_ms")
    if not isinstance(model, SpikingModel):
        raise ModelError(
            f"the model is a {type(model).__name__}, expected a SpikingModel, which to_spiking "
            "makes of a model of linear layers."
        )
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([model.layer_sizes[0]])})}
    worth = 1.0
    for layer, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True), 1):
        nodes[f"weights{layer}"] = nir.Affine(weight.T * worth, bias)
        if layer < len(model.weights):
            nodes[f"neurons{layer}"] = _neurons(nir, model, layer)
            worth = _worth(model, layer, dt_ms)
    nodes["output"] = nir.Output({"output": np.array([model.layer_sizes[-1]])})
    about = {
        "neuron": None if model.neuron is None else list(model.neuron),
        "full_activity": list(model.full_activity),
        "smoothing": model.smoothing,
        "dt_ms": dt_ms,
    }
    names = list(nodes)
    graph = nir.NIRGraph(
        nodes, list(zip(names, names[1:], strict=False)), {"plausible": json.dumps(about)}
    )
    with atomic_path(path) as temporary:
        nir.write(temporary, graph)


def load_nir(path: str | Path) -> SpikingModel:
    """Read a model that `save_nir` wrote.

    Raises
    ------
    DataError
        If the file is missing or not such a graph.
    ModelError
        If the package ``nir`` is not installed.
    """
    nir = _nir()
    try:
        graph = nir.read(path)
        about = json.loads(graph.metadata["plausible"])
        full = tuple(float(each) for each in about["full_activity"])
        neuron = None if about["neuron"] is None else LIF(*about["neuron"])
        model = SpikingModel((), (), neuron, full, float(about["smoothing"]))
        weights, biases, worth = [], [], 1.0
        for layer in range(1, len(full) + 1):
            node = graph.nodes[f"weights{layer}"]
            weights.append(np.asarray(node.weight, np.float64).T / worth)
            biases.append(np.asarray(node.bias, np.float64))
            worth = _worth(model, layer, about["dt_ms"])
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file, expected a NIR graph.") from None
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path}: this is not a spiking model of `plausible.save_nir` "
            f"({type(error).__name__}); graphs of other programs lack what a simulation here "
            "needs, such as the refractory period."
        ) from None
    return model._replace(weights=tuple(weights), biases=tuple(biases))


def _nir() -> ModuleType:
    try:
        import nir
    except ImportError:
        raise ModelError(
            "the package nir is not installed, which reads and writes NIR graphs; install it with "
            "pip install 'plausible[nir]'."
        ) from None
    return nir


def _worth(model: SpikingModel, layer: int, dt_ms: float) -> float:
    """Activity that one spike of a layer adds to the step in which it arrives."""
    full = model.full_activity[layer - 1]
    return full if model.neuron is None else full / (dt_ms * 1e-3)


def _neurons(nir: ModuleType, model: SpikingModel, layer: int) -> Any:
    units = np.ones(model.layer_sizes[layer])
    if model.neuron is None:
        return nir.IF(r=units, v_threshold=units * model.full_activity[layer - 1])
    return nir.LIF(
        tau=units * model.neuron.membrane_time_constant_s,
        r=units,
        v_leak=0.0 * units,
        v_threshold=units * model.neuron.threshold,
    )
