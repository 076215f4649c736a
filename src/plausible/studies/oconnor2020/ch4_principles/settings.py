"""Settings of chapter 4's principles: random networks, and Temporal MNIST."""

from typing import Annotated

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Fraction, NotNegative, Positive, Settings

LayerSizes = Annotated[tuple[Count, ...], Field(min_length=2)]


class FourNetworks(ExperimentSettings):
    """Figure 4.1: one random network and one sequence of frames."""

    layer_sizes: LayerSizes
    """Units of every layer, those of the input first."""
    frames: Count
    """Length of the sequence."""


class RandomScales(ExperimentSettings):
    """Figure 4.2: a badly scaled random network, with random and with optimised scales."""

    layer_sizes: LayerSizes
    """Units of every layer, those of the input first."""
    weight_factors: tuple[Positive, ...]
    """Factor of each weight matrix."""
    samples: Count
    """Standard normal inputs."""
    random_triples: Count
    """Random choices of the scales of all layers, each scale |N(mean, deviation)|."""
    triple_mean: float
    """Mean of the normal distribution of random scales."""
    triple_deviation: NotNegative
    """Standard deviation of the same."""
    rescalings: Count
    """Further choices, not shown, among which one may beat the end of an optimisation."""
    lambdas: Annotated[tuple[NotNegative, ...], Field(min_length=1)]
    """Weights of the computation, error per addition."""
    learning_rate: Positive
    """Step of the descent in log k."""
    unitwise_learning_rate: Positive
    """The same for scales of units, each of which has but its share of a layer's gradient."""
    epochs: Count
    """Passes of an optimisation over the inputs."""
    batch_size: Count
    """Inputs of a step."""
    recorded_epochs: tuple[Count, ...]
    """Epochs that are shown beside the last."""
    unit_spread: NotNegative
    """Deviation of the logarithm of a hidden unit's factor, beyond the figure."""

    @model_validator(mode="after")
    def _one_factor_a_matrix(self):
        matrices = len(self.layer_sizes) - 1
        if len(self.weight_factors) != matrices:
            raise ValueError(
                f"found {len(self.weight_factors)} weight_factors, where layer_sizes has "
                f"{matrices} matrices between its layers; give one factor for each."
            )
        return self


class ChangeRate(Settings):
    """What differences save on random sequences of frames."""

    layer_sizes: LayerSizes
    """Units of every layer, those of the input first."""
    frames: Annotated[int, Field(ge=2)]
    """Length of a sequence."""
    correlations: Annotated[tuple[Fraction, ...], Field(min_length=1)]
    """Correlations of a frame with the one before it."""
    scales: Annotated[tuple[Positive, ...], Field(min_length=1)]
    """Scales, each for all layers of a network."""


class NoiseTraining(Settings):
    """Scales optimised with rounding, and with noise in its place."""

    layer_sizes: LayerSizes
    """Units of every layer, those of the input first."""
    samples: Count
    """Standard normal inputs."""
    initial_scales: Annotated[tuple[Positive, ...], Field(min_length=1)]
    """Starts of the optimisation, each for all layers."""
    price: NotNegative = Field(alias="lambda")
    """Weight of the computation, error per addition."""
    learning_rate: Positive
    """Step of the descent in log k."""
    epochs: Count
    """Passes of an optimisation over the inputs."""
    batch_size: Count
    """Inputs of a step."""


class HigherLayers(Settings):
    """Scales optimised by the computation of their own layer, and by that of all above it."""

    layer_sizes: LayerSizes
    """Units of every layer, those of the input first."""
    samples: Count
    """Standard normal inputs."""
    lambdas: Annotated[tuple[NotNegative, ...], Field(min_length=1)]
    """Weights of the computation, error per addition."""
    learning_rate: Positive
    """Step of the descent in log k."""
    epochs: Count
    """Passes of an optimisation over the inputs."""
    batch_size: Count
    """Inputs of a step."""


class SmallNetworks(ExperimentSettings):
    """Three experiments beyond the thesis, each of a few seconds."""

    change_rate: ChangeRate
    noise_training: NoiseTraining
    higher_layers: HigherLayers


class TemporalMnist(ExperimentSettings):
    """Figure 4.3 and appendix B.4: images in an order in which neighbours are alike."""

    published_buffer: Count
    """Candidates among which the published code looks for the next image."""
    buffer_sizes: tuple[Count, ...]
    """Numbers of candidates that are compared with the published one."""
    snippets: Count
    """Sequences of the figure, one a column."""
    snippet_frames: Count
    """Images of each of them."""
