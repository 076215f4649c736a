"""What the experiments of this study share: networks, images, the order of batches, streams.

Layers are numbered from the output as in the paper (0 is the output, l_max the input), sizes are
given from the input on as in the study files. The small experiments hold for any initial weights
and follow the protocol ``corrected``: Xavier-uniform weights, raw intensities into the first
matrix, one-hot targets, updates summed over the batch, float64.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from plausible.data.dataset import Dataset, intensities
from plausible.errors import StudyError
from plausible.networks.mlp import Network
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.shards import part_of, stored
from plausible.seeds import torch_seed
from plausible.studies.song2020.levels import make_network

STUDY = "song2020"
Task = TypeVar("Task", bound=tuple)


def torch_generator(experiment: str, seed: int, *purpose: str | int) -> torch.Generator:
    """Torch generator of one experiment, one seed and one purpose."""
    return torch.Generator().manual_seed(torch_seed(STUDY, experiment, seed, *purpose))


def sizes_of(l_max: int, hidden_neurons: int, dataset: Dataset) -> tuple[int, ...]:
    """Layer sizes of section 5.1, input first: ``l_max`` - 1 hidden layers of one width."""
    return (dataset.train_images.shape[1], *[hidden_neurons] * (l_max - 1), dataset.classes)


def draw_network(
    sizes: Sequence[int],
    generator: torch.Generator,
    biases: bool = False,
    dtype: torch.dtype = torch.float64,
) -> Network:
    """Sigmoid network with Xavier-uniform weights, +-sqrt(6 / (fan_in + fan_out)).

    ``sizes`` are given input first. Biases, if any, are standard normal, so that they matter.
    Drawing in float64 gives both precisions the same start.
    """
    weights, offsets = [], []
    for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
        uniform = torch.rand(fan_in, fan_out, generator=generator, dtype=torch.float64)
        weights.append(((2.0 * uniform - 1.0) * math.sqrt(6.0 / (fan_in + fan_out))).to(dtype))
        if biases:
            offset = torch.randn(fan_out, generator=generator, dtype=torch.float64)
            offsets.append(offset.to(dtype))
    return make_network(weights[::-1], offsets[::-1] if biases else None)


def random_batch(
    batch_size: int, sizes: Sequence[int], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Uniform inputs and targets in [0, 1) for a network of these layer sizes, input first."""
    inputs, targets = (
        torch.rand(batch_size, units, generator=generator, dtype=torch.float64)
        for units in (sizes[0], sizes[-1])
    )
    return inputs, targets


def images_and_targets(
    dataset: Dataset, chosen: Tensor, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor]:
    """Training images in [0, 1] [batch, pixels] and one-hot labels [batch, classes].

    Taken batch by batch: all of MNIST in float64 would need 376 MB.
    """
    indices = chosen.numpy()
    images = intensities(dataset.train_images[indices], dataset.white, np.float64)
    labels = torch.from_numpy(dataset.train_labels[indices])
    targets = torch.nn.functional.one_hot(labels, dataset.classes)
    return torch.from_numpy(images).to(dtype), targets.to(dtype)


def batches(
    images: int, batch_size: int, updates: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Indices of the images of ``updates`` batches, reshuffled every epoch.

    Images that do not fill a batch are left out of their epoch.

    Raises
    ------
    StudyError
        If there are fewer images than a batch needs.
    """
    if images < batch_size:
        raise StudyError(
            f"batch_size: found {batch_size}, where at most {images} training images are there; "
            "lower it in the study file or use a larger data set."
        )
    done = 0
    while done < updates:
        order = torch.randperm(images, generator=generator)
        for batch in order[: images - images % batch_size].split(batch_size):
            if done == updates:
                return
            done += 1
            yield batch


def finished(
    tasks: Sequence[Task],
    costs: Sequence[float],
    settings: ExperimentSettings,
    compute: Callable[[Task], Any],
) -> Iterator[tuple[Task, Any]]:
    """What ``compute`` makes of every task of this job, or of a killed run of it.

    ``compute`` returns something that JSON can hold. The log has a line for each finished task.
    """
    chosen = part_of(tasks, costs, settings)
    for number, task in enumerate(chosen, start=1):
        started = time.monotonic()
        name = ".".join(map(str, _flat(task)))
        yield task, stored(settings.checkpoints, name, lambda task=task: compute(task))
        print(
            f"task {number} of {len(chosen)}: {name}, {time.monotonic() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )


def _flat(task: tuple[Any, ...]) -> Iterator[Any]:
    for field in task:
        yield from _flat(field) if isinstance(field, tuple) else (field,)
