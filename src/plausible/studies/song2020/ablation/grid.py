"""Figure 3 as the claims see it: its tidy table by panel, and its cells beside the published ones.

The published cells are readings of the printed colours (``recovered.yaml``), so each has a
resolution, and the colours end: a cell at the top of its scale says only that the value is at least
so large.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, by_protocol
from plausible.reproduction.judging import judge_number
from plausible.reproduction.published import Published
from plausible.studies.song2020.texts import moments

TEST, WEIGHTS, WEIGHTS_NORM = "test_error", "weights", "weights_one_norm"
TEST_COLUMN, WEIGHT_COLUMN = "test_error_divergence_sum", "weight_divergence_sum"


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
    WEIGHTS: Measure("divergence_of_final_weights", WEIGHT_COLUMN, "weights"),
    WEIGHTS_NORM: Measure(
        "divergence_of_final_weights", "weight_divergence_norm", "weights", "one norm"
    ),
}
"""The text sums the distances of the weight matrices; the distance of all matrices as one vector is
the declared variant."""
NOISES = ("initial", "persistent")
TABLES_DEPTH = 3
"""l_max of the network of supplement tables 1 and 2 and of the plots over sigma, for all protocols.
The paper does not say which it is; this is the only network that the supplement names (A.8)."""
FITTED_PROTOCOL, FITTED_COLUMNS = "calibrated", ("0", "l")
"""The columns of the heat maps on which this protocol was fitted."""
LARGEST = 1e9
"""Weights of diverged runs count as this far apart, so that means and intervals exist."""
COLUMNS = (
    *("protocol", "panel", "l_max", "seed", "t", "gamma", "sigma", "noise", "epochs"),
    *("mean_test_error", "final_test_error", "diverged_epoch"),
    *(measure.column for measure in MEASURES.values()),
)


def figure3(evidence: Evidence) -> pd.DataFrame:
    """Tidy table of figure 3; ``t`` as text, weights of diverged runs as ``LARGEST``."""
    frame = evidence.table("fig3", *COLUMNS)
    columns = [MEASURES[name].column for name in (WEIGHTS, WEIGHTS_NORM)]
    weights = frame[columns].astype(float).fillna(np.inf).clip(upper=LARGEST)
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


def cell(frame: pd.DataFrame, t: str, gamma: float) -> pd.DataFrame:
    """Rows of a cell of the panel over t and gamma; t = l with gamma = 1 is Z-IL.

    Raises
    ------
    StudyError
        If there are none.
    """
    rows = (frame["panel"] == "t_gamma") & (frame["t"] == t) & (frame["gamma"] == gamma)
    if not rows.any():
        raise StudyError(f"the table of song2020.fig3 lacks the cell t = {t}, gamma = {gamma:g}.")
    return frame[rows]


def sigma_sweeps(evidence: Evidence) -> list[tuple[str, str, pd.DataFrame]]:
    """Rows over sigma by protocol and kind of noise, the run without noise among them."""
    sweeps = []
    for protocol, frame in panels(evidence, "sigma"):
        quiet = frame[frame["sigma"] == 0.0].drop_duplicates(["l_max", "seed"])
        if quiet.empty:
            whole = figure3(evidence)
            quiet = cell(whole[whole["protocol"] == protocol], "l", 1.0).assign(sigma=0.0)
        for noise in NOISES:
            loud = frame[(frame["noise"] == noise) & (frame["sigma"] > 0.0)]
            if len(loud):
                sweeps.append((protocol, noise, pd.concat([quiet, loud], ignore_index=True)))
    return sweeps


def published_maps(evidence: Evidence) -> Iterator[tuple[str, str, int, dict[str, tuple]]]:
    """Every published map that a protocol of ours has: protocol, measure, l_max, its cells.

    Cells are the values of the seeds by their place below that of the map. Test errors end where
    the published scale does.
    """
    recovered = evidence.published.recovered_values("fig3")
    gammas = [float(gamma) for gamma in recovered["gamma_rows"]]
    top = recovered["reading"]["test_error_top_of_scale"]
    for protocol, frame in panels(evidence, "t_gamma"):
        runs = dict(iter(frame.sort_values("seed").groupby(["l_max", "gamma", "t"])))
        for name, measure in MEASURES.items():
            highest = top if name == TEST else np.inf
            for network, block in recovered[measure.published].items():
                depth = int(network.removeprefix("l_max_"))
                columns = [str(t) for t in block["t_columns"]]
                cells = {
                    f"rows.{gammas.index(gamma)}.{columns.index(t)}": tuple(
                        np.minimum(rows[measure.column], highest)
                    )
                    for (l_max, gamma, t), rows in runs.items()
                    if l_max == depth and gamma in gammas and t in columns
                }
                if cells:
                    yield protocol, name, depth, cells


def map_place(measure: str, depth: int) -> str:
    """Place of a published map."""
    return f"recovered.{MEASURES[measure].published}.l_max_{depth}"


def printed_order(published: Published, depth: int) -> list[str]:
    """Places on the t axis of the network with ``l_max`` = ``depth``, as printed."""
    recovered = published.recovered_values("fig3")["divergence_of_test_error"]
    return list(recovered[f"l_max_{depth}"]["t_columns"])


def cells(evidence: Evidence) -> pd.DataFrame:
    """Every published cell of figure 3 that a protocol of ours has, beside ours.

    Columns: protocol, measure, l_max, gamma, t, published, ours (mean over seeds), sd, n, verdict
    (by the resolution of the cell).

    Raises
    ------
    StudyError
        If there is no such cell.
    """
    recovered = evidence.published.recovered_values("fig3")
    rows = []
    for protocol, measure, depth, found in published_maps(evidence):
        columns = printed_order(evidence.published, depth)
        for place, values in found.items():
            _, row, column = place.split(".")
            number = evidence.published.number("fig3", f"{map_place(measure, depth)}.{place}")
            decision = judge_number(number.value, values, number.resolution)
            gamma, t = float(recovered["gamma_rows"][int(row)]), columns[int(column)]
            several = len(values) > 1
            sd = float(np.std(values, ddof=1)) if several else np.nan
            rows.append(
                (protocol, measure, depth, gamma, t, float(number.value))
                + (float(np.mean(values)), sd, len(values), decision.verdict)
            )
    if not rows:
        raise StudyError("the table of song2020.fig3 shares no cell with the published heat maps.")
    columns = ["protocol", "measure", "l_max", "gamma", "t", "published", "ours", "sd", "n"]
    return pd.DataFrame(rows, columns=[*columns, "verdict"])
