"""Settings of table 3.1."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Positive, Settings


class Division(Settings):
    """How the samples are divided into those that train and those that test."""

    protocol: Literal["as_published", "as_coded", "calibrated", "corrected"]
    order: Literal["file", "shuffled"]
    """That of the data set, or a random one for each seed."""
    training_parts: Count
    """How many times as many samples train as test."""


class Newsgroups(ExperimentSettings):
    """Classifiers of one layer, each on every division of the samples."""

    divisions: Annotated[Mapping[str, Division], Field(min_length=1)]
    """By their ids."""
    steps: Count
    """Time steps T of a sample."""
    learning_rate: Positive
    """Step size eta of the spiking regressors."""
    rectified_learning_rate: Positive
    """That of the one-layer network."""
    initial_deviation: Positive
    """Standard deviation of the normal initial weights."""
    epochs_tested: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Epochs after which the errors are measured."""

    @model_validator(mode="after")
    def _epochs_increase(self):
        if list(self.epochs_tested) != sorted(set(self.epochs_tested)):
            raise ValueError(
                f"epochs_tested: found {list(self.epochs_tested)}, expected increasing numbers"
            )
        return self
