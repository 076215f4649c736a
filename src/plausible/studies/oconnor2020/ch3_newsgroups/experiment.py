"""Table 3.1: a spiking network without hidden layer tells two newsgroups apart (section 3.5.1).

The thesis states binary features and a division of 7 : 1, but neither order, size of the
vocabulary, epochs nor step; and its percentages fit a division of 4 : 1 only
(``plausible.data.newsgroups``). So several divisions of the same posts are run side by side. The
vocabulary, which knows no labels, is that of the first seven eighths in all of them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset
from plausible.errors import StudyError
from plausible.kernels import deep_spiking, rectified_network
from plausible.kernels.deep_spiking_types import initial_weights, make_network, make_rule
from plausible.kernels.spike_emission import input_trains
from plausible.measure.accuracy import accuracy_percent
from plausible.reproduction.inputs import require
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch3_newsgroups.settings import Newsgroups

STUDY, EXPERIMENT = "oconnor2020", "newsgroups"
PARTS = ("training", "test")
RELU, SPIKING = "relu", ("sgd", "fsgd")
MACHINES = ("svm_linear", "svm_rbf")


class Samples(NamedTuple):
    """Samples that train and samples that test: features uint8 ``[n, d]``, labels int64 ``[n]``."""

    features: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]


def divide(dataset: Dataset, order: str, training_parts: int, seed: int) -> Samples:
    """All samples in ``order``: the first ``training_parts`` of one part more train, the rest test.

    ``file``: the data set's own order, training samples first. ``shuffled``: a random permutation
    named by ``seed``.

    Raises
    ------
    StudyError
        If a part would be empty.
    """
    features = np.concatenate([dataset.train_images, dataset.test_images])
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    if order == "shuffled":
        places = numpy_generator(STUDY, EXPERIMENT, "order", seed).permutation(len(labels))
        features, labels = features[places], labels[places]
    first = round(len(labels) * training_parts / (training_parts + 1))
    if not 0 < first < len(labels):
        raise StudyError(
            f"sweep newsgroups: {training_parts} training parts of {len(labels)} samples leave "
            f"{len(labels) - first} to test, expected at least 1 of each."
        )
    return Samples(
        {"training": features[:first], "test": features[first:]},
        {"training": labels[:first], "test": labels[first:]},
    )


def error_percent(classes: np.ndarray, labels: np.ndarray) -> float:
    """Share of wrong classes in percent."""
    return 100.0 - accuracy_percent(classes, labels)


def train_rectified(division: Samples, settings: Newsgroups, seed: int) -> list[dict[str, Any]]:
    """The one-layer network: rectified outputs, squared error without 1/2, one sample at a time."""
    weights = _first_weights(division, settings, seed)
    features, labels = division.features["training"], division.labels["training"]
    rows, done, healthy = [], 0, True
    for epoch in settings.epochs_tested:
        order = np.tile(np.arange(len(labels)), epoch - done)
        trained = rectified_network.train(
            weights, settings.rectified_learning_rate, features, 1, labels, order
        )
        healthy = healthy and trained == len(order)
        done = epoch
        errors = {
            part: error_percent(_rectified_classes(weights, division, part), division.labels[part])
            for part in PARTS
            if healthy
        }
        rows.append(_row(epoch, errors))
        if not healthy:
            break
    return rows


def train_spiking(
    division: Samples, settings: Newsgroups, update: str, seed: int
) -> list[dict[str, Any]]:
    """The spiking regressor, by error spikes; its input spikes once per step and feature."""
    rule = make_rule(settings.steps, settings.learning_rate, update=update)
    network = make_network(_first_weights(division, settings, seed), rule)
    trains = {part: input_trains(division.features[part], settings.steps, 1) for part in PARTS}
    labels = division.labels["training"]
    generator = numpy_generator(STUDY, EXPERIMENT, "resets", seed)
    rows, done = [], 0
    for epoch in settings.epochs_tested:
        order = np.tile(np.arange(len(labels)), epoch - done)
        training = deep_spiking.train(network, rule, trains["training"], labels, order, generator)
        done = epoch
        errors = {}
        if not training.diverged:
            for part in PARTS:
                classes = deep_spiking.predict(network, rule, trains[part]).classes[:, -1]
                errors[part] = error_percent(classes, division.labels[part])
        rows.append(_row(epoch, errors))
        if training.diverged:
            break
    return rows


def fit_machine(division: Samples, name: str) -> list[dict[str, Any]]:
    """Support vector machine of scikit-learn with its own settings, linear or Gaussian kernel."""
    from sklearn.svm import SVC  # costs a second: only for those who need it

    machine = SVC(kernel=name.removeprefix("svm_"))
    machine.fit(division.features["training"], division.labels["training"])
    errors = {
        part: error_percent(machine.predict(division.features[part]), division.labels[part])
        for part in PARTS
    }
    return [_row(0, errors)]


def newsgroups(
    settings: Newsgroups, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Errors of every classifier on every division, for each seed.

    One row a seed, division, classifier and epoch (0 for the support vector machines, which have
    none): errors in percent, empty from the epoch on in which a network diverged.
    """
    dataset = require(dataset, EXPERIMENT, "data set")
    rows = []
    for seed in seeds:
        for name, chosen in settings.divisions.items():
            division = divide(dataset, chosen.order, chosen.training_parts, seed)
            found = {RELU: train_rectified(division, settings, seed)}
            found |= {kind: train_spiking(division, settings, kind, seed) for kind in SPIKING}
            found |= {kind: fit_machine(division, kind) for kind in MACHINES}
            shared = {
                "seed": seed,
                "division": name,
                "protocol": chosen.protocol,
                "data_set": dataset.name,
                "training_samples": len(division.labels["training"]),
                "test_samples": len(division.labels["test"]),
            }
            rows += [
                shared | {"classifier": kind} | row for kind, part in found.items() for row in part
            ]
    return pd.DataFrame(rows)


def _first_weights(division: Samples, settings: Newsgroups, seed: int) -> list[np.ndarray]:
    sizes = (division.features["training"].shape[1], 2)
    rng = numpy_generator(STUDY, EXPERIMENT, "weights", seed)
    return initial_weights(sizes, rng, settings.initial_deviation)


def _rectified_classes(weights, division: Samples, part: str) -> np.ndarray:
    return rectified_network.outputs(weights, division.features[part], 1)[0].argmax(axis=1)


def _row(epoch: int, errors: dict[str, float]) -> dict[str, Any]:
    """Without errors, a network that diverged."""
    percent = {f"{part}_error_percent": errors.get(part, np.nan) for part in PARTS}
    return {"epoch": epoch, **percent, "diverged": not errors}
