"""What was found in chapter 7 without images; theorems stand in the table of theorems."""

import numpy as np
import pandas as pd

from plausible.measure.slopes import log_slope
from plausible.reproduction.evidence import Evidence, Measured
from plausible.studies.oconnor2020.ch7_principles.settings import GLOBAL, LOCAL


def _largest(values: pd.Series) -> float:
    """NaN if one of them is."""
    return float(values.to_numpy(float).max())


def panes_are_the_algorithm(evidence: Evidence) -> list[Measured]:
    """States at the end of each pane against algorithm 6, and against a start from zero."""
    columns = ("deviation", "zero_start_deviation")
    table = evidence.table("ch7.fig7.1", "seed", "pane", "step", "layer", *columns)
    last = table["step"] == table.groupby(["seed", "pane"])["step"].transform("max")
    rows = table[last & (table["layer"] > 0)].set_index("seed")
    off, zero = (rows[name].groupby("seed").agg(_largest) for name in columns)
    return [Measured("", off, seeded=False, exact_seeds=len(off), controls={"zero_start": zero})]


def local_training_faster(evidence: Evidence) -> list[Measured]:
    """Loss of the one over that of the other, at half of the iterations."""
    table = evidence.table("ch7.fig7.2", "seed", "training", "iteration", "layer", "loss")
    first = table[table["layer"] == 1]
    half = first[first["iteration"] <= first["iteration"].max() / 2]
    rows = half[half["iteration"] == half["iteration"].max()]
    wide = rows.pivot(index="seed", columns="training", values="loss")
    return [Measured("", wide[LOCAL] / wide[GLOBAL])]


def gradients_align(evidence: Evidence) -> list[Measured]:
    """Mean cosine over layers at the end less that at the start, and at the end."""
    table = evidence.table("ch7.fig7.2", "seed", "training", "iteration", "alignment")
    rows = table[table["training"] == LOCAL]
    means = rows.groupby(["seed", "iteration"])["alignment"].mean().unstack()
    end = means.iloc[:, -1]
    return [Measured("", {"end less start": end - means.iloc[:, 0], "end": end})]


def steps_grow_superlinearly(evidence: Evidence) -> list[Measured]:
    """Log-log slope of the mean number of steps against depth, by seed."""
    table = evidence.table("ch7.steps_superlinear", "seed", "hidden_layers", "steps")
    means = table.groupby(["seed", "hidden_layers"])["steps"].mean().unstack()
    return [Measured("", [log_slope(means.columns, row) for row in means.to_numpy()])]


def _iterations(evidence: Evidence, comparison: str) -> tuple[pd.DataFrame, str]:
    """Fewest iterations over rates, by seed and training, and which runs count with their last."""
    columns = ("seed", "comparison", "training", "learning_rate", "iterations", "reached")
    table = evidence.table("ch7.cause_confusing_distant", *columns)
    runs = table[table["comparison"] == comparison].groupby(["seed", "training"])
    missed = (~runs["reached"].any()).groupby("training").sum()
    seeds = table["seed"].nunique()
    notes = [
        f"{count} of {seeds} with the {name} loss never reach it and count with their last"
        for name, count in missed.items()
        if count
    ]
    return runs["iterations"].min().unstack(), "; ".join(notes)


def upper_layers_at_the_target(evidence: Evidence) -> list[Measured]:
    """Iterations of the lower layers, global over local."""
    found, note = _iterations(evidence, "lower_layers")
    return [Measured("", found[GLOBAL] / found[LOCAL], note=note)]


def best_rates(evidence: Evidence) -> list[Measured]:
    """Fewest iterations over rates, local over global."""
    found, note = _iterations(evidence, "all_layers")
    return [Measured("", found[LOCAL] / found[GLOBAL], note=note)]


def loss_of_the_next_layer_falls(evidence: Evidence) -> list[Measured]:
    """Change of the loss of layer 2, and with permuted targets."""
    table = evidence.table("ch7.early_layers_help", "draw", "loss_change", "permuted_change")
    controls = {"permuted_targets": table["permuted_change"]}
    return [Measured("", table["loss_change"], controls=controls)]


def no_waiting(evidence: Evidence) -> list[Measured]:
    """Iterations together over those one after the other."""
    columns = ("together_iterations", "alone_iterations")
    table = evidence.table("ch7.early_layers_help", *columns)
    return [Measured("", np.divide(*(table[name] for name in columns)))]


def autoencoders_predict(evidence: Evidence) -> list[Measured]:
    """Rank correlation, by seed."""
    table = evidence.table("ch7.tied_forward_pass", "seed", "rank_correlation")
    return [Measured("", table.groupby("seed")["rank_correlation"].first())]
