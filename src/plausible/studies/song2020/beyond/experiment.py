"""Inference over time: the energy F_t, and how the prediction phase reaches the ANN's activity."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor

from plausible.data.dataset import Dataset
from plausible.networks.mlp import Network
from plausible.reproduction.inputs import require
from plausible.studies.song2020.beyond.settings import Energy, Inference, Prediction
from plausible.studies.song2020.common import (
    batches,
    draw_network,
    images_and_targets,
    sizes_of,
    torch_generator,
)
from plausible.studies.song2020.levels import forward, relax


class Bench(NamedTuple):
    """An untrained network, a batch of images, and noise for the hidden value nodes."""

    l_max: int
    seed: int
    network: Network
    inputs: Tensor
    targets: Tensor
    noise: tuple[Tensor, ...]
    """Standard normal, [batch, n^l] for l = 1 .. l_max-1."""


def _benches(
    experiment: str, settings: Inference, seeds: list[int], dataset: Dataset | None
) -> Iterator[Bench]:
    dataset = require(dataset, experiment, "data set")
    count = len(dataset.train_images)
    for l_max, seed in product(settings.l_max, seeds):
        generator = torch_generator(experiment, seed, "network", l_max)
        network = draw_network(sizes_of(l_max, settings.hidden_neurons, dataset), generator)
        (chosen,) = batches(count, settings.batch_size, 1, generator)
        shape = (settings.batch_size, settings.hidden_neurons)
        noise = tuple(
            torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(l_max - 1)
        )
        yield Bench(l_max, seed, network, *images_and_targets(dataset, chosen), noise)


def energy(settings: Energy, seeds: list[int], dataset: Dataset | None, networks) -> pd.DataFrame:
    """Energy F_t (eq. 6) over inference time, in the learning and in the prediction phase.

    Value nodes start at the feed-forward activity plus noise of standard deviation sigma in every
    hidden layer. In the learning phase the output is clamped to the label, in the prediction phase
    it is free. The network is untrained.

    Columns: phase (learning, prediction), gamma, l_max, seed, t, energy (summed over
    the batch), sigma.
    """
    rows = []
    for bench in _benches("energy", settings, seeds, dataset):
        phases = {"learning": bench.targets, "prediction": None}
        for phase, gamma, sigma in product(phases, settings.gammas, settings.sigmas):
            noise = [sigma * layer for layer in bench.noise]
            given = (bench.inputs, phases[phase], settings.steps, gamma, noise)
            record = relax(bench.network, *given)
            labels = (phase, gamma, bench.l_max, bench.seed)
            rows += [(*labels, t, f, sigma) for t, f in enumerate(record.energy)]
    columns = ["phase", "gamma", "l_max", "seed", "t", "energy", "sigma"]
    return pd.DataFrame(rows, columns=columns)


def prediction(
    settings: Prediction, seeds: list[int], dataset: Dataset | None, networks
) -> pd.DataFrame:
    """Section 2.2: with a free output the value nodes converge to the activity of the ANN.

    They start at the feed-forward activity plus noise of standard deviation ``sigma`` in every
    hidden layer. The network is untrained.

    Columns: gamma, l_max, seed, t, max_distance_to_ann (the largest |x_t - y| over all value
    nodes and samples).
    """
    rows = []
    for bench in _benches("prediction", settings, seeds, dataset):
        activity = forward(bench.network, bench.inputs)
        noise = [settings.sigma * layer for layer in bench.noise]
        for gamma in settings.gammas:
            record = relax(bench.network, bench.inputs, None, settings.steps, gamma, noise)
            for t, values in enumerate(record.values):
                pairs = zip(values, activity, strict=True)
                distance = max(float((x - y).abs().max()) for x, y in pairs)
                rows.append((gamma, bench.l_max, bench.seed, t, distance))
    return pd.DataFrame(rows, columns=["gamma", "l_max", "seed", "t", "max_distance_to_ann"])
