"""Published numbers of figure 3 and of the supplement, and where our tables hold them."""

import pandas as pd

from plausible.reproduction.evidence import Evidence, Number
from plausible.reproduction.wording import quantity
from plausible.studies.song2020.ablation.grid import (
    FITTED_COLUMNS,
    FITTED_PROTOCOL,
    MEASURES,
    TABLES_DEPTH,
    TEST_COLUMN,
    WEIGHT_COLUMN,
    map_place,
    printed_order,
    published_maps,
    sigma_sweeps,
)

AT_T0 = "sigma_0"
"""Key of the cells without noise in the tables of the supplement."""


def numbers_of_fig3(evidence: Evidence) -> list[Number]:
    """A map for each network, quantity and reading; under `calibrated` without fitted columns."""
    found = []
    for protocol, measure, depth, cells in published_maps(evidence):
        note = ""
        if protocol == FITTED_PROTOCOL:
            columns = printed_order(evidence.published, depth)
            fitted = {str(columns.index(t)) for t in FITTED_COLUMNS}
            cells = {
                place: runs
                for place, runs in cells.items()
                if place.rpartition(".")[2] not in fitted
            }
            note = f"columns t = {' and '.join(FITTED_COLUMNS)} left out: it was fitted on them"
        if cells:
            label = f"{MEASURES[measure].label}, l_max {depth}"
            given = {"variant": MEASURES[measure].variant, "note": note, "label": label}
            found.append(Number(map_place(measure, depth), protocol, cells, **given))
    return found


def numbers_of_supp_table1(evidence: Evidence) -> list[Number]:
    """Both rows of the table for both kinds of noise."""
    return [
        *_over_sigma(evidence, "divergence_of_test_error", TEST_COLUMN),
        *_over_sigma(evidence, "divergence_of_final_weights", WEIGHT_COLUMN),
    ]


def numbers_of_supp_table2(evidence: Evidence) -> list[Number]:
    """Mean test error over the epochs for both kinds of noise.

    Not that without noise under `calibrated`, which was fitted on it.
    """
    return [
        number
        for number in _over_sigma(evidence, "test_error_fraction", "mean_test_error")
        if number.protocol != FITTED_PROTOCOL or not number.place.endswith(AT_T0)
    ]


def _over_sigma(evidence: Evidence, key: str, column: str) -> list[Number]:
    values = evidence.entry["values"]
    numbers: dict[tuple[str, str, str], Number] = {}
    for protocol, noise, frame in sigma_sweeps(evidence):
        by_sigma = {f"{sigma:.9g}": rows for sigma, rows in frame.groupby("sigma")}
        for name in values[key]:
            sigma = values["sigma"][name]
            rows = by_sigma.get(f"{sigma:.9g}", frame.iloc[:0])
            network = rows[rows["l_max"] == TABLES_DEPTH]
            if network.empty:
                continue
            # The run without noise is one run; it is given once.
            variant = f"{noise} noise" if sigma else ""
            runs = tuple(network.sort_values("seed")[column].astype(float))
            label = f"{quantity(key)} at sigma {sigma:g}"
            given = {"variant": variant, "note": _others(rows, column), "label": label}
            place = f"{key}.{name}"
            numbers.setdefault((place, protocol, variant), Number(place, protocol, runs, **given))
    return list(numbers.values())


def _others(rows: pd.DataFrame, column: str) -> str:
    """Means of the networks, of which one is compared."""
    means = rows.groupby("l_max")[column].mean()
    others = ", ".join(f"l_max {d} {value:.4g}" for d, value in means.items() if d != TABLES_DEPTH)
    return f"l_max {TABLES_DEPTH}" + (f"; {others}" if others else "")
