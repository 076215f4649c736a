"""Theorems of chapter 1: every published statement is measured, holds, and can fail."""

import numpy as np
import torch

from plausible.learning import weight_sharing
from plausible.networks.hopfield import flow, recall, recall_continuous, store
from plausible.neurons import classic, integrate_and_fire
from plausible.neurons.plasticity import stdp, stdp_online
from plausible.studies.oconnor2020.ch1 import theorems, theorems_hopfield, theorems_neurons

from ...theorem_harness import Falsified, TheoremTests


def _without_biases(layers):
    whole = classic.collapse(layers)
    return whole._replace(biases=np.zeros_like(whole.biases))


def _both_at_once(network, start, rng, max_sweeps=100):
    """Updates from the old state: the energy may rise."""
    result = recall(network, start, rng, max_sweeps=1)
    drive = network.weights @ start + network.biases
    return result._replace(values=np.sign(drive[result.units]))


def _lazy(network, start, rng, max_sweeps=100):
    """No unit turns over."""
    result = recall(network, start, rng, max_sweeps=1)
    return result._replace(state=np.array(start), values=np.array(start)[result.units])


def _forgetful(patterns):
    return store(patterns[:5])


def _uphill(network, start, gain, rng, max_sweeps=1000, tolerance=1e-12):
    result = recall_continuous(network, start, gain, rng, max_sweeps, tolerance)
    return result._replace(energies=result.energies[::-1], state=-result.state)


def _reversed_flow(*arguments, **options):
    states, energies = flow(*arguments, **options)
    return states[::-1], energies[::-1]


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


def _always_positive(dt, window):
    return np.abs(stdp(dt, window))


HOPFIELD, NEURONS = theorems_hopfield, theorems_neurons
FALSIFIED = [
    ("eq1.1.ann_neuron", "linear_neurons_are_one_map", NEURONS, "collapse", _without_biases),
    ("eq1.5.backprop_sgd", "gradients", theorems, "run_errors", _stale_errors),
    ("eq1.5.backprop_sgd", "gradients", theorems, "sgd_step", lambda p, g, rate: list(p)),
    ("weight_sharing", "error_recursion", theorems, "run_errors", _stale_errors),
    ("weight_sharing", "error_recursion", theorems, "tied_gradient", _untied),
    ("eq1.6.hopfield", "energy_never_rises", HOPFIELD, "recall", _both_at_once),
    ("eq1.6.hopfield", "energy_never_rises", HOPFIELD, "recall_continuous", _uphill),
    ("eq1.6.hopfield", "energy_never_rises", HOPFIELD, "flow", _reversed_flow),
    ("eq1.6.hopfield", "pattern_recovered", HOPFIELD, "recall", _lazy),
    ("eq1.6.hopfield", "pattern_recovered", HOPFIELD, "recall_continuous", _uphill),
    ("eq1.6.hopfield", "pattern_recovered", HOPFIELD, "store", _forgetful),
    ("eq1.6.hopfield", "update_is_arg_min", HOPFIELD, "recall", _lazy),
    ("stochastic_units", "gradient_through_noise", NEURONS, "noisy_gradients", _noise_forgotten),
    ("eq1.8.dynamic_neuron", "steady_state", NEURONS, "settle", _at_rest),
    ("eq1.10.integrate_and_fire", "kernel_sum", NEURONS, "kernel_sum", _leaky_kernel),
    ("eq1.10.integrate_and_fire", "free_decay", NEURONS, "decay", _slow_decay),
    ("eq1.11.stdp", "sign_follows_order", NEURONS, "stdp", _always_positive),
    ("eq1.11.stdp", "sign_follows_order", NEURONS, "stdp_online", _no_depression),
]


class TestTheorems(TheoremTests):
    """Chapter 1 has no other protocol than the corrected one."""

    document, part = "oconnor2020", "ch1"
    seeds = (0, 4)
    falsified = tuple(Falsified(f"ch1.{result}", *rest) for result, *rest in FALSIFIED)

    def test_truncation_to_the_whole_sequence_is_what_the_rows_compare(self, monkeypatch):
        """With every window cut to one step, BPTT is no gradient any more."""
        original = theorems.backprop_through_time
        monkeypatch.setattr(
            theorems,
            "backprop_through_time",
            lambda network, record, errors, window=None: original(network, record, errors, 1),
        )
        held = [one.holds() for one in theorems.recurrent_forms(self.record(), 0)]
        assert held == [False, False, True, True]
