"""Made-up tables of single neurons and codings in which every published statement holds.

Closed forms are written out here anew, so that the checks are not tested against the code that
they judge. ``SPOILS`` says, for every statement, how to change the tables so that it fails.
"""

from itertools import product

import numpy as np
import pandas as pd

from ...claim_harness import Spoil
from ..harness import changed, replace, scale, wobble

LIF_TAU, REFRACTORY = 0.02, 0.004
PROTOCOLS = ("as_coded", "corrected")


def rate(current, offset=0.0):
    """Closed form of eq. 37 in Hz."""
    above = np.maximum(np.asarray(current, dtype=float) - 1.0, 0.0) + offset
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(above > 0, 1.0 / (REFRACTORY + LIF_TAU * np.log1p(1.0 / above)), 0.0)


def soft_rate(current, gamma):
    """Closed form of eq. 38 in Hz."""
    rho = gamma * np.logaddexp(0.0, (np.asarray(current, dtype=float) - 1.0) / gamma)
    with np.errstate(divide="ignore", over="ignore"):
        return 1.0 / (REFRACTORY + LIF_TAU * np.log1p(1.0 / rho))


def fig2a(seeds=3, protocols=PROTOCOLS):
    current = np.linspace(0.0, 2.0, 1000)
    gammas = {"as_coded": [0.02], "corrected": [0.05, 0.02, 0.01, 0.001]}
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "protocol": protocol,
                    "curve": "soft_rate" if gamma else "lif_rate",
                    "softplus_gamma": gamma,
                    "input_current": current,
                    "rate_hz": soft_rate(current, gamma) if gamma else rate(current),
                }
            )
            for protocol in protocols
            for gamma in [0.0, *gammas[protocol]]
        ],
        ignore_index=True,
    )


def fig2b(seeds=3, protocols=PROTOCOLS):
    parts = []
    for coding, input_rate, repetitions, currents in (
        ("poisson_count", np.nan, 10, 201),
        ("lif_simulation", 250.0, 10, 41),
        ("lif_simulation", 5000.0, 10, 41),
        ("lif_constant_current", np.nan, 1, 41),
    ):
        current = np.linspace(0.0, 10.0, currents)
        for repetition in range(repetitions):
            # Up and down in turn: the mean over currents is that of r(j).
            noise = 0.08 * (-1.0) ** (np.arange(currents) + repetition) * (repetitions > 1)
            parts.append(
                pd.DataFrame(
                    {
                        "coding": coding,
                        "input_rate_hz": input_rate,
                        "repetition": repetition,
                        "input_current": current,
                        "rate_hz": rate(current) * (1.0 + noise),
                        "theoretical_rate_hz": rate(current),
                        "duration_s": 1.0,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def fig2c(seeds=3, protocols=PROTOCOLS):
    inputs = np.linspace(0.0, 10.0, 1000)
    scaled = 0.05 * soft_rate(inputs, 0.05)
    curves = {
        "relu": inputs,
        "scaled_soft_rate": scaled,
        "relu_derivative": (inputs > 0).astype(float),
        "scaled_soft_rate_derivative": np.gradient(scaled, inputs),
    }
    return pd.concat(
        [
            pd.DataFrame({"protocol": protocol, "curve": curve, "input": inputs, "value": values})
            for protocol in protocols
            for curve, values in curves.items()
        ],
        ignore_index=True,
    )


def alpha_filter_tau(seeds=3, protocols=PROTOCOLS):
    taus = np.unique(np.append(np.arange(2, 51) * 1e-4, 0.00118).round(6))
    kernels = ("unit_area", "printed", "author_spacing")
    criteria = ("mean_rate_error", "rms_rate_error")
    rows = [
        (kernel, criterion, tau, 1.0 + 1e3 * abs(tau - 0.00118) + wobble(seed, seeds), seed)
        for kernel, criterion, seed, tau in product(kernels, criteria, range(seeds), taus)
    ]
    return pd.DataFrame(rows, columns=["kernel", "criterion", "tau_s", "error_hz", "seed"])


def poisson_noise(seeds=3, protocols=PROTOCOLS):
    rows = [
        (hz, time, seed, 200, np.sqrt(hz / time) * (1.0 + wobble(seed, seeds) * np.log(time)))
        for hz, time, seed in product((50.0, 250.0), (0.1, 0.2, 0.5, 1.0, 2.0, 5.0), range(seeds))
    ]
    return pd.DataFrame(
        rows, columns=["rate_hz", "duration_s", "seed", "repetitions", "standard_error_hz"]
    )


def good_tables():
    """A table for every result that the claims read."""
    return {
        "fig2a": fig2a(),
        "fig2b": fig2b(),
        "fig2c": fig2c(),
        "claim.alpha_filter_tau": alpha_filter_tau(),
        "claim.poisson_noise": poisson_noise(),
    }


def _soft_equals_hard(table):
    soft = table["curve"] == "soft_rate"
    return table.assign(rate_hz=table["rate_hz"].mask(soft, rate(table["input_current"])))


SPOILS = (
    changed(
        "fig2a",
        "zero_below_threshold",
        "the floor of 1.8 Hz of the author's code",
        lambda t: (t.curve == "lif_rate") & (t.input_current <= 1),
        "rate_hz",
        1.8,
    ),
    changed(
        "fig2a",
        "soft_above_hard",
        "one gamma a little lower far from the threshold",
        lambda t: (t.softplus_gamma == 0.02) & (t.input_current > 1.9),
        "rate_hz",
        lambda hz: hz - 1e-6,
    ),
    Spoil(
        "fig2a",
        "soft_above_hard_near_threshold",
        "equal near the threshold",
        replace("fig2a", _soft_equals_hard),
    ),
    changed(
        "fig2b",
        "mean_follows_theory",
        "rates 12 % high in one unit of current",
        lambda t: (t.coding == "lif_simulation") & t.input_current.between(5.0, 5.99),
        "rate_hz",
        lambda hz: hz * 1.12,
    ),
    changed(
        "fig2b",
        "points_scatter",
        "no scatter at one current",
        lambda t: (t.coding == "poisson_count") & (t.input_current == 5.0),
        "rate_hz",
        lambda hz: hz * 0 + 118.0,
    ),
    changed(
        "fig2b",
        "constant_current_gives_the_rate",
        "too fast at one current",
        lambda t: (t.coding == "lif_constant_current") & (t.input_current == 10.0),
        "rate_hz",
        lambda hz: hz + 30.0,
    ),
    changed(
        "fig2c",
        "scaled_rate_is_like_relu",
        "scaled twice, so that the unscaled rate is nearer",
        lambda t: t.curve == "scaled_soft_rate",
        "value",
        lambda v: v * 0.05,
    ),
    changed(
        "fig2c",
        "scaled_derivative_is_like_relu",
        "a flat derivative",
        lambda t: t.curve == "scaled_soft_rate_derivative",
        "value",
        lambda v: v * 0 + 0.05,
    ),
    changed(
        "fig2c",
        "other_scales_are_worse",
        "twice too large",
        lambda t: t.curve == "scaled_soft_rate",
        "value",
        lambda v: v * 2.0,
    ),
    changed(
        "claim.poisson_noise",
        "noise_is_relatively_large",
        "half the noise at the higher rate",
        lambda t: t.rate_hz == 250.0,
        "standard_error_hz",
        lambda hz: hz / 2.0,
    ),
)
SHIFTS = {"claim.alpha_filter_tau": scale("claim.alpha_filter_tau", "tau_s", 1.2)}
