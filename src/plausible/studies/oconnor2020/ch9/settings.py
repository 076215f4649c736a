"""Settings of the experiments of chapter 9."""

from typing import Annotated, ClassVar

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Fraction, NotNegative, Positive, Settings


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


class StreamRule(Settings):
    """Of the MLP and the PDNN, which learn one image after another (section 5.4.1)."""

    learning_rate: Positive
    k_alphas: tuple[Fraction, Fraction]
    """k_alpha in the first epoch, and afterwards."""
    k_beta_relative: Positive
    tuning_rate: Positive


class ScaleRule(Settings):
    """Of the scales of the rounding and the sigma-delta network (section 4.5)."""

    strength: Positive
    """lambda, error per addition, of the mean over a batch (eq. 4.8 to 4.10)."""
    learning_rate: Positive
    epochs: Count
    images: Count
    """First training images that are learnt from."""


class SpikingRule(Settings):
    """Of the deep spiking network, which learns by fractional SGD (chapter 3)."""

    steps: Count
    learning_rate: Positive
    initial_deviation: Positive


class SettlingRule(Settings):
    """Of the networks that settle (chapters 7 and 8)."""

    batch: Count
    beta: Positive
    learning_rates: tuple[Positive, Positive]
    plain_steps: tuple[Count, Count]
    """T^- and T^+ of plain equilibrium propagation."""
    initialised_steps: tuple[Count, Count]
    pull: NotNegative
    """lambda of the initialised network."""
    binary_steps: tuple[Count, Count]
    nu_bar: Fraction
    decay: Positive
    """lambda of the binary network."""
    constant: NotNegative
    """c of the author's code, in optimal step-size adaptation."""


class Inference(ExperimentSettings):
    """Operations of one inference by the systems of all chapters, each with one hidden layer."""

    divided: ClassVar[bool] = True

    width: Count
    """Units of the hidden layer."""
    epochs: Count
    """Of the training of every network, on the first 5/6 of the training images."""
    counted_images: Count
    """First test images on which states and bits of networks that settle are counted."""
    buffer_size: Count
    """Images among which the next one of the temporal order is looked for."""
    stream: StreamRule
    scales: ScaleRule
    spiking: SpikingRule
    settling: SettlingRule
