"""Pictures of chapter 4's principles of O'Connor 2020, drawn from tables made of closed forms."""

import itertools

import numpy as np
import pandas as pd
import pytest

from plausible.drawing import oconnor2020, oconnor2020_principles, oconnor2020_random_scales, style
from plausible.studies.oconnor2020.ch4_principles.figures_random_scales import pareto_front
from plausible.reproduction.published import load_curves

from .pictures import CURVES, check_legibility, legend_texts, lines_of

FIGURES = {**oconnor2020_principles.FIGURES, **oconnor2020_random_scales.FIGURES}
CHAINS = {
    "original": "x w h",
    "temporal_difference": "x Δ w Σ h",
    "rounding": "x round w h",
    "sigma_delta": "x Δ herd w Σ h",
}
LAMBDAS = [10.0**power for power in range(-7, -1)]


def network_table() -> pd.DataFrame:
    """Two layers, parabolas of 30 frames; C and D send whole numbers."""
    rows = []
    for name, chain in CHAINS.items():
        for layer, (position, module) in itertools.product(range(2), enumerate(chain.split(" "))):
            units = range(2 if module == "h" and layer == 1 else 1)
            for unit, frame in itertools.product(units, range(30)):
                value = (frame - 15) ** 2 / (20 + unit)
                if name in ("rounding", "sigma_delta"):
                    value = round(value)
                rows.append((name, layer, position, module, unit, frame, value))
    columns = ["network", "layer", "position", "module", "unit", "frame", "value"]
    return pd.DataFrame(rows, columns=columns)


def scale_table(seeds: int = 3) -> pd.DataFrame:
    """Random points above error = 10 / kOps, ends on it; the largest lambda is a silent network."""
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        rows.append(("corrected", "layers", "start", False, seed, np.nan, 0.0, 1, 1, 1, 0.5, 35.0))
        for _ in range(60):
            operations = rng.uniform(12, 500)
            error = min(1.0, (10 / operations) * rng.uniform(1.05, 8))
            scales = rng.uniform(0.1, 12, 3)
            rows.append(
                ("corrected", "layers", "random", False, seed, np.nan, 0.0, *scales, error)
                + (operations,)
            )
        for protocol, network, unitwise in (
            ("as_coded", "layers", False),
            ("as_published", "layers", False),
            ("as_coded", "layers", True),
            ("as_coded", "units", False),
            ("as_coded", "units", True),
        ):
            for number, weight in enumerate(LAMBDAS):
                operations = 300.0 / 2**number * (1 + 0.03 * seed)
                error = min(1.0, 10 / operations * (1.0 if unitwise or network == "layers" else 2))
                scales = np.array([6.0, 9.0, 1.5]) / 2**number
                if weight == LAMBDAS[-1]:
                    operations, error = 0.0, 1.0
                for epoch, kind in ((1.0, "trajectory"), (200.0, "end")):
                    share = epoch / 200
                    place = 35 + share * (operations - 35), 0.5 + share * (error - 0.5)
                    key = (protocol, network, kind, unitwise, seed, weight, epoch)
                    rows.append((*key, *scales, place[1], place[0]))
    columns = ["protocol", "network", "kind", "unitwise", "seed", "lambda", "epoch"]
    columns += ["scale_0", "scale_1", "scale_2", "error_fraction", "kops_per_sample"]
    return pd.DataFrame(rows, columns=columns).assign(diverged=False)


def change_table(seeds: int = 3) -> pd.DataFrame:
    """Ratios that are the change, a little more at small scales."""
    rows = [
        ("random", scale, r, np.sqrt(2 - 2 * r) * (1 + seed / 100), layer, seed)
        for scale in (1.0, 2.0, 4.0, 8.0)
        for r in (0.0, 0.9, 0.99, 0.999)
        for layer in (-1, 0, 1, 2)
        for seed in range(seeds)
    ]
    columns = ["source", "scale", "correlation", "change_fraction", "layer", "seed"]
    table = pd.DataFrame(rows, columns=columns)
    table["ratio"] = table["change_fraction"] + 0.1 / table["scale"]
    images = {"source": ["file", "temporal"], "layer": -1, "change_fraction": [1.26, 0.55]}
    return pd.concat([table, pd.DataFrame(images)], ignore_index=True)


def noise_table(seeds: int = 3) -> pd.DataFrame:
    """Rounding loses every start below 0.2."""
    rows = [
        (name, start, seed, 1.0 if lost else 0.1 + 0.01 * seed, 0.0 if lost else 20.0 + seed)
        for name in ("rounding", "noise")
        for start in (0.05, 0.1, 0.2, 0.5)
        for seed in range(seeds)
        for lost in [name == "rounding" and start < 0.2]
    ]
    columns = ["quantizer", "initial_scale", "seed", "error_fraction", "kops_per_sample"]
    return pd.DataFrame(rows, columns=columns)


def temporal_table() -> pd.DataFrame:
    """Distances that fall as the logarithm of the buffer grows; frames with one dark pixel."""
    rows = []
    for part, protocol in (
        ("thesis test", "as_coded"),
        ("official test", "as_published"),
        ("thesis training", "as_coded"),
    ):
        base = {"element": "sequence", "protocol": protocol, "part": part, "frames": 10000}
        rows += [
            {
                **base,
                "order": "shuffled",
                "buffer_size": 0,
                "seed": s,
                "mean_l1": 130.0,
                "mean_l2": 10.0,
                "label_change_fraction": 0.9,
            }
            for s in range(2)
        ]
        for power in range(4):
            if part == "thesis training" and power < 3:
                continue
            rows.append(
                {**base, "order": "temporal", "buffer_size": 10**power, "seed": -1}
                | {"mean_l1": 130.0 - 25 * power, "mean_l2": 10.0 - 1.4 * power}
                | {"label_change_fraction": 0.9 - 0.25 * power}
            )
    for snippet, frame in itertools.product(range(8), range(16)):
        pixels = bytearray(28 * 28)
        pixels[28 * frame + snippet] = 255
        rows.append(
            {"element": "frame", "part": "thesis test", "snippet": snippet, "frame": frame}
            | {"label": snippet, "rows": 28, "columns": 28, "white": 255}
            | {"pixels": bytes(pixels).hex()}
        )
    return pd.DataFrame(rows)


TABLES = {
    "four_networks": network_table,
    "random_scales": scale_table,
    "unitwise_scales": scale_table,
    "change_rate": change_table,
    "noise_training": noise_table,
    "temporal_snippets": temporal_table,
    "temporal_order": temporal_table,
}


@pytest.fixture(scope="module")
def published():
    return load_curves(CURVES, "oconnor2020")


@pytest.fixture(scope="module")
def drawn(published):
    return {name: FIGURES[name](TABLES[name](), published, "digits") for name in FIGURES}


def test_every_picture_has_a_table_and_is_registered():
    assert set(TABLES) == set(FIGURES) and FIGURES.items() <= oconnor2020.FIGURES.items()


@pytest.mark.parametrize("name", FIGURES)
def test_labelled_legible_and_free_of_overlaps(name, drawn):
    figure = drawn[name]
    widths = (style.SINGLE_COLUMN_MM, style.DOUBLE_COLUMN_MM)
    assert round(figure.get_figwidth() * 25.4, 3) in widths
    check_legibility(figure)
    for axes in figure.axes:
        if axes.axison and axes.get_subplotspec().is_last_row():
            assert axes.get_xlabel()


@pytest.mark.parametrize("name", FIGURES)
def test_same_bytes_each_time(name, published):
    first, second = (
        style.svg_text(FIGURES[name](TABLES[name](), published, "digits")) for _ in range(2)
    )
    assert first == second and len(first) < 400_000


@pytest.mark.parametrize("name", ["random_scales", "unitwise_scales", "change_rate"])
def test_a_single_seed(name, published):
    figure = FIGURES[name](TABLES[name](seeds=1), published)
    figure.draw_without_rendering()
    assert legend_texts(figure)


def test_networks_show_their_modules_and_twins(drawn):
    figure = drawn["four_networks"]
    diagrams, outputs = figure.axes[0::3], figure.axes[2::3]
    shown = {"A": ["w", "h"], "D": [r"\Delta", "H", "w", r"\Sigma", "h"]}
    for axes, (_, symbols) in zip((diagrams[0], diagrams[3]), shown.items(), strict=True):
        boxes = [text.get_text() for text in axes.texts]
        assert [text for text in boxes if text.strip("$") in symbols] == [
            f"${symbol}$" for symbol in symbols
        ] * 2
        assert len([p for p in axes.patches if hasattr(p, "get_boxstyle")]) == 2 * len(symbols)
    assert [axes.get_title(loc="left") for axes in outputs] == ["", "dotted: A", "", "dotted: C"]
    assert [len(axes.lines) for axes in outputs] == [2, 4, 2, 4]
    sent = figure.axes[1::3]
    assert [axes.get_title(loc="left").split(": ")[1].split(" ")[0] for axes in sent] == [
        "real",
        "real",
        "whole",
        "whole",
    ]


def test_scales_and_paths_are_those_of_the_table(drawn):
    table = scale_table()
    scales, paths, ends = drawn["random_scales"].axes
    random = table[(table["kind"] == "random") & (table["seed"] == 0)]
    assert len(lines_of(scales, style.GREY)) == len(random)
    crosses = [line for line in paths.lines if line.get_marker() == "X"]
    found = sorted((line.get_xdata()[0], line.get_ydata()[0]) for line in crosses)
    rows = table[(table["kind"] == "end") & (table["protocol"] == "as_coded") & ~table["unitwise"]]
    rows = rows[(rows["seed"] == 0) & (rows["network"] == "layers")]
    wanted = sorted(zip(rows["kops_per_sample"], rows["error_fraction"], strict=True))
    np.testing.assert_allclose(found, wanted)
    assert found[0] == (0.0, 1.0)
    low, high = paths.get_xlim()
    assert low < 0.0 and high > table["kops_per_sample"].max()
    for protocol in ("as_coded", "as_published"):
        look = style.look_of(protocol)
        (points,) = [line for line in ends.lines if line.get_color() == look.colour]
        assert len(points.get_xdata()) == 18
    assert "as published" in legend_texts(drawn["random_scales"])


def test_front_is_what_no_point_beats():
    points = pd.DataFrame(
        {"kops_per_sample": [1.0, 2.0, 2.0, 3.0, 4.0], "error_fraction": [0.9, 0.5, 0.4, 0.6, 0.1]}
    )
    front = pareto_front(points)
    assert front["kops_per_sample"].tolist() == [1.0, 2.0, 4.0]
    assert front["error_fraction"].tolist() == [0.9, 0.4, 0.1]


def test_published_ratios_stand_where_the_change_is_known(published, drawn):
    rows = published.values("table_b1")["rows"]
    chosen = {row["network"]: row for row in rows if row["lambda"] == 1e-10}
    wanted = [
        chosen["SigmaDelta"][key]["kflops"] / chosen["Round"][key]["kflops"]
        for key in ("mnist", "temporal_mnist")
    ]
    assert wanted[0] > 1 > wanted[1]
    ours = FIGURES["change_rate"](change_table(), published, "mnist")
    published_lines = lines_of(ours.axes[0], style.PUBLISHED_COLOUR)
    marks = [line for line in published_lines if line.get_marker() == "D"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marks] == [
        (1.26, wanted[0]),
        (0.55, wanted[1]),
    ]
    lines = lines_of(drawn["change_rate"].axes[0], style.PUBLISHED_COLOUR)
    assert [line.get_ydata()[0] for line in lines] == wanted


def test_means_of_ratios(drawn):
    table = change_table()
    rows = table[(table["layer"] == -1) & (table["scale"] == 8.0)]
    means = rows.groupby("correlation")["ratio"].mean()
    heights = [list(line.get_ydata()) for line in drawn["change_rate"].axes[0].lines]
    assert any(np.allclose(line, means) for line in heights if len(line) == 4)


def test_snippets_are_the_frames_of_their_columns(drawn):
    (axes,) = drawn["temporal_snippets"].axes
    sheet = np.nan_to_num(np.asarray(axes.images[0].get_array().filled(np.nan)))
    dark = np.argwhere(sheet > 0)
    assert len(dark) == 8 * 16 and sheet.max() == 1.0
    rows, columns = 28 + 2, 28 + 10
    wanted = {(f * rows + f, s * columns + s) for s in range(8) for f in range(16)}
    assert set(map(tuple, dark)) == wanted
    assert [text.get_text() for text in axes.texts[:16]] == ["0"] * 16


def test_distances_over_the_buffer(drawn):
    first, _, labels = drawn["temporal_order"].axes
    (line,) = [line for line in lines_of(first, style.BLUE) if len(line.get_xdata()) == 4]
    assert list(line.get_xdata()) == [1, 10, 100, 1000]
    assert list(line.get_ydata()) == [130.0, 105.0, 80.0, 55.0]
    (training,) = [line for line in lines_of(labels, style.VERMILLION) if line.get_marker() == "s"]
    np.testing.assert_allclose(training.get_ydata(), [15.0])
    shuffled = [line for line in lines_of(first, style.GREEN) if len(line.get_xdata()) == 2]
    assert shuffled[0].get_ydata()[0] == 130.0


def test_panels_of_one_protocol_name_it(drawn):
    titles = [axes.get_title("left") for axes in drawn["random_scales"].axes]
    assert ["as coded" in title for title in titles] == [True, True, False]


def test_sequences_are_named_as_the_splits(drawn):
    names = legend_texts(drawn["temporal_order"])
    assert names[:3] == ["thesis split", "official split", "training images"]
