"""What is seen of a scale optimisation on the way."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_MEANS = ("error", "computation")


class ScaleHistory(NamedTuple):
    """The optimisation as it was seen every ``record_every_epochs``, from epoch 0 to the last.

    The published scales are those of the last record before the end (epoch 29.5).
    """

    epoch: NDArray[np.float64]
    """[records]."""
    scales: tuple[NDArray[np.float64], ...]
    """k per layer, [records, lambdas] or [records, lambdas, *features]."""
    error: NDArray[np.float64]
    """Mean error per sample since the previous record, [records, lambdas]; NaN in the first."""
    computation: NDArray[np.float64]
    """Mean of sum fan_out |k x| per sample since the previous record, likewise."""
    diverged: NDArray[np.bool_]
    """Whether a scale is not positive and finite in the end, [lambdas]."""


class Window:
    """Error and computation since the last record, summed where the batches are."""

    def __init__(self, count: int, inputs: Tensor):
        self._sums = torch.zeros(2, count, dtype=torch.float64, device=inputs.device)
        self._samples = 0

    def add(self, error: Tensor, computation: Tensor, samples: int) -> None:
        """Take the means per sample of one batch, [lambdas]."""
        self._sums += torch.stack([error, computation]) * samples
        self._samples += samples

    def state(self) -> tuple[NDArray, int]:
        """What a checkpoint keeps."""
        return self._sums.cpu().numpy(), self._samples

    def restore(self, sums: NDArray, samples: int) -> None:
        """Go on from what ``state`` returned."""
        self._sums, self._samples = torch.from_numpy(sums).to(self._sums.device), samples

    def record(self, epoch: float, log_scales: Sequence[Tensor]) -> dict:
        """The present state as plain arrays; the window starts anew."""
        means = self._sums / self._samples if self._samples else self._sums * math.nan
        self._sums, self._samples = torch.zeros_like(self._sums), 0
        error, computation = means.cpu()
        scales = [each.exp().squeeze(1).to("cpu", torch.float64) for each in log_scales]
        return {"epoch": epoch, "scales": scales, "error": error, "computation": computation}


def records_as_arrays(records: Sequence[dict]) -> dict[str, NDArray]:
    """What `Window.record` made, as a checkpoint keeps it."""
    layers = zip(*(record["scales"] for record in records), strict=True)
    found = {f"scales.{layer}": torch.stack(each) for layer, each in enumerate(layers)}
    found |= {name: torch.stack([record[name] for record in records]) for name in _MEANS}
    arrays = {f"record.{name}": each.numpy() for name, each in found.items()}
    return arrays | {"record.epoch": np.array([record["epoch"] for record in records])}


def records_from_arrays(arrays: Mapping[str, NDArray], layers: int) -> list[dict]:
    """The records that `records_as_arrays` was given."""
    found = {name: torch.from_numpy(arrays[f"record.{name}"]) for name in _MEANS}
    scales = [torch.from_numpy(arrays[f"record.scales.{layer}"]) for layer in range(layers)]
    return [
        {"epoch": epoch, "scales": [layer[row] for layer in scales]}
        | {name: each[row] for name, each in found.items()}
        for row, epoch in enumerate(arrays["record.epoch"].tolist())
    ]


def history_of(records: Sequence[dict]) -> ScaleHistory:
    """Arrays of the records that ``Window.record`` made."""
    layers = zip(*(record["scales"] for record in records), strict=True)
    scales = tuple(torch.stack(layer).numpy() for layer in layers)
    if all(layer.shape[2:] == (1,) * (layer.ndim - 2) for layer in scales):
        scales = tuple(layer.reshape(layer.shape[:2]) for layer in scales)
    last = [layer[-1].reshape(layer.shape[1], -1) for layer in scales]
    good = [np.all((layer > 0) & np.isfinite(layer), axis=1) for layer in last]
    return ScaleHistory(
        np.array([record["epoch"] for record in records]),
        scales,
        torch.stack([record["error"] for record in records]).numpy(),
        torch.stack([record["computation"] for record in records]).numpy(),
        ~np.all(good, axis=0),
    )
