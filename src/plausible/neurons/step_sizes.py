"""Step sizes of running averages: schedules, Kesten's rule, optimal step-size adaptation. Numpy.

Source: O'Connor 2020, sections 8.4.1 and 8.4.3, appendix E.1. A neuron that sees a noisy signal u
keeps the estimate

    x(t) = (1 - eps(t)) x(t-1) + eps(t) u(t)                                       (eq. 8.6)

It converges to the mean of a stationary signal if sum eps(t) = infinity and sum eps(t)^2 is finite
(Robbins and Monro 1951), as for eps0 / t^eta with 1/2 < eta <= 1 (eq. 8.7); 1/t is the plain mean.
Time starts at t = 1: the printed sums start at 0, where 1/t is not defined.

Optimal step-size adaptation (OSA; George and Powell 2006) estimates from the errors of its own
average how much of them is bias and how much is noise:

    nu(t)     = nu(t-1) / (1 + nu(t-1) - nu_bar)                         nu(0) = 1
    beta(t)   = (1 - nu) beta(t-1) + nu (u(t) - x(t-1))                  bias
    delta(t)  = (1 - nu) delta(t-1) + nu (u(t) - x(t-1))^2               mean square
    sigma2(t) = (delta - beta^2) / (1 + lambda_bar(t-1))                 noise
    eps(t)    = 1 - (sigma2 + c) / (delta + c)                           eps(1) = 1
    lambda_bar(t) = (1 - eps)^2 lambda_bar(t-1) + eps^2                  variance of x / sigma2

beta, delta and lambda_bar start at 0, x at 0. The constant c is the author's code's, not the
text's: it keeps the quotient defined where nothing has happened yet (delta = 0).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plausible.errors import StudyError


class Schedule(NamedTuple):
    """eps0 / t^eta at the steps t = 1, 2, ..., at most 1; eta = 0 is a constant."""

    first: float
    """eps0."""
    exponent: float = 0.0
    """eta."""

    def at(self, step: ArrayLike) -> NDArray[np.float64] | float:
        """Value at one or many steps."""
        return np.minimum(1.0, self.first / np.asarray(step, np.float64) ** self.exponent)


class Kesten(NamedTuple):
    """a / (b + k), where k counts the changes of sign of the error (Kesten 1958).

    k is 2 at the first step and 3 at the second, as in the author's code.
    """

    a: float
    b: float


class Adaptive(NamedTuple):
    """Optimal step-size adaptation."""

    target: float
    """nu_bar, to which the rate falls at which bias and noise are estimated."""
    constant: float = 1e-7
    """c."""


Rule = Schedule | Kesten | Adaptive


class Memory(NamedTuple):
    """What a rule remembers, each array of the shape of the signal; a schedule only the time."""

    time: int = 0
    average: NDArray | float = 0.0
    """x: an adaptive rule keeps an average of its own."""
    bias: NDArray | float = 0.0
    """beta; of Kesten's rule the last error."""
    square: NDArray | float = 0.0
    """delta; of Kesten's rule k."""
    spread: NDArray | float = 0.0
    """lambda_bar."""
    rate: float = 1.0
    """nu."""


FRESH = Memory()
"""Before the first step."""


def check_rule(rule: Rule) -> Rule:
    """The rule, if its steps lie between 0 and 1.

    Raises
    ------
    StudyError
        If a step could leave that range, or a parameter is not finite.
    """
    known = {
        Schedule: lambda: 0.0 <= rule.first <= 1.0,
        Kesten: lambda: 0.0 < rule.a <= rule.b + 2.0,
        Adaptive: lambda: 0.0 <= rule.target <= 1.0 and rule.constant >= 0.0,
    }
    if type(rule) not in known:
        raise StudyError(f"Step sizes: found {rule!r}, expected a schedule, Kesten's rule or OSA.")
    if not (np.isfinite(rule).all() and known[type(rule)]()):
        raise StudyError(f"Step sizes: with {rule} steps would leave the range from 0 to 1.")
    return rule


def next_step(rule: Rule, memory: Memory, observation: NDArray) -> tuple[NDArray | float, Memory]:
    """Step eps(t) for ``observation`` u(t), and what is remembered then.

    A schedule has the same step for everything; the others have one for each element of the
    observation.
    """
    time = memory.time + 1
    if isinstance(rule, Schedule):
        return rule.at(time), Memory(time)
    error = observation - memory.average
    if isinstance(rule, Kesten):
        changed = memory.square + (memory.bias * error < 0)
        changes = time + 1.0 if time < 3 else changed
        step = rule.a / (rule.b + changes)
        average = (1.0 - step) * memory.average + step * observation
        # The first error is that of an average which has seen nothing: no sign to compare with.
        return step, Memory(time, average, error * (time > 1), changes)
    rate = memory.rate / (1.0 + memory.rate - rule.target)
    bias = (1.0 - rate) * memory.bias + rate * error
    square = (1.0 - rate) * memory.square + rate * error**2
    noise = (square - bias**2) / (1.0 + memory.spread)
    step = (
        np.ones_like(error)
        if time == 1
        else 1.0 - (noise + rule.constant) / (square + rule.constant)
    )
    spread = (1.0 - step) ** 2 * memory.spread + step**2
    average = (1.0 - step) * memory.average + step * observation
    return step, Memory(time, average, bias, square, spread, rate)


class Estimated(NamedTuple):
    """A running estimate, each ``[steps, ...]`` as the signal."""

    estimates: NDArray[np.float64]
    steps: NDArray[np.float64]


def follow(rule: Rule, signal: ArrayLike, start: float = 0.0) -> Estimated:
    """Estimate of ``signal`` [steps, ...] after each step (eq. 8.6), from ``start``.

    Raises StudyError as `check_rule` does.
    """
    signal = np.asarray(signal, np.float64)
    found = Estimated(np.empty_like(signal), np.empty_like(signal))
    estimate = np.full(signal.shape[1:], start)
    memory = FRESH if isinstance(check_rule(rule), Schedule) else Memory(average=estimate)
    for time, value in enumerate(signal):
        step, memory = next_step(rule, memory, value)
        estimate = (1.0 - step) * estimate + step * value
        found.estimates[time], found.steps[time] = estimate, step
    return found


def log_weights(schedule: Schedule, steps: int) -> NDArray[np.float64]:
    """Logarithm of the weight of each sample in the estimate after ``steps``, [steps].

    The weight of sample i is eps(i) times the product of 1 - eps(j) over all later j. It is -inf
    of samples before a step of 1.
    """
    sizes = schedule.at(np.arange(1, steps + 1))
    with np.errstate(divide="ignore"):
        kept = np.log1p(-sizes)
        own = np.log(sizes)
    later = np.concatenate([np.cumsum(kept[:0:-1])[::-1], [0.0]])
    return own + later


def optimal_step(noise: ArrayLike, bias: ArrayLike, spread: ArrayLike) -> NDArray[np.float64]:
    """Step with the least expected square error: 1 - s2 / ((1 + lambda_bar) s2 + beta^2).

    ``noise`` is the variance s2 of an observation, ``bias`` beta that of the estimate before, whose
    variance is ``spread`` times the noise. The error (1 - a)^2 (lambda_bar s2 + beta^2) + a^2 s2 is
    a parabola in the step a (section 8.4.3).
    """
    noise = np.asarray(noise, np.float64)
    return 1.0 - noise / ((1.0 + np.asarray(spread)) * noise + np.asarray(bias) ** 2)
