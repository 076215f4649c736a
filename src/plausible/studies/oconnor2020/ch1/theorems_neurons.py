"""Neurons and synapses of chapter 1 as measured deviations (O'Connor 2020, eq. 1.1 to 1.11).

One function per published entry; it takes the settings and a seed and returns its checks, each
against a form that shares no code with the implementation: a literal sum, autograd, a solver of
differential equations.
"""

from math import exp

import numpy as np
from scipy.integrate import solve_ivp

from plausible.neurons.classic import (
    Layer,
    collapse,
    multiplicative_noise,
    noisy_gradients,
    nonlinearity,
    relax,
    respond,
    respond_all,
    respond_with_noise,
    settle,
)
from plausible.neurons.integrate_and_fire import IntegrateAndFire, decay, kernel_sum, simulate
from plausible.neurons.plasticity import DoubleExponential, stdp, stdp_online
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch1.theorems_hopfield import generator

SIZES = (12, 9, 7, 5)
BATCH = 8
WINDOWS = 20
"""Random windows of STDP for each seed."""
DIFFERENCE_STEP = 1e-5


def _layers(rng: np.random.Generator, kind: str) -> list[Layer]:
    return [
        Layer(rng.normal(size=(fan_out, fan_in)).T, rng.normal(size=fan_out), kind)
        for fan_in, fan_out in zip(SIZES, SIZES[1:], strict=False)
    ]


def _relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def artificial_neuron(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.1: the weighted sum, read literally; and linear neurons, which are one linear map."""
    rng = generator("eq1.1", seed)
    inputs = rng.normal(size=(BATCH, SIZES[0]))
    name, kinds = "is_the_weighted_sum", ("relu", "sigmoid", "tanh")
    layers = [_layers(rng, kind)[0] for kind in kinds]

    def off(biases: float) -> float:
        return max(
            _relative(respond(layer, inputs), _literal(layer, inputs, biases)) for layer in layers
        )

    text = "h(sum_i x_i w_i + b) neuron by neuron against the layer, three nonlinearities: relative"
    return [
        Check(name, text, off(1.0)),
        *controls(name, {"bias_left_out": off(0.0)}),
        *_linear(rng, inputs),
    ]


def _literal(layer: Layer, inputs: np.ndarray, biases: float) -> np.ndarray:
    units = list(zip(layer.weights.T, biases * layer.biases, strict=True))
    sums = [
        [sum(x * w for x, w in zip(sample, own, strict=True)) + bias for own, bias in units]
        for sample in inputs
    ]
    return nonlinearity(layer.nonlinearity)(np.array(sums))


def _linear(rng: np.random.Generator, inputs: np.ndarray) -> list[Check]:
    """f(x) - f(0) respects sums and multiples, and is one map."""
    linear, others = _layers(rng, "identity"), rng.normal(size=inputs.shape)

    def off(layers: list[Layer]) -> float:
        def f(values: np.ndarray) -> np.ndarray:
            return respond_all(layers, values) - respond_all(layers, np.zeros(SIZES[0]))

        return _relative(2.0 * f(inputs) - 0.7 * f(others), f(2.0 * inputs - 0.7 * others))

    name = "linear_neurons_are_one_map"
    one = _relative(respond_all(linear, inputs), respond(collapse(linear), inputs))
    deviations = {
        "superposition": (
            "f(a x + b y) against a f(x) + b f(y), linear network of 3 layers, f(0) taken off: "
            "relative",
            off(linear),
        ),
        "one_layer": ("the same network against the one layer that stands for it: relative", one),
    }
    bent = {"nonlinearity_between": off([one._replace(nonlinearity="tanh") for one in linear])}
    return [*checks(name, deviations), *controls(name, bent)]


def _by_differences(layer: Layer, inputs: np.ndarray, noises, error: np.ndarray):
    """Gradients of sum(error * output) by weights, biases and inputs, by central differences.

    ``noises`` are those of the two evaluations.
    """
    leaves, gradients = [layer.weights, layer.biases, inputs], []
    for which, leaf in enumerate(leaves):
        gradient = np.zeros(leaf.shape)
        for entry in np.ndindex(leaf.shape):
            totals = []
            for shift, noise in zip((DIFFERENCE_STEP, -DIFFERENCE_STEP), noises, strict=True):
                moved = [part.copy(order="K") for part in leaves]
                moved[which][entry] += shift
                output = respond_with_noise(Layer(*moved[:2], layer.nonlinearity), moved[2], noise)
                totals.append((error * output).sum())
            gradient[entry] = (totals[0] - totals[1]) / (2 * DIFFERENCE_STEP)
        gradients.append(gradient)
    return gradients


def stochastic_units(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 1.1.4: with the noise as an input, gradients pass through.

    So they do through dropout, where the rounding of the noise to 0 or 1 is ignored.
    """
    rng = generator("stochastic_units", seed)
    inputs = rng.normal(size=(BATCH, SIZES[0]))
    name, deviations, fresh, silent = "gradient_through_noise", {}, [], []
    for kind, text in (("dropout", "dropout, keep 1/2"), ("gaussian", "noise N(1, 1)")):
        apart = []
        for layer in (_layers(rng, h)[0] for h in ("tanh", "sigmoid")):
            noise, other = (
                np.asarray(multiplicative_noise((BATCH, SIZES[1]), rng, kind), np.float64)
                for _ in range(2)
            )
            error = rng.normal(size=noise.shape)
            exact = _by_differences(layer, inputs, (noise, noise), error)
            found = noisy_gradients(layer, inputs, noise, error)
            apart.append(_largest(exact, found))
            silent.append(_largest(exact, noisy_gradients(layer, inputs, noise**0, error)))
            fresh.append(_largest(_by_differences(layer, inputs, (noise, other), error), found))
        what = "gradients by weights, biases and inputs against central differences: relative"
        deviations[kind] = (f"{text}: {what}", max(apart))
    broken = {"fresh_noise": min(fresh), "noise_left_out": min(silent)}
    return [*checks(name, deviations), *controls(name, broken)]


def _largest(found, exact) -> float:
    return max(map(_relative, found, exact))


def dynamic_neuron(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.8: the steady state is the static neuron; on the way, a solver of the equation."""
    rng = generator("eq1.8", seed)
    layers = _layers(rng, "sigmoid")
    inputs, step, steps = rng.normal(size=SIZES[0]), 0.1, 400
    static = respond(layers[0], inputs)
    start, other = rng.normal(size=(2, SIZES[1]))
    path = settle(layers[0], inputs, start, step, steps)
    # A chain: each layer is driven by the states of the one below as they are at the time.
    states = path
    for layer in layers[1:]:
        targets = respond(layer, states[:-1])
        states = relax(targets, rng.normal(size=len(layer.biases)), step)
    after = f"after {step * steps:g} time constants"
    chained = np.abs(states[-1] - respond_all(layers, inputs)).max()
    steady = {
        "one_layer": (f"|s - h(sum x w + b)| {after}", np.abs(path[-1] - static).max()),
        "chain": (f"chain of {len(layers)} layers against the static network, {after}", chained),
    }
    leaky = relax(np.broadcast_to(static / 2.0, (steps, len(static))), start, 2.0 * step)
    broken = {
        "leak_doubled": np.abs(leaky[-1] - static).max(),
        "read_after_one_time_constant": np.abs(path[10] - static).max(),
    }
    between = np.abs(path - settle(layers[0], inputs, other, step, steps)).max(axis=1)
    histories = "two histories with the same present input: largest |s_1 - s_2| after {}"
    solution = solve_ivp(
        lambda _, state: static - state, (0.0, 3.0), start, "DOP853", rtol=1e-13, atol=1e-14
    ).y[:, -1]
    solved = "state after 3 time constants against a Runge-Kutta solution of eq. 1.8"
    memory, equation = "output_depends_on_history", "solves_the_equation"
    return [
        *checks("steady_state", steady),
        *controls("steady_state", broken),
        Check(memory, histories.format("one time constant"), between[10]),
        *controls(memory, {"read_in_the_steady_state": between[-1]}),
        Check(equation, solved, np.abs(path[30] - solution).max()),
        *controls(equation, {"leak_doubled": np.abs(leaky[30] - solution).max()}),
    ]


SIMPLIFIED = IntegrateAndFire()
GENERAL = IntegrateAndFire(0.01, -70.0, -72.0, -55.0)
"""Neuron of eq. 1.10, and one of eq. 1.9 whose rest and reset are not 0."""


def _to_threshold(neuron: IntegrateAndFire, times: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights of which those that would overshoot the threshold end on it."""
    weights, potential, now = weights.copy(), neuron.rest, times[0]
    for place, time in enumerate(times):
        potential, now = float(decay(neuron, potential, time - now)), time
        if potential + weights[place] >= neuron.threshold:
            # A rounding error more, so that the sum is not a rounding error below the threshold.
            slack = np.spacing(abs(potential) + abs(neuron.threshold))
            weights[place] = neuron.threshold - potential + slack
            potential = neuron.reset
        else:
            potential += weights[place]
    return weights


def spiking_neuron(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.9-1.10: the sum of kernels is the reset; the decay is that of the equation.

    A spike is a reset to s_reset, a kernel takes off s_thresh - s_reset: the same where an input
    ends on the threshold, not where it jumps beyond.
    """
    rng = generator("eq1.10", seed)

    def off(neuron: IntegrateAndFire, times, weights, kernels: IntegrateAndFire) -> float:
        """In units of the threshold above rest; NaN without a spike."""
        trace = simulate(neuron, times, weights)
        drops = np.full(len(trace.spike_times_s), neuron.threshold - neuron.reset)
        summed = kernel_sum(kernels, times, times, weights, trace.spike_times_s, drops)
        apart = np.abs(summed - trace.event_potentials).max() / (neuron.threshold - neuron.rest)
        return float(apart) if len(drops) else np.nan

    deviations, overshooting, slower = {}, [], []
    for variant, neuron in (("eq1_10", SIMPLIFIED), ("eq1_9", GENERAL)):
        unit = neuron.threshold - neuron.rest
        times = np.sort(rng.uniform(0.0, 0.4, 200))
        drawn = unit * rng.uniform(0.4, 0.9, 200)
        weights = _to_threshold(neuron, times, drawn)
        text = "kernel sum against a reset to s_reset at each spike, 200 inputs that end on the "
        text += f"threshold, rest {neuron.rest:g}, reset {neuron.reset:g}; unit: threshold - rest"
        deviations[variant] = (text, off(neuron, times, weights, neuron))
        overshooting.append(off(neuron, times, drawn, neuron))
        longer = neuron._replace(time_constant_s=1.1 * neuron.time_constant_s)
        slower.append(off(neuron, times, weights, longer))
    broken = {"overshooting_inputs": min(overshooting), "slower_decay": min(slower)}
    return [*checks("kernel_sum", deviations), *controls("kernel_sum", broken), *_decay(rng)]


def _decay(rng: np.random.Generator) -> list[Check]:
    start, times = rng.uniform(-90.0, -56.0, 5), np.linspace(0.0, 0.05, 11)

    def slope(_, potential):
        return (GENERAL.rest - potential) / GENERAL.time_constant_s

    solution = solve_ivp(slope, (0.0, 0.05), start, "DOP853", times, rtol=1e-13, atol=1e-13).y

    def off(neuron: IntegrateAndFire, missing: float = 0.0) -> float:
        return float(np.abs(decay(neuron, start[:, None], times) - missing - solution).max())

    text = "free decay against a Runge-Kutta solution of ds/dt = (rest - s) / tau over 5 tau, in mV"
    return [
        Check("free_decay", text, off(GENERAL)),
        *controls("free_decay", {"rest_left_out": off(GENERAL, GENERAL.rest)}),
    ]


def stdp_rule(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.11, pair by pair; and the rule as a synapse can compute it, spike by spike."""
    rng = generator("eq1.11", seed)
    pairs, traces, broken = [], [], {}
    for _ in range(WINDOWS):
        heights, constants = rng.uniform(0.2, 2.0, 2), rng.uniform((0.005, 0.025), (0.02, 0.05))
        window = DoubleExponential(*heights, *constants)
        dt = np.append(rng.uniform(-0.2, 0.2, 200), 0.0)
        exact = np.array([_printed(one, window) for one in dt])
        pairs.append(_relative(stdp(dt, window), exact))
        exchanged = window._replace(tau_plus_s=constants[1], tau_minus_s=constants[0])
        for name, found in (
            ("order_reversed", stdp(-dt, window)),
            ("time_constants_exchanged", stdp(dt, exchanged)),
            ("depression_at_zero", np.where(dt == 0.0, -heights[1], stdp(dt, window))),
        ):
            broken.setdefault(name, []).append(_relative(found, exact))
        pre, post = (np.sort(rng.uniform(0.0, 0.5, count)) for count in (40, 30))
        post[:5] = pre[:5]
        post.sort()
        summed = np.array([_printed(b - a, window) for a in pre for b in post])
        traces.append(abs(stdp_online(pre, post, window) - summed.sum()) / np.abs(summed).sum())
    deviations = {
        "pairs": (
            f"weight change against eq. 1.11, {WINDOWS} windows of 201 pairs, one of which spikes "
            "at once: relative",
            max(pairs),
        ),
        "traces": (
            "two decaying traces against the sum of eq. 1.11 over all pairs of spikes: relative to "
            "the sum of sizes",
            max(traces),
        ),
    }
    name = "double_exponential"
    least = {control: min(values) for control, values in broken.items()}
    return [*checks(name, deviations), *controls(name, least)]


def _printed(dt: float, window: DoubleExponential) -> float:
    """Eq. 1.11 for one pair of spikes."""
    if dt < 0:
        return -window.a_minus * exp(dt / window.tau_minus_s)
    return window.a_plus * exp(-dt / window.tau_plus_s)
