"""Settings of the experiments on equilibrium propagation."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Positive

Sizes = Annotated[tuple[Count, ...], Field(min_length=2)]
"""Units of each layer, input first."""

TIED, UNTIED = "tied", "untied"
"""Whether what comes from above goes through the transposed weights, or weights of its own."""


class TwoPhases(ExperimentSettings):
    """Trajectories of a small network through both phases, figure 2.3."""

    sizes: Sizes
    negative_steps: Count
    positive_steps: Count
    step_size: Positive
    beta: Positive


class GradientError(ExperimentSettings):
    """How far the update is from the gradient, against beta."""

    sizes: Sizes
    betas: Annotated[tuple[Positive, ...], Field(min_length=2)]
    unsettled_steps: Count
    """Of a negative phase that is too short."""


class RoundedStates(ExperimentSettings):
    """Equilibrium propagation with activations of one bit."""

    networks: Annotated[int, Field(ge=2)]
    sizes: Sizes
    samples: Count
    beta: Positive
    steps: Count
    """Of either phase."""


class UntiedTraining(ExperimentSettings):
    """Training with feedback weights of their own, and with transposes."""

    divided: ClassVar[bool] = True

    hidden_sizes: Annotated[tuple[Count, ...], Field(min_length=1)]
    learning_rates: Annotated[tuple[Positive, ...], Field(min_length=2)]
    negative_steps: Count
    positive_steps: Count
    beta: Positive
    batch: Count
    epochs: Count
    settling_images: Count
    """Test images on which the trained network settles."""
    settling_steps: Count
    settled_change: Positive
    """Largest change in a step of a state that has settled."""
    random_scale: Positive
    """Of random weights, in units of the trained ones, for the control."""

    @model_validator(mode="after")
    def _a_rate_for_each_matrix(self):
        if len(self.learning_rates) != len(self.hidden_sizes) + 1:
            raise ValueError(
                f"learning_rates: {len(self.learning_rates)} were found, where "
                f"{len(self.hidden_sizes) + 1} are expected, one for each matrix."
            )
        return self
