"""What was found on the pictures of update rules; theorems stand in the table of theorems."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured


def _exact(values: pd.Series, controls: Mapping[str, pd.Series], protocol: str = "") -> Measured:
    """One value per seed, of which each must respect the bound."""
    size = len(values)
    return Measured(protocol, values, seeded=False, exact_seeds=size, controls=controls)


def _areas(evidence: Evidence, column: str, control: str, broken: str) -> list[Measured]:
    frame = evidence.table("ch5.fig5.3", "element", "seed", column, broken)
    ones = frame[frame["element"] == "area"].set_index("seed")
    return [_exact(ones[column], {control: ones[broken]})]


def past_area(evidence: Evidence) -> list[Measured]:
    """Sum of the product since the last spike, against the formula."""
    return _areas(evidence, "past_difference", "decay_left_out", "undecayed_difference")


def future_area(evidence: Evidence) -> list[Measured]:
    """Sum over time of the product that decays, against the formula."""
    return _areas(evidence, "future_difference", "sign_as_printed", "printed_difference")


PAIRS = ("same_sign", "opposite_sign")
"""Panels of figure 5.4 that show pairs of spikes."""


def _panels(
    evidence: Evidence, panels: tuple[str, ...], column: str, *further: str
) -> list[Measured]:
    """Largest entry of a column of figure 5.4 (of further ones too); with unequal codes."""
    unequal = f"unequal_{column}"
    frame = evidence.table("ch5.fig5.4", "panel", column, *further, unequal)
    rows = frame[frame["panel"].isin(panels)]
    found = rows[[column, *further]].to_numpy(float).max()
    controls = {"unequal_codes": [rows[unequal].max()]}
    return [Measured("", [found], seeded=False, controls=controls)]


def past_and_future_mirror(evidence: Evidence) -> list[Measured]:
    """Asymmetry of the rule in the two panels, and their sum."""
    return _panels(evidence, PAIRS, "asymmetry", "mirror_difference")


def kernel_decay(evidence: Evidence) -> list[Measured]:
    """Ratios of neighbours, outwards, against k_alpha."""
    return _panels(evidence, PAIRS[:1], "decay_difference")


def kernel_is_that_of_the_rule(evidence: Evidence) -> list[Measured]:
    """Formula against the past rule on one pair of spikes."""
    return _panels(evidence, PAIRS, "numerical_difference")


def stdp_antisymmetric(evidence: Evidence) -> list[Measured]:
    """The classic rule and its mirror image."""
    return _panels(evidence, ("classic",), "asymmetry")


def _ends(evidence: Evidence, *columns: str) -> pd.DataFrame:
    """What is told of each seed."""
    frame = evidence.table("fig_c1", "element", "seed", *columns)
    return frame[frame["element"] == "end"].set_index("seed")


def same_final_value(evidence: Evidence) -> list[Measured]:
    """Ends of the four rules against that of the reconstructions, in right and printed forms."""
    ends = _ends(evidence, "final_difference", "printed_difference", "middle_difference")
    controls = {"before_the_end": ends["middle_difference"]}
    return [
        _exact(ends["printed_difference"], controls, "as_published"),
        _exact(ends["final_difference"], controls, "corrected"),
    ]


def differ_before_the_end(evidence: Evidence) -> list[Measured]:
    """Past and future over time, in units of the last value; and future and STDP."""
    ends = _ends(evidence, "past_and_future", "future_and_stdp")
    return [_exact(ends["past_and_future"], {"future_and_stdp": ends["future_and_stdp"]})]


def _cells(evidence: Evidence) -> pd.DataFrame:
    columns = ("element", "seed", "k_p", "k_d", "both_similarity", "number_of_spikes")
    frame = evidence.table("fig_c2", *columns)
    return frame[frame["element"] == "cell"].assign(distance=1.0 - frame["both_similarity"])


def error_high_in_corners(evidence: Evidence) -> list[Measured]:
    """Two differences of distances, by seed."""
    cells = _cells(evidence)
    inner = cells[(cells["k_p"] > 0) & (cells["k_d"] > 0)]
    k_ps, k_ds = (np.sort(inner[name].unique()) for name in ("k_p", "k_d"))
    column = inner.groupby(["seed", "k_d"])["distance"].mean().unstack()
    top = inner[inner["k_d"] == k_ds[-1]].pivot(index="seed", columns="k_p", values="distance")
    quantities = {
        "small k_d": column[k_ds[0]] - column[k_ds[len(k_ds) // 2]],
        "k_d much larger than k_p": top[k_ps[0]] - top[k_ps[-1]],
    }
    return [Measured("", quantities)]


def spikes_grow_with_coefficients(evidence: Evidence) -> list[Measured]:
    """Log-log slopes of the number of spikes, by seed."""
    cells = _cells(evidence)
    inner = cells[(cells["k_p"] > 0) & (cells["k_d"] > 0)]

    def slopes(name: str) -> list[float]:
        means = inner.groupby(["seed", name])["number_of_spikes"].mean().unstack()
        return [
            float(np.polyfit(np.log(means.columns.to_numpy(float)), np.log(row), 1)[0])
            for row in means.to_numpy(float)
        ]

    return [Measured("", {"k_p": slopes("k_p"), "k_d": slopes("k_d")})]


def both_coefficients_best(evidence: Evidence) -> list[Measured]:
    """Least distance on the axes less that beyond them, at no more spikes than the median."""
    cells, found = _cells(evidence), []
    for _, rows in cells.groupby("seed"):
        inner = (rows["k_p"] > 0) & (rows["k_d"] > 0)
        budget = float(rows.loc[inner, "number_of_spikes"].median())
        cheap = rows["number_of_spikes"] <= budget
        least = [rows.loc[cheap & side, "distance"].min() for side in (~inner, inner)]
        found.append(float(least[0] - least[1]))
    return [Measured("", found, note="spikes: at most the median of the grid")]
