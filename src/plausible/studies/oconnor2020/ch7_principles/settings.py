"""Settings of the experiments of chapter 7 that need no images."""

from typing import Annotated, ClassVar

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegative, Positive

Sizes = Annotated[tuple[Count, ...], Field(min_length=2)]
"""Units of each layer, input first."""

PANES = ("forward", "negative", "positive")
"""Of figure 7.1."""
LOCAL, GLOBAL = "local", "global"
"""Losses of the networks of figure 7.2."""


class ThreeStates(ExperimentSettings):
    """Feed-forward, negative and positive states of a small network, figure 7.1."""

    sizes: Sizes
    negative_steps: Count
    positive_steps: Count
    beta: Positive
    pull: NotNegative
    """lambda as coded."""
    updates: Count
    """Of algorithm 6 on the one sample before, so that the initialising network has learnt."""
    learning_rate: Positive


class SettlingSteps(ExperimentSettings):
    """Steps that networks of several depths take to settle."""

    hidden_layers: Annotated[tuple[Count, ...], Field(min_length=3)]
    width: Count
    samples: Count
    tolerance: Positive
    max_steps: Count
    networks: Count
    """Random networks of each depth and seed."""


class TiedForwardPass(ExperimentSettings):
    """Forward pass with the equilibrating weights, and autoencoders of consecutive layers."""

    networks: Annotated[int, Field(ge=10)]
    sizes: Sizes
    samples: Count
    steps: Count


class LayerwiseTraining(ExperimentSettings):
    """A random student of a random teacher, layer by layer, figure 7.2."""

    divided: ClassVar[bool] = True

    layers: Annotated[int, Field(ge=3)]
    """Weight matrices."""
    width: Count
    samples: Count
    batch: Count
    iterations: Count
    test_every: Count
    learning_rate: Positive
    momentum: NotNegative
    weight_scale: Positive
    """Standard deviation of weights in units of sqrt(1 / width)."""
    leak: NotNegative


class DistantGradients(LayerwiseTraining):
    """Why local losses learn faster there: upper layers at the target, best learning rates."""

    divided: ClassVar[bool] = True

    lower_layers: Count
    """Layers that learn where the others are held at the target."""
    loss_share: Annotated[float, Field(gt=0, lt=1)]
    """Of the first loss, to which it is to fall."""
    learning_rates: Annotated[tuple[Positive, ...], Field(min_length=2)]


class EarlyLayers(LayerwiseTraining):
    """What the local training of layer 1 does for layer 2, and of all layers for the last."""

    divided: ClassVar[bool] = True

    draws: Annotated[int, Field(ge=2)]
