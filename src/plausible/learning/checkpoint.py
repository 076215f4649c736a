"""State of an unfinished training on disk, so that a killed job continues where it stopped."""

import logging
import pickle
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from plausible.files import atomic_path
from plausible.learning.optimizers import OptimizerState
from plausible.networks.mlp import Network

_LOG = logging.getLogger(__name__)
UNREADABLE = (
    OSError,
    RuntimeError,
    LookupError,
    TypeError,
    ValueError,
    EOFError,
    pickle.UnpicklingError,
)


class Progress(NamedTuple):
    """Everything that changes during training."""

    network: Network
    optimizer: OptimizerState
    epochs_done: int
    pending_losses: list[float]
    """Losses per step of a window that is not complete yet."""
    history: dict[str, Any]
    batches: torch.Generator
    noise: torch.Generator


def save_checkpoint(path: str | Path, progress: Progress, identity: str) -> None:
    """Write ``progress`` atomically; ``identity`` names the settings that it belongs to."""
    content = {
        "identity": identity,
        "tensors": _network_tensors(progress.network),
        "step": progress.optimizer.step,
        "moments": [
            moment
            for key in sorted(progress.optimizer.moments)
            for pair in progress.optimizer.moments[key]
            for moment in pair
        ],
        "epochs_done": progress.epochs_done,
        "pending_losses": list(progress.pending_losses),
        "history": progress.history,
        "batches": progress.batches.get_state(),
        "noise": progress.noise.get_state(),
    }
    with atomic_path(path) as temporary:
        torch.save(content, temporary)


def load_checkpoint(path: str | Path, fresh: Progress, identity: str) -> Progress:
    """Continue from ``path``, or return ``fresh`` if it is absent, unreadable or of other settings.

    The tensors and generators of ``fresh`` are filled in place. A file that can't be used is
    reported as a warning and later overwritten; training then starts from the beginning.
    """
    if not Path(path).exists():
        return fresh
    try:
        # Anything but a zip archive would reach torch's old unpickler, which may raise anything.
        if not zipfile.is_zipfile(path):
            raise ValueError("not a zip archive")
        content = torch.load(path, map_location="cpu", weights_only=True)
        stored_identity = content["identity"]
    except UNREADABLE as error:
        _LOG.warning("%s: unreadable checkpoint ignored, training starts anew (%s)", path, error)
        return fresh
    if stored_identity != identity:
        _LOG.warning(
            "%s: checkpoint of other settings, data or seed ignored, training starts anew", path
        )
        return fresh
    moments = [
        moment
        for key in sorted(fresh.optimizer.moments)
        for pair in fresh.optimizer.moments[key]
        for moment in pair
    ]
    targets = _network_tensors(fresh.network) + moments
    for target, source in zip(targets, content["tensors"] + content["moments"], strict=True):
        target.copy_(source)
    fresh.batches.set_state(content["batches"])
    fresh.noise.set_state(content["noise"])
    return fresh._replace(
        optimizer=fresh.optimizer._replace(step=content["step"]),
        epochs_done=content["epochs_done"],
        pending_losses=content["pending_losses"],
        history=content["history"],
    )


def _network_tensors(network: Network) -> list[Tensor]:
    tensors = [*network.weights, *network.biases]
    for norm in network.batch_norms:
        if norm is not None:
            tensors += [norm.gain, norm.shift, norm.running_mean, norm.running_variance]
    return tensors
