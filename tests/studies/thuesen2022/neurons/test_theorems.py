"""Theorems on neurons and codings: measured, held, and able to fail."""

import numpy as np

from plausible.neurons.lif_dynamics import simulate_lif
from plausible.neurons.rates import lif_rate, soft_rate
from plausible.neurons.spikes import alpha_kernel, poisson_spike_counts
from plausible.studies.thuesen2022.neurons import theorems

from ...theorem_harness import Falsified, TheoremTests

SOLUTION = theorems.membrane_solution


def _slower_solution(start, current, time_constant_s, time_s):
    return SOLUTION(start, current, 1.02 * time_constant_s, time_s)


def _leaky_rate(current, lif=None, offset=0.0):
    """A floor of 0.01 Hz, and slopes that end at it."""
    return lif_rate(current, lif, offset) + 0.01


def _finite_slope(current, lif=None, offset=0.0):
    return lif_rate(current, lif, offset).clamp_max(100.0 * (current - 1.0).clamp_min(0.0))


def _without_softplus(current, softplus_gamma, lif=None, offset=0.0):
    """The smoothing forgotten where the current is below the threshold."""
    return soft_rate(current.clamp_min(0.95), 0.2, lif, offset)


def _too_fast(current, softplus_gamma, lif=None, offset=0.0):
    return 1.001 * soft_rate(current, softplus_gamma, lif, offset)


def _kinked(current, softplus_gamma, lif=None, offset=0.0):
    return (
        soft_rate(current, softplus_gamma, lif, offset) + 10 * (current - 1.0).clamp_min(0).sqrt()
    )


def _never_refractory(current, dt_s, **options):
    return simulate_lif(current, dt_s, integration="euler", idle_steps=0)


def _late(current, dt_s, **options):
    return simulate_lif(0.99 * current, dt_s, integration="euler")


def _fewer_spikes(rate_hz, steps, dt_s, rng):
    return poisson_spike_counts(0.95 * rate_hz, steps, dt_s, rng)


def _paired_spikes(rate_hz, steps, dt_s, rng):
    return 2 * poisson_spike_counts(0.5 * rate_hz, steps, dt_s, rng)


def _unit_area(*arguments, normalise=""):
    return alpha_kernel(*arguments)


def _delayed(*arguments, normalise=""):
    """Half of every spike comes a hundred samples, one time constant, later."""
    kernel = alpha_kernel(*arguments, normalise="printed")
    return 0.5 * (np.pad(kernel, (0, 100)) + np.pad(kernel, (100, 0)))


class TestTheorems(TheoremTests):
    """Every theorem of the part."""

    document, part = "thuesen2022", "neurons"
    settings = {
        "euler_time_steps_s": [4e-4, 2e-4, 1e-4],
        "lif_time_step_s": 2e-5,
        "lif_duration_s": 0.3,
        "poisson_time_step_s": 0.01,
        "poisson_steps": 1_000_000,
    }
    deviating = {
        ("eq38.soft_rate", "agrees_above_the_threshold", "as_published"),
        ("eq38.soft_rate", "below_the_ceiling", "as_published"),
        ("eq38.soft_rate", "hard_derivative_diverges", "as_published"),
    }
    falsified = tuple(
        Falsified(result, statement, theorems, attribute, wrong)
        for result, statement, attribute, wrong in (
            (
                "eq36.lif_solution",
                "euler_integration_converges",
                "membrane_solution",
                _slower_solution,
            ),
            ("eq36.lif_solution", "first_spike_at_the_crossing", "simulate_lif", _late),
            ("eq37.lif_rate", "simulated_rate_agrees", "simulate_lif", _never_refractory),
            ("eq37.lif_rate", "silent_up_to_the_threshold", "lif_rate", _leaky_rate),
            ("eq38.soft_rate", "tends_to_the_hard_rate", "soft_rate", _without_softplus),
            ("eq38.soft_rate", "agrees_above_the_threshold", "soft_rate", _too_fast),
            ("eq38.soft_rate", "below_the_ceiling", "soft_rate", _too_fast),
            ("eq38.soft_rate", "derivative_is_bounded", "soft_rate", _kinked),
            ("eq38.soft_rate", "hard_derivative_diverges", "lif_rate", _finite_slope),
            ("eq39.poisson_coding", "counts_are_poisson", "poisson_spike_counts", _fewer_spikes),
            ("eq39.poisson_coding", "counts_are_poisson", "poisson_spike_counts", _paired_spikes),
            ("eq40.alpha_filter", "mean_is_proportional_to_the_rate", "alpha_kernel", _unit_area),
            ("eq40.alpha_filter", "is_a_second_order_low_pass", "alpha_kernel", _delayed),
        )
    )
