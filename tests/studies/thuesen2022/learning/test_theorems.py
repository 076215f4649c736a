"""Theorems on statistics, backprop and predictive coding: measured, held, and able to fail."""

from functools import partial

import numpy as np

from plausible.learning import predictive_coding, update
from plausible.learning.backprop import cross_entropy, gradients
from plausible.learning.optimizers import adam_step
from plausible.networks import activations
from plausible.networks.batch_norm import normalise
from plausible.networks.mlp import forward, init_network
from plausible.neurons.rates import soft_rate, soft_rate_derivative
from plausible.studies.thuesen2022.learning import (
    theorems_backprop,
    theorems_batch_norm,
    theorems_predictive_coding,
    theorems_statistics,
)

from ...theorem_harness import Falsified, TheoremTests

FORWARD_NODES = theorems_predictive_coding._forward_nodes
MOVE, VALUE_NODE_CHANGES = predictive_coding.move, predictive_coding.value_node_changes


def _wrong_activation(current, softplus_gamma, lif=None, offset=0.0):
    rate = soft_rate(current, softplus_gamma, lif, offset)
    return rate, 1.001 * soft_rate_derivative(current, softplus_gamma, lif, offset)


def _wrong_cross_entropy(logits, one_hot):
    loss, error = cross_entropy(logits, one_hot)
    return loss * 1.001, error + 1e-6


def _forgets_mean(weight, bias, gain, shift, mean, variance, epsilon):
    scale = gain / np.sqrt(variance + epsilon)
    return scale * weight, scale * bias + shift


def _frozen(norm, record, error):
    return error * record.inverse_std * norm.gain


def _uphill(state, changes, step_size):
    return MOVE(state, changes, -step_size)


def _small_messages(network, stage, view, error):
    sent = error @ network.weights[stage.layer].t() if stage.kind == "linear" else error
    return sent if view.slope is None else sent * view.slope * 1.01


def _larger_weights(*arguments):
    """A standard deviation 20 % too large: 1.44^10 times the second moment."""
    network = init_network(*arguments)
    return network._replace(weights=tuple(1.2 * weight for weight in network.weights))


def _other_biases(network, inputs):
    """A forward pass through other weights is not where the dynamics settle."""
    moved = network._replace(biases=tuple(bias + 1e-3 for bias in network.biases))
    return FORWARD_NODES(moved, inputs)


def _without_power(parameter, gradient, square, first, second, step, settings):
    adam_step(parameter, gradient, square, first, second, 1, settings)


def _sample_variance(norm, z, batch_statistics, update_running=False):
    output, record = normalise(norm, z, batch_statistics, update_running)
    return output * (1.0 - 1.0 / len(z)) ** 0.5 if batch_statistics else output, record


def _frozen_averages(norm, z, batch_statistics, update_running=False):
    return normalise(norm, z, batch_statistics)


def _larger_loss(network, inputs, labels):
    """A gradient that weight decay pulls away from the optimum."""
    loss, found = gradients(network, inputs, labels)
    weights = zip(found.weights, network.weights, strict=True)
    return loss, found._replace(weights=tuple(one + 0.1 * weight for one, weight in weights))


def _shifted(network, inputs):
    return forward(network, inputs) * 1.001


def _small_changes(network, plan, state):
    return [0.999 * change for change in VALUE_NODE_CHANGES(network, plan, state)]


def _twice(network, inputs, labels):
    gradients(network, inputs, labels)
    return gradients(network, inputs, labels)


class TestTheorems(TheoremTests):
    """Every theorem of the part."""

    document, part = "thuesen2022", "learning"
    settings = {"he_networks": 4000}
    deviating = {
        ("eq5.mse_is_gaussian_mle", "gradient_is_the_residual", "as_published"),
        ("eq29.adam", "equals_reference_adam", "as_published"),
        ("eq29.adam", "equals_reference_adam", "as_coded"),
        ("eq33.batch_norm", "moving_averages_estimate_the_data_set", "as_published"),
        ("eq33.batch_norm", "moving_averages_estimate_the_data_set", "as_coded"),
        ("eq47.error_nodes_match_bp", "recursion_holds_at_equilibrium", "as_published"),
        ("eq47.error_nodes_match_bp", "errors_approach_backprop_deltas", "as_published"),
        ("eq54.pcn_batch_norm", "equals_backprop", "as_coded"),
        ("eq_he_init", "second_moment_is_kept", "as_coded"),
        ("zil_algorithm", "update_equals_backprop", "as_coded"),
    }
    falsified = tuple(
        Falsified(*one)
        for one in (
            (
                "eq10.cross_entropy_is_mle",
                "equals_the_log_likelihood",
                theorems_statistics,
                "cross_entropy",
                _wrong_cross_entropy,
            ),
            (
                "eq22.cross_entropy_gradient",
                "gradient_agrees",
                theorems_statistics,
                "cross_entropy",
                _wrong_cross_entropy,
            ),
            (
                "eq_he_init",
                "second_moment_is_kept",
                theorems_statistics,
                "init_network",
                _larger_weights,
            ),
            (
                "eq26.backprop",
                "gradients_equal_autodiff",
                activations,
                "soft_rate_and_derivative",
                _wrong_activation,
            ),
            (
                "eq42.bn_fusion",
                "same_outputs",
                theorems_batch_norm,
                "fuse_batch_norm",
                _forgets_mean,
            ),
            ("eq46.pcn_il", "free_energy_never_rises", theorems_predictive_coding, "move", _uphill),
            (
                "eq46.pcn_il",
                "updates_descend_the_free_energy",
                predictive_coding,
                "message",
                _small_messages,
            ),
            (
                "claim.pcn_prediction_is_forward_pass",
                "settles_at_the_forward_pass",
                theorems_predictive_coding,
                "_forward_nodes",
                _other_biases,
            ),
            (
                "eq47.error_nodes_match_bp",
                "recursion_holds_at_equilibrium",
                predictive_coding,
                "message",
                _small_messages,
            ),
            (
                "zil_algorithm",
                "update_equals_backprop",
                update,
                "zil_terms",
                partial(predictive_coding.zil_terms, order="weights_first"),
            ),
            ("eq50.pcn_softmax", "equals_backprop", predictive_coding, "message", _small_messages),
            (
                "eq54.pcn_batch_norm",
                "updates_descend_the_free_energy",
                predictive_coding,
                "propagate",
                _frozen,
            ),
            ("eq54.pcn_batch_norm", "equals_backprop", predictive_coding, "propagate", _frozen),
            (
                "claim.no_hidden_layer_is_logistic",
                "same_optimum",
                theorems_statistics,
                "gradients",
                _larger_loss,
            ),
            (
                "claim.no_hidden_layer_is_logistic",
                "same_function",
                theorems_statistics,
                "forward",
                _shifted,
            ),
            (
                "eq26.backprop",
                "costs_few_forward_passes",
                theorems_backprop,
                "gradients",
                _twice,
            ),
            (
                "eq26.backprop",
                "perturbation_costs_a_pass_per_weight",
                theorems_backprop,
                "_perturbed_gradients",
                gradients,
            ),
            (
                "eq29.adam",
                "equals_reference_adam",
                theorems_backprop,
                "adam_step",
                _without_power,
            ),
            (
                "eq33.batch_norm",
                "output_has_shift_and_gain",
                theorems_batch_norm,
                "normalise",
                _sample_variance,
            ),
            (
                "eq33.batch_norm",
                "inference_is_the_affine_map",
                theorems_batch_norm,
                "normalise",
                _frozen_averages,
            ),
            (
                "eq33.batch_norm",
                "moving_averages_estimate_the_data_set",
                theorems_batch_norm,
                "normalise",
                _frozen_averages,
            ),
            (
                "eq47.error_nodes_match_bp",
                "errors_approach_backprop_deltas",
                predictive_coding,
                "message",
                _small_messages,
            ),
            (
                "eq50.pcn_softmax",
                "logits_move_along_the_residual",
                theorems_predictive_coding,
                "value_node_changes",
                _small_changes,
            ),
            ("eq55.bn_derivatives", "equals_autodiff", theorems_batch_norm, "propagate", _frozen),
        )
    )

    def test_second_moment_of_the_authors_weights_has_its_closed_form(self, table):
        """Twice the variance of He's weights doubles it in each of 9 layers."""
        rows = table[(table["id"] == "eq_he_init") & (table["protocol"] == "as_coded")]
        np.testing.assert_allclose(rows["deviation"], 2.0**9, rtol=0.5)

    def test_cost_of_backprop_is_counted(self, table):
        sizes = theorems_backprop.SIZES
        products = [a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
        rows = table[table["check"] == "costs_few_forward_passes"]
        expected = (2 * sum(products) - products[0]) / sum(products)
        found = rows.loc[rows["variant"].isin(["narrow", "wide"]), "deviation"]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        deep = rows.loc[rows["variant"] == "deep", "deviation"]
        np.testing.assert_allclose(deep, 15.0 / 8.0, rtol=1e-12)

    def test_moving_averages_have_the_spread_of_independent_batches(self, table):
        rows = table[table["check"] == "moving_averages_estimate_the_data_set"]
        for protocol, weight in (("corrected", 0.1), ("as_published", 0.9)):
            found = rows.loc[(rows["protocol"] == protocol) & (rows["control"] == ""), "deviation"]
            np.testing.assert_allclose(found, (weight / (2.0 - weight)) ** 0.5, rtol=0.15)
