"""Tables of Song et al. 2020 for people to read, each with the published values beside ours.

The tidy tables are the rows of the experiments as they are. A Markdown function takes a tidy table
and the values that the paper publishes for the result.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from plausible.measure.cell_distance import cell_distance
from plausible.studies.markdown import (
    as_they_are,  # noqa: F401 (named by study files)
    markdown_table,
    theorems_markdown,  # noqa: F401
)

Published = Mapping[str, Any]

PROPERTIES = {
    "equivalence_to_bp": "equivalence to BP",
    "local_plasticity": "local plasticity",
    "partial_autonomy": "partial autonomy",
    "full_autonomy": "full autonomy",
}
ALGORITHMS = {
    "bp": "BP",
    "il": "IL",
    "zil": "Z-IL",
    "fazil": "Fa-Z-IL",
    "bp_autograd": "BP (autograd)",
}
DEVICES = {"cpu": "CPU", "cuda": "GPU"}
PUBLISHED_LAYERS = "50176-4096-2048-1024-27"


# ------------------------------------------------------------------------- single cells of text


def number(value: float, digits: int = 3) -> str:
    """A number with significant digits: ``0.105``, ``2.37e-13``; ``n/a`` if there is none."""
    if pd.isna(value):
        return "n/a"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e5 else f"{value:.{digits}g}"


def answer(holds: pd.Series) -> str:
    """``yes``, ``no``, or how many of several measurements hold."""
    count = int(holds.sum())
    if count in (0, len(holds)):
        return "yes" if count else "no"
    return f"{count} of {len(holds)}"


def spread(values: pd.Series, digits: int = 1) -> str:
    """``93.4``, or ``93.4 to 99.6`` where values differ."""
    values = values.dropna()
    if values.empty:
        return "n/a"
    low, high = f"{values.min():.{digits}f}", f"{values.max():.{digits}f}"
    return low if low == high else f"{low} to {high}"


def over_seeds(rows: pd.DataFrame, column: str, digits: int = 3) -> str:
    """Mean over seeds, with the number of diverged runs among them: ``37.8 (1 of 3 diverged)``."""
    if rows.empty:
        return "n/a"
    text = number(rows[column].mean(skipna=False), digits)
    diverged = int((rows["diverged_epoch"] >= 0).sum())
    return f"{text} ({diverged} of {len(rows)} diverged)" if diverged else text


# ------------------------------------------------------------------------------ tables 1 to 4


def table1_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table 1: the symbols of both models, and the names that the implementation uses."""
    rows = [
        [
            row.quantity.replace("_", " "),
            row.ann_symbol,
            row.pcn_symbol,
            f"`{row.name_in_code}`",
            "yes" if row.found else "no",
        ]
        for row in table.fillna("-").itertuples()
    ]
    header = ["quantity", "ANN", "PCN", "name in the implementation", "found there"]
    return markdown_table(header, rows)


def table2_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table 2: published and measured properties of the four models, and the measurements."""
    printed = {row["model"]: row for row in published["rows"]}
    rows = []
    for model, group in table.groupby("model", sort=False):
        cells = [
            f"{'yes' if printed[model][name] else 'no'} / "
            f"{answer(group.loc[group['property'] == name, 'holds'])}"
            for name in PROPERTIES
        ]
        rows.append([model, *cells])
    summary = markdown_table(["model (published / measured)", *PROPERTIES.values()], rows)
    measured = []
    for (model, name), group in table.groupby(["model", "property"], sort=False):
        values = group["measured_value"].dropna()
        worst = number(values.loc[values.abs().idxmax()]) if len(values) else "-"
        text = group["measurement"].iloc[0]
        measured.append([model, PROPERTIES[name], answer(group["holds"]), text, worst])
    header = ["model", "property", "holds", "measurement", "largest value over seeds"]
    return f"{summary}\n{markdown_table(header, measured)}"


def table3_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table 3: success rate of phi against t_d, by tolerance of the zero test and by counting."""
    printed = published["success_rate_percent"]
    parts = []
    for counting, group in table.groupby("counting", sort=False):
        tolerances = list(dict.fromkeys(group["tolerance"]))
        rows = []
        for t_d, moments in group.groupby("t_d", sort=True):
            rates = [
                spread(moments.loc[moments["tolerance"] == tolerance, "success_rate_percent"])
                for tolerance in tolerances
            ]
            rows.append([t_d, f"{printed[str(t_d)]:.1f}" if str(t_d) in printed else "-", *rates])
        names = [
            "exact zero" if tolerance == 0 else f"<= {tolerance:g}" for tolerance in tolerances
        ]
        header = ["t_d", "published %", *(f"{name} %" for name in names)]
        parts.append(f"Counted {counting.replace('_', ' ')}:\n\n{markdown_table(header, rows)}")
    note = (
        "Share of moments t = l that phi finds, by what its test takes for zero: lowest to highest "
        "over network depths, initial and trained weights, and seeds.\n"
    )
    return "\n".join([*parts, note])


def table4_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table 4: milliseconds per weight update and their ratio to BP, beside the paper's."""
    printed = {row["device"]: row for row in published["rows"]}
    rows = []
    for row in table.itertuples():
        known = printed.get(DEVICES.get(row.device, row.device), {})
        known = known if row.layer_sizes == PUBLISHED_LAYERS else {}
        ours = f"{row.milliseconds_per_update:.3g}"
        quartiles = f"{row.milliseconds_low:.3g} to {row.milliseconds_high:.3g}"
        milliseconds = known.get(f"{row.algorithm}_ms")
        rows.append(
            [
                *(row.layer_sizes, row.batch_size, DEVICES.get(row.device, row.device)),
                ALGORITHMS.get(row.algorithm, row.algorithm),
                *(ours, quartiles, f"{row.ratio_to_bp:.2f}"),
                "-" if milliseconds is None else f"{milliseconds:g}",
                "-" if milliseconds is None else f"{milliseconds / known['bp_ms']:.2f}",
                number(row.peak_memory_mb),
            ]
        )
    header = ["layers", "batch", "device", "algorithm", "ms per update (median)", "quartiles"]
    header += ["ratio to BP", "published ms", "published ratio", "peak memory MB"]
    return markdown_table(header, rows)


# ------------------------------------------------------------------------- supplement, tables 1, 2


def supp_table1_markdown(table: pd.DataFrame, published: Published) -> str:
    """Supplement, table 1: divergence against sigma, one table a protocol and kind of noise."""
    columns = {
        "test_error_divergence_sum": (
            "test error, sum over epochs",
            published["divergence_of_test_error"],
        ),
        "weight_divergence_sum": (
            "final weights, sum over matrices",
            published["divergence_of_final_weights"],
        ),
        "weight_divergence_norm": (
            "final weights, all matrices as one",
            published["divergence_of_final_weights"],
        ),
    }
    return _sigma_tables(table, columns, published["sigma"])


def supp_table2_markdown(table: pd.DataFrame, published: Published) -> str:
    """Supplement, table 2: test error (mean over the epochs) against sigma."""
    columns = {"mean_test_error": ("mean test error", published["test_error_fraction"])}
    return _sigma_tables(table, columns, published["sigma"], digits=5)


def _sigma_tables(
    table: pd.DataFrame,
    columns: Mapping[str, tuple[str, Sequence[float]]],
    sigmas: Sequence[float],
    digits: int = 3,
) -> str:
    """A table for every protocol and kind of noise: sigma in rows, published and ours by depth."""
    swept = table[table["panel"] == "sigma"]
    depths = sorted(swept["l_max"].unique())
    header = ["sigma"]
    for name, _ in columns.values():
        header += [f"{name}: published", *(f"l_max = {depth}" for depth in depths)]
    parts = []
    for protocol, rows in swept.groupby("protocol", sort=False):
        noises = [noise for noise in dict.fromkeys(rows["noise"]) if noise != "none"]
        for noise in noises or ["none"]:
            shown = rows[rows["noise"].isin([noise, "none"])]
            lines = []
            for sigma, group in shown.groupby("sigma", sort=True):
                cells = [number(sigma)]
                for column, (_, printed) in columns.items():
                    known = dict(zip(sigmas, printed, strict=True)).get(sigma)
                    cells.append("-" if known is None else number(known, digits))
                    cells += [
                        over_seeds(group[group["l_max"] == depth], column, digits)
                        for depth in depths
                    ]
                lines.append(cells)
            seeds = shown["seed"].nunique()
            parts.append(
                f"Protocol `{protocol}`, noise: {noise}, mean over {seeds} seed(s)\n\n"
                + markdown_table(header, lines)
            )
    return "\n".join(parts)


# ------------------------------------------------------------------------------------ calibration

METRICS: dict[str, tuple[str, str]] = {
    "test error": ("test_error_divergence_sum", "published_test_error_divergence"),
    "weights": ("weight_divergence_norm", "published_weight_divergence"),
}
"""Weights as the distance of all matrices as one: the published maps grow with depth as it does."""


# Readings at the top of a colour scale mean "at least": facts on the reading in recovered.yaml.
TOP_OF_SCALE = {"published_test_error_divergence": 46.2, "published_weight_divergence": 49.8}


def calibration_markdown(table: pd.DataFrame, published: Published) -> str:
    """How far every candidate reading is from the published cells, best first.

    Per network: the distance (`cell_distance`) of the cells that were read off the paper's figure,
    for test error and weights, and that of the mean test error of BP from the one of supplement
    table 2 (``published``); the order is by the mean over all of them.
    """
    keys = ["candidate", "l_max", "column", "gamma"]
    means = table.groupby(keys, sort=False, dropna=False).mean(numeric_only=True).reset_index()
    scores = pd.DataFrame(
        {
            (l_max, metric): distance
            for l_max, group in means.groupby("l_max")
            for metric, distance in _distances(group, published["test_error_fraction"][0]).items()
        }
    )
    order = scores.mean(axis=1).sort_values(kind="stable").index
    descriptions = table.groupby("candidate")["description"].first()
    header = ["candidate", "what it is", "off by (mean)"]
    header += [f"l_max = {l_max}, {metric}" for l_max, metric in scores.columns]
    rows = [
        [
            *(f"`{name}`", descriptions[name], number(scores.loc[name].mean())),
            *(number(value) for value in scores.loc[name]),
        ]
        for name in order
    ]
    note = (
        "Σ |ours - published| / Σ published over the cells of the columns t = l and t = 0 of "
        "figure 3, which need no inference; a published cell at the top of its colour scale "
        "counts as reached by everything above it. Weights: distance of all matrices as one. "
        "BP error: mean test error of BP over the epochs against the published "
        f"{number(published['test_error_fraction'][0], 5)}, whose depth is not stated.\n"
    )
    return markdown_table(header, rows) + "\n" + note


def _distances(means: pd.DataFrame, printed_error: float) -> dict[str, pd.Series]:
    """Distance of every candidate from the published numbers of one network, by metric."""
    found = {}
    for metric, (ours, published) in METRICS.items():
        known = means[means[published] > 0]
        top = TOP_OF_SCALE[published]
        found[metric] = cell_distance(known[ours], known[published], top, known["candidate"])
    error = means[means["column"] == "bp"].set_index("candidate")["mean_test_error"]
    found["BP error"] = (error - printed_error).abs() / printed_error
    return found
