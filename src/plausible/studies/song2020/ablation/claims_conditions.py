"""Checks on conditions C2 and C3, panels over t and gamma: figure 3, supplement figures 1 and 3.

Divergences are sums over the epochs (test error) and over the weight matrices (final weights; in
the protocol `calibrated` one distance of all). At a small scale few test images may hide a
difference of the test error, so there the weights alone are the criterion, as the published
tolerance of figure 3 says.
"""

import pandas as pd

from plausible.measure.moments import moment_axis
from plausible.reproduction.evidence import Evidence, Outcome, by_protocol
from plausible.studies.song2020.ablation.grid import (
    TEST_COLUMN,
    WEIGHT_COLUMN,
    exact_cell,
    figure3,
    finding,
    panels,
    printed_order,
)
from plausible.studies.song2020.texts import ROUNDING


def one_cell_is_zero(evidence: Evidence) -> list[Outcome]:
    """Cells of each network without any divergence: t = l with gamma = 1, and no other."""
    column = TEST_COLUMN if evidence.full_scale else WEIGHT_COLUMN
    outcomes = []
    for _, frame in panels(evidence, "t_gamma"):
        for depth, network in frame.groupby("l_max"):
            runs = network.groupby(["t", "gamma"])[[TEST_COLUMN, WEIGHT_COLUMN]]
            exact = runs.max()[TEST_COLUMN].get(("l", 1.0)) == 0.0
            others = runs.min().drop(("l", 1.0), errors="ignore")
            zeros = others[others[column] == 0.0]
            places = ", ".join(f"t = {t}, gamma = {gamma:g}" for t, gamma in zeros.index)
            note = (
                f"cells of divergence 0, of {len(runs)}; smallest other {others[column].min():.3g}"
            )
            note += "" if evidence.full_scale else " (of the weights)"
            note += f"; also zero: {places}" if places else ""
            count = len(zeros) + int(exact)
            holds = exact and zeros.empty
            outcomes.append(finding(network, holds, count, note, variant=f"l_max {depth}"))
    return outcomes


c2_c3_needed = one_cell_is_zero


def weights_equal_up_to_rounding(evidence: Evidence) -> list[Outcome]:
    """Weight divergence at t = l, gamma = 1: mean over seeds, as the maps are, largest network.

    The published bound holds at the published scale, the accepted one below it.
    """
    return _rounding(evidence, "weights_equal_up_to_rounding")


def weight_divergence_rounding(evidence: Evidence) -> list[Outcome]:
    """The same for claim A.7."""
    return _rounding(evidence, "weight_divergence_rounding")


def _rounding(evidence: Evidence, statement: str) -> list[Outcome]:
    bound = evidence.bound(statement, "published" if evidence.full_scale else "accepted")
    outcomes = []
    for _, frame in panels(evidence, "t_gamma"):
        cell = exact_cell(frame)
        means = cell.groupby("l_max")[WEIGHT_COLUMN].mean()
        listed = ", ".join(f"l_max {depth} {value:.3g}" for depth, value in means.items())
        apart, single = float(means.max()), float(cell[WEIGHT_COLUMN].max())
        note = f"means over seeds: {listed}; largest run {single:.3g}; must be < {bound:g}"
        outcomes.append(finding(cell, apart < bound, apart, note))
    return outcomes


def place_of_l(evidence: Evidence) -> list[Outcome]:
    """The axis on which the figures stand, against the printed one, for every network."""
    frame = figure3(evidence)
    frame = frame[frame["panel"] == "t_gamma"]
    wrong, shown = [], []
    for depth, network in frame.groupby("l_max"):
        axis = moment_axis(int(depth), network["t"])
        printed = printed_order(evidence.published, int(depth))
        both = [place for place in axis if place in printed]
        shown.append(f"l_max {depth}: {' '.join(axis)}")
        if both != [place for place in printed if place in axis] or "l" not in both:
            wrong.append(depth)
    count = frame["l_max"].nunique()
    text = f"{count - len(wrong)} of {count} networks"
    return [Outcome("", not wrong and count > 0, text, note="; ".join(shown))]


t_l_position = place_of_l


def large_heat_maps(evidence: Evidence) -> list[Outcome]:
    """As figure 3: the zero cells and, for every network, all others above zero in the weights."""
    outcomes = one_cell_is_zero(evidence)
    for _, frame in panels(evidence, "t_gamma"):
        others = frame[(frame["t"] != "l") | (frame["gamma"] != 1.0)]
        means = others.groupby(["l_max", "t", "gamma"])[WEIGHT_COLUMN].mean()
        least = means.groupby("l_max").min()
        listed = ", ".join(f"l_max {depth} {value:.3g}" for depth, value in least.items())
        smallest = float(means.min())
        note = f"smallest weight divergence of the other cells: {listed}"
        outcomes.append(finding(frame, smallest > ROUNDING, smallest, note, variant="weights"))
    return outcomes


def exact_cell_has_the_error_of_backprop(evidence: Evidence) -> list[Outcome]:
    """Mean and final test error at t = l, gamma = 1 minus those of backprop, seed by seed: 0."""
    return [
        same_errors(frame, exact_cell(frame))
        for _, frame in by_protocol(figure3(evidence))
        if {"t_gamma", "bp"} <= set(frame["panel"])
    ]


def same_errors(frame: pd.DataFrame, cell: pd.DataFrame) -> Outcome:
    """Test errors of ``cell`` against those of the panel of backprop, network by network."""
    errors = _errors(cell)
    backprop = _errors(frame[frame["panel"] == "bp"]).reindex(errors.index)
    # NaN, which never holds, where backprop lacks a seed.
    worst = float((errors - backprop).abs().to_numpy().max())
    means = errors.groupby("l_max")["mean_test_error"].mean()
    listed = ", ".join(f"l_max {depth} {value:.5f}" for depth, value in means.items())
    note = f"largest difference to backprop over networks and seeds; mean test error: {listed}"
    return finding(cell, worst == 0.0, worst, note)


def _errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Test errors of a run by network and seed."""
    keys = ["l_max", "seed"]
    return rows.drop_duplicates(keys).set_index(keys)[["mean_test_error", "final_test_error"]]


def fazil_has_the_same_errors(evidence: Evidence) -> list[Outcome]:
    """Test errors of Fa-Z-IL minus those of Z-IL and of backprop: 0 in every epoch of every run."""
    outcomes = []
    for protocol, part in panels(evidence, "fazil"):
        whole = figure3(evidence)
        whole = whole[whole["protocol"] == protocol]
        others = {"backprop": whole[whole["panel"] == "bp"]}
        if (whole["panel"] == "t_gamma").any():
            others["Z-IL"] = exact_cell(whole)
        errors = _errors(part)
        apart = {"epochs against backprop": float(part[TEST_COLUMN].max())}
        for name, rows in others.items():
            theirs = _errors(rows).reindex(errors.index)
            if theirs.notna().all().all():
                apart[name] = float((errors - theirs).abs().to_numpy().max())
        listed = ", ".join(f"{name} {value:.3g}" for name, value in apart.items())
        weights = f"weights apart by at most {part[WEIGHT_COLUMN].max():.3g}"
        worst = max(apart.values())
        note = f"largest difference of test errors: {listed}; {weights}"
        outcomes.append(finding(part, worst == 0.0, worst, note))
    return outcomes
