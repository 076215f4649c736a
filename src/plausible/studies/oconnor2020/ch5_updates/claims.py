"""What was found on the pictures of update rules; theorems stand in the table of theorems."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from plausible.learning.pd_updates import RULES
from plausible.reproduction.evidence import Evidence, Measured


def _exact(values: pd.Series, controls: Mapping[str, pd.Series], protocol: str = "") -> Measured:
    """One value per seed, of which each must respect the bound."""
    size = len(values)
    return Measured(protocol, values, seeded=False, exact_seeds=size, controls=controls)


def _single(off: Callable[[str], float]) -> Measured:
    """A deviation of formulas, and that with another code on one side."""
    controls = {"unequal_codes": [off("unequal")]}
    return Measured("", [off("change")], seeded=False, controls=controls)


def _areas(evidence: Evidence, kind: str, column: str) -> pd.DataFrame:
    columns = ("element", "seed", f"{kind}_area", f"{kind}_formula", column)
    frame = evidence.table("ch5.fig5.3", *columns)
    return frame[frame["element"] == "area"].set_index("seed")


def past_area(evidence: Evidence) -> list[Measured]:
    """Sum of the product since the last spike, against the formula."""
    ones = _areas(evidence, "past", "undecayed_area")
    area = ones["past_area"]
    controls = {"decay_left_out": (ones["undecayed_area"] / area - 1.0).abs()}
    return [_exact((ones["past_formula"] / area - 1.0).abs(), controls)]


def future_area(evidence: Evidence) -> list[Measured]:
    """Sum over time of the product that decays, against the formula."""
    ones = _areas(evidence, "future", "printed_future")
    area = ones["future_area"]
    controls = {"sign_as_printed": (ones["printed_future"] / area - 1.0).abs()}
    return [_exact((ones["future_formula"] / area - 1.0).abs(), controls)]


def _panels(evidence: Evidence) -> dict[str, pd.DataFrame]:
    """Rows of each panel of figure 5.4 by time difference."""
    columns = ("panel", "lag_steps", "change", "numerical", "unequal")
    frame = evidence.table("ch5.fig5.4", *columns)
    return {
        str(panel): rows.set_index("lag_steps").sort_index()
        for panel, rows in frame.groupby("panel")
    }


def past_and_future_mirror(evidence: Evidence) -> list[Measured]:
    """Asymmetry of the two panels, and their sum."""
    panels = _panels(evidence)

    def off(column: str) -> float:
        one, other = (panels[name][column].to_numpy() for name in ("same_sign", "opposite_sign"))
        parts = (one - one[::-1], other - other[::-1], one + other)
        return max(float(np.abs(part).max()) for part in parts)

    return [
        Measured("", [off("change")], seeded=False, controls={"unequal_codes": [off("unequal")]})
    ]


def kernel_decay(evidence: Evidence) -> list[Measured]:
    """Ratios of neighbours, outwards, against k_alpha."""
    columns = ("panel", "decay_difference", "unequal_decay_difference")
    frame = evidence.table("ch5.fig5.4", *columns)
    rows = frame[frame["panel"] == "same_sign"]
    controls = {"unequal_codes": [rows["unequal_decay_difference"].max()]}
    return [Measured("", [rows["decay_difference"].max()], seeded=False, controls=controls)]


def kernel_is_that_of_the_rule(evidence: Evidence) -> list[Measured]:
    """Formula against the past rule on one pair of spikes."""
    panels = _panels(evidence)

    def off(column: str) -> float:
        both = [panels[name] for name in ("same_sign", "opposite_sign")]
        return max(float((rows[column] - rows["numerical"]).abs().max()) for rows in both)

    return [
        Measured("", [off("change")], seeded=False, controls={"unequal_codes": [off("unequal")]})
    ]


def stdp_antisymmetric(evidence: Evidence) -> list[Measured]:
    """The classic rule and its mirror image."""
    rows = _panels(evidence)["classic"]

    def off(column: str) -> float:
        values = rows[column].to_numpy()
        return float(np.abs(values + values[::-1]).max())

    return [
        Measured("", [off("change")], seeded=False, controls={"unequal_codes": [off("unequal")]})
    ]


def _ends(evidence: Evidence, *columns: str) -> pd.DataFrame:
    """Sums of the four rules and what else is told of each seed."""
    frame = evidence.table("fig_c1", "element", "seed", *RULES, *columns)
    return frame[frame["element"] == "end"].set_index("seed")


def same_final_value(evidence: Evidence) -> list[Measured]:
    """Ends of the four rules against that of the reconstructions, in right and printed forms."""
    printed = ["printed_past", "printed_future"]
    ends = _ends(evidence, *printed, "middle_difference")
    exact = ends["reconstruction"]

    def off(columns: list[str]) -> pd.Series:
        return ends[columns].sub(exact, axis=0).abs().max(axis=1) / exact.abs()

    controls = {"before_the_end": ends["middle_difference"]}
    return [
        _exact(off(printed), controls, "as_published"),
        _exact(off(list(RULES)), controls, "corrected"),
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
