"""Picture of the calibration: readings against the published heat maps."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from plausible.drawing.heat_maps import Scale, colour_bar, draw_heat_map
from plausible.drawing.style import (
    in_style,
    letter,
    new_figure,
    published_label,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.ablation.scores import calibration_scores
from plausible.studies.song2020.looks import networks_of

# Distance of a cell from the published one, as a share of it; from 1.5 on all is equally wrong.
DISTANCE = Scale("Purples", 1.5, (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5))
MOST_CANDIDATES = 48
COLUMNS = {
    "bp": "BP error",
    "t0_test": "$t$ = 0, test",
    "t0_weights": "$t$ = 0, weights",
    "tl_test": "$t$ = $l$, test",
    "tl_weights": "$t$ = $l$, weights",
}


@in_style
def calibration(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """How far every reading of the settings is from the published maps, by column and network."""
    scores = calibration_scores(table, _baseline_error(published))
    readings = len(scores)
    scores = scores.head(MOST_CANDIDATES)
    networks = networks_of(table)
    figure = new_figure(height_mm=44 + 4.2 * max(len(scores), 4))
    titles = {"all": "", **{l_max: f"$l_{{max}}$ = {l_max}" for l_max in networks}}
    columns = [[("all", "mean")], *([(l_max, name) for name in COLUMNS] for l_max in networks)]
    panels = figure.subplots(
        1, len(columns), sharey=True, width_ratios=[len(names) for names in columns], squeeze=False
    )[0]
    for axes, names, name in zip(panels, columns, "abcdefgh", strict=False):
        values = scores[names]
        texts = values.map(lambda value: "" if np.isnan(value) else f"{min(value, 99.0):.2f}")
        draw_heat_map(axes, values, DISTANCE, texts)
        labels = [COLUMNS.get(column, "mean of all") for _, column in names]
        axes.set_xticks(np.arange(len(names)) + 0.5, labels, rotation=90)
        letter(axes, name, titles[names[0][0]])
    panels[0].set_yticks(np.arange(len(scores)) + 0.5, scores.index.str.replace("_", " "))
    shown = f"best {len(scores)} of {readings}" if readings > len(scores) else "best first"
    panels[0].set_ylabel(f"reading, {shown}")
    label = f"Σ |ours − {published_label(dataset)}| / Σ published, over the cells (fraction)"
    colour_bar(figure, panels, DISTANCE, label, location="bottom", shrink=0.6, aspect=50, pad=0.01)
    return figure


def _baseline_error(published: Published) -> float:
    """Mean test error of backprop in supplement table 2 (fraction)."""
    return float(published.values("supp.table2")["test_error_fraction"]["sigma_0"])
