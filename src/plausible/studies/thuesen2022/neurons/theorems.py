"""Neuron models and coding of Thuesen 2022 (eqs. 34-40), checked numerically in float64."""

import numpy as np
import torch
from numpy.typing import NDArray

from plausible.measure.slopes import log_slope
from plausible.neurons.lif_dynamics import LIF, simulate_lif
from plausible.neurons.rates import lif_rate, soft_rate, soft_rate_derivative
from plausible.neurons.spikes import alpha_kernel, apply_kernel, author_kernel, poisson_spike_counts
from plausible.reproduction.theorem_checks import Check, checks
from plausible.studies.thuesen2022.common import stream
from plausible.studies.thuesen2022.neurons.settings import Theorems
from plausible.studies.thuesen2022.theorem_problems import reference_soft_rate

MEMBRANE_TIME_CONSTANT_S, REFRACTORY_PERIOD_S, THRESHOLD = LIF()


def lif_solution(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 34-36: v(t) = (v0 - j) exp(-t/tau_RC) + j solves tau_RC dv/dt = j - v."""
    time_steps = settings.euler_time_steps_s
    generator = stream("theorems", seed, "lif_solution")
    start = generator.uniform(-1.0, 1.0, 50)
    current = generator.uniform(1.2, 10.0, 50)
    duration = MEMBRANE_TIME_CONSTANT_S
    membrane, first_spike = [], []
    crossing = -MEMBRANE_TIME_CONSTANT_S * np.log1p(-THRESHOLD / current)
    for time_step in time_steps:
        voltage = start.copy()
        for _ in range(round(duration / time_step)):
            voltage += time_step / MEMBRANE_TIME_CONSTANT_S * (current - voltage)
        solution = (start - current) * np.exp(-duration / MEMBRANE_TIME_CONSTANT_S) + current
        membrane.append(np.abs(voltage - solution).max())
        steps = int(crossing.max() / time_step * 1.1) + 2
        spikes = simulate_lif(
            np.broadcast_to(current, (steps, len(current))),
            time_step,
            integration="euler",
            idle_steps=round(REFRACTORY_PERIOD_S / time_step),
        )
        # A spike of step n happens at the end of the step, at time (n + 1) dt.
        first_spike.append(np.abs((spikes.argmax(axis=0) + 1) * time_step - crossing).max())
    check = "euler_integration_converges"
    slope = (
        "Euler integration of the membrane: distance of the log-log slope of its maximum error "
        "over the time step from 1"
    )
    spike = "simulated neuron (Euler): maximum error of the first spike's time, in time steps"
    late = max(error / step for error, step in zip(first_spike, time_steps, strict=True))
    return [
        Check(check, slope, abs(log_slope(time_steps, membrane) - 1.0), 0.1),
        # The Euler crossing is late or early by less than t* dt / (2 tau), then rounded up to
        # the next step; t* < 1.8 tau for j > 1.2.
        Check(check, spike, late, 2.0),
    ]


def lif_rate_simulated(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 37: r(j) = 1 / (t_ref - tau_RC log(1 - V_th/j)) is the rate of the simulated neuron."""
    duration = settings.lif_duration_s
    generator = stream("theorems", seed, "lif_rate")
    current = generator.uniform(1.1, 10.0, 20)
    expected = lif_rate(torch.from_numpy(current)).numpy()
    deviations = {}
    for integration, step in (("euler", settings.lif_time_step_s), ("exact", 0.001)):
        simulated = interspike_rate(current, step, duration, integration)
        text = f"simulated rate at constant current ({integration} integration, time step "
        text += f"{step:g} s, {duration:g} s): maximum relative difference to r(j)"
        deviations[text] = float(np.abs(simulated / expected - 1.0).max())
    below = simulate_lif(np.full((1000, 1), THRESHOLD), 0.001, integration="exact")
    fired = float(below.sum() + lif_rate(torch.linspace(-5, 1, 100, dtype=torch.float64)).sum())
    check = "simulated_rate_agrees"
    text = "at and below the threshold current neither the formula nor the neuron fires (spikes "
    return [*checks(check, 0.01, deviations), Check(check, text + "plus rate)", fired, 0.0, "==")]


def interspike_rate(
    current: NDArray[np.float64], time_step_s: float, duration_s: float, integration: str
) -> NDArray[np.float64]:
    """Rate in Hz of simulated neurons at constant current, from the first to the last spike.

    Unlike a count over a fixed time it is not rounded to 1 / duration.
    """
    steps = round(duration_s / time_step_s)
    spikes = simulate_lif(
        np.broadcast_to(current, (steps, len(current))),
        time_step_s,
        integration=integration,
        idle_steps=round(REFRACTORY_PERIOD_S / time_step_s),
    )
    first = spikes.argmax(axis=0)
    last = steps - 1 - spikes[::-1].argmax(axis=0)
    return (spikes.sum(axis=0) - 1) / ((last - first) * time_step_s)


def soft_rate_limit(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 38: the smoothed rate tends to eq. 37 and has a bounded derivative."""
    generator = stream("theorems", seed, "soft_rate")
    current = torch.from_numpy(generator.uniform(0.0, 10.0, 4000))
    away = current[(current - THRESHOLD).abs() >= 0.05]
    hard = lif_rate(away)
    near = THRESHOLD + torch.linspace(-0.1, 0.1, 4001, dtype=torch.float64)
    own, printed = (
        float((rate(away, 0.001) - hard).abs().max()) for rate in (soft_rate, soft_rate_as_printed)
    )
    check = "tends_to_the_hard_rate"
    text = "gamma = 0.001: maximum distance of the smoothed rate to r(j) for |j - 1| >= 0.05, Hz"
    found = [Check(check, text, own, 1.0, "<")]
    text = "as printed, with a minus sign before tau_RC log(1 + V_th/rho): the same distance, Hz"
    found.append(Check(check, text, printed, 1.0, "<", "as_published"))
    check = "derivative_is_bounded"
    for gamma in (0.1, 0.05, 0.02, 0.001):
        slope = soft_rate_derivative(torch.cat([current, near]), gamma)
        text = f"gamma = {gamma}: maximum derivative over its bound tau_RC / (gamma t_ref^2)"
        # r' = r^2 tau s(u) / (b (1 + b)), b = gamma log(1 + e^u) >= gamma s(u), r < 1/t_ref
        share = slope.abs().max() * gamma * REFRACTORY_PERIOD_S**2 / MEMBRANE_TIME_CONSTANT_S
        found.append(Check(check, text, float(share), 1.0))
        variable = near.clone().requires_grad_()
        (automatic,) = torch.autograd.grad(reference_soft_rate(variable, gamma).sum(), variable)
        apart = float((slope[len(current) :] - automatic).abs().max() / automatic.abs().max())
        text = f"gamma = {gamma}: derivative against autograd of the formula, relative to its "
        found.append(Check(check, text + "maximum", apart, 1e-10))
    return found


def soft_rate_as_printed(current: torch.Tensor, softplus_gamma: float) -> torch.Tensor:
    """Eq. 38 with its printed sign, 1 / (t_ref - tau_RC log(1 + V_th / rho(j - V_th))), in Hz."""
    rho = softplus_gamma * torch.nn.functional.softplus((current - THRESHOLD) / softplus_gamma)
    return 1.0 / (REFRACTORY_PERIOD_S - MEMBRANE_TIME_CONSTANT_S * torch.log1p(THRESHOLD / rho))


def poisson_coding(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 39: Poisson(x dt / t_ref) spikes per step; x = 1 gives r_max = 1/t_ref = 250 Hz."""
    neurons = settings.poisson_neurons
    counts = poisson_spike_counts(
        np.full(neurons, 1.0 / REFRACTORY_PERIOD_S),
        10_000,
        0.001,
        stream("theorems", seed, "poisson_coding"),
    )
    apart = float(abs(counts.sum() / (10.0 * neurons) / 250.0 - 1.0))
    text = f"mean rate of {neurons} inputs of intensity 1 over 10 s: relative difference to 250 Hz"
    return [Check("mean_rate", text, apart, 0.02)]


def alpha_filter(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 40: the mean of a filtered spike train is proportional to its firing rate."""
    time_step, steps = 0.001, 10_000
    counts = poisson_spike_counts(
        np.array([10.0, 50.0, 100.0, 200.0, 250.0]),
        steps,
        time_step,
        stream("theorems", seed, "alpha_filter"),
    )
    rate = counts.mean(axis=0) / time_step
    unit, printed, author = (
        apply_kernel(counts, kernel).mean(axis=0) / time_step / rate
        for kernel in (alpha_kernel(), alpha_kernel(normalise="printed"), author_kernel())
    )
    spread = float(np.abs(printed / printed.mean() - 1.0).max())
    unit, printed, author = (float(np.abs(gain - 1.0).max()) for gain in (unit, printed, author))
    check, mean = "mean_is_proportional_to_the_rate", "filtered mean over firing rate"
    proportional = f"kernel as printed: {mean}, relative spread over five rates"
    sampled = f"kernel as printed, at a time step of 1 ms: {mean}, distance from 1"
    taps = f"the author's 11 taps: {mean}, distance from 1"
    return [
        Check(check, f"unit-area kernel: {mean}, distance from 1", unit, 0.02),
        Check(check, proportional, spread, 0.02),
        Check(check, sampled, printed, 0.02, protocol="as_published"),
        Check(check, taps, author, 0.02, protocol="as_coded"),
    ]
