"""Settings of the experiments on the systems that chapter 2 reviews."""

from typing import Annotated

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegative, Positive

Counts = Annotated[tuple[Count, ...], Field(min_length=2)]
"""Numbers of which a slope is taken, or that are shown side by side."""


LEARNS, FROZEN = "target_propagation", "frozen"
"""The network, and the same one with a hidden layer that stays random."""
SIGNS = {
    "hadamard": "Hadamard rows in turn",
    "hadamard_random_sign": "Hadamard rows, random sign each step",
}
"""Ways to choose the signs of UORO that should converge to the mean faster."""


class UnrolledGraph(ExperimentSettings):
    """The computational graph of figure 2.2."""

    steps: Annotated[int, Field(ge=3)]
    units: Count
    inputs: Count


class ContrastiveDivergence(ExperimentSettings):
    """Distance of samples of contrastive divergence from the model, enumerated."""

    visible: Annotated[int, Field(ge=2, le=10)]
    hidden: Annotated[int, Field(ge=1, le=10)]
    weight_deviations: Annotated[tuple[Positive, ...], Field(min_length=1)]
    """Standard deviations of weights and biases."""
    patterns: Count
    """Visible states that make up the data."""
    machines: Annotated[int, Field(ge=2)]
    """Random machines of a seed, for each deviation."""
    steps: Annotated[int, Field(ge=5)]
    """Gibbs steps, up to which all distances are known."""


class RecurrentCosts(ExperimentSettings):
    """Multiplications of learning rules for recurrent networks."""

    widths: Counts
    """Units, and as many inputs."""
    horizons: Counts
    """Steps of truncated backpropagation."""
    published_width: Count
    """Units, and as many inputs, of the number that the thesis states."""


class RandomProjections(ExperimentSettings):
    """Estimates of UORO around the gradient."""

    units: Annotated[int, Field(ge=2)]
    """A power of two, for which there is a Hadamard matrix."""
    inputs: Count
    steps: Count
    """Of the sequence, over which the gradient is summed."""
    draws: Annotated[int, Field(ge=8)]
    """Estimates of each network."""
    networks: Annotated[int, Field(ge=2)]
    """Random networks of a seed, on which signs are compared."""
    horizons: Counts
    """Lengths of sequences of which the scatter is shown."""
    estimates: Counts
    """Numbers of estimates whose mean is shown."""

    @model_validator(mode="after")
    def _power_of_two(self):
        if self.units & (self.units - 1):
            raise ValueError(
                f"units: {self.units} was found, where a power of two is expected, because rows of "
                "a Hadamard matrix of that size are tried as signs; state 4, 8 or 16"
            )
        if max(self.estimates) > self.draws:
            raise ValueError(
                f"estimates: {max(self.estimates)} was found, where at most the number of draws, "
                f"{self.draws}, is expected; correct one of them"
            )
        return self


class TargetPropagation(ExperimentSettings):
    """Difference target propagation through sign activations."""

    hidden: Count
    """Units of the hidden layer."""
    epochs: Count
    batch_size: Count
    hidden_rate: Positive
    """Learning rate of the hidden layer."""
    output_rate: Positive
    feedback_rate: Positive
    target_step: Annotated[float, Field(gt=0, le=1)]
    """Share of the way from the outputs to the labels at which the target of the outputs lies."""
    noise: NotNegative
    """Standard deviation of the noise on the states that the feedback weights learn to restore."""
