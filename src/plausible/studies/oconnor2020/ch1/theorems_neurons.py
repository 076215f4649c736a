"""Neurons and synapses of chapter 1 as measured deviations (O'Connor 2020, eq. 1.1 to 1.11).

One function per published entry; it takes the settings and a seed and returns its checks, each
against a form that shares no code with the implementation: a literal sum, autograd, a solver of
differential equations.
"""

import numpy as np
import torch
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
from plausible.neurons.plasticity import DoubleExponential, stdp, stdp_all_pairs, stdp_online
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, relative_difference
from plausible.studies.oconnor2020.ch1.theorems_hopfield import generator

SIZES = (12, 9, 7, 5)
BATCH = 8
WINDOWS = 20
"""Random windows of STDP for each seed."""
ROUNDING = 1e-12


def _layers(rng: np.random.Generator, kind: str) -> list[Layer]:
    return [
        Layer(rng.normal(size=(fan_out, fan_in)), rng.normal(size=fan_out), kind)
        for fan_in, fan_out in zip(SIZES, SIZES[1:], strict=False)
    ]


def _relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def artificial_neuron(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.1: linear neurons are one linear map; and the weighted sum, read literally."""
    rng = generator("eq1.1", seed)
    inputs = rng.normal(size=(BATCH, SIZES[0]))
    linear = _layers(rng, "identity")
    apart = _relative(respond_all(linear, inputs), respond(collapse(linear), inputs))
    worst = 0.0
    for kind in ("relu", "sigmoid", "tanh"):
        layer = _layers(rng, kind)[0]
        units = list(zip(layer.weights, layer.biases, strict=True))
        literal = [
            [sum(x * w for x, w in zip(sample, row, strict=True)) + bias for row, bias in units]
            for sample in inputs
        ]
        expected = nonlinearity(kind)(np.array(literal))
        worst = max(worst, _relative(respond(layer, inputs), expected))
    deviations = {
        "linear network of 3 layers against one map: relative difference": apart,
        "h(sum_i x_i w_i + b) neuron by neuron against the layer, three nonlinearities: "
        "relative difference": worst,
    }
    return checks("linear_neurons_are_one_map", 1e-12, deviations)


def _autograd(layer: Layer, inputs: np.ndarray, noise: np.ndarray, error: np.ndarray):
    """Gradients of sum(error * output) by weights, biases, inputs, and the output, by autograd."""
    functions = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}
    leaves = [torch.tensor(part, requires_grad=True) for part in (*layer[:2], inputs)]
    weights, biases, values = leaves
    output = functions[layer.nonlinearity](values @ weights.T + biases) * torch.tensor(noise)
    (torch.tensor(error) * output).sum().backward()
    return [leaf.grad for leaf in leaves], output.detach()


def stochastic_units(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 1.1.4: with the noise as an input, gradients pass through."""
    rng = generator("stochastic_units", seed)
    inputs = rng.normal(size=(BATCH, SIZES[0]))
    deviations = {}
    for kind, text in (("dropout", "dropout, keep 1/2"), ("gaussian", "noise N(1, 1)")):
        apart = []
        for layer in (_layers(rng, h)[0] for h in ("tanh", "sigmoid", "relu")):
            noise = np.asarray(multiplicative_noise((BATCH, SIZES[1]), rng, kind), np.float64)
            error = rng.normal(size=noise.shape)
            expected, output = _autograd(layer, inputs, noise, error)
            found = (
                *noisy_gradients(layer, inputs, noise, error),
                respond_with_noise(layer, inputs, noise),
            )
            apart.append(relative_difference([*map(torch.from_numpy, found)], [*expected, output]))
        text += ": gradients by weights, biases and inputs, and the output, against autograd, "
        deviations[f"{text}three nonlinearities: relative difference"] = max(apart)
    return checks("gradient_through_noise", ROUNDING, deviations)


def dynamic_neuron(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.8: the steady state is the static neuron; on the way, a solver of the equation."""
    rng = generator("eq1.8", seed)
    layers = _layers(rng, "sigmoid")
    inputs, step, steps = rng.normal(size=SIZES[0]), 0.1, 400
    static = respond(layers[0], inputs)
    path = settle(layers[0], inputs, rng.normal(size=SIZES[1]), step, steps)
    # A chain: each layer is driven by the states of the one below as they are at the time.
    states = path
    for layer in layers[1:]:
        targets = respond(layer, states[:-1])
        states = relax(targets, rng.normal(size=len(layer.biases)), step)
    solution = solve_ivp(
        lambda _, state: static - state, (0.0, 3.0), path[0], "DOP853", rtol=1e-13, atol=1e-14
    )
    after = f"after {step * steps:g} time constants"
    chained = np.abs(states[-1] - respond_all(layers, inputs)).max()
    steady = {
        f"|s - h(sum x w + b)| {after}": np.abs(path[-1] - static).max(),
        f"chain of {len(layers)} such layers against the static network, {after}": chained,
    }
    text = "state after 3 time constants against a Runge-Kutta solution of eq. 1.8"
    on_the_way = Check("steady_state", text, np.abs(path[30] - solution.y[:, -1]).max(), 1e-10)
    return [*checks("steady_state", 1e-8, steady), on_the_way]


def spiking_neuron(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.9-1.10: the sum of kernels is the simulation; the decay is that of the equation."""
    rng = generator("eq1.10", seed)
    deviations = {}
    for mode, text in (("value", "reset to s_reset"), ("subtract", "reset by subtraction")):
        apart, spikes = [], 0
        for neuron, unit in (
            (IntegrateAndFire(reset_mode=mode), 1.0),
            (IntegrateAndFire(0.01, -70.0, -72.0, -55.0, mode), 15.0),
        ):
            times = np.sort(rng.uniform(0.0, 0.4, 200))
            weights = unit * rng.normal(0.25, 0.4, 200)
            trace = simulate(neuron, times, weights)
            kernels = kernel_sum(neuron, times, times, weights, trace.spike_times_s, trace.drops)
            apart.append(float(np.abs(kernels - trace.event_potentials).max()) / unit)
            spikes += len(trace.spike_times_s)
        text += ": kernel sum against events over 200 inputs, in units of the threshold above rest"
        deviations[text] = max(apart) if spikes else np.nan
    neuron = IntegrateAndFire(0.01, -70.0, -72.0, -55.0)
    start = rng.uniform(-90.0, -56.0, 5)
    times = np.linspace(0.0, 0.05, 11)

    def slope(_, potential):
        return (neuron.rest - potential) / neuron.time_constant_s

    solution = solve_ivp(slope, (0.0, 0.05), start, "DOP853", times, rtol=1e-13, atol=1e-13)
    apart = float(np.abs(decay(neuron, start[:, None], times) - solution.y).max())
    text = (
        "free decay against a Runge-Kutta solution of ds/dt = (rest - s) / tau over 5 tau, "
        "potentials in units of 1 mV"
    )
    return [*checks("kernel_sum", 1e-8, deviations), Check("free_decay", text, apart, 1e-10)]


def stdp_rule(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.11: signs of both sides; the rule as a synapse can compute it, spike by spike."""
    rng = generator("eq1.11", seed)
    wrong, apart = 0, []
    for _ in range(WINDOWS):
        heights, constants = rng.uniform(0.2, 2.0, 2), rng.uniform(0.005, 0.05, 2)
        window = DoubleExponential(*heights, *constants)
        dt = rng.uniform(-0.2, 0.2, 200)
        wrong += int((np.sign(stdp(dt, window)) != np.sign(dt)).sum())
        pre, post = (np.sort(rng.uniform(0.0, 0.5, count)) for count in (40, 30))
        post[:5] = pre[:5]
        post.sort()
        size = np.abs(stdp(post[:, None] - pre, window)).sum()
        difference = stdp_online(pre, post, window) - stdp_all_pairs(pre, post, window)
        apart.append(abs(difference) / size)
    signs = f"time differences with the wrong sign, {WINDOWS} windows of 200 pairs each"
    traces = (
        "two decaying traces against the sum over all pairs of spikes: difference relative to "
        "the sum of sizes"
    )
    return [
        Check("sign_follows_order", signs, wrong, 0.0, "=="),
        Check("sign_follows_order", traces, max(apart), ROUNDING),
    ]
