"""Training of one network of the figures of Song et al. 2020, and its distance to its twin."""

from typing import Any, NamedTuple

import numpy as np

from plausible.data.dataset import Dataset
from plausible.errors import StudyError
from plausible.kernels.predictive_network import count_errors, train_epoch
from plausible.kernels.predictive_types import (
    Rule,
    SparseImages,
    make_moments,
    make_rule,
    make_workspace,
    pack,
    sparse_images,
    unpack,
)
from plausible.learning.readings import Reading, initial_weights, input_table, update_rate
from plausible.seeds import numpy_generator

MOST_MATRICES = 4


class Images(NamedTuple):
    """A data set as the kernel reads it."""

    train: SparseImages
    train_labels: np.ndarray
    test: SparseImages
    test_labels: np.ndarray
    white: int
    pixels: int
    classes: int


class Trained(NamedTuple):
    """A network after training."""

    test_errors: np.ndarray
    """Fraction of test images misclassified after each epoch; after a divergence the last one."""
    weights: list[np.ndarray]
    """theta^1 .. theta^{l_max}."""
    biases: list[np.ndarray]
    diverged_epoch: int
    """Epoch (from 1) after which a weight was beyond the limit or not finite; -1: never."""


def prepare_images(dataset: Dataset, train_limit: int | None = None) -> Images:
    """Data set for the kernel, with the first ``train_limit`` training images."""
    return Images(
        sparse_images(dataset.train_images[:train_limit]),
        dataset.train_labels[:train_limit].astype(np.int64),
        sparse_images(dataset.test_images),
        dataset.test_labels.astype(np.int64),
        dataset.white,
        dataset.train_images.shape[1],
        dataset.classes,
    )


def layer_sizes(l_max: int, hidden: int, images: Images) -> tuple[int, ...]:
    """n^0 .. n^{l_max}: an output for each class, l_max - 1 hidden layers, the pixels."""
    return (images.classes, *[hidden] * (l_max - 1), images.pixels)


def network_rule(reading: Reading, l_max: int, batch_size: int, **variant: Any) -> Rule:
    """Rule of the kernel for a reading; ``variant`` are further arguments of ``make_rule``."""
    variant.setdefault("method", "backprop")
    return make_rule(
        variant.pop("method"),
        l_max,
        update_rate(reading, batch_size),
        activation=reading.activation,
        low=reading.low,
        high=reading.high,
        biased=reading.biases,
        **variant,
    )


def train_network(
    images: Images,
    reading: Reading,
    rule: Rule,
    *,
    stream: str,
    seed: int,
    l_max: int,
    hidden: int,
    epochs: int,
    batch_size: int,
    weight_limit: float = 1e6,
    noise_key: str = "",
) -> Trained:
    """Train one network and test it after every epoch.

    Initial weights and the order of the images depend on the name of the random ``stream`` and the
    seed only, so all rules of a seed start alike and see the same batches (section 5.1). Training
    stops when a weight exceeds ``weight_limit``: its distance is then far beyond the published
    scale (50), and its test error is taken to stay what it is.
    """
    if len(images.train_labels) < batch_size:
        raise StudyError(
            f"batch_size {batch_size} was found, but there are {len(images.train_labels)} training "
            "images; choose a smaller batch."
        )
    sizes = layer_sizes(l_max, hidden, images)
    parameters = pack(initial_weights(reading, sizes, stream, seed))
    moments = make_moments(parameters, rule)
    work = make_workspace(parameters, batch_size)
    table = input_table(reading, images.white)
    order = numpy_generator(stream, "batches", seed)
    noise = numpy_generator(stream, "noise", seed, l_max, noise_key)
    errors = []
    diverged = -1
    for epoch in range(1, epochs + 1):
        train_epoch(
            parameters,
            moments,
            rule,
            work,
            images.train,
            table,
            images.train_labels,
            order.permutation(len(images.train_labels)),
            batch_size,
            noise,
        )
        wrong = count_errors(
            parameters, rule, work, images.test, table, images.test_labels, batch_size, noise
        )
        errors.append(wrong / len(images.test_labels))
        if not largest(parameters.input_weights, parameters.weights) < weight_limit:
            diverged = epoch
            errors += [errors[-1]] * (epochs - epoch)
            break
    return Trained(np.array(errors), *unpack(parameters), diverged)


def largest(*arrays: np.ndarray) -> float:
    """Largest magnitude in the arrays; NaN if any number is NaN."""
    return float(np.max([np.abs(array).max() if array.size else 0.0 for array in arrays]))


def comparison(network: Trained, twin: Trained) -> dict[str, float]:
    """Metric columns of a network against its backprop twin.

    The divergence of test error is the L1 distance of the error curves, as a sum over epochs (the
    unit of supplement table 1) and as a mean; the divergence of final weights is the sum over
    matrices of their Frobenius distances (section 5.1), and, beside it, the distance of all weights
    as one vector.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        distances = [
            float(np.linalg.norm(ours - theirs))
            for ours, theirs in zip(network.weights, twin.weights, strict=True)
        ]
        apart = np.abs(network.test_errors - twin.test_errors)
        return {
            "mean_test_error": float(network.test_errors.mean()),
            "final_test_error": float(network.test_errors[-1]),
            "test_error_divergence_sum": float(apart.sum()),
            "test_error_divergence_mean": float(apart.mean()),
            "weight_divergence_sum": float(np.sum(distances)),
            "weight_divergence_norm": float(np.sqrt(np.sum(np.square(distances)))),
            **{
                f"weight_distance_{matrix + 1}": distances[matrix]
                if matrix < len(distances)
                else float("nan")
                for matrix in range(MOST_MATRICES)
            },
            "largest_weight": largest(*network.weights),
            "diverged_epoch": network.diverged_epoch,
        }
