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
    by = ["protocol", "measure", "l_max"]
    return [
        number
        for (protocol, measure, depth), part in cells(evidence).groupby(by, sort=False)
        for number in _heat_map(evidence, protocol, measure, depth, part)
    ]


def _heat_map(
    evidence: Evidence, protocol: str, measure: str, depth: int, part: pd.DataFrame
) -> list[Number]:
    published, _, name, variant = MEASURES[measure]
    variant = ", ".join(filter(None, (f"l_max {depth}", variant)))

    def number(
        what: str,
        label: str,
        stated: float | str,
        ours: float | str,
        tolerance: float | None,
        source: str = "",
        note: str = "",
    ) -> Number:
        place, label = f"{published}.{what}", f"{name}: {label}"
        values = ours if isinstance(ours, str) else (ours,)
        given = (place, protocol, stated, values, tolerance, source, note)
        return Number(*given, seeded=False, variant=variant, label=label)

    def median(what: str, label: str, rows: pd.DataFrame, note: str) -> Number:
        tolerance = _median_reading(evidence, measure, rows)
        found = float(rows["deviation"].median())
        label = f"median relative deviation{label}"
        return number(what, label, 0.0, found, tolerance, "median reading error", note)

    reading, scatter = (float(part[f"within_{what}"].mean()) for what in ("reading", "scatter"))
    every = ("every cell", f"{len(part)} cells, means over {int(part['n'].max())} seeds")
    both = "fraction within the reading and the scatter of the seeds"
    readable = part[part["deviation"].notna()]
    furthest = (
        f"{len(readable)} cells below the top of the scale, median of ours over published "
        f"{(readable['ours'] / readable['published']).median():.3g}; {_furthest(readable)}"
    )
    zeros, printed = part[part["zero"]], int((part["published"] == 0.0).sum())
    (stated_top, our_top), places = _top_cells(part)
    label = "cells at the top of the scale"
    found = [
        number(
            "within_reading", "fraction of the cells within the reading", 1.0, reading, 0.0, *every
        ),
        number("within_scatter", both, 1.0, scatter, 0.0, *every),
        median("median_deviation", "", readable, furthest),
        number(
            "zero_cells", "cells that are zero", printed, len(zeros), 0.0, EXACT, _places(zeros)
        ),
        number("top_cells", label, stated_top, our_top, None, "", places),
    ]
    # Backprop with rates of its own, without inference.
    at_l = part[(part["t"] == "l") & (part["gamma"] != 1.0)]
    column = at_l[at_l["deviation"].notna()]
    if len(column):
        listed = ", ".join(
            f"gamma {row.gamma:g} {row.ours:.3g} ({row.published:.3g})" for row in at_l.itertuples()
        )
        note = f"ours (published): {listed}"
        found.append(median("median_deviation_at_l", " of the column t = l", column, note))
    return found


def _furthest(readable: pd.DataFrame) -> str:
    if readable.empty:
        return ""
    worst = readable.loc[readable["deviation"].idxmax()]
    place = f"t = {worst['t']}, gamma = {worst['gamma']:g}"
    return f"furthest: {place}, {worst['ours']:.3g} instead of {worst['published']:.3g}"


def _median_reading(evidence: Evidence, measure: str, readable: pd.DataFrame) -> float:
    scale = reading_scales(evidence.published)[measure]
    error = np.maximum(scale.relative, scale.absolute / readable["published"])
    return float(error.median()) if len(readable) else 0.0


def _top_cells(part: pd.DataFrame) -> tuple[tuple[str, str], str]:
    """Cells at the top of the scale: how many there are, and how many of ours are not printed so.

    In words, because two counts are compared at once.
    """
    stated, ours = part["published_top"], part["top"]
    both, lacking, further = part[stated & ours], part[stated & ~ours], part[ours & ~stated]
    text = f"{len(both)}" + (f" of these and {len(further)} others" if len(further) else "")
    notes = {"below the top here": lacking, "at the top here only": further}
    note = "; ".join(f"{what}: {_places(rows)}" for what, rows in notes.items() if len(rows))
    return (f"{int(stated.sum())}", text), note


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
            zeros, place = (int((means[TEST_COLUMN] == 0.0).sum()),), "zero_cells_per_network"
            given = (place, protocol, recovered[place], zeros, 0.0, EXACT)
            variant, label = f"l_max {depth}", "cells that are zero"
            numbers.append(Number(*given, seeded=False, variant=variant, label=label))
            others = means.drop(("l", 1.0), errors="ignore")
            for (place, measure, column), stated in smallest.items():
                if name not in stated:
                    continue
                place = place if measure == TEST else f"{place}.{name}"
                scale, least = scales[measure], float(others[column].min())
                error = max(scale.relative * stated[name], scale.absolute)
                given = (place, protocol, stated[name], (least,), error, "reading error")
                label = f"smallest other {MEASURES[measure].label} divergence at l_max {depth}"
                numbers.append(Number(*given, seeded=False, label=label))
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
    label = "order of the places at l_max 3"
    return [Number("example_l_max_3", "", " ".join(printed), ours, 0.0, EXACT, label=label)]


def numbers_of_supp_table1(evidence: Evidence) -> list[Number]:
    """Both rows of the table for both kinds of noise, for the network nearest to the published one.

    Without noise the bounds of `exact_without_noise` hold; with noise no tolerance is stated.
    """
    bound = evidence.bound(WITHOUT_NOISE, "weight_divergence")
    return [
        *_over_sigma(evidence, "divergence_of_test_error", TEST_COLUMN, 0.0),
        *_over_sigma(evidence, "divergence_of_final_weights", WEIGHT_COLUMN, bound),
    ]


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
            others = ", ".join(f"l_max {d} {value:.4g}" for d, value in means.items() if d != depth)
            note = f"{where}; {others}" if others else where
            if column == WEIGHT_COLUMN and protocol != CALIBRATED:
                norms = rows.groupby("l_max")[MEASURES[WEIGHTS_NORM].column].mean()
                listed = ", ".join(f"l_max {d} {value:.4g}" for d, value in norms.items())
                note += f"; as one norm: {listed}"
            runs = tuple(network.sort_values("seed")[column].astype(float))
            tolerance = (without_noise, WITHOUT_NOISE) if quiet else (None, "")
            given = (f"{key}.{name}", protocol, float(stated), runs, *tolerance, note)
            variant = "" if quiet else f"{noise} noise"
            label = f"{quantity(key)} at sigma {sigma:g}"
            numbers.append(Number(*given, variant=variant, label=label))
        quiet_given.add(protocol)
    return numbers
