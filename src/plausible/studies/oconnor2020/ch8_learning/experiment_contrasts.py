"""Sections 8.5.2 and E.3: how near updates by bits are to those of a trained continuous network."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.dataset import Dataset, intensities
from plausible.learning.equilibrium_propagation import LINEARISED, Recipe, both_phases, contrast
from plausible.learning.equilibrium_training import TrainingSchedule, fresh_networks, train
from plausible.measure.angles import cosine
from plausible.networks.binary_equilibrium import Bits, Coding, at_rest, settle_binary
from plausible.networks.equilibrium import Equilibrium
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.studies.oconnor2020.ch8_learning.experiment import (
    Data,
    generator,
    prepared,
    sizes_of,
)
from plausible.studies.oconnor2020.ch8_learning.settings import Contrasts

LONGEST = 20
"""Times as many steps as the training had give the exact contrast."""


def contrasts(
    settings: Contrasts, seeds, dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Variance of updates with and without a checkpoint; cosines in a deep network.

    Columns: element, seed; of ``variance``: with_checkpoint, without_checkpoint (mean over the
    weights of a shallow network of the variance over repeats, over the mean square of the mean); of
    ``cosine``: factor (of (100, 50) steps), cosine (with the contrast of the continuous network,
    mean over minibatches).
    """
    data, rows = prepared(dataset, "contrasts"), []
    for seed in seeds:
        shallow, deep = (_trained(settings, data, seed, is_deep) for is_deep in (False, True))
        inputs, targets = _shown(data, range(settings.batch))
        rng = generator("potentials", seed)
        found = [_pair(settings, shallow, inputs, targets, rng) for _ in range(settings.repeats)]
        kept, plain = (_relative(np.array(each)) for each in zip(*found, strict=True))
        row = {"with_checkpoint": kept, "without_checkpoint": plain}
        rows.append({"element": "variance", "seed": seed, **row})
        for factor in settings.factors:
            cosines = [
                _cosine(settings, deep, *_shown(data, range(first, first + settings.batch)), factor)
                for first in range(0, settings.batches * settings.batch, settings.batch)
            ]
            row = {"factor": factor, "cosine": float(np.mean(cosines))}
            rows.append({"element": "cosine", "seed": seed, **row})
    return pd.DataFrame(rows)


def _trained(settings: Contrasts, data: Data, seed: int, deep: bool) -> Equilibrium:
    """Continuous network after some epochs, in float64."""
    weights, signs = (generator(purpose, seed) for purpose in ("weights", "signs"))
    made = fresh_networks(sizes_of(settings, deep, data), weights, False)
    recipe = Recipe(*settings.steps[deep], settings.betas[deep], settings.learning_rates[deep])
    schedule = TrainingSchedule((float(settings.epochs),), settings.batch, tested_training_images=1)
    train(made, recipe, schedule, data.train, {}, signs)
    network = made.equilibrium
    return network._replace(
        weights=tuple(each.astype(np.float64) for each in network.weights),
        biases=tuple(each.astype(np.float64) for each in network.biases),
    )


def _shown(data: Data, chosen: range) -> tuple[NDArray, NDArray]:
    """Inputs and one-hot targets of some training images."""
    images = data.train
    at = np.array(chosen) % len(images.images)
    outputs = np.eye(int(images.labels.max()) + 1)
    return intensities(images.images[at], images.white, np.float64), outputs[images.labels[at]]


def _flat(found) -> NDArray:
    return np.concatenate([each.ravel() for each in found.weights])


def _relative(updates: NDArray) -> float:
    return float(updates.var(axis=0).mean() / (updates.mean(axis=0) ** 2).mean())


def _pair(
    settings: Contrasts, network: Equilibrium, inputs, targets, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Update with and without a checkpoint, from encoders that hold something at random."""
    coding = Coding(Schedule(*settings.checkpoint_epsilon), Schedule(*settings.checkpoint_decay))
    negative, positive = settings.checkpoint_steps
    beta = settings.betas[False]
    rest = at_rest(network, len(inputs))
    layers = tuple(
        layer._replace(phi=rng.uniform(-0.5, 0.5, layer.phi.shape)) for layer in rest.layers
    )
    minus = settle_binary(network, coding, inputs, Bits(layers), negative)
    plus = settle_binary(network, coding, inputs, minus, positive, targets, beta)
    later = settle_binary(network, coding, inputs, minus, positive)
    return tuple(
        _flat(contrast(network, inputs, free.states, plus.states, beta, LINEARISED))
        for free in (later, minus)
    )


def _cosine(settings: Contrasts, network: Equilibrium, inputs, targets, factor: int) -> float:
    """Cosine of the contrast by bits with that of the continuous network at rest."""
    beta = settings.betas[True]
    negative, positive = (LONGEST * steps for steps in settings.steps[True])
    rates = settings.learning_rates[True]
    exact = both_phases(network, None, Recipe(negative, positive, beta, rates), inputs, targets)
    coding = Coding(Adaptive(settings.nu_bar, settings.constant), Schedule(settings.decay))
    rest = at_rest(network, len(inputs))
    minus = settle_binary(network, coding, inputs, rest, 100 * factor)
    plus = settle_binary(network, coding, inputs, minus, 50 * factor, targets, beta)
    pairs = (minus.states, plus.states), (exact.minus, exact.plus)
    return cosine(*(_flat(contrast(network, inputs, *each, beta, LINEARISED)) for each in pairs))
