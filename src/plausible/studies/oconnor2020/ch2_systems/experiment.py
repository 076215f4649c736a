"""Sections 2.1 and 2.3: contrastive divergence by enumeration; target propagation on images.

Networks, data of the enumerations and rates are ours: the review states none.
"""

import sys
from functools import partial

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from plausible.data.dataset import Dataset, intensities
from plausible.learning.contrastive_divergence import (
    exact_gradient,
    phase_difference,
)
from plausible.learning.target_propagation import (
    Rates,
    TargetNetwork,
    feedback_cosines,
    random_network,
    states,
    train_batch,
)
from plausible.measure.accuracy import accuracy_percent
from plausible.networks.boltzmann import total_variation
from plausible.networks.restricted_boltzmann import (
    RestrictedMachine,
    gibbs_kernel,
    log_visible,
    random_restricted,
)
from plausible.reproduction.inputs import require
from plausible.seeds import numpy_generator, torch_seed
from plausible.studies.oconnor2020.ch2_systems.settings import (
    FROZEN,
    LEARNS,
    ContrastiveDivergence,
    TargetPropagation,
)

generator = partial(numpy_generator, "oconnor2020", "ch2_systems")
"""Random stream of an experiment, a seed and a purpose."""


def torch_generator(*keys: str | int) -> torch.Generator:
    """The same for tensors."""
    return torch.Generator().manual_seed(torch_seed("oconnor2020", "ch2_systems", *keys))


def random_data(rng: np.random.Generator, states: int, patterns: int) -> NDArray[np.float64]:
    """Distribution of so many of the visible states, drawn at random, ``[states]``."""
    return np.bincount(rng.integers(0, states, patterns), minlength=states) / patterns


def flat(machine: RestrictedMachine) -> NDArray[np.float64]:
    """All weights and biases, or gradients by them, as one vector."""
    return np.concatenate([each.ravel() for each in machine])


def contrastive_divergence(
    settings: ContrastiveDivergence, seeds, dataset, networks
) -> pd.DataFrame:
    """Random machines and data: what k Gibbs steps from the data do, for k = 0, 1, ...

    Columns: weight_deviation, seed, machine, gibbs_steps, distance (total variation from the
    model), other_rise (of the distance by one more step, with the kernel of another machine), bias
    (relative deviation of the expected update from the exact gradient, from one step on).
    """
    rows = []
    for deviation in settings.weight_deviations:
        for seed in seeds:
            rng = generator("contrastive_divergence", seed, round(1e6 * deviation))
            for number in range(settings.machines):
                one, other = (
                    random_restricted(rng, settings.visible, settings.hidden, deviation)
                    for _ in range(2)
                )
                data = random_data(rng, 2**settings.visible, settings.patterns)
                kernel, model, away = (
                    gibbs_kernel(one),
                    np.exp(log_visible(one)),
                    gibbs_kernel(other),
                )
                gradient, reached = flat(exact_gradient(one, data)), data
                for step in range(settings.steps + 1):
                    distance = total_variation(reached, model)
                    row = {
                        "weight_deviation": deviation,
                        "seed": seed,
                        "machine": number,
                        "gibbs_steps": step,
                        "distance": distance,
                        "other_rise": total_variation(reached @ away, model) - distance,
                    }
                    if step:
                        update = flat(phase_difference(one, data, reached))
                        off = np.linalg.norm(update - gradient) / np.linalg.norm(gradient)
                        row["bias"] = off
                    rows.append(row)
                    reached = reached @ kernel
    return pd.DataFrame(rows)


class _Images:
    """A data set as tensors."""

    def __init__(self, dataset: Dataset) -> None:
        self.train, self.test = (
            torch.from_numpy(intensities(images, dataset.white))
            for images in (dataset.train_images, dataset.test_images)
        )
        labels = torch.from_numpy(dataset.train_labels)
        self.one_hot = torch.nn.functional.one_hot(labels, dataset.classes).to(self.train.dtype)
        self.test_labels = dataset.test_labels


def target_propagation(
    settings: TargetPropagation, seeds, dataset: Dataset | None, networks
) -> pd.DataFrame:
    """A network of one hidden layer of signs, by difference target propagation, and a frozen one.

    Columns: network (target_propagation, frozen), seed, epoch, test_error_percent,
    feedback_cosine (mean |cosine| of the feedback and the forward weights of a hidden unit).
    """
    torch.set_num_threads(1)
    images = _Images(require(dataset, "target_propagation", "data set"))
    rows = []
    for seed in seeds:
        for name, hidden_rate in ((LEARNS, settings.hidden_rate), (FROZEN, 0.0)):
            rates = Rates(
                hidden_rate, settings.output_rate, settings.feedback_rate, settings.target_step,
                settings.noise,
            )  # fmt: skip
            sizes = (images.train.shape[1], settings.hidden, images.one_hot.shape[1])
            network = random_network(sizes, torch_generator("target_propagation", seed, "init"))
            batches = torch_generator("target_propagation", seed, "batches")
            for epoch in range(settings.epochs + 1):
                if epoch:
                    network = _epoch(network, images, rates, settings.batch_size, batches)
                error = 100.0 - _accuracy(network, images.test, images.test_labels)
                (cosines,) = feedback_cosines(network)
                mean = float(cosines.abs().mean())
                rows.append((name, seed, epoch, error, mean))
                print(f"{name}, seed {seed}, epoch {epoch}: {error:.2f} %", file=sys.stderr)
    columns = ["network", "seed", "epoch", "test_error_percent", "feedback_cosine"]
    return pd.DataFrame(rows, columns=columns)


def _epoch(
    network: TargetNetwork, images: _Images, rates: Rates, size: int, batches: torch.Generator
) -> TargetNetwork:
    order = torch.randperm(len(images.train), generator=batches)
    for chosen in order.split(size):
        network = train_batch(network, images.train[chosen], images.one_hot[chosen], rates, batches)
    return network


def _accuracy(network: TargetNetwork, inputs: Tensor, labels: NDArray) -> float:
    outputs = states(network, inputs)[-1]
    return accuracy_percent(outputs.argmax(dim=1).numpy(), labels)
