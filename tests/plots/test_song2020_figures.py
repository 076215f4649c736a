"""Every picture of Song et al. 2020, drawn from tables that follow the contract of the results."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from scipy.stats import t as student_t

from plausible.drawing import heat_maps, song2020, style
from plausible.errors import StudyError
from plausible.measure.cell_distance import cell_distance
from plausible.reproduction.published import load_curves
from plausible.studies.song2020.ablation.figures import cells_of, grid_rows
from plausible.studies.song2020.ablation.figures_sigma import scaled_divergence
from plausible.studies.song2020.beyond.figures import moment_distance
from plausible.studies.song2020.looks import (
    TEST_ERROR,
    WEIGHTS,
    WEIGHTS_AS_ONE,
    cells_published,
    moments,
    over_seeds,
    power_label,
    sigma_rows,
)
from plausible.studies.song2020.properties.figures_detection import calibration_scores

from .pictures import CURVES, check_legibility, legend_texts, lines_of
from .synthetic_song2020 import make_tables

TABLES = make_tables(CURVES)
NAMES = list(song2020.FIGURES)
WITHOUT_PUBLISHED = {"fig1", "fig2", "optimizers", "float32", "energy", "prediction"}
HEAT_MAPS = {"fig3", "fig3_as_coded", "supp_fig1", "supp_fig3", "calibration"}
WITHOUT_SEEDS = {"fig1", "fig2", "table4_figure"}


@pytest.fixture(scope="module")
def published():
    return load_curves(CURVES, "song2020")


@pytest.fixture(scope="module")
def drawn(published):
    """Pictures of the tables as they are, drawn once, with the longest names of the published."""
    return {name: song2020.FIGURES[name](TABLES[name](), published, "digits") for name in NAMES}


@pytest.fixture(scope="module")
def svg_texts(drawn):
    """First rendering of every picture; a second one of the same figure may move its panels."""
    return {name: style.svg_text(figure) for name, figure in drawn.items()}


def maps_of(figure):
    """Panels that are heat maps, which have a number in every cell."""
    return [axes for axes in figure.axes if mesh_of(axes) and axes.texts]


def mesh_of(axes):
    return next((item for item in axes.collections if isinstance(item, QuadMesh)), None)


def cell_texts(axes, columns=8):
    """Annotations of a heat map by row."""
    texts = [text.get_text() for text in axes.texts]
    return [texts[start : start + columns] for start in range(0, len(texts), columns)]


def frames(axes):
    """Framed cells (row, column)."""
    return [
        (int(patch.get_y()), int(patch.get_x()))
        for patch in axes.patches
        if isinstance(patch, Rectangle)
        and to_hex(patch.get_edgecolor()) == style.VERMILLION.lower()
        and patch.get_linewidth() == heat_maps.FRAME_WIDTH
    ]


def test_tables_are_made_for_every_picture():
    assert set(TABLES) == set(song2020.FIGURES)


@pytest.mark.parametrize("name", NAMES)
def test_labelled_legible_and_free_of_overlaps(name, drawn, svg_texts):
    figure = drawn[name]
    assert isinstance(figure, Figure)
    assert round(figure.get_figwidth() * 25.4, 3) == style.DOUBLE_COLUMN_MM
    assert figure.get_figheight() * 25.4 <= 247
    assert legend_texts(figure)
    check_legibility(figure)


@pytest.mark.parametrize("name", NAMES)
def test_units_stand_at_the_axes(name, drawn):
    labels = [
        label for axes in drawn[name].axes for label in (axes.get_xlabel(), axes.get_ylabel())
    ]
    unit = r"\((unitless|fraction.*|%|ms|steps|images|percentage points.*|Frobenius.*)\)"
    if name != "fig1":
        assert any(re.search(unit, label, re.DOTALL) for label in labels), labels


@pytest.mark.parametrize("name", sorted(set(NAMES) - WITHOUT_PUBLISHED))
def test_published_is_named_with_its_data_set(name, drawn, published):
    assert any("published" in text for text in legend_texts(drawn[name]))
    if name == "table4_figure":  # run times need no images
        return
    assert any("published (MNIST)" in text for text in legend_texts(drawn[name]))
    other = song2020.FIGURES[name](TABLES[name](seeds=1), published, dataset="mnist")
    assert not any("MNIST" in text for text in legend_texts(other))


@pytest.mark.parametrize("name", sorted(set(NAMES) - WITHOUT_SEEDS - {"fig3_as_coded"}))
def test_a_single_seed_and_a_single_protocol(name, published):
    table = TABLES[name](seeds=1, protocols=("as_coded",))
    figure = song2020.FIGURES[name](table, published, dataset="digits")
    figure.draw_without_rendering()
    assert len(legend_texts(figure))


@pytest.mark.parametrize("name", NAMES)
def test_files_are_small_and_have_the_same_bytes_each_time(name, svg_texts, published):
    text = style.svg_text(song2020.FIGURES[name](TABLES[name](), published, "digits"))
    assert text == svg_texts[name]
    assert "<dc:date>" not in text and "<text" not in text
    # 48 cells with their numbers in up to 12 panels.
    assert len(text) < (500_000 if name in HEAT_MAPS else 300_000)


def test_png_has_the_same_bytes_each_time(tmp_path, published):
    table = TABLES["supp_fig3"](seeds=1)
    for run in range(2):
        figure = song2020.supp_fig3(table, published)
        style.save_figure(figure, tmp_path / f"{run}.svg", tmp_path / f"{run}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


def test_heat_maps_have_gamma_downwards_and_l_where_the_paper_puts_it(drawn):
    panels = maps_of(drawn["supp_fig1"])
    assert len(panels) == 6
    order = {2: "0 $l$ 1 2 3 4 16 64", 3: "0 1 $l$ 2 3 4 16 64", 4: "0 1 2 $l$ 3 4 16 64"}
    for axes, l_max in zip(panels, (2, 2, 3, 3, 4, 4), strict=True):
        assert " ".join(text.get_text() for text in axes.get_xticklabels()) == order[l_max]
        gammas = [text.get_text() for text in axes.get_yticklabels()]
        assert gammas == ["0.01", "0.1", "0.5", "1", "5", "10"]
        assert axes.get_ylim() == (6.0, 0.0)  # the first row is on top


def test_every_cell_has_our_number_above_the_published_one(drawn):
    table = TABLES["supp_fig1"]()
    chosen = table[(table["protocol"] == "calibrated") & (table["l_max"] == 2)]
    chosen = chosen[(chosen["panel"] == "t_gamma") & (chosen["gamma"] == 0.5)]
    means = chosen.groupby("t")["test_error_divergence_sum"].mean()
    texts = cell_texts(maps_of(drawn["supp_fig1"])[0])
    assert len(texts) == 6
    row = dict(zip("0 l 1 2 3 4 16 64".split(), texts[2], strict=True))
    for t, printed in {"0": "13.0", "l": "1.15", "1": "1.29", "4": ".177", "64": ".281"}.items():
        ours, theirs = row[t].splitlines()
        assert theirs == f"({printed})"
        assert float(ours) == pytest.approx(means[t], rel=5e-3)
    assert texts[5][3].endswith("(≥49)")  # at the end of the published colour scale


def test_the_cell_that_is_backprop_is_framed_and_zero(drawn):
    for name in ("fig3", "supp_fig1", "supp_fig3"):
        panels = maps_of(drawn[name])
        assert panels
        for axes in panels:
            ((row, column),) = frames(axes)
            if axes.get_xticks().size:
                assert axes.get_xticklabels()[column].get_text() == "$l$"
            assert row == 3
            if name == "fig3":
                assert cell_texts(axes)[3][column] == "0"
    assert any("rounding" in text for text in legend_texts(drawn["fig3"]))


def test_rounding_error_is_written_as_such_in_the_supplement(drawn):
    weights = maps_of(drawn["supp_fig1"])[1]
    assert cell_texts(weights)[3][1] == "2e−13\n(0)"


def test_published_panels_of_figure_3_hold_every_recovered_cell(drawn, published):
    panels = maps_of(drawn["fig3"])
    assert len(panels) == 12
    theirs = [axes for axes in panels if axes.get_title(loc="left").endswith("published (MNIST)")]
    assert len(theirs) == 6
    for axes, (quantity, l_max) in zip(
        theirs, itertools.product((TEST_ERROR, WEIGHTS), (2, 3, 4)), strict=True
    ):
        mesh = mesh_of(axes)
        cells = cells_published(published, l_max, quantity)
        assert np.array_equal(np.asarray(mesh.get_array()).reshape(6, 8), cells.to_numpy())
        assert mesh.norm.vmax == quantity.scale.top and mesh.norm.vmin == 0.0
    assert mesh_of(theirs[0]).norm.linthresh == 0.15


def test_diverged_cells_carry_a_cross(published):
    table = TABLES["fig3"](seeds=2)
    table["diverged_epoch"] = -1
    none = song2020.fig3(table, published)
    assert "diverged" not in legend_texts(none)
    one = (table["panel"] == "t_gamma") & (table["t"] == "64") & (table["gamma"] == 10)
    one &= (table["l_max"] == 3) & (table["seed"] == 1) & (table["protocol"] == "calibrated")
    table.loc[one, "diverged_epoch"] = 2
    figure = song2020.fig3(table, published)
    assert "diverged" in legend_texts(figure)
    crosses = [
        (axes, line.get_xydata())
        for axes in figure.axes
        for line in axes.lines
        if line.get_gid() == style.DIVERGED
    ]
    assert len(crosses) == 2  # one in each of our two maps of this network
    for axes, places in crosses:
        assert "$l_{max}$ = 3" in axes.get_title(loc="left")
        assert np.array_equal(np.floor(places), [[7, 5]])


def test_weights_beyond_all_bounds_are_infinite_not_missing(published):
    table = TABLES["fig3"](seeds=2, protocols=("as_coded",), networks=(2,))
    chosen = (table["t"] == "16") & (table["gamma"] == 10)
    table.loc[chosen & (table["seed"] == 0), "weight_divergence_sum"] = np.nan
    rows = grid_rows(table, "as_coded")
    like = cells_published(published, 2, WEIGHTS)
    cells = cells_of(rows, 2, WEIGHTS.column, like)
    assert cells.values.loc["10", "16"] == np.inf
    missing = cells_of(rows[rows["t"] != "16"], 2, WEIGHTS.column, like)
    assert np.isnan(missing.values.loc["10", "16"])


def test_calibrated_is_shown_first_and_as_coded_in_its_own_picture(drawn, published):
    titles = [axes.get_title(loc="left") for axes in drawn["fig3"].axes]
    assert any(title.endswith("calibrated") for title in titles)
    assert not any("as coded" in title for title in titles)
    titles = [axes.get_title(loc="left") for axes in drawn["fig3_as_coded"].axes]
    assert any(title.endswith("as coded") for title in titles)
    assert not any("calibrated" in title for title in titles)


def test_intervals_need_three_seeds(published):
    for name in ("conditions", "supp_fig2", "optimizers"):
        for seeds in (2, 3):
            figure = song2020.FIGURES[name](TABLES[name](seeds=seeds), published)
            bars = [container for axes in figure.axes for container in axes.containers]
            named = any("95 % interval" in text for text in legend_texts(figure))
            assert bool(bars) is named is (seeds == 3)


def test_interval_of_three_seeds_by_hand():
    table = pd.DataFrame({"x": [1, 1, 1, 2, 2], "seed": [0, 1, 2, 0, 1], "y": [1, 2, 6, 1, 2]})
    data = over_seeds(table, ["x"], "y")
    half = student_t.ppf(0.975, 2) * np.std([1, 2, 6], ddof=1) / np.sqrt(3)
    assert list(data["mean"]) == [3.0, 1.5]
    assert data["low"][0] == 0.0 and data["high"][0] == pytest.approx(3.0 + half)
    assert data[["low", "high"]].loc[1].isna().all()


def test_long_numbers_are_written_out_in_the_supplement_only(published):
    table = TABLES["fig3"](seeds=1, protocols=("as_coded",), networks=(2,))
    chosen = (table["panel"] == "t_gamma") & (table["t"] == "64") & (table["gamma"] == 10)
    table.loc[chosen, "weight_divergence_sum"] = 2.4e15
    weights = [axes for axes in maps_of(song2020.fig3(table, published)) if axes.texts][2]
    assert cell_texts(weights)[5][7] == "≫"
    weights = maps_of(song2020.supp_fig1(table, published))[1]
    assert cell_texts(weights)[5][7] == "2e15\n(≥50)"


def test_one_network_is_enough(published):
    table = TABLES["fig3"](seeds=1, networks=(3,))
    for name in ("fig3", "supp_fig1", "supp_fig2", "supp_fig3", "conditions"):
        song2020.FIGURES[name](table, published).draw_without_rendering()


def test_published_sigma_values_are_drawn(drawn, published):
    printed = published.values("supp.table1")
    for axes, name in zip(
        drawn["supp_fig2"].axes[:2],
        ("divergence_of_test_error", "divergence_of_final_weights"),
        strict=True,
    ):
        black = [line.get_ydata() for line in lines_of(axes, style.PUBLISHED_COLOUR)]
        assert any(np.array_equal(values, printed[name]) for values in black)


def test_sigma_zero_counts_once_for_each_kind_of_noise():
    """The experiment lists sigma = 0 for every noise; the same run must not be averaged twice."""
    rows = [
        dict(protocol="p", panel="sigma", noise=noise, sigma=sigma, l_max=2)
        for noise in ("initial", "persistent")
        for sigma in (0.0, 1.0)
    ]
    chosen = sigma_rows(pd.DataFrame(rows), "p", "persistent")
    assert list(chosen["sigma"]) == [0.0, 1.0] and set(chosen["noise"]) == {"persistent"}


def test_scaled_curves_end_at_zero_and_one():
    weights = scaled_divergence(pd.Series([0.0, 5.0, 50.0, 900.0]), WEIGHTS)
    assert list(weights) == [0.0, 0.1, 1.0, 1.0]
    test = scaled_divergence(pd.Series([0.0, 1e-9, 0.042, 42.0]), TEST_ERROR)
    assert list(test) == pytest.approx([0.0, 0.0, 0.4, 1.0])
    assert list(scaled_divergence(pd.Series([0.0, 0.0]), TEST_ERROR)) == [0.0, 0.0]


def test_distance_of_a_moment_by_hand():
    """l_max = 3 learns at 0, 1, 2: t = 4 is 4, 3 and 2 steps late."""
    distance = moment_distance(pd.Series(["l", "0", "1", "4"]), 3)
    assert list(distance) == pytest.approx([0.0, -1.0, 2 / 3, 3.0])


def test_conditions_draw_the_recovered_row_and_column(drawn, published):
    axes = drawn["conditions"].axes[2]
    cells = 100 * cells_published(published, 2, TEST_ERROR)["l"] / 64
    black = [
        line.get_ydata()
        for line in lines_of(axes, style.PUBLISHED_COLOUR)
        if line.get_marker() == "o"
    ]
    assert np.allclose(black, [cells])


def test_numbers_of_few_characters():
    texts = [heat_maps.short_number(value, 2) for value in (13.2, 9.46, 0.281, 0.997, 0, 2.4e-13)]
    assert texts == ["13", "9.5", ".28", "1.0", "0", "2e−13"]
    assert heat_maps.short_number(0.1767, 3) == ".177"
    assert heat_maps.short_number(351.2, 2) == "350"
    assert heat_maps.short_number(12345.0, 3) == "1e4"
    assert heat_maps.short_number(np.nan) == heat_maps.short_number(np.inf) == "∞"


def test_colour_scale_is_linear_below_its_threshold_and_monotone():
    norm = TEST_ERROR.scale.norm()
    values = np.array([0.0, 0.05, 0.1, 0.15, 0.5, 5.0, 50.38, 64.0])
    drawn = np.asarray(norm(values))
    assert drawn[0] == 0.0 and drawn[-1] == drawn[-2] == 1.0
    assert (np.diff(drawn[:-1]) > 0).all()
    assert drawn[1] == pytest.approx(drawn[2] / 2) == pytest.approx(drawn[3] / 3)
    assert WEIGHTS.scale.norm()(25.0) == pytest.approx(0.5)


def test_moments_are_text_whatever_the_table_holds():
    assert list(moments(pd.Series(["l", "0", "16"]))) == ["l", "0", "16"]
    assert list(moments(pd.Series([0.0, 16.0]))) == ["0", "16"]
    assert [power_label(value) for value in (0, 0.001, 100, 1e-6)] == [
        "0",
        "0.001",
        "100",
        "$10^{-6}$",
    ]


def test_calibration_scores_by_hand(published):
    row = dict(candidate="a", l_max=2, seed=0, description="", gamma=0.5, mean_test_error=0.1)
    cells = [
        dict(column="bp", test=0.0, weight=0.0, theirs=(np.nan, np.nan)),
        dict(column="t0", test=15.0, weight=19.0, theirs=(10.0, 20.0)),
        dict(column="tl", test=60.0, weight=np.nan, theirs=(49.3, 49.8)),
    ]
    table = pd.DataFrame(
        {
            **row,
            "column": cell["column"],
            "test_error_divergence_sum": cell["test"],
            "weight_divergence_norm": cell["weight"],
            "published_test_error_divergence": cell["theirs"][0],
            "published_weight_divergence": cell["theirs"][1],
        }
        for cell in cells
    )
    worse = table.assign(candidate="b", test_error_divergence_sum=3.0)
    scores = calibration_scores(pd.concat([worse, table]), published)
    assert list(scores.index) == ["a", "b"]
    best = scores.loc["a"]
    assert best[(2, "t0_test")] == pytest.approx(0.5)
    assert best[(2, "t0_weights")] == pytest.approx(0.05)
    # Both are beyond the end of the published scale, and weights that overflowed are as well.
    assert best[(2, "tl_test")] == best[(2, "tl_weights")] == 0.0
    assert best[(2, "bp")] == pytest.approx(abs(0.1 - 0.10546) / 0.10546)
    tops = TEST_ERROR.top_reading, WEIGHTS_AS_ONE.top_reading
    parts = 5 / (10 + tops[0]), 1 / (20 + tops[1]), best[(2, "bp")]
    assert best[("all", "mean")] == pytest.approx(sum(parts) / 3)


def test_a_reading_at_the_end_of_the_scale_is_a_lower_bound():
    ours, theirs = pd.Series([30.0, 48.0, 500.0]), pd.Series([49.3, 49.3, 49.3])
    top, names = TEST_ERROR.top_reading, pd.Series(["a", "b", "c"])
    assert list(cell_distance(ours, theirs, top, names)) == pytest.approx([16.2 / 46.2, 0.0, 0.0])
    one = pd.Series(["a", "a", "a"])
    assert cell_distance(ours, theirs, top, one)["a"] == pytest.approx(16.2 / (3 * 46.2))


def test_calibration_lists_the_best_and_says_how_many_are_left_out(published):
    table = TABLES["calibration"](seeds=1, candidates=55)
    figure = song2020.calibration(table, published)
    assert figure.get_figheight() * 25.4 <= 247
    assert "7 more readings are further off" in legend_texts(figure)
    assert figure.axes[0].get_yticklabels()[0].get_text() == "reading_0"


def test_fig1_has_an_error_node_for_every_value_node_but_the_inputs(drawn):
    ann, pcn = drawn["fig1"].axes
    markers = [line.get_marker() for line in ann.lines]
    assert markers.count("o") == 8 and "s" not in markers
    markers = [line.get_marker() for line in pcn.lines]
    assert markers.count("o") == 8 and markers.count("s") == 5
    assert len(ann.patches) == 3 * 3 + 3 * 2
    assert len(pcn.patches) == 15 + 6 + 5


def test_fig2_draws_every_logged_weight_update(drawn):
    table = TABLES["fig2"]()
    for axes, algorithm in zip(drawn["fig2"].axes, ("bp", "il", "zil", "fazil"), strict=True):
        logged = table[(table["algorithm"] == algorithm) & (table["event"] == "weight_update")]
        bars = [
            (round(patch.get_x() + 0.22), round(patch.get_y() + 0.62))
            for patch in axes.patches
            if isinstance(patch, FancyBboxPatch)
        ]
        assert sorted(bars) == sorted(zip(logged["t"], logged["layer"], strict=True))
        assert axes.get_ylim()[0] > axes.get_ylim()[1]  # output on top, as in the paper


def test_table4_draws_the_published_ratios_at_the_published_network_only(drawn, published):
    panels = drawn["table4_figure"].axes
    marks = [
        sorted(
            segment[0][0]
            for collection in axes.collections
            if to_hex(collection.get_color()[0]) == style.PUBLISHED_COLOUR
            for segment in collection.get_segments()
        )
        for axes in panels
    ]
    assert marks[0] == [3.1, 3.6, 3.6, 19.2]
    assert marks[1] == pytest.approx([1.0, 3.6 / 3.1, 3.6 / 3.1, 19.2 / 3.1])
    assert marks[2] == marks[3] == []
    both = song2020.table4_figure(TABLES["table4_figure"](devices=("cpu", "cuda")), published)
    assert len(both.axes) == 8


def test_table3_draws_the_published_row(drawn, published):
    printed = list(published.values("table3")["success_rate_percent"].values())
    for axes in drawn["table3_figure"].axes[:6]:
        black = [line.get_ydata() for line in lines_of(axes, style.PUBLISHED_COLOUR)]
        assert all(list(values) == printed for values in black) and black
        low, high = axes.get_ylim()
        assert low < min(printed) and high >= 99.95


def test_recovered_numbers_that_are_not_there(published):
    assert cells_published(published, 7, WEIGHTS).empty
    with pytest.raises(StudyError, match=r"no recovered numbers of 'fig9'.*known are.*fig3"):
        published.recovered_values("fig9")
    # A study without recovered numbers has none, and none of another study's.
    assert load_curves(CURVES, "thuesen2022").recovered == {}


def test_no_torch():
    code = (
        "import sys; from plausible.drawing import song2020; "
        "assert not {'torch', 'numba'} & set(sys.modules), 'slow import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_weights_are_one_distance_in_the_calibrated_picture_only(drawn):
    for name, words in (("fig3", "all matrices as one"), ("fig3_as_coded", "sum over matrices")):
        labels = [axes.get_xlabel() for axes in drawn[name].axes]
        assert any(label.startswith("divergence of final weights") for label in labels)
        assert all(words in label for label in labels if "final weights" in label)
