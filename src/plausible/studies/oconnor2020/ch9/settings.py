"""Settings of the experiments of chapter 9."""

from typing import Annotated

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Fraction, Positive


class Characteristics(ExperimentSettings):
    """Properties of the implemented systems of table 9.1, measured on random networks."""

    layer_sizes: Annotated[tuple[Count, ...], Field(min_length=3)]
    steps: Count
    """Time steps of a deep spiking network for one input."""
    frames: Count
    """For which an input is shown to a PDNN before it changes."""
    settling_steps: Count
    """Steps of networks that settle."""
    nu_bar: Fraction
    decay: Positive
    """lambda of the binary network."""


class Forgetting(ExperimentSettings):
    """Training on one half of the classes, then on the other."""

    width: Count
    learning_rate: Positive
    epochs: Count
    """On either half."""
    k_alpha: Fraction
    k_beta_relative: Positive
    tuning_rate: Positive


class Responses(ExperimentSettings):
    """The neuron of eq. 9.1 to 9.6 in discrete and continuous time."""

    duration: Positive
    arrivals: Count
    steps: Annotated[tuple[Positive, ...], Field(min_length=2)]
    decoding: Positive
    """lambda, per unit of time."""
    averaging: Positive
    """eps, per unit of time."""
    bias: Fraction
