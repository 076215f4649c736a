"""O'Connor 2020, chapter 4: pictures of the four networks and of Temporal MNIST."""

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
    SINGLE_COLUMN_MM,
    SKY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch4_principles.tables import PART_NAMES

MODULES = {
    "Δ": (r"$\Delta$", "temporal difference", SKY),
    "round": (r"$R$", "rounding", ORANGE),
    "herd": (r"$H$", "herding", ORANGE),
    "w": (r"$w$", "linear map", LIGHT_GREY),
    "Σ": (r"$\Sigma$", "temporal integration", SKY),
    "h": (r"$h$", "bias and nonlinearity", LIGHT_GREY),
}
"""Symbol, meaning and colour."""
TWIN = {"color": BLUE, "lw": 1.1, "ls": (0, (1.5, 1.5))}


@in_style
def four_networks(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 4.1: modules of the four networks, what one unit is sent, and what comes out."""
    networks = {network["id"]: network for network in published.values("ch4.fig4.1")["networks"]}
    figure = new_figure(DOUBLE_COLUMN_MM, 16 + 31 * len(networks))
    panels = figure.subplots(len(networks), 3, width_ratios=(1.3, 1, 1), sharex="col")
    steps = table.drop_duplicates(["network", "layer", "position"])
    longest = int(steps.groupby(["network", "layer"]).size().max())
    for (diagram, sent, output), (name, network) in zip(panels, networks.items(), strict=True):
        rows = table[table["network"] == name]
        _draw_chain(diagram, steps[steps["network"] == name], longest)
        letter(diagram, network["panel"], network["label"])
        signal = _sent(rows)
        whole = np.allclose(signal, np.rint(signal))
        sent.axhline(0.0, color=LIGHT_GREY, lw=0.6, zorder=0)
        sent.step(np.arange(len(signal)), signal, where="mid", color=BLUE, lw=1.0)
        sent.set_title("layer 2: whole numbers" if whole else "layer 2: real numbers", color=GREY)
        sent.set_ylabel("sent to $w$")
        output.plot(_output(rows), color=VERMILLION, lw=1.3)
        output.set_ylabel("output")
        if twin := network.get("equals"):
            same = _output(table[table["network"] == twin])
            output.plot(same, **TWIN)
            output.set_title(f"equal to {networks[twin]['panel']}", color=GREY)
    for axes in panels[-1, 1:]:
        axes.set_xlabel("frame $t$")
    found = list(dict.fromkeys(steps["module"]))
    box = {"color": GREY, "marker": "s", "ls": "none", "ms": 6, "mew": 0.5}
    handles = [
        Line2D([], [], label=f"{symbol} {meaning}", mfc=colour, **box)
        for module, (symbol, meaning, colour) in MODULES.items()
        if module in found
    ]
    handles.append(Line2D([], [], label="output of the equal network", **TWIN))
    legend_below(figure, handles, 4)
    figure.align_ylabels(panels[:, 1])
    figure.align_ylabels(panels[:, 2])
    return figure


def _draw_chain(axes: Axes, steps: pd.DataFrame, longest: int) -> None:
    """Boxes of the modules of all layers, one layer under the other, arrows between them."""
    box = {"boxstyle": "round,pad=0,rounding_size=0.08", "ec": GREY, "lw": 0.6}
    arrow = {"arrowstyle": "-|>", "mutation_scale": 5, "lw": 0.7, "shrinkA": 0, "shrinkB": 0}
    layers = sorted(steps["layer"].unique())
    for row, layer in enumerate(layers):
        modules = list(steps[steps["layer"] == layer].sort_values("position")["module"])[1:]
        places = np.arange(1.0, len(modules) + 1)
        source = "$x$" if row == 0 else "$y_1$" if len(layers) == 2 else f"$y_{{{row}}}$"
        axes.text(0.0, -row, source, ha="center", va="center")
        axes.text(-0.85, -row, f"layer {layer + 1}", ha="right", va="center", color=GREY)
        for place, module in zip(places, modules, strict=True):
            symbol, _, colour = MODULES[module]
            corner = (place - 0.3, -row - 0.24)
            axes.add_patch(FancyBboxPatch(corner, 0.6, 0.48, fc=colour, **box))
            axes.text(place, -row, symbol, ha="center", va="center")
        last = places[-1] + 1.0
        target = f"$y_{{{row + 1}}}$" if row + 1 < len(layers) else "$y$"
        axes.text(last, -row, target, ha="center", va="center")
        for start, end in pairwise([0.0, *places, last]):
            ends = (start + 0.3, -row), (end - 0.3, -row)
            axes.add_patch(FancyArrowPatch(*ends, color=GREY, **arrow))
    axes.set_xlim(-2.0, longest + 1.0)
    axes.set_ylim(-len(layers) + 0.4, 0.5)
    axes.set_axis_off()


def _sent(rows: pd.DataFrame) -> np.ndarray:
    """What the linear map of the last layer receives of unit 0: the signal before ``w``."""
    top = rows[rows["layer"] == rows["layer"].max()]
    before = int(top.loc[top["module"] == "w", "position"].iloc[0]) - 1
    signal = top[(top["position"] == before) & (top["unit"] == 0)].sort_values("frame")
    return signal["value"].to_numpy()


def _output(rows: pd.DataFrame) -> np.ndarray:
    """Outputs of the network, [frames, units]."""
    top = rows[rows["layer"] == rows["layer"].max()]
    last = top[top["position"] == top["position"].max()]
    return last.pivot(index="frame", columns="unit", values="value").to_numpy()


# ---------------------------------------------------------------------------- Temporal MNIST


@in_style
def temporal_snippets(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 4.3: snippets of adjacent frames, one a column, labels above the frames."""
    frames = table[table["element"] == "frame"]
    snippets = sorted(frames["snippet"].unique())
    length = int(frames["frame"].max()) + 1
    rows, columns = (int(frames[name].iloc[0]) for name in ("rows", "columns"))
    gap = max(1, round(rows / 14))
    pitch = columns + 5 * gap  # from one column of images to the next; labels stand between
    drawn_mm = SINGLE_COLUMN_MM - 11
    pixel_mm = drawn_mm / (pitch * len(snippets))
    figure = new_figure(SINGLE_COLUMN_MM, 11 + pixel_mm * (rows + gap) * length)
    axes = figure.subplots()
    sheet = np.full(((rows + gap) * length - gap, pitch * len(snippets)), np.nan)
    tops = np.arange(length) * (rows + gap)
    middles = tops + rows / 2 - 0.5
    lefts = np.arange(len(snippets)) * pitch
    for left, snippet in zip(lefts, snippets, strict=True):
        chosen = frames[frames["snippet"] == snippet].sort_values("frame")
        for top, middle, frame in zip(tops, middles, chosen.itertuples(), strict=False):
            image = np.frombuffer(bytes.fromhex(frame.pixels), np.uint8).reshape(rows, columns)
            sheet[top : top + rows, left : left + columns] = image / frame.white
            place = (left + columns + 0.4 * gap, middle)
            axes.text(*place, f"{int(frame.label)}", va="center", color=GREY)
    axes.imshow(sheet, cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks(lefts + columns / 2 - 0.5, range(1, len(snippets) + 1))
    axes.set_yticks(middles, range(1, length + 1))
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlabel("snippet, with the label of each frame")
    axes.set_ylabel("frame of the snippet")
    return figure


PARTS = {
    "thesis test": Look(PART_NAMES["thesis test"], BLUE, "o", "-"),
    "official test": Look(PART_NAMES["official test"], GREEN, "^", "-"),
    "thesis training": Look(PART_NAMES["thesis training"], VERMILLION, "s", "-"),
}


@in_style
def temporal_order(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Appendix B.4: distance of neighbours and label changes against the size of the buffer."""
    sequences = table[table["element"] == "sequence"]
    figure = new_figure(DOUBLE_COLUMN_MM, 66)
    panels = figure.subplots(1, 3)
    quantities = {
        "mean_l1": ("$L_1$ distance", "mean distance (full intensities)"),
        "mean_l2": ("$L_2$ distance", "mean distance (full intensities)"),
        "label_change_fraction": ("labels", "steps with a new label (%)"),
    }
    looks = {part: PARTS[part] for part in PARTS if part in set(sequences["part"])}
    line = {"lw": 0.8, "ls": (0, (1.2, 1.2))}
    temporal = sequences[sequences["order"] == "temporal"].sort_values("buffer_size")
    shuffled = sequences[sequences["order"] == "shuffled"]
    for axes, (column, (title, text)), mark in zip(panels, quantities.items(), "abc", strict=True):
        factor = 100.0 if column == "label_change_fraction" else 1.0
        for part, look in looks.items():
            rows = temporal[temporal["part"] == part]
            axes.plot(
                rows["buffer_size"], factor * rows[column], color=look.colour, marker=look.marker
            )
            mean = (factor * shuffled.loc[shuffled["part"] == part, column]).mean()
            axes.axhline(mean, color=look.colour, zorder=1, **line)
        axes.set_ylim(bottom=0.0)
        plain_log(axes, "x", temporal["buffer_size"].unique())
        axes.set_xlabel("size of the buffer (images)")
        axes.set_ylabel(text)
        letter(axes, mark, f"{title} of neighbours")
    handles = [series_handle(look) for look in looks.values()]
    legend_below(figure, [*handles, Line2D([], [], color=GREY, label="shuffled", **line)])
    return figure
