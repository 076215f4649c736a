"""Explanations that Thuesen's thesis gives, and the verdicts by which they stand or fall."""

from plausible.reproduction.summaries import Cause
from plausible.reproduction.verdicts import DIFFERS, REPRODUCED

_EQUAL = "claim.zil_equals_backprop_training"
_BN = "claim.bn_spiking_exception"

CAUSES: tuple[Cause, ...] = (
    Cause(
        "4.1",
        "The small deviations between Z-IL and backprop come from numerical precision.",
        # Were it precision, float64 would remove them whatever the order of the updates.
        ((_EQUAL, "expect:0 float64", "as_coded", REPRODUCED),),
        "In float64 the author's order of updates still deviates, and simultaneous updates do not: "
        "the cause is that his code sends errors down through weights that are already updated.",
    ),
    Cause(
        "3.5.2",
        "Z-IL is backprop: with updates from the same time step the weights agree.",
        (
            (_EQUAL, "expect:0 float64", "corrected", REPRODUCED),
            (_EQUAL, "expect:0 float32", "corrected", REPRODUCED),
        ),
    ),
    Cause(
        "4.2",
        "Accuracy is more volatile with batch norm because the author's code is unstable.",
        (
            (_BN, "expect:1", "as_coded", REPRODUCED),
            (_BN, "expect:1", "corrected", DIFFERS),
        ),
        "What makes his code volatile is the moving average: 0.9 on the newest batch, so tests use "
        "the statistics of one batch.",
    ),
    Cause(
        "4.2",
        "The drop from rates to spikes comes from Poisson noise and the short simulation.",
        (("claim.spiking_drop", "expect:1", "corrected", REPRODUCED),),
        "Longer simulation and higher input rates are followed in the section beyond the thesis.",
    ),
    Cause(
        "4.2",
        "Noise or dropout in training may reduce the drop.",
        tuple(
            ("claim.noise_may_close_the_drop", f"expect:0 {variant}", "corrected", REPRODUCED)
            for variant in ("input noise 0.1", "input noise 0.3", "dropout 0.1", "dropout 0.3")
        ),
        "Suggested by the thesis, tested here only; every variant has its own row.",
        one_is_enough=True,
    ),
    Cause(
        "4.2",
        "The gap between SPCN and SNN shrinks with Adam and with batch norm.",
        (("claim.spcn_near_snn", "expect:0", "as_coded", REPRODUCED),),
    ),
    Cause(
        "3.4.1",
        "Scaling the rate function by 0.05 speeds up convergence.",
        (("claim.activation_scaling", "expect:0", "", REPRODUCED),),
    ),
    Cause(
        "3.4.2",
        "1.18 ms is the time constant that recovers the firing rate most precisely.",
        (
            (
                "claim.alpha_filter_tau",
                "value:tau_s_s unit area, rms rate error",
                "corrected",
                REPRODUCED,
            ),
        ),
        "It is the constant at which the author's 11 taps, sampled 1.1 ms apart but applied every "
        "millisecond, sum to 1.",
    ),
    Cause(
        "3.4.4",
        "Reading the first spike may be worse than counting spikes.",
        tuple(
            ("claim.readout", "expect:0", protocol, REPRODUCED)
            for protocol in ("as_published", "as_coded", "corrected")
        ),
    ),
    Cause(
        "5",
        "Inference learning costs more than backprop on present hardware.",
        (("claim.il_cost", "expect:0", "", REPRODUCED),),
    ),
)
