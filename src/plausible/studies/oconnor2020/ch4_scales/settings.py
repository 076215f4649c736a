"""Settings of the optimisation of scales, and what text and code of the thesis do differently.

Source: O'Connor 2020, sections 4.5, 4.6.2 and B.2, and its code.
"""

from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Positive, Settings


class Reading(NamedTuple):
    """What text and code do differently."""

    computation: str
    """``mean``: eq. 4.8-4.10, per sample. ``sum``: over the 10 samples of a minibatch, while the
    error is averaged, so that each lambda weighs ten times what is printed."""
    record: int
    """Which record of the optimisation gives the scales: the last one, or the one before it
    (epoch 29.5 of 30), where the code makes its last test."""
    count_biases: bool
    """Whether the addition of a bias is an operation (eq. B.12-B.14) or not (table B.1)."""
    original_energy: str
    """Convention of ``plausible.measure.operations`` for the original network."""
    test_part: str
    """The images that are called test set."""


ORDERS = ("file", "temporal")
"""Of the images: MNIST as it is and Temporal MNIST."""
DISCRETISED = ("rounding", "sigma_delta")
"""Networks with scales."""
TENTH = "layerwise, tenth of lambda"
"""Granularity of rows in which every lambda weighs a tenth of what it does as coded: the sum over a
minibatch of 10 with a tenth of each lambda is the mean with the whole."""
READINGS = {
    "as_published": Reading("mean", -1, True, "by_kind", "official"),
    "as_coded": Reading("sum", -2, False, "mean_operation", "thesis"),
}


class Pretraining(Settings):
    """Training of the original network: ReLU, softmax, Glorot normal, file order, plain descent."""

    epochs: Count
    batch_size: Count
    learning_rate: Positive


class Optimisation(Settings):
    """One way to optimise the scales."""

    protocol: Literal["as_published", "as_coded"]
    learning_rate: Positive
    """Step of the descent in log k."""
    unitwise: bool = False
    """A scale for each unit instead of one for each layer."""


class ScaleOptimisation(ExperimentSettings):
    """Table B.1: a trained network, its scales for many lambdas, and integers of a few bits."""

    divided: ClassVar[bool] = True

    hidden_sizes: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Units of every hidden layer."""
    pretraining: Pretraining
    optimisations: dict[str, Optimisation] = Field(min_length=1)
    """By a name of their own; one of each protocol and granularity."""
    lambdas: Annotated[tuple[Positive, ...], Field(min_length=1)]
    """Weights of the computation, error per addition."""
    epochs: Count
    """Passes of each optimisation over the training images."""
    batch_size: Count
    """Images of a step of each optimisation."""
    record_every_epochs: Positive
    """Epochs between two records of the scales, which may be parts of one."""
    buffer_size: Count
    """Images among which the next one of the temporal order is looked for."""
    bits: tuple[Annotated[int, Field(ge=2, le=16)], ...]
    """Widths of the integers that the original network is rounded to."""

    @model_validator(mode="after")
    def _each_way_once(self):
        seen = set()
        for way in self.optimisations.values():
            rows = (way.protocol, way.unitwise)
            if rows in seen:
                kind = "unitwise" if way.unitwise else "layerwise"
                raise ValueError(
                    f"optimisations: {way.protocol} with {kind} scales was found twice, where each "
                    "protocol may have one optimisation of each kind; remove one of them."
                )
            seen.add(rows)
        return self
