"""Settings of the experiments on update rules."""

from typing import Annotated

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Fraction, NotNegative, Positive

Cutoff = Annotated[float, Field(gt=0, lt=1)]
"""Of a low-pass filter, in units of half of the sampling rate."""


class Areas(ExperimentSettings):
    """Past and future areas of one pair of signals, figure 5.3."""

    steps: Count
    warm_up: Count
    """Steps of the filter before those that count."""
    cutoff: Cutoff
    k_p: Positive
    k_d: NotNegative


class UpdateKernels(ExperimentSettings):
    """Change of a weight by a pair of spikes, figure 5.4."""

    k_p: Positive
    k_d: NotNegative
    reach: Count
    """Largest time difference, in steps."""
    other_k_p: Positive
    """Of a second code, for the control."""
    tau_steps: Positive
    """Time constant of the classic rule."""


class FourRules(ExperimentSettings):
    """The four rules on one pair of random trains, figure C.1."""

    steps: Count
    spike_probability: Fraction
    k_p: Positive
    k_d: NotNegative


class Approximation(ExperimentSettings):
    """What coding does to a product with a weight that changes, figure C.2."""

    steps: Count
    signal_cutoff: Cutoff
    weight_cutoff: Cutoff
    k_p_range: tuple[Positive, Positive]
    k_d_range: tuple[Positive, Positive]
    points: Annotated[int, Field(ge=3)]
    """Of the grid along each coefficient, evenly on a logarithmic axis."""
    example_k_p: Positive
    example_k_d: Positive
    shown_steps: Count
    """Last steps that the picture shows."""
