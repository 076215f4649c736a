"""What was measured on neurons and coding: figures 2a to 2c, the alpha filter, Poisson noise."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, Number, by_protocol

SIMULATION_STEP_S = 0.001
"""Time step of the LIF simulations of figure 2b."""
CEILING_HZ = 250.0
"""1/t_ref."""
RESOLVABLE_GAMMAS = 10.0
"""softplus(x) differs from max(0, x) by more than float64 rounding for |x| up to 10 gamma."""
FROM_CURRENT, TO_CURRENT = 1.5, 10.0
"""Currents at which figure 2b's rates are compared."""
WINDOW_S = 1.0
"""Time over which figure 2b counts spikes."""
KERNEL_PROTOCOL = {
    "printed": "as_published",
    "author_spacing": "as_coded",
    "unit_area": "corrected",
}
CODING_PROTOCOL = {"poisson_count": "as_coded", "lif_simulation": "corrected"}
"""The author's picture counts Poisson spikes; its caption promises a simulated neuron."""
INPUT_RATE_HZ = 250.0
"""Largest rate of eq. 39; the table also has a larger one, which is drawn."""


def zero_below_threshold(evidence: Evidence) -> list[Measured]:
    """Largest r(j) at j <= 1 in Hz."""
    return [
        Measured(protocol, hard.loc[:1.0].max(), seeded=False)
        for protocol, hard, _ in _curves(evidence)
    ]


def soft_above_hard(evidence: Evidence) -> list[Measured]:
    """Smallest (r_rho - r) / 250 Hz of every gamma."""
    return [
        Measured(
            protocol, [((soft - hard) / CEILING_HZ).min() for soft in curves.values()], seeded=False
        )
        for protocol, hard, curves in _curves(evidence)
    ]


def soft_above_hard_near_threshold(evidence: Evidence) -> list[Measured]:
    """Smallest r_rho - r in Hz within 10 gamma of the threshold, of every gamma."""
    return [
        Measured(
            protocol,
            [
                (soft - hard)[np.abs(hard.index - 1.0) <= RESOLVABLE_GAMMAS * gamma].min()
                for gamma, soft in curves.items()
            ],
            seeded=False,
        )
        for protocol, hard, curves in _curves(evidence)
    ]


def _curves(evidence: Evidence) -> Iterator[tuple[str, pd.Series, dict[float, pd.Series]]]:
    """Protocol, LIF rate and smoothed rates by gamma of figure 2a, in Hz by input current."""
    columns = ("protocol", "curve", "softplus_gamma", "input_current", "rate_hz")
    for protocol, frame in by_protocol(evidence.table("fig2a", *columns)):
        wide = frame.pivot(
            index="input_current", columns=["curve", "softplus_gamma"], values="rate_hz"
        )
        yield protocol, wide["lif_rate"].iloc[:, 0], dict(wide["soft_rate"].items())


def mean_follows_theory(evidence: Evidence) -> list[Measured]:
    """Relative deviation from r(j), a mean over each unit of current, one for each repetition."""
    return [
        Measured(
            protocol,
            {
                f"j from {low:g}": rows.groupby("repetition")["relative"].mean() - 1.0
                for low, rows in part.groupby("band")
            },
        )
        for protocol, part in _noisy_rates(evidence)
    ]


def points_scatter(evidence: Evidence) -> list[Measured]:
    """Standard deviation over repetitions relative to r(j), smallest over the currents."""
    return [
        Measured(protocol, part.groupby("input_current")["relative"].std().min(), seeded=False)
        for protocol, part in _noisy_rates(evidence)
    ]


def _noisy_rates(evidence: Evidence) -> Iterator[tuple[str, pd.DataFrame]]:
    """Protocol and rows of each coding with noise: rates relative to r(j), with bands.

    A band is a unit of current, named by its lowest.
    """
    frame = _simulated(evidence)
    frame = frame[frame["input_current"].between(FROM_CURRENT, TO_CURRENT)]
    frame = frame[frame["input_rate_hz"].fillna(INPUT_RATE_HZ) == INPUT_RATE_HZ]
    frame = frame.assign(
        relative=frame["rate_hz"] / frame["theoretical_rate_hz"],
        band=np.floor(frame["input_current"]).clip(FROM_CURRENT, TO_CURRENT - 1.0),
    )
    for coding, protocol in CODING_PROTOCOL.items():
        yield protocol, frame[frame["coding"] == coding]


def constant_current_gives_the_rate(evidence: Evidence) -> list[Measured]:
    """|difference| / (1/T + r^2 dt) at every current."""
    frame = _simulated(evidence)
    frame = frame[frame["coding"] == "lif_constant_current"]
    rate = frame["theoretical_rate_hz"]
    allowed = 1.0 / frame["duration_s"] + rate**2 * SIMULATION_STEP_S
    return [Measured("", (frame["rate_hz"] - rate).abs() / allowed, seeded=False)]


def _simulated(evidence: Evidence) -> pd.DataFrame:
    """Figure 2b's table."""
    columns = ["coding", "input_rate_hz", "repetition", "input_current", "rate_hz"]
    return evidence.table("fig2b", *columns, "theoretical_rate_hz", "duration_s")


def scaled_rate_is_like_relu(evidence: Evidence) -> list[Measured]:
    """Mean |s r - ReLU| over mean |r - ReLU|."""
    return _nearer(evidence, "scaled_soft_rate", "relu")


def scaled_derivative_is_like_relu(evidence: Evidence) -> list[Measured]:
    """Mean |s r' - ReLU'| over mean |r' - ReLU'|."""
    return _nearer(evidence, "scaled_soft_rate_derivative", "relu_derivative")


def _nearer(evidence: Evidence, ours: str, goal: str) -> list[Measured]:
    """Distance to a curve of ReLU over that of the unscaled rate."""
    scale = evidence.entry["values"]["scale"]
    return [
        Measured(
            protocol,
            _distance(wide, ours, goal) / _distance(wide, ours, goal, 1.0 / scale),
            seeded=False,
        )
        for protocol, wide in _curves_2c(evidence)
    ]


def other_scales_are_worse(evidence: Evidence) -> list[Measured]:
    """Mean |s r - ReLU| over the smaller one at half and twice the scale s."""
    names = ("scaled_soft_rate", "relu")
    return [
        Measured(
            protocol,
            _distance(wide, *names) / min(_distance(wide, *names, by) for by in (0.5, 2.0)),
            seeded=False,
        )
        for protocol, wide in _curves_2c(evidence)
    ]


def _distance(wide: pd.DataFrame, ours: str, goal: str, by: float = 1.0) -> float:
    return float((by * wide[ours] - wide[goal]).abs().mean())


def _curves_2c(evidence: Evidence) -> Iterator[tuple[str, pd.DataFrame]]:
    """Protocol and curves of figure 2c by input."""
    table = evidence.table("fig2c", "protocol", "curve", "input", "value")
    for protocol, part in by_protocol(table):
        yield protocol, part.pivot(index="input", columns="curve", values="value")


def numbers_of_claim_alpha_filter_tau(evidence: Evidence) -> list[Number]:
    """Time constant of least error of every kernel (a protocol) and criterion, one per seed."""
    columns = ("kernel", "criterion", "tau_s", "error_hz", "seed")
    frame = evidence.table("claim.alpha_filter_tau", *columns)
    published, numbers = evidence.entry["values"]["tau_s_s"], []
    for (kernel, criterion), part in frame.groupby(["kernel", "criterion"]):
        best = part.loc[part.groupby("seed")["error_hz"].idxmin(), "tau_s"]
        errors = part.groupby("tau_s")["error_hz"].mean()
        at = float(np.interp(published, errors.index, errors))
        note = f"error at {published * 1e3:g} ms {at:.3g} Hz, least {errors.min():.3g} Hz"
        variant = str(criterion).replace("_", " ")
        protocol = KERNEL_PROTOCOL[str(kernel)]
        numbers.append(Number("tau_s_s", protocol, tuple(best), variant, note))
    return numbers


def noise_is_relatively_large(evidence: Evidence) -> list[Measured]:
    """Relative standard deviation of a rate that is counted as long as figure 2b does, per seed."""
    columns = ("rate_hz", "duration_s", "seed", "standard_error_hz")
    frame = evidence.table("claim.poisson_noise", *columns)
    frame = frame[np.isclose(frame["duration_s"], WINDOW_S)]
    return [
        Measured(
            "",
            {
                f"{rate:g} Hz": part["standard_error_hz"] / rate
                for rate, part in frame.groupby("rate_hz")
            },
        )
    ]
