"""Shadow conversion: the weights of a trained soft-rate network drive spiking neurons.

The network is trained with the firing rate of a LIF neuron as its activation, so nothing has to be
rescaled afterwards: the same weights, with batch norm folded into them, give the input currents of
LIF neurons. Source: Thuesen 2022, sections 3.4.1 to 3.4.3, after Hunsberger and Eliasmith 2015.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plausible.errors import DataError, StudyError
from plausible.files import atomic_path
from plausible.kernels.types import SpikingNetwork
from plausible.neurons.lif_dynamics import LIF, firing_rate_hz

if TYPE_CHECKING:
    from plausible.networks.storage import StoredNetwork


def fuse_batch_norm(
    weight: np.ndarray,
    bias: np.ndarray,
    gain: np.ndarray,
    shift: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Weight ``[inputs, units]`` and bias of one linear layer that includes its batch norm.

    W' = W diag(g / sqrt(variance + epsilon)) and b' = g (b - mean) / sqrt(variance + epsilon) +
    shift, with the running statistics of inference (Thuesen 2022, eqs. 41, 42). Computed and
    returned in float64, whatever the network was trained in.
    """
    scale = np.asarray(gain, np.float64) / np.sqrt(np.asarray(variance, np.float64) + epsilon)
    fused_weight = scale * np.asarray(weight, np.float64)
    fused_bias = scale * (np.asarray(bias, np.float64) - mean) + shift
    return fused_weight, fused_bias


def convert(stored: "StoredNetwork") -> SpikingNetwork:
    """Spiking network of a trained soft-rate network, batch norm fused, weights in float64.

    The output layer becomes LIF neurons too, driven by what the rate network computes before its
    softmax (``output: linear``) or before its output rates (``output: rate``, the thesis's rows 2
    and 3). Raises StudyError for a network whose activation is not the soft rate.
    """
    settings = stored.settings
    if settings.get("activation") != "soft_rate":
        raise StudyError(
            f"conversion: the network was trained with activation {settings.get('activation')!r}, "
            "expected 'soft_rate'; only a network of firing rates has a spiking counterpart here."
        )
    weights, biases = [], []
    for weight, bias, norm in zip(stored.weights, stored.biases, stored.batch_norms, strict=True):
        if norm is not None:
            weight, bias = fuse_batch_norm(weight, bias, **norm)
        weights.append(np.asarray(weight, np.float64))
        biases.append(np.asarray(bias, np.float64))
    # Not checked: weights of a training that diverged are a result; the simulation refuses them.
    return SpikingNetwork(
        tuple(weights),
        tuple(biases),
        float(settings["input_scale"]),
        float(settings["activation_scale"]),
    )


def rate_forward(
    network: SpikingNetwork,
    intensities: np.ndarray,
    softplus_gamma: float = 0.0,
    rate_offset: float = 0.0,
    lif: LIF = LIF(),  # noqa: B008 - an immutable NamedTuple
) -> list[np.ndarray]:
    """Analytic firing rates in Hz of every non-input layer for ``intensities`` ``[n, pixels]``.

    With ``softplus_gamma`` 0 these are the rates of LIF neurons at constant currents (eq. 37): what
    a noise-free spiking network would show. With the gamma of the training they are the activations
    of the rate network. Returns float64 ``[n, neurons]`` per layer, the output layer included.
    """
    drive = network.input_scale * np.asarray(intensities, np.float64)
    rates = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        rates.append(firing_rate_hz(drive @ weight + bias, softplus_gamma, rate_offset, lif))
        drive = network.activation_scale * rates[-1]
    return rates


def save_spiking(path: str | Path, networks: Mapping[int, SpikingNetwork]) -> None:
    """Write ``networks`` (by seed) to ``path`` (.npz), completely or not at all.

    Equal arrays give equal bytes.
    """
    arrays = {}
    for seed, network in sorted(networks.items()):
        arrays[f"{seed}/input_scale"] = np.float64(network.input_scale)
        arrays[f"{seed}/activation_scale"] = np.float64(network.activation_scale)
        for layer, (weight, bias) in enumerate(
            zip(network.weights, network.biases, strict=True), 1
        ):
            arrays[f"{seed}/weight{layer}"] = weight
            arrays[f"{seed}/bias{layer}"] = bias
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def load_spiking(path: str | Path) -> dict[int, SpikingNetwork]:
    """Read the networks that ``save_spiking`` wrote, by seed.

    Raises DataError if the file is missing, damaged or no such archive.
    """
    path = Path(path)
    networks = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            by_seed: dict[int, dict[str, np.ndarray]] = {}
            for name in archive.files:
                seed, key = name.split("/", 1)
                by_seed.setdefault(int(seed), {})[key] = archive[name]
        for seed, arrays in by_seed.items():
            layers = range(1, sum(key.startswith("weight") for key in arrays) + 1)
            networks[seed] = SpikingNetwork(
                tuple(arrays[f"weight{layer}"] for layer in layers),
                tuple(arrays[f"bias{layer}"] for layer in layers),
                float(arrays["input_scale"]),
                float(arrays["activation_scale"]),
            )
    except FileNotFoundError:
        raise DataError(
            f"{path}: the spiking network is missing; the workflow makes it "
            f"(`snakemake --cores 1 {path}`)."
        ) from None
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: this is not a spiking network ({type(error).__name__}: {error}); delete the "
            "file and run the workflow again."
        ) from None
    return networks
