"""O'Connor 2020, figures 4.5, B.1 and C.3: a spliced video in three networks, and sample frames."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from plausible.drawing.style import (
    BLUE,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
    PUBLISHED_COLOUR,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    published_label,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.video.tables import MATERIALS, materials

NETWORKS = {
    "original": Look("original", VERMILLION, "", "-"),
    "rounding": Look("rounding", BLUE, "", (0, (4.5, 1.5))),
    "sigma_delta": Look("sigma-delta", GREEN, "", "-"),
}
SCENES = (Look("", PURPLE, "o", "-"), Look("", GREY, "s", (0, (4.5, 1.5))))
SPLICE = {"color": GREY, "lw": 0.7, "ls": (0, (1.2, 1.2)), "zorder": 0}


def nearest(table: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Material that is nearest to the thesis's, and its rows of the first seed."""
    name = materials(table)[0]
    rows = table[table["material"] == name]
    return name, rows[rows["seed"] == rows["seed"].min()]


def _named(table: pd.DataFrame, name: str) -> str:
    """Material, and that one seed of several is shown."""
    seeds = table.loc[table["material"] == name, "seed"].nunique()
    return MATERIALS[name] + (f", first of {seeds} seeds" if seeds > 1 else "")


def as_image(row: pd.Series) -> np.ndarray:
    """Picture of a row, [rows, columns, 3]."""
    values = np.frombuffer(bytes.fromhex(row["pixels"]), np.uint8)
    return values.reshape(int(row["rows"]), int(row["columns"]), 3)


def sheet(images: Iterable[np.ndarray], across: int, gap: int = 2) -> np.ndarray:
    """Images side by side and one row below the other, white between them."""
    images = list(images)
    rows, columns = images[0].shape[:2]
    down = -(-len(images) // across)
    shape = (down * (rows + gap) - gap, across * (columns + gap) - gap, 3)
    found = np.full(shape, 255, np.uint8)
    for number, image in enumerate(images):
        top, left = (number // across) * (rows + gap), (number % across) * (columns + gap)
        found[top : top + rows, left : left + columns] = image
    return found


@in_style
def spliced_video(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 4.5: frames, computation per frame, agreement, computation and ratio by layer."""
    name, rows = nearest(table)
    frames = rows[rows["element"] == "frame"].sort_values("frame")
    layers = rows[rows["element"] == "layer"]
    figure = new_figure(height_mm=140)
    grid = figure.add_gridspec(3, 2, height_ratios=[0.66, 1, 1])
    _draw_frames(figure.add_subplot(grid[0, :]), rows, frames, _named(table, name))
    splice = frames.loc[frames["scene"] != frames["scene"].iloc[0], "frame"].min()

    axes = figure.add_subplot(grid[1, 0])
    for network, look in NETWORKS.items():
        axes.plot(frames["frame"], frames[network] / 1e6, color=look.colour, ls=look.line, lw=1.0)
    axes.axvline(splice, **SPLICE)
    plain_log(axes, "y")
    axes.set(xlabel="frame", ylabel="operations (10⁶ per frame)")
    letter(axes, "b", "computation")

    axes = figure.add_subplot(grid[1, 1])
    guesses = []
    for column, look in (
        ("same_guess", Look("other guess than the original", ORANGE, "", "-")),
        ("in_top_5", Look("guess not in its top 5", SKY, "", (0, (4.5, 1.5)))),
    ):
        wrong = 1.0 - frames[column].astype(float)
        mean = 100.0 * wrong.cumsum() / np.arange(1, len(wrong) + 1)
        axes.plot(frames["frame"], mean, color=look.colour, ls=look.line, lw=1.0)
        guesses.append(series_handle(look))
    axes.axvline(splice, **SPLICE)
    axes.set_ylim(-3.0, 103.0)
    axes.set(xlabel="frame", ylabel="frames so far (%)")
    letter(axes, "c", "disagreement of sigma-delta")

    names = layers.drop_duplicates("layer").sort_values("layer")
    axes = figure.add_subplot(grid[2, 0])
    means = layers.groupby("layer")[list(NETWORKS)].mean() / 1e6
    places = np.arange(len(names))
    for number, (network, look) in enumerate(NETWORKS.items()):
        axes.bar(places + 0.27 * (number - 1), means[network], 0.25, color=look.colour)
    plain_log(axes, "y")
    axes.set(xlabel="layer", ylabel="operations (10⁶ per frame)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
    letter(axes, "d", "computation by layer")

    axes = figure.add_subplot(grid[2, 1])
    handles = []
    printed = published.values("ch4.fig4.5")["ratio_range"]
    axes.axhspan(printed["least"], printed["most"], color=LIGHT_GREY, lw=0, zorder=0)
    for scene, look in zip(layers["scene"].unique(), SCENES, strict=False):
        mine = layers[layers["scene"] == scene].sort_values("layer")
        ratio = mine["sigma_delta"] / mine["rounding"]
        axes.plot(mine["layer"], ratio, color=look.colour, ls=look.line, marker=look.marker, ms=3)
        handles.append(series_handle(look, scene, markersize=3))
    axes.set_ylim(0.0, max(1.05, axes.get_ylim()[1]))
    axes.set(xlabel="layer", ylabel="sigma-delta / rounding")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
    letter(axes, "e", "ratio by layer")
    handles = [*(series_handle(look) for look in NETWORKS.values()), *guesses, *handles]
    handles.append(Patch(color=LIGHT_GREY, lw=0, label=f"ratio, {published_label('mnist')}"))
    legend_below(figure, handles, 4)
    return figure


def _draw_frames(axes: Axes, rows: pd.DataFrame, frames: pd.DataFrame, title: str) -> None:
    shown = rows[rows["element"] == "picture"].sort_values("frame")
    images = [as_image(row) for _, row in shown.iterrows()]
    axes.imshow(sheet(images, len(images)), interpolation="nearest")
    side = images[0].shape[1]
    known = frames.set_index("frame")
    for number, frame in enumerate(shown["frame"]):
        guesses = [int(known.loc[frame, name]) for name in ("guess", "original_guess")]
        text = f"{guesses[0]}" if guesses[0] == guesses[1] else f"{guesses[0]} ({guesses[1]})"
        middle = number * (side + 2) + side / 2 - 0.5
        below = images[0].shape[0] + 1
        words = f"frame {int(frame)}\n{text}"
        axes.text(middle, below, words, ha="center", va="top", linespacing=1.3)
    axes.axis("off")
    letter(axes, "a", f"{title}; class by sigma-delta (by the original where it differs)")


@in_style
def inter_frame_change(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure B.1: change of features from frame to frame, by layer, in both measures."""
    name, rows = nearest(table)
    rows = rows[rows["element"] == "change"]
    norms = rows.groupby("layer")["l1_norm"].mean()
    first = rows.groupby("scene")["frame"].transform("min")
    figure = new_figure(height_mm=108)
    panels = figure.subplots(2, 2, height_ratios=[1.3, 1])
    for column, (measure, title) in enumerate(
        (
            ("l1_change", "$L_1$ distance (mean norm 1)"),
            ("cosine_distance", "1 − cosine similarity"),
        )
    ):
        values = rows.pivot(index="layer", columns="frame", values=measure)
        if measure == "l1_change":
            values = values.div(norms, axis=0)
        axes = panels[0, column]
        image = axes.imshow(
            values, aspect="auto", cmap="cividis", interpolation="nearest", vmin=0.0,
            vmax=float(np.nanquantile(values, 0.98)), origin="lower",
        )  # fmt: skip
        bar = figure.colorbar(image, ax=axes, extend="max", pad=0.02)
        bar.outline.set_linewidth(0.5)
        axes.set(xlabel="frame", ylabel="layer (0: pixels)")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        letter(axes, "ab"[column], title)
        axes = panels[1, column]
        inner = rows[rows["frame"] > first]
        for scene, look in zip(rows["scene"].unique(), SCENES, strict=False):
            mine = inner[inner["scene"] == scene].groupby("layer")[measure].mean()
            mine = mine / norms if measure == "l1_change" else mine
            axes.plot(mine.index, mine, color=look.colour, ls=look.line, marker=look.marker, ms=3)
        axes.set_ylim(bottom=0.0)
        axes.set(xlabel="layer (0: pixels)", ylabel="mean over frames")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        letter(axes, "cd"[column], title)
    handles = [
        series_handle(look, f"{scene} ({MATERIALS[name]})", markersize=3)
        for scene, look in zip(rows["scene"].unique(), SCENES, strict=False)
    ]
    legend_below(figure, handles, 2)
    return figure


@in_style
def sample_frames(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure C.3: sixteen frames of the labelled clips, with their classes."""
    name, rows = nearest(table)
    figure = new_figure(89.0, 89.0)
    panels = figure.subplots(4, 4)
    for axes in panels.flat:
        axes.axis("off")
    for axes, (_, row) in zip(panels.flat, rows.sort_values("frame").iterrows(), strict=False):
        axes.imshow(as_image(row), interpolation="nearest")
        axes.text(
            0.5, -0.04, row["scene"], transform=axes.transAxes, ha="center", va="top",
            color=PUBLISHED_COLOUR,
        )  # fmt: skip
    figure.suptitle(MATERIALS[name], fontsize=7.5)
    return figure
