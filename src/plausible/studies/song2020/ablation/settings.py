"""Settings of the experiments on figure 3: the grid of violated conditions, the calibration."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from plausible.learning.readings import Reading
from plausible.settings import Count, NotNegative, NotNegativeCount
from plausible.studies.song2020.settings import Moment, Positives, Trainings, check_moments


class Candidate(Reading):
    """A reading that is compared with the published columns."""

    description: str = Field(min_length=1)
    """What it is, for people."""


class Grid(Trainings):
    """Every cell of figure 3, once for each reading."""

    readings: Mapping[str, Reading] = Field(min_length=1)
    """Choices by the name of the protocol; those that are not stated are those of the public code
    of the same group."""
    gammas: Positives
    """Integration steps of inference (C3: gamma = 1)."""
    times: Annotated[tuple[Moment, ...], Field(min_length=1)]
    """Inference steps t after which all matrices learn; ``l``: theta^{l+1} learns at t = l (C2)."""
    sigmas: tuple[NotNegative, ...]
    """Standard deviations of the noise in the hidden value nodes (C1: no noise)."""
    noises: tuple[Literal["initial", "persistent"], ...]
    """Whether the noise moves the value nodes at t = 0 only or at every t."""
    steps: Count
    """T, the largest number of inference steps."""
    fazil_steps: NotNegativeCount
    """T of Fa-Z-IL; 0 leaves it out."""
    detection_steps: Count
    """t_d of Fa-Z-IL."""
    batch_size: Count

    @model_validator(mode="after")
    def _moments_lie_within_inference(self) -> Self:
        check_moments("times", self.times, self.steps)
        return self


class Calibration(Trainings):
    """Candidate readings in the columns t = 0 and t = l of figure 3, which need no inference."""

    candidates: Mapping[str, Candidate] = Field(min_length=1)
    gammas: Positives
    """Integration steps of the column t = l; 1 is backprop itself."""
    batch_size: Count
