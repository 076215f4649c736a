"""Beyond O'Connor 2020: the update of the spiking network against the gradient of the ReLU one."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset
from plausible.kernels import deep_spiking, rectified_network
from plausible.kernels.deep_spiking_types import UPDATES, make_network, make_rule
from plausible.kernels.spike_emission import input_trains
from plausible.measure.angles import cosine
from plausible.reproduction.inputs import require
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch3_quantization.experiment_limit import rectified_values
from plausible.studies.oconnor2020.ch3_quantization.settings import SpikingGradient

RATE = 2.0**-30
"""Learning rate at which the weights stay what they are, but their change is read exactly."""


Steps = tuple[list[np.ndarray], list[np.ndarray]]
"""Weight changes of one image, per layer ``[n_l, n_(l+1)]``, in units of the learning rate: minus
the change by the spiking network, and the gradient of sum (y - t)^2 / 2."""


def rectified_gradient(weights: list[np.ndarray], x: np.ndarray, label: int) -> list[np.ndarray]:
    """Gradient of sum (y - t)^2 / 2 of the ReLU network by its weights, for one input ``[n_0]``."""
    values = rectified_values(weights, x)
    delta = (values[-1] - (np.arange(len(values[-1])) == label)) * (values[-1] > 0)
    gradients = []
    for matrix, below in zip(weights[::-1], values[-2::-1], strict=True):
        gradients.append(np.outer(below, delta))
        delta = (matrix @ delta) * (below > 0)
    return gradients[::-1]


def spiking_steps(
    weights: list[np.ndarray], images: np.ndarray, white: int, labels: np.ndarray, steps: int,
    update: str,
) -> Iterator[Steps]:  # fmt: skip
    """Both weight changes for each of ``images`` (grey levels) in turn.

    The quantizers of errors are not reset between images, as in training (section 3.4.6).
    """
    rule = make_rule(steps, RATE, update=update)
    network = make_network(weights, rule)
    trains = input_trains(images, steps, white)
    for sample, label in enumerate(labels):
        before = [matrix.copy() for matrix in network.weights]
        deep_spiking.train(
            network, rule, trains, labels, np.array([sample]), np.random.default_rng(0)
        )
        changes = [(a - b) / RATE for a, b in zip(before, network.weights, strict=True)]
        yield changes, rectified_gradient(weights, images[sample] / white, int(label))


def layer_sizes(dataset: Dataset, hidden: Sequence[int]) -> tuple[int, ...]:
    """Units of all layers of a network for the images and classes of a data set."""
    return (dataset.train_images.shape[1], *hidden, dataset.classes)


def random_weights(sizes: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Normal weights of variance 2 / n_in."""
    shapes = zip(sizes[:-1], sizes[1:], strict=True)
    return [rng.standard_normal(shape) * np.sqrt(2 / shape[0]) for shape in shapes]


def spiking_gradient(settings: SpikingGradient, seeds, dataset, networks) -> pd.DataFrame:
    """Angle and size of the spiking update against the gradient, over T, on training images.

    ``settings.training`` says on how many images the ReLU network with these `random_weights` is
    trained before.

    Columns: weights, update (sgd or fsgd), seed, layer (1 is the first matrix; 0 all of them),
    steps T, cosine (mean over the images), cosine_of_sum (of the sums over all images),
    relative_step (projection of the summed update on the summed gradient, over eta; eta / T^2 as
    step), images (those with a gradient).
    """
    dataset = require(dataset, "spiking_gradient", "data set")
    sizes = layer_sizes(dataset, settings.hidden_sizes)
    images = dataset.train_images[: settings.images]
    labels = dataset.train_labels[: settings.images]
    rows = []
    for seed in seeds:
        rng = numpy_generator("oconnor2020", "spiking_gradient", seed)
        drawn = random_weights(sizes, rng)
        for name, amount in settings.training.items():
            weights = [matrix.copy() for matrix in drawn]
            rectified_network.train(
                weights, settings.learning_rate, dataset.train_images, dataset.white,
                dataset.train_labels, np.arange(amount) % len(dataset.train_labels),
            )  # fmt: skip
            for steps in settings.steps:
                for update in UPDATES:
                    found = spiking_steps(weights, images, dataset.white, labels, steps, update)
                    key = {"weights": name, "update": update, "seed": seed}
                    rows += [{**key, "steps": steps, **row} for row in _compare(list(found))]
    columns = ["weights", "update", "seed", "layer", "steps", "cosine", "cosine_of_sum"]
    return pd.DataFrame(rows, columns=[*columns, "relative_step", "images"])


def _compare(found: list[Steps]) -> Iterator[dict[str, float]]:
    """Measures of every layer (0 is the whole network).

    Images without a gradient, at which nothing is to be learnt, are left out.
    """
    for layer in range(len(found[0][1]) + 1):
        chosen = slice(None) if layer == 0 else slice(layer - 1, layer)
        pairs = [tuple(flat(arrays[chosen]) for arrays in steps) for steps in found]
        pairs = [(spiking, gradient) for spiking, gradient in pairs if gradient.any()]
        row = {"layer": layer, "images": len(pairs)}
        if pairs:
            total, wanted = (np.sum(side, axis=0) for side in zip(*pairs, strict=True))
            row["cosine"] = np.mean([cosine(*pair) for pair in pairs])
            row["cosine_of_sum"] = cosine(total, wanted)
            row["relative_step"] = projection(total, wanted)
        yield row


def flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """All numbers of arrays, one behind the other."""
    return np.concatenate([array.ravel() for array in arrays])


def projection(a: np.ndarray, b: np.ndarray) -> float:
    """Length of the projection of ``a`` on ``b``, in units of the length of ``b``."""
    return float(a @ b / (b @ b))
