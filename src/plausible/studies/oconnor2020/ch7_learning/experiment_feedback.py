"""Feedback alignment: errors that come down through random matrices (section 7.5.3)."""

import numpy as np
from numpy.typing import NDArray

from plausible.data.dataset import intensities
from plausible.learning.equilibrium_training import Images
from plausible.learning.initialiser import LayerGradients, global_gradients
from plausible.measure.angles import cosine
from plausible.networks.initialiser import Initialiser, forward_pass, make_initialiser
from plausible.studies.oconnor2020.ch7_learning.experiment import generator
from plausible.studies.oconnor2020.ch7_learning.settings import AfterTraining

Row = tuple[str, str, float, float]


def feedback_alignment(
    settings: AfterTraining, given: Images, test: Images, seed: int
) -> list[Row]:
    """A feed-forward network whose errors come down through random matrices that stay as they are.

    Angle of its pseudogradient and the gradient, hidden layers together, and mean cosine of W and
    B^T, before and after training.
    """
    rng = generator("feedback", seed)
    sizes = (given.images.shape[1], *settings.feedback_sizes, int(given.labels.max()) + 1)
    network = _scaled(make_initialiser(sizes, rng))
    feedback = [each.T.copy() for each in make_initialiser(sizes, rng).weights[1:]]
    one_hot = np.eye(sizes[-1])
    rows = _compared(network, feedback, test.first(settings.samples), one_hot, 0.0)
    images = len(given.images)
    for number in range(round(settings.feedback_epochs * images / settings.batch)):
        pick = np.arange(number * settings.batch, (number + 1) * settings.batch) % images
        part = given._replace(images=given.images[pick], labels=given.labels[pick])
        found = _output_gradients(network, part, one_hot, feedback)
        for matrix, bias, gradient, slope in zip(
            network.weights, network.biases, found.weights, found.biases, strict=True
        ):
            matrix -= settings.feedback_rate * gradient
            bias -= settings.feedback_rate * slope
    after = _compared(
        network, feedback, test.first(settings.samples), one_hot, settings.feedback_epochs
    )
    return [*rows, *after]


def _scaled(network: Initialiser) -> Initialiser:
    """Biases in the middle of the hard sigmoid, so that most units are not at a limit."""
    for bias in network.biases:
        bias += 0.5
    return network


def _output_gradients(
    network: Initialiser, data: Images, one_hot: NDArray, feedback: list[NDArray] | None
) -> LayerGradients:
    """Of 1/2 |outputs - target|^2 alone: hidden layers have their own states as targets."""
    inputs = intensities(data.images, data.white, np.float64)
    passed = forward_pass(network, inputs)
    targets = (*passed.states[:-1], one_hot[data.labels])
    return global_gradients(network, inputs, passed, targets, feedback)


def _compared(
    network: Initialiser, feedback: list[NDArray], data: Images, one_hot: NDArray, epoch: float
) -> list[Row]:
    ours, true = (
        np.concatenate([each.ravel() for each in found.weights[:-1]])
        for found in (
            _output_gradients(network, data, one_hot, feedback),
            _output_gradients(network, data, one_hot, None),
        )
    )
    angle = float(np.degrees(np.arccos(np.clip(cosine(ours, true), -1.0, 1.0))))
    pairs = zip(network.weights[1:], feedback, strict=True)
    alike = float(np.mean([cosine(weight, matrix.T) for weight, matrix in pairs]))
    return [("feedback_angle", "hidden", epoch, angle), ("feedback_cosine", "hidden", epoch, alike)]
