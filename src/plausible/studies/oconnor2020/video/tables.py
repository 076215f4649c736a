"""Tables of video: the rows of a result, and what people read."""

from collections.abc import Sequence

import pandas as pd

from plausible.reproduction.frames import Frames
from plausible.reproduction.markdown import markdown_table, mean_text
from plausible.studies.oconnor2020.video.settings import DIGITS, ORIGINAL, RECORDED

NETWORKS = {"original": "original", "rounding": "rounding", "sigma_delta": "sigma-delta"}
MATERIALS = {
    ORIGINAL: "videos of the thesis, VGG-19",
    RECORDED: "recordings, SqueezeNet",
    DIGITS: "moving digits, small network",
}
WAYS = {
    "rounding": "rounding, computation of the own layer",
    "noise": "noise, computation of the own layer",
    "higher_layers": "noise, computation of all higher layers as well",
}


def select(sources: Frames, elements: Sequence[str], shown: str = "") -> pd.DataFrame:
    """Rows of some elements, without the columns that they do not have.

    ``shown``: of pictures those of this kind alone.
    """
    (frame,) = sources.values()
    rows = frame[frame["element"].isin(elements)]
    if shown:
        rows = rows[(rows["element"] != "picture") | (rows["shown"] == shown)]
    return rows.dropna(axis=1, how="all").reset_index(drop=True)


def materials(table: pd.DataFrame) -> list[str]:
    """What a table has, the nearest to the thesis first."""
    return [name for name in MATERIALS if name in set(table["material"])]


def fig4_5_markdown(table: pd.DataFrame, published: dict) -> str:
    """Operations of a frame and agreement, for each scene."""
    frames, lines = table[table["element"] == "frame"], []
    for material in materials(frames):
        mine = frames[frames["material"] == material]
        for scene in mine["scene"].unique():
            rows = mine[mine["scene"] == scene]
            inner = rows[rows["frame"] > rows["frame"].min()]
            sums = inner.groupby("seed")[["sparse", *NETWORKS]].mean()
            shares = rows.groupby("seed")[["same_guess", "in_top_5"]].mean() * 100.0
            lines.append(
                [MATERIALS[material], scene]
                + [mean_text(sums[network] / 1e6, 2) for network in ("original", "sparse")]
                + [mean_text(sums[network] / 1e6, 2) for network in ("rounding", "sigma_delta")]
                + [mean_text(sums["original"] / sums["sigma_delta"], 1)]
                + [mean_text(shares[share], 1, percent=True) for share in shares]
            )
    header = ["shown to", "scene", "original, MOps", "without zeros", "rounding", "sigma-delta"]
    header += ["original / sigma-delta", "same guess %", "guess in top 5 %"]
    note = (
        "Operations of a frame, multiplications and additions each, the first frame of a scene "
        "left out; agreement with the original network.\n"
    )
    return markdown_table(header, lines) + "\n" + note


def runs_markdown(table: pd.DataFrame, published: dict) -> str:
    """Optimisations of scales: how many failed, and how."""
    lines = []
    for material in materials(table):
        for way, title in WAYS.items():
            rows = table[(table["material"] == material) & (table["way"] == way)]
            if rows.empty:
                continue
            larger = rows["loss_after"] > rows["loss_before"]
            lines.append(
                [MATERIALS[material], title, len(rows)]
                + [int(rows[name].astype(bool).sum()) for name in ("diverged", "collapsed")]
                + [int(larger.sum())]
            )
    header = ["shown to", "way", "runs", "diverged", "a layer silent", "larger loss than before"]
    return markdown_table(header, lines)


def camera_markdown(table: pd.DataFrame, published: dict) -> str:
    """Operations of an hour of a camera that stands still, against agreement."""
    lines = []
    for material in materials(table):
        for multiple, rows in table[table["material"] == material].groupby("multiple"):
            per_hour = [
                mean_text(rows[name] / 1e12, 3) for name in ("original", "sparse", *DISCRETE)
            ]
            lines.append(
                [MATERIALS[material], f"{multiple:g}"]
                + [mean_text(rows["agreement_percent"], 1, percent=True), *per_hour]
                + [mean_text(rows["original"] / rows["sigma_delta"], 1)]
            )
    header = ["shown to", "scales x", "same guess %", "original, 10^12 / h", "without zeros"]
    header += ["rounding", "sigma-delta", "original / sigma-delta"]
    return markdown_table(header, lines)


DISCRETE = ("rounding", "sigma_delta")
