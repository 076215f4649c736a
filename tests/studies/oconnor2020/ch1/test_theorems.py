"""Theorems of chapter 1: every published statement is measured, holds, and can fail."""

from typing import ClassVar

import numpy as np
import torch

from plausible.learning import bptt, weight_sharing
from plausible.networks.hopfield import imprint, recall
from plausible.neurons import classic, integrate_and_fire
from plausible.neurons.plasticity import stdp, stdp_online
from plausible.studies.oconnor2020.ch1 import theorems, theorems_hopfield, theorems_neurons

from ...theorem_harness import Falsified, TheoremTests


def _without_biases(layers):
    whole = classic.collapse(layers)
    return whole._replace(biases=np.zeros_like(whole.biases))


def _both_at_once(network, start, rng, max_sweeps=100, free=None):
    """Updates from the old state: the energy may rise."""
    result = recall(network, start, rng, max_sweeps=1)
    drive = network.weights @ start + network.biases
    return result._replace(values=np.where(drive > 0, 1.0, -1.0)[result.units])


def _lazy(network, start, rng, max_sweeps=100, free=None):
    """No unit turns over."""
    result = recall(network, start, rng, max_sweeps=1)
    return result._replace(state=np.array(start), values=np.array(start)[result.units])


def _careless(network, start, rng, max_sweeps=100, free=None):
    """Every unit is updated, clamped or not, and half of the work is done."""
    return recall(network, start, rng, max_sweeps=1, free=None if free is None else free[:5])


def _weights_alone(network, state):
    return imprint(network, state)._replace(biases=network.biases)


def _settled(network, start, max_sweeps=1000):
    return 1


def _stale_errors(network, output_error):
    errors = weight_sharing.run_errors(network, output_error)
    return [errors[0], errors[1] * (1.0 + 1e-6), *errors[2:]]


def _noise_forgotten(layer, inputs, noise, error):
    return classic.noisy_gradients(layer, inputs, np.ones_like(noise), error)


def _leaky_kernel(neuron, *arguments):
    slower = neuron._replace(time_constant_s=1.001 * neuron.time_constant_s)
    return integrate_and_fire.kernel_sum(slower, *arguments)


def _slow_decay(neuron, potential, time_s):
    return integrate_and_fire.decay(neuron._replace(time_constant_s=0.0101), potential, time_s)


def _no_depression(pre, post, window):
    return stdp_online(pre, post, window._replace(a_minus=0.0))


def _untied(gradient, index, count):
    return torch.ones(count).double()


def _at_rest(layer, inputs, start, *_):
    return np.stack([start] * 401)


def _memoryless(layer, inputs, start, *_):
    return np.stack([classic.respond(layer, inputs)] * 401)


def _always_positive(dt, window):
    return np.abs(stdp(dt, window))


def _sums_of_pairs(parameters, index):
    return weight_sharing.tie(parameters, index.flip(0))


def _one_window(network, record, errors, window=None):
    return bptt.backprop_through_time(network, record, errors, 1)


def _no_window(network, record, errors, window=None):
    return bptt.backprop_through_time(network, record, errors)


def _one_lag(network, inputs, errors):
    gradient, biases = bptt.convolution_gradients(network, inputs, errors)
    return gradient * (torch.arange(len(gradient)) == 0)[:, None, None], biases


def _half_steps(parameters, gradients, rate):
    return weight_sharing.sgd_step(parameters, gradients, 0.5 * rate)


def _unbiased(layer, inputs):
    return classic.respond(layer._replace(biases=0.0 * layer.biases), inputs)


HOPFIELD, NEURONS = theorems_hopfield, theorems_neurons
FALSIFIED = [
    ("eq1.1.ann_neuron", "linear_neurons_are_one_map", NEURONS, "collapse", _without_biases),
    ("eq1.1.ann_neuron", "is_the_weighted_sum", NEURONS, "respond", _unbiased),
    ("eq1.5.backprop_sgd", "gradients", theorems, "run_errors", _stale_errors),
    ("eq1.5.backprop_sgd", "step_goes_down", theorems, "sgd_step", _half_steps),
    ("eq1.5.backprop_sgd", "minibatches", theorems, "combinations", lambda n, k: [range(3)]),
    ("rnn_tcn", "bptt", theorems, "backprop_through_time", _one_window),
    ("rnn_tcn", "truncated_bptt", theorems, "backprop_through_time", _no_window),
    ("rnn_tcn", "weights_shared_over_time", theorems, "convolution_gradients", _one_lag),
    ("weight_sharing", "error_recursion", theorems, "run_errors", _stale_errors),
    ("weight_sharing", "translation_equivariance", theorems, "tie", _sums_of_pairs),
    ("weight_sharing", "gradient_is_the_sum_over_copies", theorems, "tied_gradient", _untied),
    ("eq1.6.hopfield", "energy_never_rises", HOPFIELD, "recall", _both_at_once),
    ("eq1.6.hopfield", "update_is_arg_min", HOPFIELD, "recall", _lazy),
    ("eq1.6.hopfield", "storing_lowers_energy", HOPFIELD, "imprint", _weights_alone),
    ("eq1.6.hopfield", "pattern_recovered", HOPFIELD, "recall", _lazy),
    ("eq1.6.hopfield", "pattern_recovered", HOPFIELD, "recall", _careless),
    ("eq1.6.hopfield", "recall_is_the_arg_min", HOPFIELD, "recall", _careless),
    ("asymmetric_weights", "may_cycle", HOPFIELD, "period", _settled),
    ("asymmetric_weights", "may_be_chaotic", HOPFIELD, "GAIN", 0.5),
    ("stochastic_units", "gradient_through_noise", NEURONS, "noisy_gradients", _noise_forgotten),
    ("eq1.8.dynamic_neuron", "steady_state", NEURONS, "settle", _at_rest),
    ("eq1.8.dynamic_neuron", "output_depends_on_history", NEURONS, "settle", _memoryless),
    ("eq1.8.dynamic_neuron", "solves_the_equation", NEURONS, "settle", _memoryless),
    ("eq1.10.integrate_and_fire", "kernel_sum", NEURONS, "kernel_sum", _leaky_kernel),
    ("eq1.10.integrate_and_fire", "free_decay", NEURONS, "decay", _slow_decay),
    ("eq1.11.stdp", "double_exponential", NEURONS, "stdp", _always_positive),
    ("eq1.11.stdp", "double_exponential", NEURONS, "stdp_online", _no_depression),
]


class TestTheorems(TheoremTests):
    """The printed energy counts every pair twice: with biases, the threshold rule may raise it."""

    document, part = "oconnor2020", "ch1"
    seeds = (0, 4)
    deviating: ClassVar = {
        ("ch1.eq1.6.hopfield", "energy_never_rises", "as_published"),
        ("ch1.eq1.6.hopfield", "update_is_arg_min", "as_published"),
    }
    falsified = tuple(Falsified(f"ch1.{result}", *rest) for result, *rest in FALSIFIED)
