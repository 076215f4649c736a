"""The training loop: one network, one data set, one seed."""

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from plausible.data.dataset import Dataset
from plausible.errors import DeviceError
from plausible.learning.checkpoint import load_checkpoint, save_checkpoint
from plausible.learning.optimizers import OptimizerState, init_optimizer
from plausible.learning.settings import TrainingSettings, settings_hash
from plausible.learning.update import update
from plausible.networks.mlp import DTYPES, Network, forward, init_network, move_network
from plausible.seeds import torch_seed

LOSS_WINDOW = 100
"""Steps whose losses are summarised by mean, minimum and maximum."""
_TEST_BATCH = 1000


class TrainingResult(NamedTuple):
    """A trained network and what was seen on the way.

    ``history`` holds lists and scalars: ``accuracy_step`` and ``test_accuracy_percent``;
    ``loss_step`` and ``loss_mean``, ``loss_min``, ``loss_max`` in nats over windows of 100 steps
    (the last one may be shorter); ``diverged`` (bool), ``diverged_epoch`` (from 0, or None);
    ``updates``, the number of updates made. A step is the index, from 0, of the update after which
    the value was taken, and of the last update of a window.
    """

    network: Network
    history: dict[str, Any]


class _Progress(NamedTuple):
    """Everything that changes during training."""

    network: Network
    optimizer: OptimizerState
    epochs_done: int
    pending_losses: list[float]
    """Losses per step of a window that is not complete yet."""
    history: dict[str, Any]
    batches: torch.Generator
    noise: torch.Generator


class _Tensors(NamedTuple):
    train_images: Tensor
    train_one_hot: Tensor
    test_images: Tensor
    test_labels: Tensor


def resolve_device(name: str | torch.device) -> torch.device:
    """The device called ``name``, set to reproduce its results; DeviceError if it is not there."""
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "device: found 'cuda', but torch sees no CUDA device; expected 'cpu', or a CUDA build "
            "of torch on a machine with a GPU."
        )
    if device.type == "cuda":
        # The same bits again on the same GPU; torch names what has no such form.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    return device


def train(
    settings: TrainingSettings,
    dataset: Dataset,
    study: str,
    seed_group: str,
    seed: int,
    device: str | torch.device = "cpu",
    checkpoint_path: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> TrainingResult:
    """Train a network and test it on the way.

    Initial weights, batch order and noise come from three streams named by ``study``,
    ``seed_group``, ``seed`` and their purpose: runs of one seed group share them.

    With ``checkpoint_path`` the state is saved after every epoch and training resumes from it with
    a bit-identical result; the caller removes the file when the result is safe. ``progress``
    receives a line per epoch, after the checkpoint; on a terminal a bar is drawn instead.

    A run whose loss or weights are no longer finite stops, is marked ``diverged`` and returned like
    any other.
    """
    device = resolve_device(device)
    data = _tensors(dataset, settings, device)
    keys = (study, seed_group, seed)
    current = _fresh(settings, data, keys, device)
    identity = settings_hash(settings, *keys, str(dataset.checksum), device.type)
    if checkpoint_path is not None:
        current = _load(checkpoint_path, current, identity)
    steps_per_epoch = math.ceil(len(data.train_images) / settings.batch_size)
    with _bar(settings.epochs * steps_per_epoch, current.optimizer.step, seed) as bar:
        while current.epochs_done < settings.epochs and not current.history["diverged"]:
            began = time.perf_counter()
            current = _run_epoch(current, data, settings, bar)
            if checkpoint_path is not None:
                _save(checkpoint_path, current, identity)
            if progress is not None and bar.disable:
                progress(_report(current, settings, seed, time.perf_counter() - began))
    return TrainingResult(current.network, current.history)


def _save(path: str | Path, current: _Progress, identity: str) -> None:
    words = {
        "step": current.optimizer.step,
        "epochs_done": current.epochs_done,
        "pending_losses": current.pending_losses,
        "history": current.history,
    }
    arrays = {name: each.cpu().numpy() for name, each in _changing(current).items()}
    save_checkpoint(path, identity, words, arrays, _streams(current))


def _load(path: str | Path, fresh: _Progress, identity: str) -> _Progress:
    """What ``path`` holds, filled in place into ``fresh``; or ``fresh`` as it is."""
    found = load_checkpoint(path, identity, _streams(fresh))
    if found is None:
        return fresh
    for name, tensor in _changing(fresh).items():
        tensor.copy_(torch.from_numpy(found.arrays[name]))
    words = found.words
    optimizer = fresh.optimizer._replace(step=words.pop("step"))
    return fresh._replace(optimizer=optimizer, **words)


def _changing(current: _Progress) -> dict[str, Tensor]:
    """Every tensor that training changes in place."""
    network = current.network
    found = {f"weight.{layer}": each for layer, each in enumerate(network.weights)}
    found |= {f"bias.{layer}": each for layer, each in enumerate(network.biases)}
    for layer, norm in enumerate(network.batch_norms):
        if norm is not None:
            for name in ("gain", "shift", "running_mean", "running_variance"):
                found[f"{name}.{layer}"] = getattr(norm, name)
    for key, pairs in sorted(current.optimizer.moments.items()):
        for place, moment in enumerate(moment for pair in pairs for moment in pair):
            found[f"moment.{key}.{place}"] = moment
    return found


def _streams(current: _Progress) -> dict[str, torch.Generator]:
    return {"batches": current.batches, "noise": current.noise}


def evaluate(network: Network, images: Tensor, labels: Tensor, input_scale: float = 1.0) -> float:
    """Test accuracy in percent with moving averages; ``images`` are intensities [n, pixels].

    A sample whose logits are not finite counts as an error.
    """
    correct = 0
    for begin in range(0, len(images), _TEST_BATCH):
        batch = images[begin : begin + _TEST_BATCH]
        logits = forward(network, batch if input_scale == 1.0 else batch * input_scale)
        right = logits.argmax(dim=1) == labels[begin : begin + _TEST_BATCH]
        correct += int((right & logits.isfinite().all(dim=1)).sum())
    return 100.0 * correct / len(images)


def _tensors(dataset: Dataset, settings: TrainingSettings, device: torch.device) -> _Tensors:
    dtype = DTYPES[settings.dtype]

    def intensities(images: NDArray[np.uint8], limit: int | None) -> Tensor:
        return torch.from_numpy(images[:limit]).to(device=device, dtype=dtype).div_(dataset.white)

    labels = torch.from_numpy(dataset.train_labels[: settings.train_limit])
    return _Tensors(
        intensities(dataset.train_images, settings.train_limit),
        torch.nn.functional.one_hot(labels, dataset.classes).to(device=device, dtype=dtype),
        intensities(dataset.test_images, settings.test_limit),
        torch.from_numpy(dataset.test_labels[: settings.test_limit]).to(device),
    )


def _fresh(
    settings: TrainingSettings,
    data: _Tensors,
    keys: tuple[str, str, int],
    device: torch.device,
) -> _Progress:
    """The start of training, from the three named streams."""
    streams = {
        name: torch.Generator().manual_seed(torch_seed(*keys, name))
        for name in ("init", "batches", "noise")
    }
    sizes = (data.train_images.shape[1], *settings.hidden_sizes, data.train_one_hot.shape[1])
    network = move_network(init_network(sizes, settings, streams["init"]), device)
    history = {
        "accuracy_step": [],
        "test_accuracy_percent": [],
        "loss_step": [],
        "loss_mean": [],
        "loss_min": [],
        "loss_max": [],
        "diverged": False,
        "diverged_epoch": None,
        "updates": 0,
    }
    optimizer = init_optimizer(network, settings)
    return _Progress(network, optimizer, 0, [], history, streams["batches"], streams["noise"])


def _run_epoch(
    current: _Progress,
    data: _Tensors,
    settings: TrainingSettings,
    bar: tqdm,
) -> _Progress:
    """One pass over the training set, with tests and the summary of losses.

    Reading a loss makes a GPU wait for it, so divergence is looked for once per window of losses
    and at the end of the epoch.
    """
    network, optimizer, history = current.network, current.optimizer, current.history
    losses = _LossWindow(current.pending_losses, history, data.train_images.device)
    batch_statistics = finite = True
    for inputs, one_hot in _batches(data, settings, current.batches):
        optimizer, loss = update(
            network, optimizer, inputs, one_hot, settings, current.noise, batch_statistics
        )
        step = optimizer.step - 1
        losses.add(loss)
        if losses.is_full():
            finite = losses.summarise(step)
        bar.update()
        if step % settings.test_every_steps == 0:
            _test(network, data, settings, history, step, bar)
            if settings.batch_norm_frozen_after_test:
                batch_statistics = False
        if not finite:
            break
    finite = finite and all(bool(weight.isfinite().all()) for weight in network.weights)
    if not finite:
        history.update(diverged=True, diverged_epoch=current.epochs_done)
    if not finite or current.epochs_done + 1 == settings.epochs:
        losses.summarise(step)
        if history["accuracy_step"][-1:] != [step]:
            _test(network, data, settings, history, step, bar)
    history["updates"] = optimizer.step
    return current._replace(
        optimizer=optimizer, epochs_done=current.epochs_done + 1, pending_losses=losses.pending()
    )


def _test(
    network: Network,
    data: _Tensors,
    settings: TrainingSettings,
    history: dict[str, Any],
    step: int,
    bar: tqdm,
) -> None:
    accuracy = evaluate(network, data.test_images, data.test_labels, settings.input_scale)
    history["accuracy_step"].append(step)
    history["test_accuracy_percent"].append(accuracy)
    bar.set_postfix_str(f"{accuracy:.2f} %", refresh=False)


def _batches(
    data: _Tensors, settings: TrainingSettings, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of one epoch; the last one may be smaller."""
    images, one_hot, size = data.train_images, data.train_one_hot, settings.batch_size
    if not settings.shuffle:
        yield from zip(images.split(size), one_hot.split(size), strict=True)
        return
    order = torch.randperm(len(images), generator=generator).to(images.device)
    for chosen in order.split(size):
        yield images[chosen], one_hot[chosen]


class _LossWindow:
    """Collects losses on the device, and enters a summary of each window into the history."""

    def __init__(self, pending: list[float], history: dict[str, Any], device: torch.device):
        self._losses = torch.zeros(LOSS_WINDOW, dtype=torch.float64, device=device)
        self._losses[: len(pending)] = torch.tensor(pending, dtype=torch.float64)
        self._count = len(pending)
        self._history = history

    def add(self, loss: Tensor) -> None:
        """Take the loss of one step."""
        self._losses[self._count] = loss
        self._count += 1

    def is_full(self) -> bool:
        """Whether the window is to be summarised before the next loss."""
        return self._count == LOSS_WINDOW

    def summarise(self, step: int) -> bool:
        """Enter what there is into the history and start anew; False if it is not finite."""
        if self._count == 0:
            return True
        window = self._losses[: self._count]
        self._count = 0
        self._history["loss_step"].append(step)
        self._history["loss_mean"].append(float(window.mean()))
        self._history["loss_min"].append(float(window.min()))
        self._history["loss_max"].append(float(window.max()))
        return bool(window.isfinite().all())

    def pending(self) -> list[float]:
        """Losses of the window that is not full yet."""
        return self._losses[: self._count].tolist()


@contextlib.contextmanager
def _bar(total: int, done: int, seed: int) -> Iterator[tqdm]:
    with tqdm(
        total=total,
        initial=done,
        desc=f"seed {seed}",
        unit="update",
        disable=not sys.stderr.isatty(),
        mininterval=0.5,
    ) as bar:
        yield bar


def _report(current: _Progress, settings: TrainingSettings, seed: int, seconds: float) -> str:
    history = current.history
    accuracy = history["test_accuracy_percent"][-1:] or [float("nan")]
    loss = history["loss_mean"][-1:] or [float("nan")]
    line = (
        f"seed {seed}, epoch {current.epochs_done}/{settings.epochs}: "
        f"test accuracy {accuracy[0]:.2f} %, loss {loss[0]:.4f} nats, {seconds:.1f} s"
    )
    return line + (", diverged" if history["diverged"] else "")
