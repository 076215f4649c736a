"""Settings of the trainings of sections 8.5.2 and E.3."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Fraction, NotNegative, Positive, Settings


class Variant(Settings):
    """A network and how it settles."""

    communication: Literal["real", "bits"]
    deep: bool = False
    """Three hidden layers; else one."""
    steps: tuple[Count, Count]
    """Of the free and of the nudged phase."""
    epsilon: tuple[Fraction, NotNegative] | None = None
    """Schedule of the step size of a binary network; null: OSA with ``nu_bar``."""
    nu_bar: Fraction = 0.0
    decay: tuple[Positive, NotNegative] = (1.0, 0.0)
    """Schedule of lambda."""
    from_checkpoint: bool = False
    """Whether both phases begin with the same encoders and decoders."""
    keeps_states: bool = False
    """Whether each training sample begins with the states that it had last."""
    epochs: Literal["whole", "short", "deep"] = "whole"
    protocol: Literal["as_published", "as_coded", "corrected"] = "corrected"

    @model_validator(mode="after")
    def _kept_states_matter(self) -> "Variant":
        if self.keeps_states and self.communication == "bits":
            raise ValueError("keeps_states: found with bits, which forget them; expected with real")
        return self


class Trainings(ExperimentSettings):
    """Networks that learn, figures 8.3 and E.3 and the claims beside them."""

    divided: ClassVar[bool] = True

    width: Count
    """Units of a hidden layer."""
    batch: Count
    betas: tuple[Positive, Positive]
    """Of the shallow and of the deep networks; its sign is drawn for each minibatch."""
    learning_rates: tuple[tuple[Positive, ...], tuple[Positive, ...]]
    """Of the shallow and of the deep networks, layer by layer."""
    step_size: Fraction
    """Of continuous networks."""
    constant: NotNegative
    """c of the author's code, in optimal step-size adaptation."""
    whole_epochs: Count
    short_epochs: Count
    deep_epochs: Count
    thesis_deep_epochs: Count
    """Epochs that the thesis's deep networks had; published numbers are those of its end."""
    deep_seeds: Count
    tested_images: Count
    """First training images, of which the training error is taken."""
    variants: Annotated[Mapping[str, Variant], Field(min_length=1)]


class MnistSearch(ExperimentSettings):
    """Settings sought by Gaussian processes on images, figure E.2."""

    divided: ClassVar[bool] = True

    width: Count
    batch: Count
    beta: Positive
    learning_rates: tuple[Positive, Positive]
    constant: NotNegative
    steps: tuple[Count, Count]
    epochs: Count
    calls: Mapping[Literal["scheduled", "osa"], Count]
    startup: Count


class Contrasts(ExperimentSettings):
    """Updates of binary networks against those of the continuous one that was trained."""

    width: Count
    batch: Count
    betas: tuple[Positive, Positive]
    learning_rates: tuple[tuple[Positive, ...], tuple[Positive, ...]]
    steps: tuple[tuple[Count, Count], tuple[Count, Count]]
    """Of the continuous networks."""
    epochs: Count
    """Of their training."""
    constant: NotNegative
    checkpoint_steps: tuple[Count, Count]
    checkpoint_epsilon: tuple[Fraction, NotNegative]
    checkpoint_decay: tuple[Positive, NotNegative]
    repeats: Count
    """Runs with other potentials of the encoders, over which updates vary."""
    nu_bar: Fraction
    decay: Positive
    factors: tuple[Count, ...]
    """By which (100, 50) steps are made longer."""
    batches: Count
    """Minibatches over which cosines are taken."""


class InitialisedRun(Settings):
    """A network, where its samples begin, and for how many steps it settles in training."""

    communication: Literal["real", "bits"]
    start: Literal["zero", "told", "forward"]
    """``told``: zero, where units that send bits know the input as real numbers; ``forward``: the
    state s_f of an initialising network, which learns beside. Units that send bits know s_f and the
    input likewise."""
    steps: tuple[Count, Count]
    """Of the free and of the nudged phase."""
    pull: NotNegative = 0.0
    """lambda of chapter 7, as coded, towards s_f."""


class InitialisedBits(ExperimentSettings):
    """Initialised and spiking at once: chapter 7 and chapter 8 in one network."""

    divided: ClassVar[bool] = True

    width: Count
    batch: Count
    beta: Positive
    learning_rates: tuple[Positive, Positive]
    """Layer by layer, the same in both networks."""
    step_size: Fraction
    """Of continuous networks."""
    constant: NotNegative
    nu_bar: Fraction
    decay: Positive
    """lambda of the predictive code."""
    epochs: Count
    tested_images: Count
    """First training images, by which a training that fails is noticed."""
    tested_after: Annotated[tuple[Count, ...], Field(min_length=2)]
    """Settling steps after which the trained networks are tested."""
    runs: Annotated[Mapping[str, InitialisedRun], Field(min_length=1)]
