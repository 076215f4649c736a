"""The last neuron of the thesis: it smooths its input twice and sends level and change as spikes.

Source: O'Connor 2020, section 9.1. In steps of ``dt`` (eq. 9.1 to 9.3, those of chapter 8 for
dt = 1), with rates lambda and eps per unit of time and rho(s) = s, because s stays in [0, 1]:

    v <- (1 - lambda dt) v + lambda u                 u: weighted spikes that have arrived
    s <- clip((1 - eps dt) s + eps dt (v + b), 0, 1)
    phi <- phi + (s - (1 - lambda dt) s_before) / lambda;  spike where phi > 1/2, phi <- phi - 1

As dt goes to 0 this is, between spikes (eq. 9.4 to 9.6),

    dv/dt = -lambda v,   ds/dt = eps (v + b - s),   dphi/dt = a = (ds/dt) / lambda + s

with v <- v + lambda w at a spike that arrives through the weight w, and phi <- phi - 1 at a spike
that is sent, where phi reaches 1/2. Eq. 9.4 prints da/dt = (drho/dt) / lambda - rho, which is no
limit of eq. 9.1. Between spikes everything is a sum of exponentials, so `continuous_neuron` needs
no time step: it goes from event to event.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from plausible.errors import StudyError

_SCAN = 33
"""Points between two events at which phi is compared with its threshold before a root is sought."""


class Rates(NamedTuple):
    """Rates per unit of time, and the bias."""

    decoding: float
    """lambda."""
    averaging: float
    """eps."""
    bias: float = 0.0


class Trace(NamedTuple):
    """What a neuron did."""

    times: NDArray[np.float64]
    """At which the states are known."""
    decoded: NDArray[np.float64]
    """v."""
    states: NDArray[np.float64]
    """s."""
    sent: NDArray[np.float64]
    """Times of the spikes that it sent."""


def _check(arrivals: ArrayLike, weights: ArrayLike, rates: Rates) -> tuple[NDArray, NDArray]:
    arrivals, weights = np.asarray(arrivals, np.float64), np.asarray(weights, np.float64)
    if arrivals.shape != weights.shape or arrivals.ndim != 1 or (np.diff(arrivals) < 0).any():
        raise StudyError(
            "Smoothing neuron: spikes need ascending times and as many weights, each [spikes]."
        )
    if not (rates.decoding > 0 and rates.averaging > 0 and rates.decoding != rates.averaging):
        raise StudyError("Smoothing neuron: lambda and eps must be positive and different.")
    return arrivals, weights


def discrete_neuron(
    arrivals: ArrayLike, weights: ArrayLike, rates: Rates, duration: float, dt: float
) -> Trace:
    """The neuron in steps of ``dt``: a spike acts at the first step that ends at or after it.

    ``arrivals`` [spikes] ascend. Raises StudyError if they do not, or a step exceeds what a rate
    allows (rate dt <= 1).
    """
    arrivals, weights = _check(arrivals, weights, rates)
    if max(rates.decoding, rates.averaging) * dt > 1.0:
        raise StudyError(f"Smoothing neuron: a step of {dt} is too long, rate times dt exceeds 1.")
    steps = round(duration / dt)
    due = np.clip(np.ceil(arrivals / dt - 1e-9).astype(np.int64) - 1, 0, None)
    received = np.bincount(due[due < steps], weights[due < steps], minlength=steps)
    keep_v, keep_s = 1.0 - rates.decoding * dt, 1.0 - rates.averaging * dt
    decoded, states, sent = np.empty(steps), np.empty(steps), []
    v = s = phi = 0.0
    for step, u in enumerate(received):
        v = keep_v * v + rates.decoding * u
        before, s = s, min(1.0, max(0.0, keep_s * s + (1.0 - keep_s) * (v + rates.bias)))
        phi += (s - keep_v * before) / rates.decoding
        if phi > 0.5:
            phi -= 1.0
            sent.append((step + 1) * dt)
        decoded[step], states[step] = v, s
    return Trace(dt * np.arange(1, steps + 1), decoded, states, np.array(sent))


def continuous_neuron(
    arrivals: ArrayLike, weights: ArrayLike, rates: Rates, times: ArrayLike
) -> Trace:
    """The neuron in continuous time, from event to event; states at ascending ``times``.

    Raises
    ------
    StudyError
        If spikes or rates do not fit, or s leaves [0, 1], where the closed form ends.
    """
    arrivals, weights = _check(arrivals, weights, rates)
    times = np.asarray(times, np.float64)
    decoded, states, sent = np.zeros(len(times)), np.zeros(len(times)), []
    v = s = phi = now = 0.0
    ends = np.append(arrivals[arrivals < times[-1]], times[-1])
    for number, end in enumerate(ends):
        # A last time that is also that of a spike has not seen it.
        inside = (times > now) & (times <= end)
        decoded[inside], states[inside], _ = _free(v, s, phi, rates, times[inside] - now)
        phi, spikes = _until(v, s, phi, rates, end - now)
        sent += [now + spike for spike in spikes]
        passed = _free(v, s, 0.0, rates, np.linspace(0.0, end - now, _SCAN))[1]
        if not (passed.min() >= -1e-12 and passed.max() <= 1.0 + 1e-12):
            raise StudyError("Smoothing neuron: s leaves [0, 1]; weaker or fewer spikes keep it.")
        v, s, _ = _free(v, s, 0.0, rates, end - now)
        now = end
        if number < len(ends) - 1:
            v += rates.decoding * weights[number]
    return Trace(times, decoded, states, np.array(sent))


def _free(v: float, s: float, phi: float, rates: Rates, after: ArrayLike):
    """v, s and phi after some time without events."""
    lam, eps, bias = rates
    slow, fast = np.exp(-lam * np.asarray(after)), np.exp(-eps * np.asarray(after))
    share = eps * v / (eps - lam)
    then = bias + (s - bias - share) * fast + share * slow
    area = bias * after + (s - bias - share) * (1.0 - fast) / eps + share * (1.0 - slow) / lam
    return v * slow, then, phi + (then - s) / lam + area


def _until(v: float, s: float, phi: float, rates: Rates, length: float):
    """phi after ``length`` without arrivals, and when it reached 1/2 within it."""
    sent, start = [], 0.0
    while True:

        def over(after: float, sent: int = len(sent)) -> float:
            return float(_free(v, s, phi, rates, after)[2]) - sent - 0.5

        grid = np.linspace(start, length, _SCAN)
        above = np.flatnonzero(np.array([over(after) for after in grid]) > 0.0)
        if not len(above):
            return float(_free(v, s, phi, rates, length)[2]) - len(sent), sent
        low = grid[max(above[0] - 1, 0)]
        start = brentq(over, low, grid[above[0]], xtol=1e-14) if above[0] else start
        sent.append(start)
