"""Settings of the experiments on single neurons and codings."""

from pydantic import Field, model_validator

from plausible.reproduction.settings import ExperimentSettings
from plausible.settings import Count, NotNegative, Positive


class Fig2a(ExperimentSettings):
    """Rate and smoothed rate against the input current."""

    points: int = Field(ge=20)
    """Currents of a curve, evenly spaced from 0."""
    current_max: float = Field(gt=1)
    """Largest input current, in units of the threshold current."""
    softplus_gammas: tuple[Positive, ...] = Field(min_length=1)
    """Widths of the smoothed threshold, protocol corrected."""
    as_coded_softplus_gamma: Positive
    """Width of the smoothed threshold in the author's code."""
    as_coded_rate_offset: NotNegative
    """What the author's code adds to the current above threshold."""


class Fig2b(ExperimentSettings):
    """Theoretical against simulated spike rate."""

    current_max: Positive
    """Largest input current; the currents are evenly spaced from 0."""
    time_step_s: Positive
    """Time step of counts and of simulations."""
    poisson_currents: Count
    """Number of currents for which Poisson spikes are counted."""
    poisson_repetitions: Count
    """Spike trains of each current."""
    poisson_duration_s: Positive
    """Duration over which Poisson spikes are counted."""
    lif_currents: Count
    """Number of currents for which neurons are simulated."""
    lif_input_rates_hz: tuple[Positive, ...] = Field(min_length=1)
    """Rates of the Poisson trains that drive a neuron; the mean current does not depend on them."""
    lif_repetitions: Count
    """Simulated neurons of each current and input rate."""
    lif_duration_s: Positive
    """Simulated time with Poisson input."""
    synapse_time_constant_s: Positive
    """Time constant of the alpha filter between input spikes and current."""
    constant_duration_s: Positive
    """Duration at constant current, without noise."""

    @model_validator(mode="after")
    def _steps(self):
        for name in ("poisson_duration_s", "lif_duration_s", "constant_duration_s"):
            _whole_steps(name, getattr(self, name), self.time_step_s)
        return self


class Fig2c(ExperimentSettings):
    """The scaled rate function against ReLU."""

    points: int = Field(ge=2)
    """Inputs of a curve, evenly spaced."""
    current_max: float = Field(gt=1)
    """Largest input; the author's curves start at 1."""
    activation_scale: Positive
    """Factor on the rate in Hz."""
    softplus_gamma: Positive
    """Width of the smoothed threshold."""
    as_coded_rate_offset: NotNegative
    """What the author's code adds to the current above threshold."""


class AlphaFilterTau(ExperimentSettings):
    """Which time constant of the alpha filter recovers the firing rate best."""

    time_constant_min_s: Positive
    """Smallest time constant of the sweep."""
    time_constant_max_s: Positive
    """Largest time constant of the sweep."""
    time_constant_points: int = Field(ge=2)
    """Number of time constants, evenly spaced."""
    published_time_constant_s: Positive
    """Always added to the sweep."""
    rates_hz: tuple[Positive, ...] = Field(min_length=1)
    """Firing rates over which the error is averaged."""
    time_step_s: Positive
    """Time step of the spike counts and of the filter's samples."""
    duration_s: Positive
    """Duration of a spike train."""
    repetitions: Count
    """Spike trains of each rate."""

    @model_validator(mode="after")
    def _range(self):
        low, high = self.time_constant_min_s, self.time_constant_max_s
        if not low < self.published_time_constant_s < high:
            raise ValueError(
                f"time constants from {low:g} to {high:g} s do not enclose the published one, "
                f"{self.published_time_constant_s:g} s; widen them"
            )
        _whole_steps("duration_s", self.duration_s, self.time_step_s)
        return self


class PoissonNoise(ExperimentSettings):
    """Noise of rates that are read from Poisson spikes."""

    rates_hz: tuple[Positive, ...] = Field(min_length=1)
    """Firing rates of the spike trains."""
    durations_s: tuple[Positive, ...] = Field(min_length=2)
    """Durations of the spike trains; the slope over them is judged."""
    time_step_s: Positive
    """Time step of the spike counts."""
    repetitions: int = Field(ge=2)
    """Spike trains of each rate and duration, whose estimates have the standard deviation."""

    @model_validator(mode="after")
    def _steps(self):
        for duration in self.durations_s:
            _whole_steps("durations_s", duration, self.time_step_s)
        return self


class Theorems(ExperimentSettings):
    """Sizes of the numerical checks of eqs. 34 to 40."""

    euler_time_steps_s: tuple[Positive, ...] = Field(min_length=2)
    """Time steps whose errors have a slope, descending; none needs to divide another."""
    lif_time_step_s: Positive
    """Time step of Euler's integration at constant current."""
    lif_duration_s: Positive
    """Simulated time at constant current."""
    poisson_time_step_s: Positive
    """Time step of the Poisson counts, long enough for several spikes."""
    poisson_steps: Count
    """Steps of each intensity: the variance of their counts scatters by sqrt(2 / steps)."""


def _whole_steps(name: str, duration_s: float, time_step_s: float) -> None:
    if duration_s < time_step_s:
        raise ValueError(
            f"{name} is {duration_s:g} s, shorter than one time step of {time_step_s:g} s"
        )
