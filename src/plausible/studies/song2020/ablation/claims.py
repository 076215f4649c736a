"""Published numbers of figure 3 and of the supplement, and where our tables hold them."""

import numpy as np
import pandas as pd

from plausible.measure.moments import moment_axis
from plausible.reproduction.evidence import Evidence, Number
from plausible.reproduction.wording import quantity
from plausible.studies.song2020.ablation.grid import (
    CALIBRATED,
    MEASURES,
    TEST,
    TEST_COLUMN,
    WEIGHT_COLUMN,
    WEIGHTS,
    WEIGHTS_NORM,
    cells,
    panels,
    published_depth,
    reading_scales,
    sigma_sweeps,
)

EXACT = "exact"
WITHOUT_NOISE = "exact_without_noise"


def numbers_of_fig3(evidence: Evidence) -> list[Number]:
    """Six numbers for each heat map: how far our cells are those that were printed.

    Weights are compared by both readings of their divergence: as a sum over the matrices (the
    text) and as one distance of all matrices.
    """
    numbers = []
    frame = cells(evidence)
    for (protocol, measure, depth), part in frame.groupby(
        ["protocol", "measure", "l_max"], sort=False
    ):
        numbers += _heat_map(evidence, str(protocol), str(measure), int(depth), part)
    return numbers


def _heat_map(
    evidence: Evidence, protocol: str, measure: str, depth: int, part: pd.DataFrame
) -> list[Number]:
    published, _, name, variant = MEASURES[measure]
    readable = part[part["deviation"].notna()]
    column = readable[(readable["t"] == "l") & (readable["gamma"] != 1.0)]

    def number(
        what: str, label: str, value: tuple[float, float | str], allowed: float | None, **more: str
    ) -> Number:
        stated, ours = value
        return Number(
            f"{published}.{what}",
            protocol,
            stated,
            ours if isinstance(ours, str) else (ours,),
            allowed,
            seeded=False,
            variant=", ".join(filter(None, (f"l_max {depth}", variant))),
            label=f"{name}: {label}",
            **more,
        )

    every_cell = {
        "tolerance_source": "every cell",
        "note": f"{len(part)} cells, means over {int(part['n'].max())} seeds",
    }
    median = {"tolerance_source": "median reading error"}
    top, places = _top_cells(part)
    found = [
        number(
            "within_reading",
            "fraction of the cells within the reading",
            (1.0, float(part["within_reading"].mean())),
            0.0,
            **every_cell,
        ),
        number(
            "within_scatter",
            "fraction within the reading and the scatter of the seeds",
            (1.0, float(part["within_scatter"].mean())),
            0.0,
            **every_cell,
        ),
        number(
            "median_deviation",
            "median relative deviation",
            (0.0, float(readable["deviation"].median())),
            _median_reading(evidence, measure, readable),
            note=f"{len(readable)} cells below the top of the scale, median of ours over published "
            f"{(readable['ours'] / readable['published']).median():.3g}; {_furthest(readable)}",
            **median,
        ),
        number(
            "zero_cells",
            "cells that are zero",
            (int((part["published"] == 0.0).sum()), int(part["zero"].sum())),
            0.0,
            tolerance_source=EXACT,
            note=_places(part[part["zero"]]),
        ),
        number("top_cells", "cells at the top of the scale", top, None, note=places),
    ]
    if len(column):
        # Backprop with rates of its own, without inference.
        every = part[(part["t"] == "l") & (part["gamma"] != 1.0)]
        listed = ", ".join(
            f"gamma {row.gamma:g} {row.ours:.3g} ({row.published:.3g})"
            for row in every.itertuples()
        )
        found.append(
            number(
                "median_deviation_at_l",
                "median relative deviation of the column t = l",
                (0.0, float(column["deviation"].median())),
                _median_reading(evidence, measure, column),
                note=f"ours (published): {listed}",
                **median,
            )
        )
    return found


def _furthest(readable: pd.DataFrame) -> str:
    if readable.empty:
        return ""
    worst = readable.loc[readable["deviation"].idxmax()]
    return (
        f"furthest: t = {worst['t']}, gamma = {worst['gamma']:g}, {worst['ours']:.3g} instead of "
        f"{worst['published']:.3g}"
    )


def _median_reading(evidence: Evidence, measure: str, readable: pd.DataFrame) -> float:
    scale = reading_scales(evidence.published)[measure]
    error = np.maximum(scale.relative, scale.absolute / readable["published"])
    return float(error.median()) if len(readable) else 0.0


def _top_cells(part: pd.DataFrame) -> tuple[tuple[str, str], str]:
    """Cells at the top of the scale: how many there are, and how many of ours are not printed so.

    In words, because two counts are compared at once.
    """
    stated, both = part["published_top"], part["published_top"] & part["top"]
    further = part[part["top"] & ~stated]
    text = f"{int(both.sum())}"
    if len(further):
        text += f" of these and {len(further)} others"
    lacking = part[stated & ~part["top"]]
    notes = []
    if len(lacking):
        notes.append(f"below the top here: {_places(lacking)}")
    if len(further):
        notes.append(f"at the top here only: {_places(further)}")
    return (f"{int(stated.sum())}", text), "; ".join(notes)


def _places(part: pd.DataFrame) -> str:
    return ", ".join(
        f"(t {t}, gamma {gamma:g})" for t, gamma in zip(part["t"], part["gamma"], strict=True)
    )


def numbers_of_claim_c2_c3_needed(evidence: Evidence) -> list[Number]:
    """Zero cells of every network, and the smallest other cell, against the recovered ones."""
    recovered = evidence.published.recovered_values("claim.c2_c3_needed")
    scales = reading_scales(evidence.published)
    test, weights = (
        f"smallest_non_zero_divergence_of_{name}" for name in ("test_error", "final_weights")
    )
    # Over all networks one test-error cell is the smallest; the number is that of its network.
    smallest = {
        (test, TEST, TEST_COLUMN): {_network_of_smallest(evidence): recovered[test]},
        (weights, WEIGHTS, WEIGHT_COLUMN): recovered[weights],
    }
    numbers = []
    for protocol, frame in panels(evidence, "t_gamma"):
        for depth, network in frame.groupby("l_max"):
            name = f"l_max_{depth}"
            means = network.groupby(["t", "gamma"])[[TEST_COLUMN, WEIGHT_COLUMN]].mean()
            numbers.append(
                Number(
                    "zero_cells_per_network",
                    protocol,
                    recovered["zero_cells_per_network"],
                    (int((means[TEST_COLUMN] == 0.0).sum()),),
                    0.0,
                    EXACT,
                    seeded=False,
                    variant=f"l_max {depth}",
                    label="cells that are zero",
                )
            )
            others = means.drop(("l", 1.0), errors="ignore")
            for (place, measure, column), stated in smallest.items():
                if name not in stated:
                    continue
                scale = scales[measure]
                numbers.append(
                    Number(
                        place if measure == TEST else f"{place}.{name}",
                        protocol,
                        stated[name],
                        (float(others[column].min()),),
                        max(scale.relative * stated[name], scale.absolute),
                        "reading error",
                        seeded=False,
                        label=f"smallest other {MEASURES[measure].label} divergence at l_max "
                        f"{depth}",
                    )
                )
    return numbers


def _network_of_smallest(evidence: Evidence) -> str:
    frame = evidence.published.recovered_values("fig3")["divergence_of_test_error"]
    least = {
        name: min(value for row in block["rows"] for value in row if value)
        for name, block in frame.items()
    }
    return min(least, key=least.get)


def numbers_of_claim_t_l_position(evidence: Evidence) -> list[Number]:
    """Order of the places 0, 1, l and 2 of the network with two hidden layers."""
    printed = evidence.entry["values"]["example_l_max_3"]
    _, frame = panels(evidence, "t_gamma")[0]
    axis = moment_axis(3, set(frame["t"]))
    ours = " ".join(place for place in axis if place in printed)
    return [
        Number(
            "example_l_max_3",
            "",
            " ".join(printed),
            ours,
            0.0,
            EXACT,
            label="order of the places at l_max 3",
        )
    ]


def numbers_of_supp_table1(evidence: Evidence) -> list[Number]:
    """Both rows of the table for both kinds of noise, for the network nearest to the published one.

    Without noise the bounds of `exact_without_noise` hold; with noise no tolerance is stated.
    """
    bound = evidence.bound(WITHOUT_NOISE, "weight_divergence")
    numbers = []
    for key, column in (
        ("divergence_of_test_error", TEST_COLUMN),
        ("divergence_of_final_weights", WEIGHT_COLUMN),
    ):
        tolerance = 0.0 if column == TEST_COLUMN else bound
        numbers += _over_sigma(evidence, key, column, tolerance)
    return numbers


def numbers_of_supp_table2(evidence: Evidence) -> list[Number]:
    """Mean test error over the epochs for both kinds of noise; no tolerance is stated."""
    return _over_sigma(evidence, "test_error_fraction", "mean_test_error", None)


def _over_sigma(
    evidence: Evidence, key: str, column: str, without_noise: float | None
) -> list[Number]:
    values = evidence.entry["values"]
    numbers = []
    quiet_given: set[str] = set()
    for protocol, noise, frame in sigma_sweeps(evidence):
        depth, error = published_depth(frame, evidence.published)
        where = f"l_max {depth}, whose test error without noise ({error:.4f}) is nearest"
        for name, stated in values[key].items():
            sigma = values["sigma"][name]
            rows = frame[np.isclose(frame["sigma"], sigma, rtol=1e-9, atol=0.0)]
            quiet = sigma == 0
            network = rows[rows["l_max"] == depth]
            # The run without noise is one run; it is given once.
            if network.empty or (quiet and protocol in quiet_given):
                continue
            means = rows.groupby("l_max")[column].mean()
            others = [f"l_max {d} {value:.4g}" for d, value in means.items() if d != depth]
            tolerance, source = (without_noise, WITHOUT_NOISE) if quiet else (None, "")
            note = where + (f"; {', '.join(others)}" if others else "")
            if column == WEIGHT_COLUMN and protocol != CALIBRATED:
                norms = rows.groupby("l_max")[MEASURES[WEIGHTS_NORM].column].mean()
                listed = ", ".join(f"l_max {d} {value:.4g}" for d, value in norms.items())
                note += f"; as one norm: {listed}"
            runs = tuple(network.sort_values("seed")[column].astype(float))
            numbers.append(
                Number(
                    f"{key}.{name}",
                    protocol,
                    float(stated),
                    runs,
                    tolerance,
                    source,
                    note,
                    variant="" if quiet else f"{noise} noise",
                    label=f"{quantity(key)} at sigma {sigma:g}",
                )
            )
        quiet_given.add(protocol)
    return numbers
