"""Settings of the experiments of chapter 6."""

from typing import Annotated

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Positive

Leak = Annotated[float, Field(gt=0, lt=1)]
"""alpha, what remains of a reconstruction after a step."""


class Kernels(ExperimentSettings):
    """The four kernels of figure 6.4."""

    alpha: Leak
    reach: Count
    """Largest time difference, in steps."""


class Synapse(ExperimentSettings):
    """One synapse between two coded signals, figure 6.5."""

    alpha: Leak
    steps: Count
    """Steps of the signals, with the silence at the end."""
    quiet: Count
    """Steps of the silence."""
    width: Positive
    """Smoothness of the signals: standard deviation of the filter of their noise, in steps."""


class Circuit(ExperimentSettings):
    """The circuit of figure 6.3."""

    alpha: Leak
    steps: Count
    width: Positive


class RisingRate(ExperimentSettings):
    """A postsynaptic neuron whose rate rises or falls, figure 6.2."""

    slopes_hz_per_s: Annotated[tuple[float, ...], Field(min_length=1)]
    """Rates of change of the firing rate."""
    middle_hz: Positive
    """Firing rate at the time of the presynaptic spike."""
    window_ms: Count
    """Time on either side of the presynaptic spike."""
    trials: Count
    """Presynaptic spikes of a seed."""
    tau_ms: Positive
    """Time constant of the window of STDP."""
