"""Settings of the experiments on figures 1 and 2 and on tables 1 to 3."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegative, NotNegativeCount, Positive
from plausible.studies.song2020.settings import Depths, LayerSizes, check_moments


def check_last_moment(l_max: int, steps: int) -> None:
    """Raise ValueError if the last matrix would learn at t = l after the last inference step."""
    if l_max - 1 > steps:
        raise ValueError(
            f"the last moment t = l is {l_max - 1} at l_max = {l_max}, where there are T = {steps} "
            "inference steps; raise steps"
        )


class Fig1(ExperimentSettings):
    """Graphs of an ANN and a PCN."""

    layer_sizes: LayerSizes


class OneUpdate(ExperimentSettings):
    """One weight update by each algorithm."""

    layer_sizes: LayerSizes
    batch_size: Count
    il_steps: NotNegativeCount
    """t_c: IL updates all weights after so many inference steps."""
    detection_steps: Count
    """t_d of Fa-Z-IL."""
    steps: Count
    """T of Fa-Z-IL."""

    @model_validator(mode="after")
    def _moments_lie_within_inference(self) -> Self:
        check_moments("il_steps", (self.il_steps,), self.steps)
        check_last_moment(len(self.layer_sizes) - 1, self.steps)
        return self


class Fig2(OneUpdate):
    """Logged events of one weight update by each algorithm."""

    gamma: Positive
    """Integration step of IL; Z-IL and Fa-Z-IL have gamma = 1."""


class Notation(ExperimentSettings):
    """The symbols of table 1, which are those of the published entry."""


class Properties(OneUpdate):
    """Table 2, measured on random networks.

    With at least five layers there is something outside a matrix that noise can replace.
    """

    il_gamma: Positive
    """gamma of IL."""
    equivalence_tolerance: NotNegative
    """Largest relative difference of two updates that count as equal."""


class Detection(ExperimentSettings):
    """Table 3: how often phi finds the moment t = l."""

    l_max: Depths
    hidden_neurons: Count
    detection_steps: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Values of t_d."""
    tolerances: Annotated[tuple[NotNegative, ...], Field(min_length=1)]
    """Errors up to this size count as zero; 0 is the rule as stated."""
    images: Count
    """Training images that are looked at, a multiple of ``batch_size``."""
    batch_size: Count
    steps: Count
    """T, inference steps during which phi is evaluated."""
    training_updates: NotNegativeCount
    """Updates of backprop that make the trained network."""
    learning_rate: Positive
    """Of these updates."""

    @model_validator(mode="after")
    def _images_fill_batches_and_moments_lie_within_inference(self) -> Self:
        if self.images % self.batch_size:
            raise ValueError(
                f"images is {self.images}, where a multiple of batch_size = {self.batch_size} is "
                "expected"
            )
        check_last_moment(max(self.l_max), self.steps)
        return self
