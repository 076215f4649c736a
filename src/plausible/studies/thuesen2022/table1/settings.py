"""Settings of the experiments on table 1 and on spiking networks."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.study_models import SpikingSimulation
from plausible.settings import Count, Positive


class Fig4(ExperimentSettings):
    """First training images."""

    images: Count
    """Images in the order of the file."""


class Fig6(ExperimentSettings):
    """Spike raster of one test image."""

    digit: Annotated[int, Field(ge=0, le=9)]
    """The first test image of this digit is shown."""


class _Rates(ExperimentSettings):
    """Simulated networks beside their analytic rates."""

    images: Count
    """First images of the test set."""
    softplus_gamma: Positive
    """Width of the smoothed threshold of the analytic rates."""


class InputRate(_Rates):
    """Accuracy against the Poisson rate of a white pixel."""

    input_rates_hz: tuple[Positive, ...] = Field(min_length=1)
    """Poisson rates of a white pixel."""


class SimulationChoices(_Rates):
    """Accuracy with one choice of a simulation at a time."""

    choices: Mapping[str, SpikingSimulation] = Field(min_length=1)
    """What replaces settings of the network's own simulation, by the name of the choice."""


class ConversionDiagnostic(_Rates):
    """Simulated against analytic rates of neurons."""

    sampled_points: Count
    """Pairs of a neuron and an image that become rows, for each layer; all enter the summary."""
