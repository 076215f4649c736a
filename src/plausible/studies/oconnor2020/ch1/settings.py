"""Settings of the experiments of chapter 1."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Fraction, NotNegative, Positive, Settings

Loads = Annotated[tuple[Positive, ...], Field(min_length=1)]
"""Stored patterns per unit."""


class Gap(Settings):
    """One difference between biology and deep learning."""

    name: str
    brain: str
    deep_learning: str
    implemented_in: tuple[str, ...]
    """Names within the package of what stands for the gap, on either side of it."""
    measured_in: tuple[str, ...]
    """Results of this study in which it is measured."""


class System(Settings):
    """One system of the thesis and the gaps (from 1) of which its chapter speaks."""

    name: str
    chapter: Count
    closes: tuple[Count, ...]
    partly: tuple[Count, ...] = ()
    leaves: tuple[Count, ...] = ()


class Gaps(ExperimentSettings):
    """The gaps of section 1.5, and the systems of chapters 3 to 8 that close them."""

    gaps: tuple[Gap, ...]
    systems: tuple[System, ...]


class HopfieldRecall(ExperimentSettings):
    """Recall of damaged patterns, update by update."""

    units: Count
    loads: Loads
    """Patterns per unit, of binary states; the first one serves continuous states too."""
    gains: tuple[Positive, ...]
    """Gains of continuous states."""
    turned_fraction: Fraction
    """Share of the units of a pattern that are turned over at the start."""
    recalls: Count
    """Patterns of a network that are tried."""
    sweeps: Count
    """Updates of every unit, at most."""


class HopfieldCapacity(ExperimentSettings):
    """Overlap after recall, against the load."""

    sizes: tuple[Count, ...]
    """Units of the networks."""
    loads: Loads
    turned_fractions: tuple[Fraction, ...]
    """Shares of the units of a pattern that are turned over at the start."""
    networks: Count
    """Networks of a seed, with patterns of their own."""
    recalls: Count
    """Patterns that are tried in each network."""
    sweeps: Count
    """Updates of every unit, at most."""


class Window(Settings):
    """Double-exponential window of eq. 1.11."""

    a_plus: NotNegative
    a_minus: NotNegative
    tau_plus_s: Positive
    tau_minus_s: Positive


class SpikingNeurons(ExperimentSettings):
    """Integrate-and-fire neurons with random input, and windows of STDP."""

    time_constant_s: Positive
    """Of the membrane, of the neurons that leak."""
    input_rate_hz: Positive
    """Input spikes per second."""
    weight_mean: float
    """Mean weight of the input, in units of the threshold, for the potentials."""
    weight_deviation: NotNegative
    """Standard deviation of the weights, in units of the threshold."""
    trace_s: Positive
    """Duration of the potentials."""
    drives_hz: tuple[float, ...]
    """Mean inputs per second in units of the threshold, for the rates."""
    rate_s: Positive
    """Duration over which a rate is counted."""
    windows: Mapping[str, Window]
    """Windows of eq. 1.11 by their names."""
    window_s: Positive
    """Largest time difference of these."""
    k_p: Positive
    """Proportional coefficient of the encoder of chapter 5."""
    k_d: NotNegative
    """Derivative coefficient of the encoder of chapter 5."""
    alpha: Annotated[float, Field(gt=0, lt=1)]
    """Leak of the decoder of chapter 6, per step."""
    kernel_steps: Count
    """Largest time difference of the kernels of chapters 5 and 6."""
