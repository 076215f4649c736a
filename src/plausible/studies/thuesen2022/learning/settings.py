"""Settings of the experiments on learning by backprop, Z-IL and inference learning."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from plausible.learning.settings import TrainingSettings
from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegativeCount, Positive


class _Training(ExperimentSettings):
    """Settings of an experiment that trains networks."""

    uses_device: ClassVar[bool] = True

    training: TrainingSettings
    """Settings of the training runs."""


class ZilEqualsBackprop(_Training):
    """Race of Z-IL and backprop with equal weights and batches; it sets rule and number format."""

    steps: Count
    """Number of updates."""
    recorded_points: Count
    """About so many steps are recorded, evenly spaced on a logarithmic axis."""
    published_steps: tuple[Count, ...]
    """Steps that are recorded too, because the thesis speaks of them."""
    dtypes: tuple[Literal["float32", "float64"], ...] = Field(min_length=1)
    """Number formats."""

    @model_validator(mode="after")
    def _reached(self):
        if self.published_steps and max(self.published_steps) > self.steps:
            raise ValueError(
                f"steps is {self.steps}, so the published step {max(self.published_steps)} is "
                "never reached; train longer"
            )
        return self


class ActivationScaling(_Training):
    """Training with and without scaling of the rate; epochs and batch size set its length."""

    activation_scales: tuple[Positive, ...] = Field(min_length=1)
    """Factors on the rate in Hz."""
    other_learning_rates: tuple[Positive, ...] = Field(min_length=1)
    """Learning rates beside that of the training settings, of which each scale has its best."""
    window_steps: Count
    """Updates whose losses make a row."""


class IlCost(ExperimentSettings):
    """Time and multiply-adds of one weight update."""

    uses_device: ClassVar[bool] = True

    layer_sizes: tuple[Count, ...] = Field(min_length=3)
    """Units of each layer, the input first."""
    batch_size: Count
    """Samples of an update."""
    equilibrium_change: Positive
    """Relative change of the free energy in a step below which IL has settled."""
    most_inference_steps: Count
    """Inference steps of an IL that does not settle."""
    inference_step_size: Positive
    """Step size gamma of IL; Z-IL takes as many steps as weight matrices, of size 1."""
    repetitions: Count
    """Timed updates, of which the median is reported."""
    warm_up: NotNegativeCount
    """Updates before the timed ones."""


class Theorems(ExperimentSettings):
    """Sizes of the numerical checks of the theorems."""

    he_networks: Count
    """Random networks that are averaged: the second moment of one scatters by its own size after 10
    layers of width 64 (sqrt(5 layers / width))."""
