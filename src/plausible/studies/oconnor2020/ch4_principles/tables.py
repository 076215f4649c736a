"""Tables of Temporal MNIST and of what differences save (O'Connor 2020, 4.6.2 and B.4)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.frames import Frames
from plausible.reproduction.markdown import markdown_table, mean_text

ORDERS = {"file": "as in the file", "shuffled": "shuffled", "temporal": "temporal"}
PART_NAMES = {
    "thesis test": "thesis split",
    "official test": "official split",
    "thesis training": "training images",
}
"""What reports call the sequences that are ordered."""


def temporal_mnist_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """How alike neighbouring images are in every order of every part; means over the shuffles."""
    sequences = table[table["element"] == "sequence"]
    rows = []
    for key, group in sequences.groupby(["part", "order", "buffer_size"], sort=False):
        part, order, buffer = key
        kept = not group[["lost_frames", "wrong_labels"]].to_numpy().any()
        row = [PART_NAMES[part], int(group["frames"].iloc[0]), ORDERS[order], int(buffer) or "-"]
        row += [mean_text(group["mean_l1"]), mean_text(group["mean_l2"])]
        row += [mean_text(100 * group["label_change_fraction"], 1), "yes" if kept else "no"]
        rows.append(row)
    header = ["part", "images", "order", "buffer", "mean L1 distance of neighbours"]
    header += ["mean L2 distance", "label changes (% of steps)", "all images kept with labels"]
    return markdown_table(header, rows)


def change_rate_table(frames: Frames) -> pd.DataFrame:
    """Savings on random sequences, and how fast images change in each order, one row a sequence.

    Column ``source`` says which: `random` for the former, the order for images (the thesis
    split, with the published buffer).
    """
    images = frames["sweep.temporal_mnist"].query("element == 'sequence' and part == 'thesis test'")
    longest = images["buffer_size"] == images["buffer_size"].max()
    changes = images.loc[(images["order"] == "file") | longest, ["order", "change_fraction"]]
    changes = changes.rename(columns={"order": "source"}).assign(layer=-1)
    random = _experiment(frames, "change_rate").assign(source="random")
    return pd.concat([random, changes], ignore_index=True)


def noise_training_table(frames: Frames) -> pd.DataFrame:
    """Scales found with rounding and with noise, one row a start and seed."""
    return _experiment(frames, "noise_training")


def higher_layers_table(frames: Frames) -> pd.DataFrame:
    """Scales found by the computation of their own and of higher layers, one row a run."""
    return _experiment(frames, "higher_layers")


def _experiment(frames: Frames, name: str) -> pd.DataFrame:
    """Rows of one experiment on small networks, and its columns."""
    table = frames["sweep.small_networks"]
    rows = table[table["experiment"] == name].drop(columns="experiment")
    return rows.dropna(axis="columns", how="all").reset_index(drop=True)
