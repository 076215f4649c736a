"""How far error spikes get with and without a reset of their quantizers, for people to read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from plausible.reproduction.markdown import markdown_table


def mean_over_training(rows: pd.DataFrame, column: str) -> float:
    """Mean per sample over the training, of the means of a run between its test epochs."""
    rows = rows.sort_values("epoch")
    lengths = rows["epoch"].diff().fillna(rows["epoch"])[rows[column].notna()]
    return float(np.average(rows[column].dropna(), weights=lengths)) if lengths.any() else np.nan


def zero_reset_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """One row for each reset and seed, and cells by layer."""
    layers = sorted(table["layer"].unique())
    rows = []
    for row in published["rows"]:
        for seed, run in table[table["reset"] == row["id"]].groupby("seed"):
            by_layer = [run[run["layer"] == layer] for layer in layers]
            last = run[run["epoch"] == run["epoch"].max()].sort_values("layer")
            errors = [last[f"{part}_error_percent"].iloc[0] for part in ("thesis", "official")]
            means = [mean_over_training(by_layer[-2], "spikes")]
            means += [mean_over_training(one, "error_spikes") for one in by_layer]
            errors = ["n/a" if np.isnan(error) else f"{error:.2f}" for error in errors]
            cells = [f"{row['label']} (published {row['error_percent']:g})", seed]
            cells += map(_number, [*means, *last["relative_change"]])
            rows.append([*cells, _first_change(by_layer[0]), " / ".join(errors)])
    header = ["reset (published error %, MNIST)", "seed", f"spikes, layer {layers[-2]}"]
    header += [f"error spikes, layer {layer}" for layer in layers]
    header += [f"change of weights to layer {layer}" for layer in layers]
    header += [f"first change at layer {layers[0]}", "error %, thesis / official split"]
    note = (
        f"Layer {layers[-1]} is the output. Spikes and error spikes are means per sample over the "
        "training; error spikes are those sent to the filter of a layer, before it. Change of "
        "weights: norm of the difference from the initial matrix over the norm of that, after the "
        f"training of {table['epoch'].max():g} epochs, as the error. First change: the first test "
        "point at which the weights to the layer were not the initial ones.\n"
    )
    return markdown_table(header, rows) + "\n" + note


def _number(value: float) -> str:
    """Three digits; a zero says that nothing at all was there."""
    return "n/a" if np.isnan(value) else f"{value:.3g}"


def _first_change(rows: pd.DataFrame) -> str:
    """First test epoch of a run at which the weights to a layer had changed."""
    epoch = rows.loc[rows["relative_change"] > 0, "epoch"].min()
    return "never" if np.isnan(epoch) else f"epoch {epoch:g}"
