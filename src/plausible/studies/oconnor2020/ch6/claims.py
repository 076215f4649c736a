"""What was found on the pictures of chapter 6; theorems stand in the table of theorems."""

import numpy as np
import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured


def _per_seed(evidence: Evidence, column: str) -> list[Measured]:
    """One number of each seed, for the fastest rise; the fastest fall is the control."""
    frame = evidence.table("ch6.fig6.2", "slope_hz_per_s", "seed", column)
    ones = frame.drop_duplicates(["slope_hz_per_s", "seed"]).set_index("slope_hz_per_s")
    rising, falling = (ones.loc[[slope], column] for slope in (ones.index.max(), ones.index.min()))
    return [Measured("", rising, controls={"falling_rate": falling})]


def rising_rate_spikes_after(evidence: Evidence) -> list[Measured]:
    """Spikes after less before the presynaptic spike, by seed."""
    return _per_seed(evidence, "after_less_before")


def stdp_follows_the_slope(evidence: Evidence) -> list[Measured]:
    """Mean change of the weight, by seed."""
    return _per_seed(evidence, "weight_change")


def drawn_blocks(evidence: Evidence) -> list[Measured]:
    """Largest deviation of a drawn block in each seed; with delays of two steps as control."""
    frame = evidence.table("ch6.fig6.3", "block", "seed", "deviation", "longer_delay")
    largest = frame.groupby("seed")[["deviation", "longer_delay"]].max()
    return [
        Measured(
            "",
            largest["deviation"],
            seeded=False,
            exact_seeds=len(largest),
            controls={"longer_delay": largest["longer_delay"]},
        )
    ]


def _kernel(evidence: Evidence, kernel: str) -> list[Measured]:
    """Formula against the numerical form, lag by lag; and the formula one step late."""
    frame = evidence.table("ch6.fig6.4", "kernel", "lag_steps", "formula", "numerical")
    rows = frame[frame["kernel"] == kernel].sort_values("lag_steps")
    formula, numerical = rows["formula"].to_numpy(), rows["numerical"].to_numpy()
    late = np.abs(formula[:-1] - numerical[1:]).max() if len(rows) else np.nan
    off = np.abs(formula - numerical).max() if len(rows) else np.nan
    return [Measured("", [off], seeded=False, controls={"one_step_late": [late]})]


def decoder_kernel(evidence: Evidence) -> list[Measured]:
    """First panel of figure 6.4."""
    return _kernel(evidence, "decoding")


def correlation_kernel(evidence: Evidence) -> list[Measured]:
    """Second panel."""
    return _kernel(evidence, "symmetric")


def difference_kernel(evidence: Evidence) -> list[Measured]:
    """Third panel."""
    return _kernel(evidence, "difference")


def stdp_kernel(evidence: Evidence) -> list[Measured]:
    """Fourth panel."""
    return _kernel(evidence, "stdp")


def _trajectories(evidence: Evidence) -> list[pd.DataFrame]:
    """Cumulative changes of each seed, step by step."""
    columns = ("dynamics", "approximate_dynamics", "stdp", "other_synapse", "pre")
    frame = evidence.table("ch6.fig6.5", "seed", "step", *columns)
    return [rows.sort_values("step") for _, rows in frame.groupby("seed")]


def same_final_value(evidence: Evidence) -> list[Measured]:
    """Approximate dynamics and STDP at the end, of every seed; and where the signals end."""
    ends, early = [], []
    for rows in _trajectories(evidence):
        apart = (rows["approximate_dynamics"] - rows["stdp"]).abs().to_numpy()
        ends.append(apart[-1])
        early.append(apart[np.flatnonzero(rows["pre"])[-1]])
    controls = {"before_the_silence": early}
    return [Measured("", ends, seeded=False, exact_seeds=len(ends), controls=controls)]


def follows_unquantized(evidence: Evidence) -> list[Measured]:
    """Correlation over time of the approximate trajectory with the exact one, by seed."""

    def correlations(column: str) -> list[float]:
        return [
            float(np.corrcoef(rows["approximate_dynamics"], rows[column])[0, 1])
            for rows in _trajectories(evidence)
        ]

    controls = {"another_synapse": correlations("other_synapse")}
    return [Measured("", correlations("dynamics"), controls=controls)]
