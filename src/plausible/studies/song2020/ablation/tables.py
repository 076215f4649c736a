"""Tables of the supplement and the calibration for people to read."""

from collections.abc import Mapping

import pandas as pd

from plausible.reproduction.markdown import markdown_table
from plausible.studies.song2020.ablation.scores import calibration_scores
from plausible.studies.song2020.texts import Published, number


def over_seeds(rows: pd.DataFrame, column: str, digits: int = 3) -> str:
    """Mean over seeds, with the number of diverged runs among them: ``37.8 (1 of 3 diverged)``."""
    if rows.empty:
        return "n/a"
    text = number(rows[column].mean(skipna=False), digits)
    diverged = int((rows["diverged_epoch"] >= 0).sum())
    return f"{text} ({diverged} of {len(rows)} diverged)" if diverged else text


# ------------------------------------------------------------------------- supplement, tables 1, 2


def supp_table1_markdown(table: pd.DataFrame, published: Published) -> str:
    """Supplement, table 1: divergence against sigma, one table a protocol and kind of noise."""
    test, weights = (published[f"divergence_of_{name}"] for name in ("test_error", "final_weights"))
    columns = {
        "test_error_divergence_sum": ("test error, sum over epochs", test),
        "weight_divergence_sum": ("final weights, sum over matrices", weights),
        "weight_divergence_norm": ("final weights, all matrices as one", weights),
    }
    return _sigma_tables(table, columns, published["sigma"])


def supp_table2_markdown(table: pd.DataFrame, published: Published) -> str:
    """Supplement, table 2: test error (mean over the epochs) against sigma."""
    columns = {"mean_test_error": ("mean test error", published["test_error_fraction"])}
    return _sigma_tables(table, columns, published["sigma"], digits=5)


def _sigma_tables(
    table: pd.DataFrame,
    columns: Mapping[str, tuple[str, Mapping[str, float]]],
    sigmas: Mapping[str, float],
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
                    known = [number(printed[key], digits) for key in sigmas if sigmas[key] == sigma]
                    networks = (group[group["l_max"] == depth] for depth in depths)
                    cells += known[:1] or ["-"]
                    cells += [over_seeds(rows, column, digits) for rows in networks]
                lines.append(cells)
            seeds = f"mean over {shown['seed'].nunique()} seed(s)"
            title = f"Protocol `{protocol}`, noise: {noise}, {seeds}\n\n"
            parts.append(title + markdown_table(header, lines))
    return "\n".join(parts)


# ------------------------------------------------------------------------------------ calibration

METRICS = {"test": "test error", "weights": "weights", "bp": "BP error"}


def calibration_markdown(table: pd.DataFrame, published: Published) -> str:
    """How far every candidate reading is from the published cells, best first.

    Per network: the distance (`cell_distance`) of the cells that were read off the paper's figure,
    for test error and weights, and that of the mean test error of BP from the one of supplement
    table 2 (``published``); the order is by the mean over all of them.
    """
    printed_error = published["test_error_fraction"]["sigma_0"]
    scores = calibration_scores(table, printed_error)
    shown = [(depth, key) for depth in sorted(table["l_max"].unique()) for key in METRICS]
    descriptions = table.groupby("candidate")["description"].first()
    header = ["candidate", "what it is", "off by (mean)"]
    header += [f"l_max = {l_max}, {METRICS[metric]}" for l_max, metric in shown]
    rows = [
        [
            *(f"`{name}`", descriptions[name], number(scores.loc[name, ("all", "mean")])),
            *(number(value) for value in scores.loc[name, shown]),
        ]
        for name in scores.index
    ]
    note = (
        "Σ |ours - published| / Σ published over the cells of the columns t = l and t = 0 of "
        "figure 3, which need no inference; a published cell at the top of its colour scale "
        "counts as reached by everything above it. Weights: distance of all matrices as one. "
        "BP error: mean test error of BP over the epochs against the published "
        f"{number(printed_error, 5)}, whose depth is not stated.\n"
    )
    return markdown_table(header, rows) + "\n" + note
