"""Chapter 9 as measured deviations (O'Connor 2020, section 9.1).

One function per published entry; it takes the settings and a seed and returns its checks, against
forms that share no code with the implementation, with the same comparison of a broken form as
control.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.measure.slopes import log_slope
from plausible.networks.binary_equilibrium import Coding, at_rest, run
from plausible.networks.equilibrium import Equilibrium
from plausible.neurons.predictive_bits import pre_code
from plausible.neurons.smoothing_neuron import (
    Rates,
    Trace,
    continuous_neuron,
    discrete_neuron,
)
from plausible.neurons.step_sizes import Schedule
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch9.experiment import generator, spikes

RATES = Rates(0.9, 0.35, 0.3)
STEPS = (0.04, 0.02, 0.01, 0.005)
DURATION, ARRIVALS, TRAINS = 20.0, 24, 6


def final_neuron(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 9.1 to 9.6: short steps lead to continuous time; steps of 1 are those of chapter 8."""
    rng = generator("eq9.1", seed)
    tends, equals = "tends_to_continuous_form", "equals_chapter_8_model"
    found = {"states": np.zeros(len(STEPS)), "sent": np.zeros(len(STEPS))}
    printed = np.zeros(len(STEPS))
    for _ in range(TRAINS):
        train = spikes(ARRIVALS, DURATION, rng)
        for place, dt in enumerate(STEPS):
            short = discrete_neuron(*train, RATES, DURATION, dt)
            exact = continuous_neuron(*train, RATES, short.times)
            found["states"][place] += np.abs(short.states - exact.states).mean()
            found["sent"][place] += _apart(short.sent, exact.sent)
            printed[place] += _apart(short.sent, _printed_sent(exact))
    deviations = {
        name: (
            f"log-log slope of the mean deviation of {name} against the step",
            log_slope(STEPS, each),
        )
        for name, each in found.items()
    }
    return [
        *checks(tends, deviations),
        *controls(tends, {"printed_encoder": log_slope(STEPS, printed)}),
        Check(equals, "states and bits against a unit of a binary network", _unit(rng, 1.0)),
        *controls(equals, {"other_lambda": _unit(rng, 1.1)}),
    ]


def _apart(one: NDArray, other: NDArray) -> float:
    """Mean difference of the times of spikes, as far as both have sent any."""
    both = min(len(one), len(other))
    return float(np.abs(one[:both] - other[:both]).mean())


def _printed_sent(trace: Trace) -> NDArray[np.float64]:
    """Times of spikes if da/dt = (drho/dt) / lambda - rho, as eq. 9.4 prints."""
    before = np.diff(trace.times, prepend=0.0)
    a = trace.states / RATES.decoding - np.cumsum(trace.states * before)
    sent, phi = [], 0.0
    for time, change, length in zip(trace.times, a, before, strict=True):
        phi += change * length
        if phi > 0.5:
            phi -= 1.0
            sent.append(time)
    return np.array(sent or [0.0])


def _unit(rng: np.random.Generator, factor: float) -> float:
    """Largest deviation from a network's unit of the neuron with lambda times ``factor``."""
    weights = rng.uniform(-0.3, 0.5, (5, 1))
    network = Equilibrium((weights,), (np.array([RATES.bias]),))
    coding = Coding(Schedule(RATES.averaging), Schedule(RATES.decoding))
    inputs = rng.random((1, 5))
    now, states, bits, heard = at_rest(network, 1), [], [], []
    for after in run(network, coding, inputs, now, 60):
        heard.append(float((now.layers[0].bits @ weights)[0, 0]))
        states.append(float(after.states[0][0, 0]))
        bits.append(float(after.layers[1].bits[0, 0]))
        now = after
    rates = RATES._replace(decoding=factor * RATES.decoding)
    found = discrete_neuron(np.arange(1.0, 61.0), heard, rates, 60.0, 1.0)
    sent = np.zeros(60)
    sent[np.rint(found.sent).astype(int) - 1] = 1.0
    return float(max(np.abs(found.states - states).max(), np.abs(sent - bits).max()))


def encoder_limit(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 9.4 and 9.1: a of a smooth signal, in steps and in continuous time."""
    rng, name = generator("eq9.4", seed), "limit_of_the_encoder"
    lam, steps = 0.8, (0.1, 0.01, 0.001)
    phases, speeds = rng.uniform(0.0, 2.0 * np.pi, 3), rng.uniform(0.3, 1.5, 3)

    def slope(form) -> float:
        worst = []
        for dt in steps:
            time = np.arange(0.0, 10.0, dt)[:, None]
            rho = 0.5 + np.sin(speeds * time + phases).mean(axis=1) / 2.0
            change = (speeds * np.cos(speeds * time + phases)).mean(axis=1) / 2.0
            found = pre_code(rho, lam * dt)[1:]
            worst.append(np.abs(found - form(rho, change, dt)[1:]).max())
        return log_slope(steps, worst)

    text = "log-log slope of the largest deviation of a against the step"
    integrated = slope(lambda rho, change, dt: rho[0] + np.cumsum(change / lam - rho) * dt)
    return [
        Check(name, f"{text}, eq. 9.4 as printed, integrated", integrated, protocol="as_published"),
        Check(name, text, slope(lambda rho, change, dt: change / lam + rho)),
        *controls(name, {"printed_sign": slope(lambda rho, change, dt: change / lam - rho)}),
    ]


def double_smoothing(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 9.1: what one spike does, and how often a neuron at rest fires."""
    rng = generator("double_smoothing", seed)
    response, fires = "impulse_response", "integrates_and_fires"
    lam, eps = rng.uniform(0.8, 1.2), rng.uniform(0.2, 0.5)
    rates = Rates(lam, eps)
    found = discrete_neuron([1.0], [1.0], rates, 12.0, 0.001)
    after = np.clip(found.times - 1.0, 0.0, None)
    twice = lam * eps * (np.exp(-eps * after) - np.exp(-lam * after)) / (lam - eps)
    once = eps * np.exp(-eps * after) * (after > 0)
    level = rng.uniform(0.2, 0.8)
    resting = continuous_neuron([], [], Rates(lam, eps, level), np.array([400.0])).sent
    intervals = np.abs(np.diff(resting) * level - 1.0)
    return [
        Check(
            response,
            "state after one spike against a difference of exponentials",
            np.abs(found.states - twice).max(),
        ),
        *controls(response, {"smoothed_once": np.abs(found.states - once).max()}),
        Check(
            fires,
            "interval times state, less 1, after 200 units of time",
            intervals[resting[1:] > 200.0].max(),
        ),
        *controls(fires, {"neuron_that_moves": intervals[0]}),
    ]


UNITS, NETWORKS = 12, 100


def symmetry(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 9.1: networks with and without symmetric weights come to rest, or do not."""
    rng = generator("symmetry", seed)
    rests, free = "symmetric_networks_settle", "symmetry_is_not_required"
    whole = rng.normal(0.0, 1.5 / UNITS**0.5, (NETWORKS, UNITS, UNITS))
    turned = whole.transpose(0, 2, 1)
    even, odd = (whole + turned) / 2.0, (whole - turned) / 2.0
    biases = rng.normal(0.0, 0.3, (NETWORKS, UNITS))
    starts = rng.random((NETWORKS, UNITS))
    symmetric = _speeds(even, biases, starts)
    asymmetric = _speeds(even + 0.1 * odd, biases, starts)
    cycle = np.array([[2.0, -3.0], [3.0, 2.0]])
    pairs = np.broadcast_to(cycle, (NETWORKS, 2, 2))
    middle = 0.5 - cycle @ np.array([0.5, 0.5])
    going = _speeds(pairs, np.broadcast_to(middle, (NETWORKS, 2)), rng.random((NETWORKS, 2)))
    return [
        Check(rests, "largest speed at the end, 100 symmetric networks", symmetric.max()),
        *controls(rests, {"limit_cycle": going.mean()}),
        Check(
            free, "share of networks with a tenth of asymmetry at rest", (asymmetric < 1e-6).mean()
        ),
        *controls(free, {"limit_cycle": (going < 1e-6).mean()}),
    ]


def _speeds(weights: NDArray, biases: NDArray, states: NDArray) -> NDArray[np.float64]:
    """Largest speed of a unit in the last of 5,000 steps of 0.1, [networks].

    ds/dt = -s + rho'(s) (rho(s) W + b), with states clipped to [0, 1]; each network has its own
    matrix.
    """
    dt = 0.1
    for _ in range(5_000):
        drive = np.einsum("nij,nj->ni", weights, states) + biases
        after = np.clip(states + dt * (drive - states), 0.0, 1.0)
        moved = np.abs(after - states).max(axis=1) / dt
        states = after
    return moved
