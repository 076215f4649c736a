"""Song et al. 2020: what its pictures share: looks of the algorithms, selections, axes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from plausible.drawing.heat_maps import Scale
from plausible.drawing.over_seeds import draw_mean_points
from plausible.drawing.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    POSITIVE,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    look_of,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.texts import ALGORITHMS as NAMES
from plausible.studies.song2020.texts import moments

ALGORITHMS = {
    "bp_autograd": Look(NAMES["bp_autograd"], GREY, "X", (0, (6, 1.5, 1, 1.5))),
    "bp": Look(NAMES["bp"], BLUE, "o", (0, (4.5, 1.5))),
    "il": Look(NAMES["il"], ORANGE, "s", (0, (1.2, 1.2))),
    "il_repeated": Look(NAMES["il_repeated"], ORANGE, "P", (0, (4.5, 1.5))),
    "zil": Look(NAMES["zil"], VERMILLION, "D", "-"),
    "fazil": Look(NAMES["fazil"], GREEN, "^", (0, (1.2, 1.2))),
}
# Networks of 1, 2 and 3 hidden layers: l_max is the number of weight matrices.
DEPTHS = {
    2: Look("$l_{max}$ = 2", SKY, "o", (0, (1.2, 1.2))),
    3: Look("$l_{max}$ = 3", ORANGE, "s", (0, (4.5, 1.5))),
    4: Look("$l_{max}$ = 4", PURPLE, "^", "-"),
}
MARKERS = "osD^vPX*<>"
PUBLISHED_EPOCHS = 64


class Quantity(NamedTuple):
    """One of the two divergences of figure 3: where it stands and how it is coloured."""

    column: str
    published: str
    label: str
    scale: Scale


# Scales of the published figure (recovered.yaml).
TEST_ERROR = Quantity(
    "test_error_divergence_sum",
    "divergence_of_test_error",
    "divergence of test error\n(fraction, sum over epochs)",
    Scale("Blues", 50.38, (0, 0.15, 0.5, 1.5, 5, 15, 50), linear_below=0.15),
)
WEIGHTS = Quantity(
    "weight_divergence_sum",
    "divergence_of_final_weights",
    "divergence of final weights\n(Frobenius, sum over matrices)",
    Scale("Greens", 50.0, (0, 10, 20, 30, 40, 50)),
)
QUANTITIES = (TEST_ERROR, WEIGHTS)
"""The two rows of figure 3, by the reading of the text, which adds up the distances of the
matrices."""


def depth_look(l_max: int) -> Look:
    """Look of a network by its number of weight matrices."""
    return DEPTHS.get(int(l_max), Look(f"$l_{{max}}$ = {l_max}", GREY, "X", "-"))


def shown_protocol(table: pd.DataFrame, *wanted: str) -> str:
    """First of the wanted protocols that the table has, else its first; empty if it has none."""
    found = list(dict.fromkeys(table["protocol"].dropna()))
    return next((name for name in wanted if name in found), found[0] if found else "")


def protocol_label(name: str) -> str:
    """Name of a protocol for a label."""
    return look_of(name).label


def grid_rows(table: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """Rows of the (t, gamma) grid of one protocol, ``t`` as text."""
    chosen = table[(table["panel"] == "t_gamma") & (table["protocol"] == protocol)]
    return chosen.assign(t=moments(chosen["t"]), gamma=chosen["gamma"].astype(float))


def sigma_rows(table: pd.DataFrame, protocol: str, noise: str) -> pd.DataFrame:
    """Rows of the sigma sweep with one kind of noise; no noise belongs to every kind."""
    chosen = table[(table["panel"] == "sigma") & (table["protocol"] == protocol)]
    return chosen[chosen["noise"].fillna("none").isin([noise, "none"])]


def networks_of(table: pd.DataFrame) -> list[int]:
    """Values of l_max in a table."""
    return sorted(int(value) for value in table["l_max"].dropna().unique())


def ordered_looks(values: Sequence[object]) -> dict[object, Look]:
    """Looks of a series whose members have an order (gamma, tolerance): from light to dark."""
    colours = seaborn.color_palette("flare", max(len(values), 2)).as_hex()
    return {
        value: Look(f"{value:g}" if isinstance(value, float) else str(value), colour, marker, "-")
        for value, colour, marker in zip(values, colours, MARKERS, strict=False)
    }


def sigma_published(published: Published, quantity: Quantity) -> pd.Series:
    """Supplement table 1: a divergence by sigma, of a network whose depth is not stated."""
    values = published.values("supp.table1")
    divergences = pd.Series(values[quantity.published], dtype=float)
    return divergences.rename(index=values["sigma"])


def cells_published(published: Published, l_max: int, quantity: Quantity) -> pd.DataFrame:
    """Recovered cells of figure 3, gamma downwards and t to the right; empty if there are none."""
    values = published.recovered_values("fig3")
    panel = values[quantity.published].get(f"l_max_{l_max}")
    if panel is None:
        return pd.DataFrame()
    return pd.DataFrame(
        panel["rows"],
        index=[float(gamma) for gamma in values["gamma_rows"]],
        columns=panel["t_columns"],
        dtype=float,
    )


def draw_divergence(
    axes: Axes, rows: pd.DataFrame, at: str, value: str, look: Look, **options: Any
) -> None:
    """Mean over seeds at each place as a marker with its interval or seeds, joined by a line."""
    style = {"within": POSITIVE, "joined": True, "markersize": 3.2, **options}
    draw_mean_points(axes, rows, at, value, look, **style)


def zero_and_log(axes: Axes, which: str, linear_below: float, ticks: Sequence[float]) -> None:
    """Axis that is logarithmic above a value and linear below it, with plain numbers."""
    (axes.set_xscale if which == "x" else axes.set_yscale)(
        "symlog", linthresh=linear_below, linscale=0.5
    )
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks(list(ticks), [power_label(tick) for tick in ticks])
    axis.set_ticks([], minor=True)
    axis.set_minor_formatter(NullFormatter())


def power_ticks(low: float, high: float, step: int = 1) -> list[float]:
    """Powers of ten from ``low`` to ``high``, every ``step``-th of them."""
    powers = range(round(np.log10(low)), round(np.log10(high)) + 1, step)
    return [10.0**power for power in powers]


def power_label(value: float) -> str:
    """Plain number from 0.001 to 1000, a power of ten beyond."""
    if value == 0 or 1e-3 <= abs(value) <= 1e3:
        return f"{value:g}".replace("-", "−")
    sign, power = "−" if value < 0 else "", int(np.floor(np.log10(abs(value)) + 1e-9))
    return f"${sign}10^{{{power}}}$"
