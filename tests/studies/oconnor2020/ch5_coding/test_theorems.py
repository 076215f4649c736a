"""Theorems on PD coding: every statement is measured, holds, and can fail."""

import numpy as np

from plausible.networks.sigma_delta import sparse_product
from plausible.neurons import pd_coding
from plausible.neurons.quantizers import Quantized, quantize_stream
from plausible.studies.oconnor2020.ch5_coding import theorems, theorems_statistics

from ...theorem_harness import Falsified, TheoremTests

DECODE, TRANSMIT = pd_coding.decode, pd_coding.transmit


def _leaky(values, code):
    return DECODE(values, code._replace(k_d=0.99 * code.k_d))


def _truncated(values):
    sums = np.trunc(np.cumsum(values, axis=0))
    return Quantized(np.diff(sums, axis=0, prepend=np.zeros_like(sums[:1])).astype(int), None)


def _unquantized(signal, code):
    encoded = pd_coding.encode(signal, code)
    return pd_coding.Coded(encoded, encoded, DECODE(encoded, code))


def _halved(signal, code):
    """Half of what is encoded is forgotten."""
    coded = TRANSMIT(signal, code)
    return coded._replace(encoded=2 * coded.encoded)


class TestTheorems(TheoremTests):
    """Encoder, quantizer, decoder, and what they do to random signals."""

    document, part = "oconnor2020", "ch5_coding"
    seeds = (0, 7)
    deviating = {
        # Eq. 5.4 as printed takes a sum more for each input than the text counts.
        ("ch5.eq5.9.cost", "operation_count", "as_published"),
        # Eq. C.8 prints the sum over the units, where the code has the mean.
        ("appC.eqC.8.autotune", "step_is_relative_to_a_unit", "as_published"),
    }
    falsified = (
        Falsified("ch5.eq5.4.encoder", "output_is_whole", theorems, "transmit", _unquantized),
        Falsified("ch5.eq5.4.encoder", "residual_is_small", theorems, "transmit", _halved),
        *(
            Falsified(result, statement, module, "decode", _leaky)
            for result, statement, module in (
                ("ch5.eq5.5.decoder", "round_trip", theorems),
                ("ch5.eq5.5.decoder", "recursion_is_convolution", theorems),
                ("ch5.leaky_neuron", "decoder_leaks", theorems),
                ("ch5.stability_condition", "disturbance_decays", theorems_statistics),
                (
                    "ch5.weights_change_breaks_differences",
                    "equal_for_constant_weights",
                    theorems_statistics,
                ),
            )
        ),
        Falsified(
            "ch5.special_cases", "special_cases_equal", theorems, "transmit",
            lambda signal, code: TRANSMIT(signal, code._replace(k_p=code.k_p + 0.05)),
        ),
        Falsified(
            "ch5.eq5.7.sparse_product", "equal_for_constant_weights", theorems, "decode",
            lambda values, code: np.abs(DECODE(values, code)),
        ),
        Falsified(
            "ch5.eq5.8.row_additions", "rows_and_additions", theorems, "sparse_product",
            lambda sent, weights: (sparse_product(sent, weights)[0], weights.size),
        ),
        Falsified(
            "appC.predictive_coding", "predictive_coding_identity", theorems, "encode",
            lambda signal, code: code.k_p * np.asarray(signal),
        ),
        *(
            Falsified(result, statement, theorems, "quantize_stream", _truncated)
            for result, statement in (
                ("appC.eqC.5", "unwrapped_sequences_equal"),
                ("ch5.leaky_neuron", "quantizer_integrates_and_fires"),
            )
        ),
        Falsified(
            "ch5.step_or_event_based", "net_counts_equal", theorems, "quantize_stream",
            lambda values: quantize_stream(values, rectified=True),
        ),
        Falsified(
            "appC.eqC.8.autotune", "k_beta_follows_scale", theorems, "tuned_scales",
            lambda signal, tuning: 1.0 + pd_coding.tuned_scales(signal, tuning),
        ),
        Falsified(
            "appC.eqC.8.autotune", "scale_moves_into_coefficients", theorems, "transmit",
            lambda signal, code: TRANSMIT(np.asarray(signal) + 0.3, code),
        ),
        Falsified(
            "appC.shared_predictor", "round_trip_with_the_same_predictor", theorems,
            "predictive_decode", lambda values, weights: np.asarray(values),
        ),
        Falsified(
            "ch5.pd_error_bounded", "error_does_not_accumulate", theorems_statistics, "decode",
            lambda values, code: np.cumsum(values, axis=0),
        ),
        Falsified(
            "appC.small_signals_distorted", "larger_signals_are_distorted_less",
            theorems_statistics, "transmit",
            lambda signal, code: pd_coding.Coded(signal, signal, 1.1 * signal),
        ),
        Falsified(
            "ch5.sparse_spikes", "mostly_zeros", theorems_statistics, "transmit", _unquantized
        ),
    )  # fmt: skip
