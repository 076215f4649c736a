"""Settings of the experiments on quantizers and on the limits of the spiking network."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegativeCount, Positive

Protocol = Literal["as_published", "as_coded", "corrected"]
LayerSizes = Annotated[tuple[Count, ...], Field(min_length=2)]
"""Units of all layers, from the input to the output."""
Times = Annotated[tuple[Count, ...], Field(min_length=1)]


class Quantizers(ExperimentSettings):
    """Error of the running estimate of four quantizers."""

    units: Count
    """Units of the random input, each an estimate of its own."""
    steps: Count
    """The largest T."""
    points: Count
    """Values of T, on a logarithmic axis."""
    input_means: tuple[float, ...]
    """Means of the streams of the rectified quantizer; their variance is 1."""


class SpikingLimit(ExperimentSettings):
    """Spike counts against activations of the ReLU network."""

    layer_sizes: LayerSizes
    weight_std: Mapping[Protocol, Positive]
    """Standard deviation of the initial weights by protocol: the text gives a number that may be a
    standard deviation or a variance."""
    steps: Count
    """The largest T."""
    points: Count
    """Values of T, on a logarithmic axis."""


class SpikingGradient(ExperimentSettings):
    """Update of the spiking network against the gradient of the ReLU network."""

    hidden_sizes: tuple[Count, ...]
    steps: Times
    """Values of T, the time steps of a sample."""
    images: Count
    """Training images on which both are compared."""
    training: Mapping[str, NotNegativeCount]
    """Images on which the ReLU network is trained before, by name of the weights; 0 leaves them as
    drawn."""
    learning_rate: Positive
    """Of this training."""


class EventGraphs(ExperimentSettings):
    """Modules of the implementation and what passes between them."""

    layer_sizes: LayerSizes
    """Of the network whose run is logged."""
    steps: Count
    """Time steps T of its one sample."""


class Theorems(ExperimentSettings):
    """Integers against real numbers (section 3.6); the other theorems have no settings."""

    hidden_sizes: tuple[Count, ...]
    integer_samples: Count
    """Training samples."""
    integer_images: Count
    """Test images that are classified."""
    learning_rates: Mapping[Protocol, Positive]
    """Learning rate eta by protocol: T^2 / eta is a power of two where floating point is exact."""
    weight_std: Positive
    """Standard deviation of the initial weights."""
