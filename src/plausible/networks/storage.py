"""Trained networks on disk: one uncompressed .npz for all seeds of a run. Numpy only."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plausible.errors import DataError
from plausible.files import atomic_path


class StoredNetwork(NamedTuple):
    """A trained network as arrays, as a reader without torch needs it."""

    weights: tuple[np.ndarray, ...]
    """One [inputs, units] per layer, in the order in memory that they were saved in."""
    biases: tuple[np.ndarray, ...]
    batch_norms: tuple[dict[str, Any] | None, ...]
    """Per layer None or gain, shift, mean, variance (all [features]) and epsilon (float)."""
    settings: dict[str, Any]
    """The training settings by name."""


def save_networks(
    path: str | Path,
    networks: Mapping[int, Mapping[str, np.ndarray]],
    settings: Mapping[str, Any],
) -> None:
    """Write the arrays of ``networks`` (by seed) and their common settings, atomically.

    The arrays are those of ``plausible.networks.mlp.network_to_arrays``. The same content gives
    the same bytes.
    """
    content = {
        f"{seed}/{name}": np.asarray(networks[seed][name])
        for seed in sorted(networks)
        for name in sorted(networks[seed])
    }
    content["settings"] = np.array(json.dumps(dict(settings), sort_keys=True))
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, allow_pickle=False, **content)


def load_networks(path: str | Path) -> dict[int, StoredNetwork]:
    """Networks by seed. Raises DataError if the file is missing or not one of ours."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {name: archive[name] for name in archive.files}
        settings = json.loads(str(content.pop("settings")))
        by_seed: dict[int, dict[str, np.ndarray]] = {}
        for name, array in content.items():
            seed, key = name.split("/", 1)
            by_seed.setdefault(int(seed), {})[key] = array
        return {seed: _stored(arrays, settings) for seed, arrays in sorted(by_seed.items())}
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file, expected trained networks (.npz); run its training first."
        ) from None
    except (
        KeyError,
        ValueError,
        OSError,
        EOFError,
        AttributeError,
        TypeError,
        zipfile.BadZipFile,
    ) as error:
        raise DataError(
            f"{path}: not a file of trained networks ({error}); delete it and train again."
        ) from error


def _stored(arrays: Mapping[str, np.ndarray], settings: dict[str, Any]) -> StoredNetwork:
    layers = range(sum(name.startswith("weight.") for name in arrays))
    for layer in layers:
        shape, units = arrays[f"weight.{layer}"].shape, len(arrays[f"bias.{layer}"])
        if shape[1:] != (units,):
            raise ValueError(f"weight.{layer} is {shape}, expected [inputs, {units}]")
    norms: list[dict[str, Any] | None] = []
    for layer in layers:
        prefix = f"batch_norm.{layer}."
        norm: dict[str, Any] = {
            name: arrays[prefix + name]
            for name in ("gain", "shift", "mean", "variance", "epsilon")
            if prefix + name in arrays
        }
        if norm:
            norm["epsilon"] = float(norm["epsilon"])
        norms.append(norm or None)
    return StoredNetwork(
        tuple(arrays[f"weight.{layer}"] for layer in layers),
        tuple(arrays[f"bias.{layer}"] for layer in layers),
        tuple(norms),
        settings,
    )
