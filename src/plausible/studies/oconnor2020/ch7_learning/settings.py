"""Settings of the trainings of chapter 7 and D.4."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Fraction, NotNegative, NotNegativeCount, Positive, Settings

Epochs = Positive


class NetworkSettings(Settings):
    """A network and what all of its trainings share."""

    hidden_sizes: Annotated[tuple[Count, ...], Field(min_length=1)]
    learning_rates: Annotated[tuple[Positive, ...], Field(min_length=2)]
    """Of each matrix, the same in both networks."""
    positive_steps: Count
    beta: Positive

    @model_validator(mode="after")
    def _a_rate_for_each_matrix(self):
        if len(self.learning_rates) != len(self.hidden_sizes) + 1:
            raise ValueError(
                f"learning_rates: {len(self.learning_rates)} were found, where "
                f"{len(self.hidden_sizes) + 1} are expected, one for each matrix."
            )
        return self


class Run(Settings):
    """One way to train a network."""

    network: str
    negative_steps: Count
    epochs: Epochs
    seeds: Count
    """The first so many of the scale's."""
    initialised: bool = True
    """Whether an initialising network learns and begins; plain equilibrium propagation without."""
    pull: NotNegative = 0.1
    """lambda as coded, of initialised trainings."""
    step_size: Positive = 0.5
    signs: Literal["random", "plus"] = "random"
    """Of beta."""
    forward_loss: Literal["local", "global"] = "local"
    forward_target: Literal["s_minus", "s_plus"] = "s_minus"
    alignment_samples: NotNegativeCount = 0
    """Training images on which gradients are compared at each test; 0: they are not."""


class MnistTraining(ExperimentSettings):
    """Trainings of several networks, figures 7.3 and 7.4."""

    divided: ClassVar[bool] = True

    networks: Mapping[str, NetworkSettings]
    runs: Mapping[str, Run]
    batch: Count
    tested_images: NotNegativeCount
    """Of each set of images, the first ones, until the last test; 0: all."""
    failed_after: NotNegative
    """Epochs after which a run with a training error above 50 % is stopped."""

    @model_validator(mode="after")
    def _known_networks(self):
        for name, run in self.runs.items():
            if run.network not in self.networks:
                raise ValueError(
                    f"runs.{name}.network: {run.network!r} is none of "
                    f"{', '.join(self.networks)}; correct the name."
                )
        return self


MODERATE = 0.125
"""lambda with which networks of both depths are trained alike."""
FEWEST = (1, 2)
"""Numbers of negative steps with which they are, beside those of figure D.1: there are no fewer."""


class LambdaScan(ExperimentSettings):
    """Trainings with many lambdas, figure D.1."""

    divided: ClassVar[bool] = True

    networks: Mapping[str, NetworkSettings]
    negative_steps: Mapping[str, tuple[Count, ...]]
    """By the name of the network."""
    lambdas: Mapping[str, tuple[NotNegative, ...]]
    epochs: Mapping[str, Epochs]
    seeds: Mapping[str, Count]
    batch: Count
    cause_epochs: Epochs
    """Of the trainings with the largest lambda and half the step."""
    cause_seeds: Count


class AfterTraining(ExperimentSettings):
    """What trained networks do, measured after short trainings of the small network."""

    divided: ClassVar[bool] = True

    network: NetworkSettings
    negative_steps: Count
    pull: NotNegative
    batch: Count
    epochs: Epochs
    samples: Count
    """Images on which the trained networks are measured."""
    settled_steps: Count
    """After which states count as converged."""
    settled_change: Positive
    """Largest change in a step of a state that has settled."""
    distances_after: tuple[NotNegativeCount, ...]
    """Steps after which the distance from the converged state is measured."""
    pulls: Annotated[tuple[NotNegative, ...], Field(min_length=2)]
    """lambdas whose settling times are compared."""
    convergence_passes: Count
    """Over the samples, of the forward network that is trained on frozen states."""
    feedback_sizes: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Hidden layers of the network with random feedback weights."""
    feedback_rate: Positive
    feedback_epochs: Epochs


class FeedbackWay(Settings):
    """Where the matrices come from that carry states down, and whether they learn."""

    feedback: Literal["symmetric", "drawn", "none"]
    """At first: transposes of the matrices that carry states up; drawn like these by themselves;
    zeros, so that hidden layers hear nothing from above."""
    learns: bool = False
    """Whether they learn, by the contrast of the two states of each connection. Symmetric ones
    always do."""
    decays: bool = False
    """Whether they decay, and those that carry states up beside them."""


class AsymmetricFeedback(ExperimentSettings):
    """Trainings of the small network with feedback weights that are no transposes."""

    divided: ClassVar[bool] = True

    network: NetworkSettings
    negative_steps: Count
    pull: NotNegative
    """lambda as coded, of initialised trainings."""
    batch: Count
    epochs: Count
    tested_images: Count
    """Of each set of images, the first ones, until the last test."""
    decay: Fraction
    """Share of a matrix that is lost with each minibatch, where matrices decay."""
    ways: Annotated[Mapping[str, FeedbackWay], Field(min_length=1)]
