"""Figure 3 as the checks see it: its tidy table by panel, and its cells beside the published ones.

The published cells are readings of the printed colours (``recovered.yaml``), so each has a reading
error, and the colours end: a cell at the top of its scale says only that the value is at least so
large.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Outcome, by_protocol
from plausible.reproduction.published import Published
from plausible.studies.song2020.texts import ROUNDING, moments

TEST, WEIGHTS, WEIGHTS_NORM = "test_error", "weights", "weights_one_norm"
TEST_COLUMN, WEIGHT_COLUMN = "test_error_divergence_sum", "weight_divergence"
"""Of every protocol; weights by the protocol's own reading (``figure3``)."""


class Measure(NamedTuple):
    """A compared quantity of figure 3."""

    published: str
    """Key of its published cells."""
    column: str
    """Our column."""
    label: str
    variant: str = ""
    """Of several readings of one published quantity: which."""


MEASURES = {
    TEST: Measure("divergence_of_test_error", TEST_COLUMN, "test error"),
    WEIGHTS: Measure("divergence_of_final_weights", "weight_divergence_sum", "weights"),
    WEIGHTS_NORM: Measure(
        "divergence_of_final_weights", "weight_divergence_norm", "weights", "one norm"
    ),
}
"""The text sums the distances of the weight matrices; the distance of all matrices as one vector is
the other reading."""
NOISES = ("initial", "persistent")
CALIBRATED = "calibrated"
LARGEST = 1e9
"""Weights of diverged runs count as this far apart, so that means and intervals exist."""
COLUMNS = (
    *("protocol", "panel", "l_max", "seed", "t", "gamma", "sigma", "noise", "epochs"),
    *("mean_test_error", "final_test_error", "diverged_epoch"),
    *(measure.column for measure in MEASURES.values()),
)


class Scale(NamedTuple):
    """How precisely the published cells of one row of figure 3 could be read."""

    relative: float
    """Largest error of a reading, as a fraction of it."""
    absolute: float
    """Largest error of a reading at the bottom of the scale."""
    top: float
    """From here on the colours cannot tell values apart."""


def figure3(evidence: Evidence) -> pd.DataFrame:
    """Tidy table of figure 3; ``t`` as text, weights of diverged runs as ``LARGEST``.

    ``weight_divergence`` is the sum over the matrices, as the text says, and in the protocol
    `calibrated` the one distance of all matrices, which is part of that reading.
    """
    frame = evidence.table("fig3", *COLUMNS)
    columns = [MEASURES[name].column for name in (WEIGHTS, WEIGHTS_NORM)]
    weights = frame[columns].astype(float).fillna(np.inf).clip(upper=LARGEST)
    one_norm = frame["protocol"] == CALIBRATED
    weights[WEIGHT_COLUMN] = weights[columns[0]].where(~one_norm, weights[columns[1]])
    noise = frame["noise"].fillna("none").astype(str)
    return frame.assign(t=moments(frame["t"]).fillna(""), noise=noise, **weights)


def panels(evidence: Evidence, panel: str) -> list[tuple[str, pd.DataFrame]]:
    """Rows of one panel in each protocol that has it.

    Raises
    ------
    StudyError
        If no protocol has it.
    """
    frame = figure3(evidence)
    found = by_protocol(frame[frame["panel"] == panel])
    if not found:
        raise StudyError(
            f"the table of song2020.fig3 has no rows of the panel {panel!r}, but "
            f"{evidence.entry['id']} is judged by them."
        )
    return found


def finding(rows: pd.DataFrame, holds: bool, found: float, note: str, **more: Any) -> Outcome:
    """Outcome about rows of one protocol, with the number of their seeds."""
    seeds = rows["seed"].nunique()
    return Outcome(rows["protocol"].iloc[0], bool(holds), found, n_seeds=seeds, note=note, **more)


def exact_cell(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of t = l and gamma = 1 in the panel over t and gamma: Z-IL.

    Raises
    ------
    StudyError
        If there are none.
    """
    cell = frame[(frame["panel"] == "t_gamma") & (frame["t"] == "l") & (frame["gamma"] == 1.0)]
    if cell.empty:
        raise StudyError("the table of song2020.fig3 lacks the cell t = l, gamma = 1.")
    return cell


def sigma_sweeps(evidence: Evidence) -> list[tuple[str, str, pd.DataFrame]]:
    """Rows over sigma by protocol and kind of noise, the run without noise among them."""
    sweeps = []
    for protocol, frame in panels(evidence, "sigma"):
        quiet = frame[frame["sigma"] == 0.0].drop_duplicates(["l_max", "seed"])
        if quiet.empty:
            whole = figure3(evidence)
            quiet = exact_cell(whole[whole["protocol"] == protocol]).assign(sigma=0.0)
        for noise in NOISES:
            loud = frame[(frame["noise"] == noise) & (frame["sigma"] > 0.0)]
            if len(loud):
                sweeps.append((protocol, noise, pd.concat([quiet, loud], ignore_index=True)))
    return sweeps


def published_depth(frame: pd.DataFrame, published: Published) -> tuple[int, float]:
    """The ``l_max`` whose test error without noise is nearest to supplement table 2, and the error.

    The paper does not say which of the three networks its tables over sigma belong to.
    """
    stated = published.values("supp.table2")["test_error_fraction"]["sigma_0"]
    quiet = frame[frame["sigma"] == 0.0].groupby("l_max")["mean_test_error"].mean()
    depth = int((quiet - stated).abs().idxmin())
    return depth, float(quiet[depth])


def reading_scales(published: Published) -> dict[str, Scale]:
    """Precision of the published cells by measure, as ``recovered.yaml`` states it."""
    reading = published.recovered_values("fig3")["reading"]
    relative = reading["test_error_reading_percent"] / 100.0
    absolute = relative * reading["test_error_smallest_non_zero"]
    test = Scale(relative, absolute, reading["test_error_top_from"])
    weights = Scale(0.0, reading["final_weights_reading"], reading["final_weights_top_from"])
    return {TEST: test, WEIGHTS: weights, WEIGHTS_NORM: weights}


def published_cells(published: Published) -> pd.DataFrame:
    """The recovered cells: columns measure, l_max, gamma, t, published. t in the printed order."""
    recovered = published.recovered_values("fig3")
    rows = [
        (name, int(network.removeprefix("l_max_")), float(gamma), step, float(value))
        for name, measure in MEASURES.items()
        for network, block in recovered[measure.published].items()
        for gamma, values in zip(recovered["gamma_rows"], block["rows"], strict=True)
        for step, value in zip(block["t_columns"], values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["measure", "l_max", "gamma", "t", "published"])


def printed_order(published: Published, depth: int) -> list[str]:
    """Places on the t axis of the network with ``l_max`` = ``depth``, as printed."""
    recovered: Mapping[str, Any] = published.recovered_values("fig3")["divergence_of_test_error"]
    return list(recovered[f"l_max_{depth}"]["t_columns"])


def cells(evidence: Evidence) -> pd.DataFrame:
    """Every published cell of figure 3 that a protocol of ours has, beside ours.

    Columns: protocol, measure, l_max, gamma, t, published, ours (mean over seeds), sd, n, diverged
    (runs), published_top and top (at the top of the scale), within_reading (no further away than
    the reading error), within_scatter (nor than the 95 % interval of a further mean over as many
    seeds), deviation (relative; NaN at zeros and at the top).
    """
    stated = published_cells(evidence.published)
    parts = []
    for protocol, frame in panels(evidence, "t_gamma"):
        runs = frame.assign(gone=frame["diverged_epoch"] >= 0).groupby(["l_max", "gamma", "t"])
        for name, (_, column, *_) in MEASURES.items():
            ours = runs.agg(
                ours=(column, "mean"),
                sd=(column, "std"),
                n=(column, "count"),
                diverged=("gone", "sum"),
            ).reset_index()
            both = stated[stated["measure"] == name].merge(ours, on=["l_max", "gamma", "t"])
            parts.append(both.assign(protocol=protocol))
    joined = pd.concat(parts, ignore_index=True)
    if joined.empty:
        raise StudyError("the table of song2020.fig3 shares no cell with the published heat maps.")
    scales = reading_scales(evidence.published)
    return joined.assign(**_compared(joined, joined["measure"].map(scales)))


def _compared(joined: pd.DataFrame, scales: pd.Series) -> dict[str, Any]:
    relative, absolute, top = (
        scales.map(lambda scale, name=name: getattr(scale, name)).astype(float)
        for name in Scale._fields
    )
    stated, ours = joined["published"], joined["ours"]
    zero = stated == 0.0
    published_top, our_top = stated >= top, ours >= top
    apart = (ours - stated).abs()
    reading = np.maximum(relative * stated, absolute)
    # Equal runs differ by nothing in test error and by rounding in weights.
    equal = np.where(joined["measure"] == TEST, ours == 0.0, ours < ROUNDING)
    scatter = _scatter(joined["sd"], joined["n"])
    near = {"within_reading": apart <= reading, "within_scatter": apart <= reading + scatter}
    found = {
        name: np.where(zero, equal, np.where(published_top | our_top, published_top & our_top, ok))
        for name, ok in near.items()
    }
    # A mean just below the top may scatter across it.
    across = published_top & (ours + scatter >= top) | our_top & (apart <= reading + scatter)
    found["within_scatter"] = found["within_scatter"] | (across & ~zero)
    compared = ~(zero | published_top)
    deviation = ((ours - stated) / stated.where(compared)).abs()
    return {
        "published_top": published_top,
        "top": our_top,
        **{name: values.astype(bool) for name, values in found.items()},
        "zero": equal,
        "deviation": deviation,
    }


def _scatter(sd: pd.Series, n: pd.Series) -> pd.Series:
    """Half of the 95 % interval that holds the mean over as many further seeds; 0 for one seed."""
    several = n > 1
    degrees = np.where(several, n - 1, 1)
    half = stdtrit(degrees, 0.975) * sd.fillna(0.0) * np.sqrt(2.0 / n)
    return half.where(several, 0.0)
