"""What was found on the pictures of chapter 6; theorems stand in the table of theorems."""

import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured


def _per_seed(evidence: Evidence, column: str) -> list[Measured]:
    """One number of each seed, for the fastest rise; the fastest fall is the control."""
    frame = evidence.table("ch6.fig6.2", "element", "slope_hz_per_s", "seed", column)
    ones = frame[frame["element"] == "mean"].set_index("slope_hz_per_s")
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
    frame = evidence.table("ch6.fig6.4", "kernel", "deviation", "late_deviation")
    rows = frame[frame["kernel"] == kernel]
    off, late = rows["deviation"].to_numpy(float), rows["late_deviation"]
    found = off.max() if len(off) else float("nan")
    return [Measured("", [found], seeded=False, controls={"one_step_late": [late.max()]})]


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


def _ends(evidence: Evidence, *columns: str) -> pd.DataFrame:
    frame = evidence.table("ch6.fig6.5", "element", "seed", *columns)
    return frame[frame["element"] == "end"].set_index("seed")


def same_final_value(evidence: Evidence) -> list[Measured]:
    """Approximate dynamics and STDP at the end, of every seed; and half-way through."""
    ends = _ends(evidence, "final_difference", "early_difference")
    off = ends["final_difference"]
    controls = {"half_way": ends["early_difference"]}
    return [Measured("", off, seeded=False, exact_seeds=len(off), controls=controls)]


def follows_unquantized(evidence: Evidence) -> list[Measured]:
    """Correlation over time of the approximate trajectory with the exact one, by seed."""
    ends = _ends(evidence, "correlation", "other_correlation")
    controls = {"another_synapse": ends["other_correlation"]}
    return [Measured("", ends["correlation"], controls=controls)]
