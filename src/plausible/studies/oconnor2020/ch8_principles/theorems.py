"""Step sizes as measured deviations (O'Connor 2020, sections 8.4.1, 8.4.3 and E.1).

One function per published entry; it takes the settings and a seed and returns its checks, against
forms that share no code with the implementation, with the same comparison of a broken form as
control.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.measure.slopes import log_slope
from plausible.neurons.step_sizes import (
    FRESH,
    Adaptive,
    Schedule,
    follow,
    log_weights,
    next_step,
    optimal_step,
)
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch8_principles.networks import generator

NEURONS = 200
SAMPLES, TAIL = 20_000, 1000
"""Of an estimate, and last ones over which errors are taken."""
LONG = 100_000
"""Samples of which weights are compared."""
ALLOWED = (0.6, 0.75, 0.9)
"""Exponents of which the steps have an infinite sum and a finite one of squares."""


def robbins_monro(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 8.6, 8.7, 8.10: what a running estimate comes to."""
    rng = generator("robbins_monro", seed)
    converges, mean = "estimate_converges", "one_over_t_is_mean"
    noise = 0.1 * rng.standard_normal((SAMPLES, 20))
    found = {
        f"eta_{eta:g}": (
            f"rms error at the end, eta {eta:g}",
            _rms(follow(Schedule(1.0, eta), noise)),
        )
        for eta in ALLOWED
    }
    late = np.arange(2, SAMPLES + 2) ** -2.0
    broken = {
        "finite_sum": float(np.sqrt((_by_steps(noise, late)[-TAIL:] ** 2).mean())),
        "constant_step": _rms(follow(Schedule(0.5), noise, 1.0)),
    }
    samples = rng.random((1000, NEURONS))
    means = np.cumsum(samples, axis=0) / np.arange(1, 1001)[:, None]
    off = [np.abs(follow(Schedule(1.0, eta), samples).estimates - means).max() for eta in (1, 0.99)]
    faster = "slower_decay_faster_at_first"
    shifted = np.where(np.arange(1000)[:, None] < 100, samples + 1.0, samples) - 0.5
    text = "error after 1,000 samples, eta 0.75 over 1/t, of 200 estimates"
    return [
        *checks(converges, found),
        *controls(converges, broken),
        Check(mean, "estimate with steps 1/t against the mean so far", off[0]),
        *controls(mean, {"other_exponent": off[1]}),
        Check(faster, text, _ratio(shifted)),
        *controls(faster, {"stationary_signal": _ratio(samples - 0.5)}),
    ]


def _rms(found) -> float:
    """Of the last estimates, whose samples have the mean 0 and whose start is at 1."""
    return float(np.sqrt((found.estimates[-TAIL:] ** 2).mean()))


def _by_steps(signal: NDArray, steps: NDArray) -> NDArray[np.float64]:
    """Estimates from 1 with steps that are given."""
    estimate, found = np.ones(signal.shape[1:]), np.empty_like(signal)
    for time, (value, step) in enumerate(zip(signal, steps, strict=True)):
        estimate = (1.0 - step) * estimate + step * value
        found[time] = estimate
    return found


def _ratio(signal: NDArray) -> float:
    """Root mean square of the last estimate, eta 0.75 over eta 1."""
    slow, plain = (
        np.sqrt((follow(Schedule(1.0, eta), signal).estimates[-1] ** 2).mean()) for eta in (0.75, 1)
    )
    return float(slow / plain)


def adaptive_steps(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Appendix E.1: steps for a stationary signal, and when it jumps."""
    rng = generator("osa", seed)
    falls, rises = "step_falls_when_stationary", "step_rises_after_jump"
    rule = Adaptive(0.01)
    noise = rng.standard_normal((1000, NEURONS))
    steady = follow(rule, noise).steps[-1]
    drifting = follow(rule, noise + np.arange(1000)[:, None]).steps[-1]
    after = 10.0 + rng.standard_normal((50, NEURONS))
    jumped = follow(rule, np.concatenate([noise, after])).steps.mean(axis=1)
    return [
        Check(falls, "median step of 200 neurons after 1,000 samples", float(np.median(steady))),
        *controls(falls, {"drifting_signal": float(np.median(drifting))}),
        Check(
            rises,
            "largest mean step of the 50 samples after a jump less that before it",
            float(jumped[1000:].max() - jumped[999]),
        ),
        *controls(rises, {"frozen_estimates": _frozen(rule, noise, after)}),
    ]


def _frozen(rule: Adaptive, before: NDArray, after: NDArray) -> float:
    """Rise of the mean step after a jump if bias and square are estimated no more."""
    memory = FRESH
    for value in before:
        step, memory = next_step(rule, memory, value)
    held, rises = (memory.bias, memory.square), []
    for value in after:
        frozen = memory._replace(rate=0.0)
        new, memory = next_step(Adaptive(0.0, rule.constant), frozen, value)
        memory = memory._replace(bias=held[0], square=held[1])
        rises.append(float(new.mean() - step.mean()))
    return max(rises)


def sample_weights(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 8.7: weights of old samples, and how many samples an average covers."""
    old, number, best = "old_weight_vanishes", "effective_number_grows", "one_over_t_least_variance"
    ages = {
        f"eta_{eta:g}": (
            f"weight of the second sample over that of the last, eta {eta:g}",
            _age(eta),
        )
        for eta in (0.6, 0.75)
    }
    grown = {
        f"eta_{eta:g}": (
            f"slope of the number of samples less eta {eta:g}",
            _growth(Schedule(1.0, eta)) - eta,
        )
        for eta in ALLOWED
    }
    variances = [_variance(eta) for eta in (0.5, 0.75, 1.25)]
    rng = generator("rm_weights", seed)
    drifts = 0.1 * np.cumsum(rng.standard_normal((1000, NEURONS)), axis=0)
    moving = drifts + rng.standard_normal(drifts.shape)
    mse = [
        float(((follow(Schedule(1.0, eta), moving).estimates[-1] - drifts[-1]) ** 2).mean())
        for eta in (0.5, 1.0)
    ]
    return [
        *checks(old, ages),
        *controls(old, {"plain_mean": _age(1.0)}),
        *checks(number, grown),
        *controls(number, {"constant_step": _growth(Schedule(0.5)) - 0.6}),
        Check(
            best,
            "least sum of the squared weights with eta 0.5, 0.75, 1.25 over that with 1/t",
            min(variances) / _variance(1.0),
        ),
        *controls(best, {"drifting_signal": mse[0] / mse[1]}),
    ]


def _age(eta: float) -> float:
    """Weight of the second sample over that of the last (of the first it is 0: its step is 1)."""
    logs = log_weights(Schedule(1.0, eta), LONG)
    return float(np.exp(logs[1] - logs[-1]))


def _variance(eta: float) -> float:
    return float(np.exp(2.0 * log_weights(Schedule(1.0, eta), 1000)).sum())


def _growth(schedule: Schedule) -> float:
    """Slope of 1 / sum of the squared weights against the number of samples."""
    numbers = np.geomspace(1000, LONG, 7).astype(int)
    covered = [1.0 / np.exp(2.0 * log_weights(schedule, count)).sum() for count in numbers]
    return log_slope(numbers, covered)


def optimal_steps(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 8.4.3: the step of OSA is the best one if bias and noise are known."""
    rng = generator("osa_optimal", seed)
    best, inside, variance = "minimises_the_error", "interior_minimum", "lambda_bar_is_the_variance"
    noise, bias, spread = rng.uniform(0.1, 2.0, (3, 20))
    grid = np.linspace(0.0, 1.0, 100_001)[:, None]

    def error(step: NDArray) -> NDArray:
        return (1.0 - step) ** 2 * (spread * noise + bias**2) + step**2 * noise

    least = grid[error(grid).argmin(axis=0), 0]
    found = optimal_step(noise, bias, spread)
    signal = rng.random((200, 20))
    gains = [_gain(drift) for drift in (0.1, 1.0)]
    return [
        Check(best, "step against the minimum of a grid", np.abs(found - least).max()),
        *controls(best, {"step_too_long": np.mean(error(1.2 * found) / error(found)) - 1.0}),
        Check(inside, "relative gain of the best step over steps of 0.001 and 1", min(gains)),
        *controls(inside, {"no_drift": _gain(0.0)}),
        Check(
            variance,
            "recursion against the sum of the squared weights of all samples",
            _spread_difference(signal, False),
        ),
        *controls(variance, {"other_recursion": _spread_difference(signal, True)}),
    ]


def _gain(drift: float) -> float:
    """How much less than at the ends the error of the best constant step is.

    A signal moves by ``drift`` at random at each step, samples have a deviation of 1. The error e
    of the estimate follows e <- (1 - a)(e - d) + a n, of which the mean square is as below.
    """
    steps = np.linspace(0.001, 1.0, 1000)
    errors = ((1.0 - steps) ** 2 * drift**2 + steps**2) / (1.0 - (1.0 - steps) ** 2)
    return float(1.0 - errors.min() / min(errors[0], errors[-1]))


def _spread_difference(signal: NDArray, other: bool) -> float:
    """Largest relative difference of lambda_bar from sum w^2, after every sample."""
    memory, weights, spread = FRESH, np.zeros((0, signal.shape[1])), np.zeros(signal.shape[1])
    worst = 0.0
    for value in signal:
        step, memory = next_step(Adaptive(0.05), memory, value)
        weights = np.concatenate([weights * (1.0 - step), step[None]])
        spread = (1.0 - step**2) * spread + step**2
        exact = (weights**2).sum(axis=0)
        worst = max(worst, float(np.abs((spread if other else memory.spread) / exact - 1.0).max()))
    return worst
