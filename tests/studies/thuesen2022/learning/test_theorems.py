"""Theorems on statistics, backprop and predictive coding: measured, held, and able to fail."""

import numpy as np

from plausible.learning import predictive_coding, update
from plausible.learning.backprop import cross_entropy
from plausible.networks import activations
from plausible.networks.mlp import forward, init_network
from plausible.neurons.rates import soft_rate, soft_rate_derivative
from plausible.studies.thuesen2022.learning import (
    theorems_backprop,
    theorems_predictive_coding,
    theorems_statistics,
)

from ...theorem_harness import Falsified, TheoremTests

ADVANCE = predictive_coding.advance


def _wrong_activation(current, softplus_gamma, lif=None, offset=0.0):
    rate = soft_rate(current, softplus_gamma, lif, offset)
    return rate, 1.001 * soft_rate_derivative(current, softplus_gamma, lif, offset)


def _wrong_cross_entropy(logits, one_hot):
    loss, error = cross_entropy(logits, one_hot)
    return loss * 1.001, error + 1e-6


def _forgets_mean(weight, bias, gain, shift, mean, variance, epsilon):
    scale = gain / np.sqrt(variance + epsilon)
    return scale[:, None] * weight, scale * bias + shift


def _frozen(norm, record, error):
    return error * record.inverse_std * norm.gain


def _uphill(network, plan, state, step_size, clamped=True):
    return ADVANCE(network, plan, state, -step_size, clamped)


def _small_messages(network, stage, view, error):
    sent = error @ network.weights[stage.layer] if stage.kind == "linear" else error
    return sent if view.slope is None else sent * view.slope * 1.01


def _larger_weights(*arguments):
    """A standard deviation 20 % too large: 1.44^10 times the second moment."""
    network = init_network(*arguments)
    return network._replace(weights=tuple(1.2 * weight for weight in network.weights))


def _other_biases(network, inputs, training=False):
    """A forward pass through other weights is not where the dynamics settle."""
    moved = network._replace(biases=tuple(bias + 1e-3 for bias in network.biases))
    return forward(moved, inputs, training)


class TestTheorems(TheoremTests):
    """Every theorem of the part."""

    document, part = "thuesen2022", "learning"
    settings = {"he_networks": 8}
    deviating = {
        ("eq29.adam", "equals_reference_adam", "as_published"),
        ("eq29.adam", "equals_reference_adam", "as_coded"),
        ("eq33.batch_norm", "inference_is_the_affine_map", "as_published"),
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
            ("eq42.bn_fusion", "same_outputs", theorems_backprop, "fuse_batch_norm", _forgets_mean),
            ("eq46.pcn_il", "free_energy_never_rises", predictive_coding, "advance", _uphill),
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
                "forward",
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
                predictive_coding.zil_sequential_terms,
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
            ("eq55.bn_derivatives", "equals_autodiff", theorems_backprop, "propagate", _frozen),
        )
    )

    def test_second_moment_of_the_authors_weights_has_its_closed_form(self, table):
        """Twice the variance of He's weights doubles it in each of the 10 layers."""
        rows = table[(table["id"] == "eq_he_init") & (table["protocol"] == "as_coded")]
        np.testing.assert_allclose(rows["deviation"], 2.0**10 - 1.0, rtol=0.7)

    def test_cost_of_backprop_is_counted(self, table):
        sizes = theorems_backprop.SIZES
        products = [a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
        rows = table[table["check"] == "costs_few_forward_passes"]
        passes, backward = sum(products), 2 * sum(products) - products[0]
        found = rows["deviation"].to_numpy().reshape(2, 2)
        np.testing.assert_allclose(found[:, 0], backward / passes, rtol=1e-12)
        np.testing.assert_allclose(found[:, 1], passes / (passes + backward), rtol=1e-12)
