"""Theorems of chapter 6: every statement is measured, holds, and can fail."""

import numpy as np

from plausible.neurons import bit_coding, pair_kernels
from plausible.studies.oconnor2020.ch6 import theorems, theorems_coding

from ...theorem_harness import Falsified, TheoremTests

ENCODE, DECODE, ONLINE = bit_coding.encode, bit_coding.decode, pair_kernels.online_stdp


def _leaky(sent, alpha):
    return DECODE(sent, 0.999 * np.asarray(alpha))


def _unlooped(signal, alpha, quantizer="sigma_delta", rng=None):
    """What is sent does not know of what was lost."""
    signal = np.asarray(signal, np.float64)
    encoded = signal - np.max(alpha) * np.concatenate([np.zeros_like(signal[:1]), signal[:-1]])
    sent = bit_coding.quantize(encoded, "threshold")
    return bit_coding.Encoded(encoded, sent, DECODE(sent, alpha))


def _one_sided(pre, post, alpha):
    return ONLINE(pre, np.asarray(post) * 1.0, alpha) * (np.asarray(post) > 0)


class TestTheorems(TheoremTests):
    """Coding by bits, kernels, pairs of spikes."""

    document, part = "oconnor2020", "ch6"
    seeds = (0, 7)
    readings = {"ch6.monotone_same_direction"}
    deviating = {
        # True of each instant, not of the sums over time.
        ("ch6.monotone_same_direction", "same_sign_of_the_sums", "as_published"),
    }
    falsified = (
        *(
            Falsified(result, statement, module, "decode", _leaky)
            for result, statement, module in (
                ("ch6.eq6.5.predictive_coding", "decoder_reproduces_encoder", theorems_coding),
                ("ch6.eq6.7.decoder_convolution", "decoder_is_convolution", theorems_coding),
                (
                    "ch6.order_t_prediction",
                    "decoder_shares_the_coefficients",
                    theorems_coding,
                ),
                ("ch6.eq6.10.symmetric_kernel", "both_forms_equal", theorems),
                ("ch6.eq6.12.stdp_kernel", "both_forms_equal", theorems),
                ("ch6.any_quantizer", "independent_of_the_quantizer", theorems),
            )
        ),
        Falsified(
            "ch6.encodable_range", "error_grows_with_the_excess", theorems_coding, "encode",
            lambda signal, *_: bit_coding.Encoded(signal, signal, np.asarray(signal) - 1.0),
        ),
        Falsified(
            "ch6.encodable_range", "scaled_signals_err_less", theorems_coding, "encode",
            lambda signal, *_: bit_coding.Encoded(signal, signal, 1.1 * np.asarray(signal)),
        ),
        Falsified("ch6.eq6.8.online_stdp", "online_form", theorems, "online_stdp", _one_sided),
        Falsified(
            "ch6.eq6.2.dynamics_learning", "sum_approximates_integral", theorems,
            "central_difference", lambda signal: np.diff(signal, append=0.0),
        ),
        Falsified(
            "ch6.eq6.4.stdp_convolution", "pairs_are_convolution", theorems, "convolved",
            lambda spikes, kernel: pair_kernels.convolved(spikes, kernel[::-1]),
        ),
        Falsified(
            "ch6.eq6.10.symmetric_kernel", "kernel_is_convolution", theorems, "symmetric_kernel",
            lambda alpha, reach: alpha ** np.abs(pair_kernels.lags(reach)) / (1.0 - alpha),
        ),
        *(
            Falsified(
                "ch6.eq6.12.stdp_kernel", statement, theorems, "stdp_kernel",
                lambda alpha, reach: 1.01 * pair_kernels.stdp_kernel(alpha, reach),
            )
            for statement in ("kernel_is_convolution", "is_the_rule_of_eq_6_3")
        ),
        Falsified(
            "ch6.approximation_source", "equal_without_quantization", theorems, "dynamics_updates",
            lambda pre, post: np.asarray(pre) * np.diff(post, append=0.0),
        ),
        *(
            Falsified("ch6.quantizers", statement, theorems_coding, "quantize", wrong)
            for statement, wrong in (
                ("sigma_delta_rate", lambda values, how, rng: np.rint(values)),
                ("random_rate", lambda values, how, rng: np.rint(values)),
                ("random_unbiased", lambda values, how, rng: (values > 0.4) * 1.0),
                ("thresholding_bias", lambda values, how, rng: values),
            )
        ),
        Falsified(
            "ch6.quantizers_in_loop", "sums_are_balanced", theorems_coding, "encode", _unlooped
        ),
        Falsified(
            "ch6.rate_is_encoded_activity", "mean_of_the_bits", theorems_coding, "encode",
            lambda signal, alpha, *_: ENCODE(0.5 * np.asarray(signal), alpha),
        ),
    )  # fmt: skip
