"""Checks on neurons and coding: figures 2a, 2b, 2c, the alpha filter, Poisson noise.

Statements about curves are exact: every point of the table must satisfy them. Statements about
noise name their statistics in the docstring.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from plausible.measure.slopes import log_slope
from plausible.reproduction.evidence import (
    Evidence,
    Outcome,
    by_protocol,
    judge,
    outcome_of,
    outcome_of_all,
)

SIMULATION_STEP_S = 0.001
"""Time step of the LIF simulations of figure 2b."""
RESOLVABLE_GAMMAS = 10.0
"""softplus(x) differs from max(0, x) by more than float64 rounding for |x| up to 10 gamma."""
KERNEL_PROTOCOL = {
    "printed": "as_published",
    "author_spacing": "as_coded",
    "unit_area": "corrected",
}
CODING_PROTOCOL = {"poisson_count": "as_coded", "lif_simulation": "as_published"}
"""The author's picture counts Poisson spikes; its caption promises a simulated neuron."""


def curves_2a(evidence: Evidence) -> pd.DataFrame:
    """Figure 2a's table."""
    columns = ("protocol", "curve", "softplus_gamma", "input_current", "rate_hz")
    return evidence.table("fig2a", *columns)


def hard_curve(frame: pd.DataFrame) -> pd.Series:
    """LIF rate of eq. 37 in Hz by input current."""
    return frame[frame["curve"] == "lif_rate"].set_index("input_current")["rate_hz"].sort_index()


def soft_curves(frame: pd.DataFrame) -> dict[float, pd.Series]:
    """Smoothed rates of eq. 38 in Hz by input current, for every gamma, the largest first."""
    soft = frame[frame["curve"] == "soft_rate"]
    wide = soft.pivot(index="input_current", columns="softplus_gamma", values="rate_hz")
    return {float(gamma): wide[gamma] for gamma in wide.columns[::-1]}


def zero_below_threshold(evidence: Evidence) -> list[Outcome]:
    """Exact: the largest r(j) at j <= 1 is 0."""
    outcomes = []
    for protocol, frame in by_protocol(curves_2a(evidence)):
        largest, note = float(hard_curve(frame).loc[:1.0].max()), "largest rate at j <= 1, Hz"
        outcomes.append(Outcome(protocol, largest == 0.0, largest, note=note))
    return outcomes


def soft_above_hard(evidence: Evidence) -> list[Outcome]:
    """Strictly above where float64 can tell (|j - 1| <= 10 gamma), nowhere below its rounding."""
    outcomes = []
    for protocol, frame in by_protocol(curves_2a(evidence)):
        hard = hard_curve(frame)
        near, elsewhere = [], []
        for gamma, soft in soft_curves(frame).items():
            difference = soft - hard
            resolvable = np.abs(difference.index - 1.0) <= RESOLVABLE_GAMMAS * gamma
            near.append(difference[resolvable].min())
            elsewhere.append((difference / np.maximum(hard, 1.0)).min())
        smallest = float(min(near))
        holds = smallest > 0.0 and min(elsewhere) >= -1e-12
        note = "smallest r_rho - r within 10 gamma of the threshold, Hz"
        outcomes.append(Outcome(protocol, holds, smallest, note=note))
    return outcomes


def soft_tends_to_hard(evidence: Evidence) -> list[Outcome]:
    """Exact: the distance away from the threshold shrinks with gamma and ends below the bound."""
    bound, gamma_wanted, away = (
        evidence.bound("soft_tends_to_hard", key)
        for key in ("difference_hz", "softplus_gamma", "distance_from_threshold")
    )
    outcomes = []
    for protocol, frame in by_protocol(curves_2a(evidence)):
        curves = soft_curves(frame)
        if len(curves) < 2:
            continue
        hard = hard_curve(frame)
        far = np.abs(hard.index - 1.0) >= away
        distances = {gamma: float((soft - hard)[far].abs().max()) for gamma, soft in curves.items()}
        shrinking = all(a >= b for a, b in pairwise(distances.values()))
        last = distances.get(gamma_wanted, np.nan)
        listed = ", ".join(f"gamma {gamma:g}: {value:.3g}" for gamma, value in distances.items())
        holds, note = shrinking and last < bound, f"largest distance, Hz: {listed}"
        outcomes.append(Outcome(protocol, holds, last, note=note))
    return outcomes


def below_ceiling(evidence: Evidence) -> list[Outcome]:
    """Exact: no rate of either curve reaches 1/t_ref."""
    ceiling, note = evidence.bound("below_ceiling", "rate_hz"), "largest rate in the picture, Hz"
    curves = by_protocol(curves_2a(evidence))
    largest = {protocol: float(rows["rate_hz"].max()) for protocol, rows in curves}
    return [Outcome(name, rate < ceiling, rate, note=note) for name, rate in largest.items()]


def slope_at_threshold(evidence: Evidence) -> list[Outcome]:
    """Forward differences from the last point at j <= 1 over 8, 4, 2 and 1 grid steps.

    Of r they must grow with every halving, by more than half in total; of r_rho they must stay
    below its finite slope bound tau_RC / (gamma t_ref^2) and change by less from 2 steps to 1 than
    those of r do.
    """
    lif = evidence.entry["settings"]
    outcomes = []
    for protocol, frame in by_protocol(curves_2a(evidence)):
        hard = _forward_slopes(hard_curve(frame))
        growing = bool(np.all(np.diff(hard) > 0)) and hard[-1] > 1.5 * hard[0]
        finite = True
        for gamma, soft in soft_curves(frame).items():
            slopes = _forward_slopes(soft)
            bound = lif["tau_rc_s"] / (gamma * lif["t_ref_s"] ** 2)
            finite &= bool(slopes.max() < bound)
            step = soft.index[1] - soft.index[0]
            if gamma >= 5.0 * step:  # smaller ones are not resolved by the grid of the picture
                finite &= bool(slopes[-1] * hard[-2] < hard[-1] * slopes[-2])
        note = "slope of r over one grid step, Hz per unit current; over 8, 4, 2, 1 steps: "
        note += ", ".join(f"{slope:.0f}" for slope in hard)
        outcomes.append(Outcome(protocol, growing and finite, float(hard[-1]), note=note))
    return outcomes


def _forward_slopes(curve: pd.Series) -> np.ndarray:
    current, rate = curve.index.to_numpy(), curve.to_numpy()
    start = int(np.searchsorted(current, 1.0, side="right")) - 1
    steps = np.array([8, 4, 2, 1])
    return (rate[start + steps] - rate[start]) / (current[start + steps] - current[start])


def simulated_2b(evidence: Evidence) -> pd.DataFrame:
    """Figure 2b's table."""
    columns = ["coding", "input_rate_hz", "repetition", "input_current", "rate_hz"]
    return evidence.table("fig2b", *columns, "theoretical_rate_hz", "duration_s")


def _noisy_codings(frame: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Protocol, variant and rows of each coding with noise."""
    parts = []
    for coding, protocol in CODING_PROTOCOL.items():
        rows = frame[frame["coding"] == coding]
        for rate, part in rows.groupby(rows["input_rate_hz"].fillna(0.0)):
            name = coding.replace("_", " ") + (f", input {rate:g} Hz" if rate else "")
            parts.append((protocol, name, part))
    return parts


def mean_follows_theory(evidence: Evidence) -> list[Outcome]:
    """Largest relative deviation of the mean over repetitions, at any current of the range."""
    percent, low, high = (
        evidence.bound("mean_follows_theory", key)
        for key in ("percent", "current_from", "current_to")
    )
    outcomes = []
    for protocol, variant, part in _noisy_codings(simulated_2b(evidence)):
        part = part[part["input_current"].between(low, high)]
        means = part.groupby("input_current")[["rate_hz", "theoretical_rate_hz"]].mean()
        deviation = 100.0 * (means["rate_hz"] / means["theoretical_rate_hz"] - 1.0).abs()
        note = (
            f"largest deviation of the mean, percent (at j = {deviation.idxmax():.3g}; mean over "
            f"the currents {deviation.mean():.2g})"
        )
        largest = float(deviation.max())
        outcomes.append(Outcome(protocol, largest < percent, largest, note=note, variant=variant))
    return outcomes


def points_scatter(evidence: Evidence) -> list[Outcome]:
    """Standard deviation over repetitions, averaged over the currents above threshold."""
    outcomes = []
    for protocol, variant, part in _noisy_codings(simulated_2b(evidence)):
        part = part[part["theoretical_rate_hz"] > 0.0]
        spread = float(part.groupby("input_current")["rate_hz"].std(ddof=1).mean())
        note = "standard deviation over repetitions, Hz"
        outcomes.append(Outcome(protocol, spread > 0.0, spread, note=note, variant=variant))
    return outcomes


def constant_current_gives_the_rate(evidence: Evidence) -> list[Outcome]:
    """Exact: |difference| <= 1/T + r^2 dt, since one step per interval 1/r changes r by r^2 dt."""
    frame = simulated_2b(evidence)
    frame = frame[frame["coding"] == "lif_constant_current"]
    rate = frame["theoretical_rate_hz"]
    allowed = 1.0 / frame["duration_s"] + rate**2 * SIMULATION_STEP_S
    ratio = float(((frame["rate_hz"] - rate).abs() / allowed).max())
    note = "largest |difference| as a fraction of what is allowed"
    return [Outcome("corrected", ratio <= 1.0, ratio, note=note)]


def scaled_rate_is_like_relu(evidence: Evidence) -> list[Outcome]:
    """Exact: both the mean distance and the mean slope lie within the published bounds."""
    largest, first, last, low, high = (
        evidence.bound("scaled_rate_is_like_relu", key)
        for key in ("distance", "current_from", "current_to", "slope_above", "slope_below")
    )
    outcomes = []
    for protocol, part in by_protocol(curves_2c(evidence)):
        wide = part.pivot(index="input", columns="curve", values="value")
        scaled = wide["scaled_soft_rate"]
        distance = float((scaled - wide["relu"]).abs().mean())
        ends = np.interp([first, last], scaled.index, scaled)
        slope = float((ends[1] - ends[0]) / (last - first))
        for variant, holds, value, note in (
            ("distance", distance < largest, distance, "mean |0.05 r - ReLU|"),
            ("slope", low < slope < high, slope, f"mean slope on [{first:g}, {last:g}]"),
        ):
            outcomes.append(Outcome(protocol, holds, value, note=note, variant=variant))
    return outcomes


def curves_2c(evidence: Evidence) -> pd.DataFrame:
    """Figure 2c's table."""
    return evidence.table("fig2c", "protocol", "curve", "input", "value")


def sweep_is_reported(evidence: Evidence) -> list[Outcome]:
    """The sweep must enclose the published constant and hold its error; interval over seeds."""
    wanted = evidence.entry["values"]["tau_s_s"]
    outcomes = []
    for protocol, variant, part in filters(evidence):
        means = part.groupby("tau_s")["error_hz"].mean()
        at = part[np.isclose(part["tau_s"], wanted, rtol=1e-6, atol=0.0)]
        enclosed = means.index.min() < wanted < means.index.max()
        best, least = float(means.idxmin()), float(means.min())
        note = f"error in Hz at {wanted * 1e3:g} ms; minimum {least:.3g} Hz at {best * 1e3:.3g} ms"
        holds = bool(enclosed and len(at) and np.isfinite(at["error_hz"]).all())
        judged = judge(at["error_hz"]) if len(at) else judge([np.nan])
        outcome = outcome_of(judged, protocol, note, variant=variant)
        outcomes.append(outcome._replace(holds=holds, decided=True))
    return outcomes


def filters(evidence: Evidence) -> list[tuple[str, str, pd.DataFrame]]:
    """Protocol, variant and rows of each kernel and criterion of the sweep of time constants."""
    columns = ("kernel", "criterion", "tau_s", "error_hz", "seed")
    frame = evidence.table("claim.alpha_filter_tau", *columns)
    return [
        (KERNEL_PROTOCOL[str(kernel)], f"{kernel}, {criterion}".replace("_", " "), part)
        for (kernel, criterion), part in frame.groupby(["kernel", "criterion"])
    ]


def noise_falls_with_the_square_root(evidence: Evidence) -> list[Outcome]:
    """Slope of log standard error over log duration, one per rate and seed; interval over seeds."""
    columns = ("rate_hz", "duration_s", "seed", "standard_error_hz")
    frame = evidence.table("claim.poisson_noise", *columns)
    slope, margin = (
        evidence.bound("noise_falls_with_the_square_root", key) for key in ("slope", "margin")
    )
    judged = {}
    for rate, part in frame.groupby("rate_hz"):
        slopes = [
            log_slope(rows["duration_s"], rows["standard_error_hz"])
            for _, rows in part.groupby("seed")
        ]
        judged[f"{rate:g} Hz"] = judge(slopes, slope - margin, slope + margin, strict=False)
    return [outcome_of_all(judged, "", "log-log slope")]
