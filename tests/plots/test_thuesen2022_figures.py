"""Every picture of Thuesen 2022, drawn from tables that follow the contract of the results."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy.stats import t as student_t

from plausible.drawing import style, thuesen2022
from plausible.reproduction.published import NETWORK_ROWS, load_curves
from plausible.studies.thuesen2022.neurons.figures import CURRENTS_PER_COLUMN, _envelope

from .pictures import CURVES, check_legibility, legend_texts, lines_of

NAMES = list(thuesen2022.FIGURES)
WITHOUT_PUBLISHED = {"fig3", "fig4", "activation_scaling", "poisson_noise", "il_cost"}
WITHOUT_PUBLISHED |= {"constraints", "conversion_diagnostic"}
# Columns that a diverged run fills with NaN.
MEASURED = {
    "table1_figure": "test_accuracy_percent",
    "spiking_drop": "drop_percentage_points",
    "noise_dropout": "spiking_accuracy_percent",
    "bn_exception": "spiking_accuracy_percent",
    "readout": "accuracy_percent",
    "simulation_time": "spiking_accuracy_percent",
    "energy": "spiking_accuracy_percent",
}


@pytest.fixture(scope="module")
def published():
    return load_curves(CURVES)


@pytest.fixture
def draw(tables, published):
    """Draw one picture from a table made for it."""

    def function(name, dataset="mnist", **options):
        return thuesen2022.FIGURES[name](tables[name](**options), published, dataset=dataset)

    return function


def black_lines(figure):
    """Data of every line in the colour of what was published."""
    return [
        line.get_xydata()
        for axes in figure.axes
        for line in lines_of(axes, style.PUBLISHED_COLOUR)
        if len(line.get_xydata())
    ]


def test_registry_and_tables_name_the_same_pictures(tables):
    assert set(tables) == set(thuesen2022.FIGURES)


@pytest.mark.parametrize("name", NAMES)
def test_labelled_legible_and_free_of_overlaps(name, draw):
    figure = draw(name, seeds=3)
    assert isinstance(figure, Figure)
    width = figure.get_figwidth() * 25.4
    assert round(width, 3) in (style.SINGLE_COLUMN_MM, style.DOUBLE_COLUMN_MM)
    assert figure.get_figheight() * 25.4 <= 247
    if name == "fig4":
        assert figure.axes[-1].get_xlabel() == "intensity (fraction of white)"
    else:
        assert legend_texts(figure)
    shown = [axes for axes in figure.axes if axes.axison and name not in ("fig3", "fig4")]
    assert all(
        axes.get_xlabel() or axes.get_shared_x_axes().get_siblings(axes)[1:] for axes in shown
    )
    first = next(iter(shown), None)
    assert first is None or first.get_ylabel()
    check_legibility(figure)


@pytest.mark.parametrize("name", NAMES)
def test_units_stand_at_the_axes(name, draw):
    figure = draw(name)
    labels = {axes.get_xlabel() for axes in figure.axes} | {
        axes.get_ylabel() for axes in figure.axes
    }
    unit = r"\((Hz|unitless|%|percentage points|points|nats|ms|s|µJ|neuron|fraction of white)\)"
    if name not in ("fig3", "constraints"):
        assert any(re.search(unit, label) for label in labels), labels


@pytest.mark.parametrize("name", sorted(set(NAMES) - WITHOUT_PUBLISHED))
def test_published_is_drawn_in_black_and_named(name, draw, published):
    ours, other = draw(name), draw(name, dataset="digits")
    assert any(text.startswith("published") for text in legend_texts(ours))
    marks = [
        artist
        for axes in ours.axes
        for artist in axes.findobj(LineCollection)
        if to_hex(artist.get_color()[0]) == style.PUBLISHED_COLOUR
    ]
    assert marks or black_lines(ours)
    if name not in ("fig2a", "fig2b", "fig2c", "alpha_filter_tau"):
        assert any(re.match(r"published.*\(MNIST\)", text) for text in legend_texts(other))


@pytest.mark.parametrize("name", NAMES)
def test_missing_protocols_and_a_single_seed(name, draw):
    draw(name, protocols=("as_coded",), seeds=1)
    draw(name, protocols=("corrected",), seeds=1, dataset="digits").draw_without_rendering()


@pytest.mark.parametrize("name", sorted(MEASURED))
def test_a_diverged_run_is_shown_as_such(name, tables, published):
    table = tables[name](seeds=2)
    table.loc[(table["protocol"] == "corrected") & (table["seed"] == 1), MEASURED[name]] = np.nan
    figure = thuesen2022.FIGURES[name](table, published)
    figure.draw_without_rendering()
    shown = [*legend_texts(figure), *(t.get_text() for a in figure.axes for t in a.texts)]
    assert any("diverged" in text for text in shown)
    whole = thuesen2022.FIGURES[name](tables[name](seeds=2), published)
    assert not any("diverged" in text for text in legend_texts(whole))


@pytest.mark.parametrize("name", NAMES)
def test_files_have_the_same_bytes_each_time(name, tmp_path, draw):
    """Two separate drawings; the SVG holds every coordinate, so the PNG of a few is enough."""
    figures = [draw(name, seeds=2) for _ in range(2)]
    if name in ("fig4", "poisson_noise"):
        for run, figure in enumerate(figures):
            style.save_figure(figure, tmp_path / f"{run}.svg", tmp_path / f"{run}.png")
        assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
        texts = [(tmp_path / f"{run}.svg").read_text(encoding="utf-8") for run in range(2)]
    else:
        texts = [style.svg_text(figure) for figure in figures]
    assert texts[0] == texts[1]
    assert "<dc:date>" not in texts[0] and "<text" not in texts[0]
    assert len(texts[0]) < 400_000


def test_table1_points_are_means_with_t_intervals(tables, published):
    table = tables["table1_figure"](seeds=4)
    axes = thuesen2022.table1_figure(table, published).axes[0]
    chosen = table[(table["row"] == 5) & (table["protocol"] == "corrected")]
    values = chosen["test_accuracy_percent"].to_numpy()
    half = student_t.ppf(0.975, 3) * values.std(ddof=1) / 2
    blue = style.PROTOCOLS["corrected"].colour.lower()
    points = np.array(
        [line.get_xydata()[0] for line in lines_of(axes, blue) if line.get_marker() == "o"]
    )
    point = points[np.argmin(abs(points[:, 1] - 5.24))]
    assert point[0] == pytest.approx(values.mean())
    bars = np.array(
        [
            segment
            for collection in axes.collections
            if isinstance(collection, LineCollection) and to_hex(collection.get_color()[0]) == blue
            for segment in collection.get_segments()
        ]
    )
    bar = bars[np.argmin(abs(bars[:, 0, 1] - 5.24))]
    assert sorted(bar[:, 0]) == pytest.approx([values.mean() - half, values.mean() + half])


def test_table1_marks_stand_at_the_published_values(draw, published):
    axes = draw("table1_figure").axes[0]
    marks = [
        segment[0]
        for collection in axes.collections
        if isinstance(collection, LineCollection)
        and to_hex(collection.get_color()[0]) == style.PUBLISHED_COLOUR
        for segment in collection.get_segments()
    ]
    printed = published.table1()
    assert sorted(x for x, _ in marks) == sorted(printed["test_accuracy_percent"])


def test_one_seed_has_no_interval(draw):
    for name in ("table1_figure", "simulation_time", "fig5", "readout", "bn_exception"):
        figure = draw(name, seeds=1)
        coloured = {look.colour.lower() for look in style.PROTOCOLS.values()}
        for axes in figure.axes:
            assert not axes.containers, name
            for artist in axes.collections:
                band = isinstance(artist, PolyCollection) and len(artist.get_facecolor())
                colour = to_hex(artist.get_facecolor()[0] if band else artist.get_edgecolor()[0])
                # The loss panels of figure 5 show a range within one run, no interval.
                assert colour not in coloured or "loss" in figure.axes[-2].get_ylabel(), name


def test_table1_far_off_is_an_arrow_with_its_number(tables, published):
    table = tables["table1_figure"](seeds=2)
    table.loc[(table["row"] == 9) & (table["protocol"] == "as_coded"), "test_accuracy_percent"] = (
        11.2
    )
    axes = thuesen2022.table1_figure(table, published).axes[0]
    assert axes.get_xlim()[0] > 80
    assert "◂ 11.2" in [text.get_text() for text in axes.texts]


def test_fig5_published_curves_and_difference(draw):
    figure = draw("fig5")
    csv = pd.read_csv(CURVES / "thuesen2022.fig5.accuracy.csv")
    backprop = csv[csv["curve"] == "backprop"].set_index("step")["accuracy_fraction"]
    other = csv[csv["curve"] != "backprop"].set_index("step")["accuracy_fraction"]
    drawn = black_lines(figure)
    expected = np.column_stack([backprop.index, 100 * backprop])
    assert any(line.shape == expected.shape and np.allclose(line, expected) for line in drawn)
    gap = (100 * (other - backprop)).dropna()
    expected = np.column_stack([gap.index, gap])
    assert len(gap) == 93
    assert any(line.shape == expected.shape and np.allclose(line, expected) for line in drawn)


def test_fig5_compares_extremes_of_the_loss_in_windows(draw, published):
    """Top and bottom of the published loss are true extremes: the last window by hand."""
    figure = draw("fig5")
    csv = pd.read_csv(CURVES / "thuesen2022.fig5.loss.csv")
    last = csv[(csv["curve"] == "backprop") & (csv["step"] > 18000)]["cross_entropy_nats"]
    ends = [tuple(line[-1]) for line in black_lines(figure)]
    # 188 windows of 100 steps are joined ten by ten: the last one has its middle at 18,500.
    for extreme in (last.min(), last.max()):
        assert any(np.allclose(end, (18500.0, extreme)) for end in ends)


def test_fig5_with_few_steps_takes_a_logarithmic_axis(draw, tables, published):
    short = thuesen2022.fig5(tables["fig5"](steps=400, every=200), published, dataset="digits")
    assert short.axes[0].get_xscale() == "log"
    assert draw("fig5").axes[0].get_xscale() == "linear"


def test_fig6_draws_every_published_spike(draw):
    figure = draw("fig6")
    segments = [
        len(collection.get_segments())
        for axes in figure.axes
        for collection in axes.findobj(LineCollection)
        if to_hex(collection.get_color()[0]) == style.PUBLISHED_COLOUR
    ]
    assert segments == [93, 188, 39]
    counts = [text.get_text() for text in figure.axes[8].texts]
    assert "24" in counts and "11" in counts


def test_fig3_has_an_error_node_for_every_value_node_but_the_inputs(draw):
    axes = draw("fig3").axes[0]
    markers = [line.get_marker() for line in axes.lines]
    assert markers.count("o") == 7 and markers.count("s") == 5
    assert len(axes.patches) == 2 * (2 * 3 + 3 * 2) + 5


def test_fig2b_extremes_are_taken_over_neighbouring_points():
    rng = np.random.default_rng(0)
    points = 3 * CURRENTS_PER_COLUMN + 5
    table = pd.DataFrame(
        {
            "input_current": np.arange(points),
            "repetition": 0,
            "rate_hz": rng.standard_normal(points),
            "theoretical_rate_hz": 0.5,
        }
    )
    band = _envelope(table.sample(frac=1.0, random_state=1))
    deviation = table["rate_hz"].to_numpy() - 0.5
    edges = [0, CURRENTS_PER_COLUMN, 2 * CURRENTS_PER_COLUMN, points]
    for row, (start, stop) in enumerate(itertools.pairwise(edges)):
        assert band["low"].iloc[row] == deviation[start:stop].min()
        assert band["high"].iloc[row] == deviation[start:stop].max()
    assert len(band) == 3


def test_an_exact_zero_has_a_place_on_the_logarithmic_axis(draw):
    weights, losses = draw("zil_equals_backprop").axes
    assert [text.get_text() for text in losses.get_yticklabels()][0] == "0"
    bottom = losses.get_yticks()[0]
    assert any((line.get_ydata() == bottom).all() for line in losses.lines if line.get_marker())
    assert "0" not in [text.get_text() for text in weights.get_yticklabels()]


def test_drop_of_the_thesis_is_marked_at_200_ms(draw):
    figure = draw("spiking_drop")
    drops = {"snn": 0.26, "spcn_sgd": 1.09, "spcn_adam": 0.62, "spcn_adam_bn": 1.06}
    for axes, network in zip(figure.axes, NETWORK_ROWS, strict=True):
        marks = [line.get_xydata() for line in axes.lines if line.get_marker() == "D"]
        assert np.allclose(marks, [[[200, drops[network]]]])


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        ("satisfied (under the spike-rate reading)", "satisfied"),
        ("partly (inference only)", "partly"),
        ("not", "not"),
        ("not discussed", "not discussed"),
        ("counted among the local-update methods", "other"),
    ],
)
def test_verdict_kinds(verdict, kind):
    assert thuesen2022._verdict_kind(verdict) == kind


def test_no_torch(published):
    code = (
        "import sys; from plausible.drawing import style, thuesen2022; "
        "from plausible.reproduction.published import NETWORK_ROWS, load_curves; "
        "assert not {'torch', 'numba'} & set(sys.modules), 'slow import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
