"""Neuron models and coding of Thuesen 2022 (eqs. 34-40), checked numerically in float64."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plausible.measure.slopes import log_slope
from plausible.neurons.lif_dynamics import LIF, simulate_lif
from plausible.neurons.rates import lif_rate, soft_rate
from plausible.neurons.spikes import (
    SYNAPSE_TIME_CONSTANT_S,
    alpha_kernel,
    apply_kernel,
    poisson_spike_counts,
)
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.thuesen2022.common import stream
from plausible.studies.thuesen2022.neurons.settings import Theorems

MEMBRANE_TIME_CONSTANT_S, REFRACTORY_PERIOD_S, THRESHOLD = LIF()
Rate = Callable[[Tensor], Tensor]


def membrane_solution(
    start: NDArray[np.float64], current: NDArray[np.float64], time_constant_s: float, time_s: float
) -> NDArray[np.float64]:
    """Eq. 36: v(t) = (v0 - j) exp(-t/tau_RC) + j."""
    return (start - current) * np.exp(-time_s / time_constant_s) + current


def lif_solution(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 34-36: Euler's integration of tau_RC dv/dt = j - v converges to the solution."""
    generator = stream("theorems", seed, "lif_solution")
    start = generator.uniform(-1.0, 1.0, 50)
    current = generator.uniform(1.2, 10.0, 50)
    tau = MEMBRANE_TIME_CONSTANT_S

    def order(driven: NDArray[np.float64], time_constant_s: float) -> float:
        """Order of the largest error after one time constant, for a solution with these values."""
        solution = membrane_solution(start, driven, time_constant_s, tau)
        return log_slope(
            settings.euler_time_steps_s,
            [
                np.abs(_euler_membrane(start, current, step) - solution).max()
                for step in settings.euler_time_steps_s
            ],
        )

    def crossing_steps(time_constant_s: float) -> float:
        """Largest error of the first spike's time, in time steps, over all time steps."""
        crossing = -time_constant_s * np.log1p(-THRESHOLD / current)
        return max(
            float(np.abs(_first_spike(current, step) - crossing).max() / step)
            for step in settings.euler_time_steps_s
        )

    converges, spike = "euler_integration_converges", "first_spike_at_the_crossing"
    text = "Euler's integration of the membrane: order of its largest error in the time step"
    first = "simulated neuron (Euler): largest error of the first spike's time, in time steps"
    return [
        Check(converges, text, order(current, tau)),
        *controls(
            converges,
            {
                "sign_of_the_current": abs(order(-current, tau) - 1.0),
                "time_constant_doubled": abs(order(current, 2.0 * tau) - 1.0),
            },
        ),
        Check(spike, first, crossing_steps(tau)),
        *controls(spike, {"crossing_with_time_constant_doubled": crossing_steps(2.0 * tau)}),
    ]


def _euler_membrane(
    start: NDArray[np.float64], current: NDArray[np.float64], time_step_s: float
) -> NDArray[np.float64]:
    """Potential after one membrane time constant."""
    voltage = start.copy()
    for _ in range(round(MEMBRANE_TIME_CONSTANT_S / time_step_s)):
        voltage += time_step_s / MEMBRANE_TIME_CONSTANT_S * (current - voltage)
    return voltage


def _first_spike(current: NDArray[np.float64], time_step_s: float) -> NDArray[np.float64]:
    """Time of the first spike of simulated neurons at constant current, in s."""
    latest = -MEMBRANE_TIME_CONSTANT_S * np.log1p(-THRESHOLD / current.min())
    drive = np.broadcast_to(current, (int(1.1 * latest / time_step_s) + 2, len(current)))
    spikes = simulate_lif(drive, time_step_s, integration="euler")
    # A spike of step n happens at the end of the step, at time (n + 1) dt.
    return (spikes.argmax(axis=0) + 1) * time_step_s


def lif_rate_simulated(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 37: r(j) = 1 / (t_ref - tau_RC log(1 - V_th/j)) is the rate of the simulated neuron."""
    duration, fine = settings.lif_duration_s, settings.lif_time_step_s
    # The last current is that of the controls.
    current = np.append(stream("theorems", seed, "lif_rate").uniform(1.1, 10.0, 20), 10.0)
    rate = lif_rate(torch.from_numpy(current)).numpy()
    simulate = partial(interspike_rate, current, fine, duration, "euler")
    deviations, simulated = {}, {}
    for integration, step in (("euler", fine), ("exact", 0.001)):
        simulated[integration] = interspike_rate(current, step, duration, integration)
        allowed = 1.0 / duration + rate**2 * step
        text = f"rate at constant current ({integration} integration, time step {step:g} s, "
        text += f"{duration:g} s): largest difference to r(j) in units of 1/T + r^2 dt"
        apart = np.abs((simulated[integration] - rate) / allowed)
        deviations[integration] = (text, float(apart.max()))
    # Without the refractory period what is left between two spikes is the charging time.
    charging = 1.0 / (1.0 / rate - REFRACTORY_PERIOD_S)
    agrees, silent = "simulated_rate_agrees", "silent_up_to_the_threshold"
    text = "spikes of a neuron at the threshold current, plus the formula's rates for j <= 1"
    return [
        *checks(agrees, deviations),
        *controls(
            agrees,
            {
                "refractory_time_omitted": abs(float((simulated["euler"] - charging)[-1])),
                "integration_goes_on": abs(float((simulate(idle_s=0.0) - rate)[-1])),
            },
        ),
        Check(silent, text, _spikes_and_rates(THRESHOLD)),
        *controls(silent, {"currents_above_the_threshold": _spikes_and_rates(1.1 * THRESHOLD)}),
    ]


def _spikes_and_rates(largest: float) -> float:
    """Spikes in 1 s at the current ``largest``, and rates in Hz up to it, all added up."""
    spikes = simulate_lif(np.full((1000, 1), largest), 0.001, integration="exact")
    return float(spikes.sum() + lif_rate(torch.linspace(-5, largest, 100).double()).sum())


def interspike_rate(
    current: NDArray[np.float64],
    time_step_s: float,
    duration_s: float,
    integration: str,
    idle_s: float = REFRACTORY_PERIOD_S,
) -> NDArray[np.float64]:
    """Rate in Hz of simulated neurons at constant current, from the first to the last spike.

    Unlike a count over a fixed time it is not rounded to 1 / duration.
    """
    steps = round(duration_s / time_step_s)
    spikes = simulate_lif(
        np.broadcast_to(current, (steps, len(current))),
        time_step_s,
        integration=integration,
        idle_steps=round(idle_s / time_step_s),
    )
    first = spikes.argmax(axis=0)
    last = steps - 1 - spikes[::-1].argmax(axis=0)
    return (spikes.sum(axis=0) - 1) / ((last - first) * time_step_s)


def soft_rate_limit(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 38: the smoothed rate tends to eq. 37; its derivative is bounded, that of eq. 37 not."""
    generator = stream("theorems", seed, "soft_rate")
    above = torch.from_numpy(generator.uniform(1.05, 10.0, 4000))
    return [
        *_limit_below_threshold(),
        *_agreement_above_threshold(above),
        *_ceiling(),
        *_derivatives(),
    ]


def soft_rate_as_printed(current: Tensor, softplus_gamma: float) -> Tensor:
    """Eq. 38 with its printed sign, 1 / (t_ref - tau_RC log(1 + V_th / rho(j - V_th))), in Hz."""
    rho = softplus_gamma * torch.nn.functional.softplus((current - THRESHOLD) / softplus_gamma)
    return 1.0 / (REFRACTORY_PERIOD_S - MEMBRANE_TIME_CONSTANT_S * torch.log1p(THRESHOLD / rho))


def _limit_below_threshold() -> list[Check]:
    """There r(j) = 0, and r_rho(j) tends to gamma / (tau_RC (1 - j))."""
    gammas = (1e-3, 5e-4, 2e-4, 1e-4)

    def order(current: float, rate: Callable[[Tensor, float], Tensor]) -> float:
        at = torch.tensor([current], dtype=torch.float64)
        return log_slope(gammas, [float((rate(at, g) - lif_rate(at)).abs()) for g in gammas])

    check, text = "tends_to_the_hard_rate", "order of r_rho - r in gamma, gamma = 1e-3 to 1e-4"
    # The author's code adds 1e-12 to rho: a floor that no gamma removes.
    floor = partial(soft_rate, offset=1e-12)
    return [
        *checks(
            check,
            {
                f"j_{str(at).replace('.', '_')}": (f"{text}, j = {at}", order(at, soft_rate))
                for at in (0.95, 0.97)
            },
        ),
        *controls(check, {"floor_of_the_code": abs(order(0.95, floor) - 1.0)}),
    ]


def _agreement_above_threshold(above: Tensor) -> list[Check]:
    """Above the threshold the distance vanishes like exp(-(j - 1) / gamma)."""

    def apart(rate: Callable[[Tensor, float], Tensor]) -> float:
        return float((rate(above, 0.001) - lif_rate(above)).abs().max())

    def without_factor(current: Tensor, softplus_gamma: float) -> Tensor:
        rho = torch.nn.functional.softplus((current - THRESHOLD) / softplus_gamma)
        return lif_rate(THRESHOLD + rho)

    check = "agrees_above_the_threshold"
    text = "gamma = 0.001: largest |r_rho - r| for j from 1.05 to 10, in Hz"
    printed = "as printed, with a minus sign before tau_RC log(1 + V_th/rho): the same"
    return [
        Check(check, text, apart(soft_rate)),
        Check(check, printed, apart(soft_rate_as_printed), protocol="as_published"),
        *controls(check, {"gamma_factor_omitted": apart(without_factor)}),
    ]


def _ceiling() -> list[Check]:
    """Rates at currents up to 1e4, where r comes within 0.2 Hz of 1/t_ref."""
    currents = torch.logspace(-2, 4, 601, dtype=torch.float64)
    gammas = (0.05, 0.02, 0.01, 0.001)
    soft, printed = (
        max(float(rate(currents, gamma).max()) for gamma in gammas)
        for rate in (soft_rate, soft_rate_as_printed)
    )
    largest = max(soft, float(lif_rate(currents).max()))
    shorter = LIF(refractory_period_s=0.0)
    check, text = "below_the_ceiling", "largest r and r_rho, four gammas, currents up to 1e4, in Hz"
    return [
        Check(check, text, largest),
        Check(check, f"eq. 38 as printed: {text}", printed, protocol="as_published"),
        *controls(check, {"refractory_time_omitted": float(lif_rate(currents, shorter).max())}),
    ]


def _derivatives() -> list[Check]:
    """Difference quotients from a current on: do they grow as their step falls?"""
    bounded, diverges = "derivative_is_bounded", "hard_derivative_diverges"
    steps = (1e-2, 1e-3, 1e-4, 1e-5)
    quotient = "difference quotient of r_rho at the threshold, its step h = gamma/100 a tenth of it"
    slope = (
        "difference quotient of r at the threshold, its step h a tenth of it: ratio to that of h"
    )
    smallest = min(_steepening(lif_rate, THRESHOLD, h) for h in steps)
    return [
        *checks(
            bounded,
            {
                f"gamma_{str(gamma).replace('.', '_')}": (
                    f"{quotient}, gamma = {gamma}: ratio to that of h",
                    _steepening(partial(soft_rate, softplus_gamma=gamma), THRESHOLD, gamma / 100),
                )
                for gamma in (0.1, 0.05, 0.02, 0.001)
            },
        ),
        *controls(bounded, {"hard_threshold": smallest}),
        *checks(
            diverges,
            {
                f"h_1e_{exponent}": (
                    f"{slope} = 1e-{exponent}",
                    _steepening(lif_rate, THRESHOLD, 10.0**-exponent),
                )
                for exponent in (2, 3, 4, 5)
            },
        ),
        *checks(
            diverges,
            {
                "h_1e_2": (
                    "the same at j = 0, where the text has it (0: the quotient does not grow)",
                    _steepening(lif_rate, 0.0, 1e-2),
                )
            },
            "as_published",
        ),
        *controls(
            diverges,
            {"smooth_threshold": _steepening(partial(soft_rate, softplus_gamma=0.05), 1.0, 5e-4)},
        ),
    ]


def _steepening(rate: Rate, at: float, step: float) -> float:
    """Forward difference quotient over a tenth of ``step`` over that of ``step``; 0 if flat."""
    start, near, far = (
        float(rate(torch.tensor([current], dtype=torch.float64)))
        for current in (at, at + step / 10.0, at + step)
    )
    return 10.0 * (near - start) / (far - start) if far != start else 0.0


def poisson_coding(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 39: Poisson(x dt / t_ref) spikes per step; x = 1 gives r_max = 1/t_ref = 250 Hz."""
    step, steps = settings.poisson_time_step_s, settings.poisson_steps
    generator = stream("theorems", seed, "poisson_coding")
    intensities = np.array([0.1, 0.5, 1.0])
    expected = intensities * step / REFRACTORY_PERIOD_S
    counts = poisson_spike_counts(intensities / REFRACTORY_PERIOD_S, steps, step, generator)
    regular = np.diff(np.floor(np.arange(steps + 1) * expected[-1]))
    single = generator.binomial(1, min(1.0, expected[-1]), steps)
    check, found = "counts_are_poisson", {}
    for x, mean, own in zip(intensities, expected, counts.T, strict=True):
        name, where = f"x_{str(x).replace('.', '_')}", f"x = {x}, {steps} steps of {step:g} s"
        text = f"|mean count / (x dt / t_ref) - 1|, {where}"
        found[f"mean_{name}"] = (text, float(abs(own.mean() / mean - 1.0)))
        found[f"variance_{name}"] = (
            f"|variance / mean of counts - 1|, {where}",
            _overdispersion(own),
        )
    return [
        *checks(check, found),
        *controls(
            check,
            {
                "step_for_the_refractory_time": float(
                    abs(counts.mean() / intensities.mean() - 1.0)
                ),
                "regular_train": _overdispersion(regular),
                "one_spike_a_step_at_most": _overdispersion(single),
            },
        ),
    ]


def _overdispersion(counts: NDArray[np.float64]) -> float:
    """Distance of variance over mean from 1, its value for a Poisson variable."""
    return float(abs(counts.var() / counts.mean() - 1.0))


def alpha_filter(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 40: a low-pass filter whose output is, in the mean, proportional to the firing rate."""
    tau = SYNAPSE_TIME_CONSTANT_S
    step = tau / 100.0
    kernel = alpha_kernel(tau, step, normalise="printed")
    time = np.arange(2 * len(kernel)) * (step / tau)
    mean, low_pass = "mean_is_proportional_to_the_rate", "is_a_second_order_low_pass"
    text = "regular trains of 85, 169 and 339 Hz: largest |filtered mean / (rate tau_s) - 1|"
    gain = "largest |gain at f (1 + (2 pi f tau_s)^2) - 1|, 2 pi f tau_s = 0.5, 1, 2"
    return [
        Check(mean, text, _mean_apart(kernel, tau, step)),
        *controls(mean, {"exponent_doubled": _mean_apart(time * np.exp(-time / 2.0), tau, step)}),
        Check(low_pass, gain, _gain_apart(kernel, tau, step)),
        *controls(low_pass, {"exponential_kernel": _gain_apart(np.exp(-time), tau, step)}),
    ]


def _mean_apart(kernel: NDArray[np.float64], tau_s: float, step_s: float) -> float:
    """Relative distance of a filtered train's mean to rate times tau, over whole periods."""
    periods = np.array([250, 500, 1000])
    steps = np.arange(len(kernel) + 1000)
    trains = steps[:, None] % periods == 0
    filtered = apply_kernel(trains, kernel)[-1000:].mean(axis=0)
    return float(np.abs(filtered * periods * step_s / tau_s - 1.0).max())


def _gain_apart(kernel: NDArray[np.float64], tau_s: float, step_s: float) -> float:
    """Relative distance of the gain, relative to that at rest, to 1 / (1 + (2 pi f tau)^2)."""
    turns = np.array([0.5, 1.0, 2.0])
    phases = np.arange(len(kernel))[:, None] * (turns * step_s / tau_s)
    filtered = [apply_kernel(wave(phases), kernel)[-1] for wave in (np.cos, np.sin)]
    gain = np.hypot(*filtered) / kernel.sum()
    return float(np.abs(gain * (1.0 + turns**2) - 1.0).max())
