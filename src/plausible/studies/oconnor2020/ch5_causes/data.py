"""Images in their two orders, and networks as they begin, for both experiments of the part."""

import sys

import numpy as np

from plausible.data.dataset import Dataset
from plausible.data.splits import split_dataset
from plausible.kernels.pdnn_types import Network, Rule, initial_weights, make_network, make_rule
from plausible.kernels.temporal_order import temporal_order
from plausible.learning.stream_training import Recipe, Stream
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch5_causes.settings import (
    K_BETA_RELATIVE,
    PDNN,
    SPLIT,
    Trained,
    Way,
)


def streams(dataset: Dataset, order: str, buffer_size: int) -> tuple[Stream, Stream]:
    """Training and test images in an order."""
    parts = split_dataset(dataset, SPLIT)
    found = []
    for images, labels in (
        (parts.train_images, parts.train_labels),
        (parts.test_images, parts.test_labels),
    ):
        places = np.arange(len(images))
        if order == "temporal":
            places = temporal_order(images, buffer_size)
        found.append(Stream(images[places], labels[places].astype(np.int64), float(parts.white)))
    train, test = found
    return train, test


def recipe_of(way: Way, settings: Trained, smaller_steps: float = 1.0) -> Recipe:
    """How a network of a way is trained."""
    rule = make_rule(
        settings.learning_rate / (smaller_steps if way.slow else 1.0),
        way.k_alphas[0.0],
        K_BETA_RELATIVE / way.fineness,
        settings.tuning_rate if way.tuned else 0.0,
    )
    return Recipe(way.network, rule, way.k_alphas if way.network == PDNN else {}, False)


def fresh_network(dataset: Dataset, settings: Trained, rule: Rule, number: int) -> Network:
    """A network that begins with the same weights whatever its way and order."""
    sizes = (dataset.train_images.shape[1], settings.width, dataset.classes)
    rng = numpy_generator("oconnor2020", "ch5_causes", "weights", number)
    return make_network(initial_weights(sizes, rng), rule)


def say(text: str) -> None:
    """Progress, for the log of the job."""
    print(text, file=sys.stderr, flush=True)
