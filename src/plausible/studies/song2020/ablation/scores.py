"""How far a candidate reading is from the published numbers: what its table and picture share."""

import pandas as pd

from plausible.measure.cell_distance import cell_distance
from plausible.studies.song2020.texts import TOP_READING

METRICS = {
    "test": (
        "test_error_divergence_sum",
        "published_test_error_divergence",
        TOP_READING["divergence_of_test_error"],
    ),
    "weights": (
        "weight_divergence_norm",
        "published_weight_divergence",
        TOP_READING["divergence_of_final_weights"],
    ),
}
"""Our column, the published one, the end of its colour scale. Weights as the distance of all
matrices as one: the published maps grow with depth as it does."""
COUNTED = ("test", "weights", "bp")


def calibration_scores(table: pd.DataFrame, printed_error: float) -> pd.DataFrame:
    """Distances from the published numbers, by candidate (best first) and (l_max, metric).

    Means over seeds are compared (`cell_distance`); a published cell at the end of its colour scale
    counts as met by everything beyond. ``test`` and ``weights`` are those of all cells,
    ``t0_test``, ``tl_test``, ... those of one column, ``bp`` is the distance of the mean test error
    of backprop from ``printed_error``. ``(all, mean)`` is the mean of ``COUNTED`` over networks.
    """
    keys = ["candidate", "l_max", "column", "gamma"]
    means = table.groupby(keys, sort=False, dropna=False).mean(numeric_only=True).reset_index()
    scores = {}
    for l_max, here in means.groupby("l_max"):
        for metric, (ours, published, top) in METRICS.items():
            known = here[here[published] > 0]
            for name, columns in (("", ("t0", "tl")), ("t0_", ("t0",)), ("tl_", ("tl",))):
                chosen = known[known["column"].isin(columns)]
                scores[l_max, name + metric] = cell_distance(
                    chosen[ours], chosen[published], top, chosen["candidate"]
                )
        error = here[here["column"] == "bp"].set_index("candidate")["mean_test_error"]
        scores[l_max, "bp"] = (error - printed_error).abs() / printed_error
    found = pd.DataFrame(scores, index=pd.Index(table["candidate"].unique()))
    counted = [column for column in found.columns if column[1] in COUNTED]
    found[("all", "mean")] = found[counted].mean(axis=1)
    return found.sort_values(("all", "mean"), kind="stable", na_position="last")
