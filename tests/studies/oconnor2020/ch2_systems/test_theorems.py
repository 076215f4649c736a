"""Theorems on chapter 2's systems: every statement is measured, holds, and can fail."""

import numpy as np
import torch

from plausible.learning import (
    contrastive_divergence,
    recurrent_gradients,
    stacked_machines,
    synthetic_gradients,
)
from plausible.networks import boltzmann, neural_ode, restricted_boltzmann
from plausible.networks.restricted_boltzmann import RestrictedMachine
from plausible.neurons import spike_time
from plausible.studies.oconnor2020.ch2_systems import (
    experiment_recurrent,
    theorems_boltzmann,
    theorems_recurrent,
    theorems_targets,
)

from ...theorem_harness import Falsified, TheoremTests

BOLTZMANN, RECURRENT, TARGETS = theorems_boltzmann, theorems_recurrent, theorems_targets


def _half(gradient):
    return type(gradient)(*(0.5 * each for each in gradient))


def _shared(machine, visible):
    """A probability for all hidden units, that of the first."""
    found = restricted_boltzmann.hidden_probabilities(machine, visible)
    return np.broadcast_to(found[..., :1], found.shape)


def _late(synapses, inputs, outputs):
    slopes = spike_time.time_slopes(synapses, inputs, outputs)
    return slopes._replace(by_weight=1.1 * slopes.by_weight)


def _uphill(layers, inputs, targets):
    loss, gradients = spike_time.loss_gradients(layers, inputs, targets)
    return loss, [-each for each in gradients]


def _keen(layers, inputs, targets):
    loss, gradients = spike_time.loss_gradients(layers, inputs, targets)
    return loss, [each + 1e-9 for each in gradients]


def _without_weights(field, parameters, *rest):
    found = neural_ode.adjoint_gradients(field, parameters, *rest)
    return found._replace(parameters=tuple(torch.zeros_like(one) for one in found.parameters))


def _last_step(network, record, error, horizon):
    return recurrent_gradients.truncated_gradient(network, record, error, 1)


def _all_steps(network, record, error, horizon):
    steps = len(record.inputs)
    return recurrent_gradients.truncated_gradient(network, record, error, steps)


def _biased(*rest):
    return 1.1 * recurrent_gradients.uoro_gradients(*rest)


def _certain(network, record, errors, signs, other=None):
    exact = recurrent_gradients.rtrl_gradient(network, record, errors)
    return exact.expand(signs.shape[1], *exact.shape)


FALSIFIED = (
    ("eq2.3.boltzmann", "gibbs_samples", BOLTZMANN, "gibbs_samples",
     lambda machine, rng, **_: rng.integers(0, 2, (1000, 8)).astype(float)),
    ("eq2.3.boltzmann", "conditional_is_sigmoid", BOLTZMANN, "on_probability",
     lambda *rest: 0.999 * boltzmann.on_probability(*rest)),
    ("eq2.6.boltzmann_learning", "exact_rule_is_gradient", BOLTZMANN, "boltzmann_gradient",
     lambda *rest: _half(contrastive_divergence.boltzmann_gradient(*rest))),
    ("eq2.6.boltzmann_learning", "exact_rule_is_gradient", BOLTZMANN, "exact_gradient",
     lambda *rest: _half(contrastive_divergence.exact_gradient(*rest))),
    ("eq2.6.boltzmann_learning", "cd1_points_uphill", BOLTZMANN, "contrastive_gradient",
     lambda *rest: contrastive_divergence._difference(
         RestrictedMachine(0.0, 0.0, 0.0), contrastive_divergence.contrastive_gradient(*rest))),
    ("eq2.6.boltzmann_learning", "cd_is_biased", BOLTZMANN, "expected_contrastive_gradient",
     lambda machine, data, steps: contrastive_divergence.exact_gradient(machine, data)),
    ("rbm_independence", "hidden_units_factorise", BOLTZMANN, "hidden_probabilities", _shared),
    ("gibbs_burn_in", "needs_thousands_of_sweeps", BOLTZMANN, "sweep_kernel",
     lambda machine: np.linalg.matrix_power(boltzmann.sweep_kernel(machine), 1000)),
    ("dbn_likelihood", "added_layer_never_lowers", BOLTZMANN, "climb",
     lambda machine, data, steps, rate: stacked_machines.climb(machine, data, steps, -rate)),
    ("spikeprop", "spike_time_derivative", TARGETS, "time_slopes", _late),
    ("spikeprop", "linear_near_a_spike", TARGETS, "time_slopes", _late),
    ("spikeprop_silent", "step_moves_towards_target", TARGETS, "loss_gradients", _uphill),
    ("spikeprop_silent", "silent_neuron_learns_nothing", TARGETS, "loss_gradients", _keen),
    ("difference_target_prop", "target_is_fixed_point", TARGETS, "difference_target",
     lambda state, restored, goal: goal),
    ("difference_target_prop", "correction_lowers_error", TARGETS, "difference_target",
     lambda state, restored, goal: goal),
    ("target_prop_exact_inverse", "step_lowers_loss", TARGETS, "_inverse",
     lambda weights: lambda state: torch.atanh(state) @ weights.roll(1, 0).T),
    ("neural_ode", "residual_layer_is_euler_step", TARGETS, "euler_step",
     lambda field, state, time, size: neural_ode.euler_step(field, state, time, 0.5 * size)),
    ("neural_ode", "adjoint_gradient", TARGETS, "adjoint_gradients", _without_weights),
    ("neural_ode", "coarse_steps_less_accurate", TARGETS, "solve",
     lambda *rest: neural_ode.solve(*(rest if len(rest) == 5 else (*rest[:3], 2)))),
    ("eq2.8.rtrl", "equals_bptt", RECURRENT, "rtrl_gradient",
     lambda *rest: 1.001 * recurrent_gradients.rtrl_gradient(*rest)),
    ("truncated_bptt", "last_terms", RECURRENT, "truncated_gradient", _last_step),
    ("truncated_bptt", "nothing_beyond_the_horizon", RECURRENT, "truncated_gradient", _all_steps),
    ("truncated_bptt", "short_horizon_biases", RECURRENT, "truncated_gradient", _all_steps),
    ("uoro", "unbiased", experiment_recurrent, "uoro_gradients", _biased),
    ("uoro", "large_variance", experiment_recurrent, "uoro_gradients", _certain),
    ("synthetic_gradients", "predictor_learns", TARGETS, "learned",
     lambda predictors, *_: [each + 0.1 for each in predictors]),
    ("synthetic_bootstrap", "converges_to_the_gradient", TARGETS, "bootstrap_targets",
     lambda *rest: [0.9 * each for each in synthetic_gradients.bootstrap_targets(*rest)]),
)  # fmt: skip


class TestTheorems(TheoremTests):
    """Printed forms that do not hold: pairs counted twice, no condition on the start, f(z_t)."""

    document, part = "oconnor2020", "ch2_systems"
    seeds = (0, 4)
    deviating = {
        ("ch2.eq2.3.boltzmann", "gibbs_samples", "as_published"),
        ("ch2.eq2.3.boltzmann", "conditional_is_sigmoid", "as_published"),
        ("ch2.dbn_likelihood", "added_layer_never_lowers", "as_published"),
        ("ch2.neural_ode", "residual_layer_is_euler_step", "as_published"),
    }
    falsified = tuple(Falsified(f"ch2.{result}", *rest) for result, *rest in FALSIFIED)
