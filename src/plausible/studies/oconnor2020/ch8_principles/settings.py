"""Settings of the experiments on codes, step sizes and fixed points."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, Fraction, NotNegative, Positive, Settings

Decaying = tuple[Fraction, NotNegative]
"""First value and exponent of a schedule ``first / t^exponent``."""


class Scheme(Settings):
    """How units average and encode: a line of figure 8.2."""

    epsilon: tuple[Fraction, float] | None = None
    """Schedule of the step size; null: optimal step-size adaptation with ``nu_bar``."""
    nu_bar: Fraction = 0.0
    decay: tuple[Fraction, float] = (1.0, 0.0)
    """Schedule of lambda; 1 is no predictive coding. A negative exponent lets it rise."""
    encoder: Literal["sigma_delta", "stochastic"] = "sigma_delta"


class Networks(ExperimentSettings):
    """Random networks whose fixed point is sought."""

    layer_sizes: Annotated[tuple[Count, ...], Field(min_length=2)]
    batch: Count
    """Random inputs of a network."""
    beta: Positive
    """Of the nudge towards random targets in the second phase."""
    constant: NotNegative
    """c of the author's code, in optimal step-size adaptation."""


class Convergence(Networks):
    """Error to the fixed point before and after a perturbation, figure 8.2."""

    networks: Count
    """Networks with inputs and targets of their own, each for all schemes."""
    steps: Count
    perturbations: Mapping[Literal["as_published", "as_coded"], Count]
    """Step from which on the outputs are nudged, by protocol."""
    schemes: Mapping[str, Scheme]


class SpikeFrontier(Networks):
    """Spikes until the error to the fixed point is so small, without a perturbation."""

    networks: Count
    """The first ones of `Convergence`."""
    steps: Count
    schemes: Mapping[str, Scheme]


class LongRuns(Networks):
    """Error to the fixed point without a perturbation, over many steps; one network per seed."""

    steps: Count
    schemes: Mapping[str, Scheme]


class Exponents(Networks):
    """Which exponent of a schedule is best."""

    networks: Count
    steps: Count
    perturbation: Count
    exponents: tuple[NotNegative, ...]
    firsts: tuple[Fraction, ...]
    """First steps; each exponent is taken with its best."""
    decays: Mapping[str, Decaying]
    """Schedules of lambda, by their names."""
    bits: Count
    """Random bits of a constant that an estimate with the exponent 1/2 averages."""
    estimates: Count


class Search(Networks):
    """Settings sought by Gaussian processes and drawn uniformly, figure E.1."""

    divided: ClassVar[bool] = True

    steps: Count
    perturbation: Count
    calls: Count
    """Trials of each search."""
    startup: Count
    """Of these, random ones at the start."""
    uniform: Count
    """Settings of each search and seed that are drawn uniformly."""


class Overload(Networks):
    """Inputs of predictive encoders outside of [0, 1]; one network per seed."""

    nu_bar: Fraction
    decay: Positive
    early: Count
    """First steps that are looked at."""
    late: Count
    """Steps before those that are looked at later."""


class RateUpdates(Networks):
    """Updates from the rate of change against the contrast of two states; one network per seed."""

    nu_bar: Fraction
    decay: Positive
    negative_steps: Count
    positive_steps: Count
    rate_steps: Count
    """First steps of the second phase over which the rate of change is taken."""
    repeats: Count
    """Runs with other potentials of the encoders, over which updates vary."""


class ConvergingInputs(ExperimentSettings):
    """A neuron whose inputs come to rest, figure 8.1."""

    steps: Count
    weights: tuple[float, ...]
    cutoff: Annotated[float, Field(gt=0, lt=1)]
    """Of the filter of the inputs, in units of half of the sampling rate."""
    scale: Positive
    """Of the inputs."""
    speed: Positive
    """Power of time with which they come to rest."""
    real_step: Fraction
    """Constant step of the neuron that hears real numbers."""
    epsilon: Decaying
    decay: Decaying
