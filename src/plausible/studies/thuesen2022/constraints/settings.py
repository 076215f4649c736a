"""Settings of the experiments on the constraints of section 4.3."""

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count


class Fig3(ExperimentSettings):
    """Graph of a predictive coding network."""

    layer_sizes: tuple[Count, ...] = Field(min_length=2)
    """Value nodes of each layer, the input first."""


class LocalUpdates(ExperimentSettings):
    """What an update of a random network depends on."""

    layer_sizes: tuple[Count, ...] = Field(min_length=4)
    """Value nodes of each layer; with fewer than four layers every one is adjacent to another."""
    batch_size: Count
    """Samples of the random state."""


class Constraints(LocalUpdates):
    """Section 4.3, with measurements on a random network."""
