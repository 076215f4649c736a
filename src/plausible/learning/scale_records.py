"""What is seen of a scale optimisation, and its unfinished state on disk."""

import hashlib
import logging
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plausible.files import atomic_path
from plausible.learning.checkpoint import UNREADABLE

_LOG = logging.getLogger(__name__)


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

    def state(self) -> tuple[Tensor, int]:
        """What a checkpoint keeps."""
        return self._sums.cpu(), self._samples

    def restore(self, state: tuple[Tensor, int]) -> None:
        """Go on from what ``state`` returned."""
        self._sums, self._samples = state[0].to(self._sums.device), state[1]

    def record(self, epoch: float, log_scales: Sequence[Tensor]) -> dict:
        """The present state as plain arrays; the window starts anew."""
        means = self._sums / self._samples if self._samples else self._sums * math.nan
        self._sums, self._samples = torch.zeros_like(self._sums), 0
        error, computation = means.cpu()
        scales = [each.exp().squeeze(1).to("cpu", torch.float64) for each in log_scales]
        return {"epoch": epoch, "scales": scales, "error": error, "computation": computation}


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


def identity_of(settings: tuple, *tensors: Tensor) -> str:
    """SHA-256 of the settings and of what is optimised on: values, dtype and kind of device."""
    digest = hashlib.sha256(repr(settings).encode())
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tensor.device.type} {tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().numpy())
    return digest.hexdigest()


def save_progress(
    path: str | Path,
    identity: str,
    generator: torch.Generator | None,
    state: dict[str, Any],
) -> None:
    """Write ``state`` (plain values and tensors of the CPU) with where the noise stands."""
    noise = None if generator is None else generator.get_state()
    content = {"identity": identity, "generator": noise, "state": state}
    with atomic_path(path) as temporary:
        torch.save(content, temporary)


def load_progress(
    path: str | Path, identity: str, generator: torch.Generator | None
) -> dict[str, Any] | None:
    """The state that was saved; None if the file is absent or of something else.

    ``generator`` is set to where it stood. A file that can't be used is reported as a warning.
    """
    if not Path(path).exists():
        return None
    try:
        if not zipfile.is_zipfile(path):  # anything else would reach torch's old unpickler
            raise ValueError("not a zip archive")
        content = torch.load(path, map_location="cpu", weights_only=True)
        stored = content["identity"]
    except UNREADABLE as error:
        _LOG.warning("%s: unreadable checkpoint ignored, the work starts anew (%s)", path, error)
        return None
    if stored != identity:
        _LOG.warning("%s: checkpoint of other settings or data ignored, starting anew", path)
        return None
    if generator is not None:
        generator.set_state(content["generator"])
    return content["state"]
