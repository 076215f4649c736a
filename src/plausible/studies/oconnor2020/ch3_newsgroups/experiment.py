"""Table 3.1: a spiking network without hidden layer tells two newsgroups apart (section 3.5.1).

The thesis states binary features and a division of 7 : 1, but neither order, size of the
vocabulary, epochs nor step; and its percentages fit a division of 4 : 1 only
(``plausible.data.newsgroups``). So several divisions of the same posts are run side by side. The
vocabulary, which knows no labels, is that of the first seven eighths in all of them.
"""

from collections.abc import Callable, Sequence
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


def train_rectified(division: Samples, settings: Newsgroups, seed: int) -> list[dict[str, Any]]:
    """The one-layer network: rectified outputs, squared error without 1/2, one sample at a time."""
    weights = _first_weights(division, settings, seed)
    features, labels = division.features["training"], division.labels["training"]
    rate = settings.rectified_learning_rate

    def learn(order: np.ndarray) -> bool:
        return rectified_network.train(weights, rate, features, 1, labels, order) == len(order)

    def classes(part: str) -> np.ndarray:
        return rectified_network.outputs(weights, division.features[part], 1)[0].argmax(axis=1)

    return _learning_curve(division, settings, learn, classes)


def train_spiking(
    division: Samples, settings: Newsgroups, update: str, seed: int
) -> list[dict[str, Any]]:
    """The spiking regressor, by error spikes; its input spikes once per step and feature."""
    rule = make_rule(settings.steps, settings.learning_rate, update=update)
    network = make_network(_first_weights(division, settings, seed), rule)
    trains = {part: input_trains(division.features[part], settings.steps, 1) for part in PARTS}
    labels = division.labels["training"]
    generator = numpy_generator(STUDY, EXPERIMENT, "resets", seed)

    def learn(order: np.ndarray) -> bool:
        training = deep_spiking.train(network, rule, trains["training"], labels, order, generator)
        return not training.diverged

    def classes(part: str) -> np.ndarray:
        return deep_spiking.predict(network, rule, trains[part]).classes[:, -1]

    return _learning_curve(division, settings, learn, classes)


def _learning_curve(
    division: Samples,
    settings: Newsgroups,
    learn: Callable[[np.ndarray], bool],
    classes: Callable[[str], np.ndarray],
) -> list[dict[str, Any]]:
    """Errors of a network after the tested epochs, up to the first after which it had diverged.

    ``learn`` takes the places of samples in their order and says whether all is well; ``classes``
    are those that the network finds in a part.
    """
    rows, done = [], 0
    for epoch in settings.epochs_tested:
        healthy = learn(np.tile(np.arange(len(division.labels["training"])), epoch - done))
        rows.append(_row(epoch, division, classes if healthy else None))
        if not healthy:
            break
        done = epoch
    return rows


def fit_machine(division: Samples, name: str) -> list[dict[str, Any]]:
    """Support vector machine of scikit-learn with its own settings, linear or Gaussian kernel."""
    from sklearn.svm import SVC  # costs a second: only for those who need it

    machine = SVC(kernel=name.removeprefix("svm_"))
    machine.fit(division.features["training"], division.labels["training"])
    return [_row(0, division, lambda part: machine.predict(division.features[part]))]


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
            shared = {"seed": seed, "division": name, "protocol": chosen.protocol}
            shared["data_set"] = dataset.name
            shared |= {f"{part}_samples": len(division.labels[part]) for part in PARTS}
            for kind, measured in found.items():
                rows += [{**shared, "classifier": kind, **row} for row in measured]
    return pd.DataFrame(rows)


def _first_weights(division: Samples, settings: Newsgroups, seed: int) -> list[np.ndarray]:
    sizes = (division.features["training"].shape[1], 2)
    rng = numpy_generator(STUDY, EXPERIMENT, "weights", seed)
    return initial_weights(sizes, rng, settings.initial_deviation)


def _row(
    epoch: int, division: Samples, classes: Callable[[str], np.ndarray] | None
) -> dict[str, Any]:
    """Errors by the classes found in a part; none of a network that diverged."""
    row = {"epoch": epoch}
    for part in PARTS:
        right = accuracy_percent(classes(part), division.labels[part]) if classes else np.nan
        row[f"{part}_error_percent"] = 100.0 - right
    return row | {"diverged": classes is None}
