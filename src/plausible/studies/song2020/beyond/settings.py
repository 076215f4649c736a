"""Settings of what lies beyond the paper: optimisers and batches, precision, energy, prediction."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from plausible.learning.readings import Reading
from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegative, Positive
from plausible.studies.song2020.settings import Depths, Positives, Trainings


class Batches(Trainings):
    """Z-IL and backprop with two optimisers and batches of several sizes."""

    reading: Reading
    """What the paper leaves open, as in the ablation; reduction and rate are set here."""
    learning_rates: Mapping[Literal["sgd", "adam"], Positive] = Field(min_length=1)
    """Rate of an update that is averaged over the batch, by optimiser."""
    batch_sizes: Annotated[tuple[Count, ...], Field(min_length=1)]


class Float32(ExperimentSettings):
    """How far Z-IL and backprop drift apart in several number formats."""

    l_max: Depths
    hidden_neurons: Count
    batch_size: Count
    learning_rate: Positive
    updates: Count
    recorded_points: Count
    """Number of recorded updates, log-spaced, the first and the last among them."""
    dtypes: Annotated[tuple[Literal["float64", "float32"], ...], Field(min_length=1)]


class Inference(ExperimentSettings):
    """An untrained network whose value nodes relax from noisy starts."""

    l_max: Depths
    hidden_neurons: Count
    batch_size: Count
    gammas: Positives
    """Integration steps."""
    steps: Count
    """T, inference steps."""


class Energy(Inference):
    """Energy over inference time."""

    sigmas: Annotated[tuple[NotNegative, ...], Field(min_length=1)]
    """Standard deviations of the noise in the hidden layers at t = 0."""


class Prediction(Inference):
    """Distance from the activity of the ANN over inference time."""

    sigma: NotNegative
    """Standard deviation of the noise in the hidden layers at t = 0."""
