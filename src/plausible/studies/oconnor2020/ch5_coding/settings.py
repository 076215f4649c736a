"""Settings of the experiments on proportional-derivative coding."""

from typing import Annotated

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegative

Coefficients = Annotated[tuple[NotNegative, ...], Field(min_length=2)]
Cutoff = Annotated[float, Field(gt=0, lt=1)]
"""Of a low-pass filter, in units of half of the sampling rate."""


class CodingGrid(ExperimentSettings):
    """One signal with many coefficients, figure 5.1."""

    steps: Count
    cutoff: Cutoff
    k_p: Coefficients
    k_d: Coefficients


class Drift(ExperimentSettings):
    """A product with a weight that changes, figure 5.2."""

    steps: Count
    signal_cutoff: Cutoff
    weight_cutoff: Cutoff
    k_p: Coefficients
    k_d: NotNegative
