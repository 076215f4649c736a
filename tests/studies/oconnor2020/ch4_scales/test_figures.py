"""Pictures of the optimised scales, drawn from a table that follows the contract of the result."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from plausible.drawing import oconnor2020, style
from plausible.drawing import oconnor2020_scales_beyond as scales
from plausible.reproduction.published import load_curves

from ..reproduction.synthetic_oconnor2020_scales import good_table
from .pictures import CURVES, check_legibility, legend_texts, lines_of

NAMES = list(scales.FIGURES)


@pytest.fixture(scope="module")
def published():
    return load_curves(CURVES, "oconnor2020")


class _Entries:
    """What the synthetic table asks of published values."""

    def __init__(self, curves):
        self._curves = curves

    def entry(self, name):
        return {"values": self._curves.values(name)}


@pytest.fixture(scope="module")
def table(published):
    return good_table(_Entries(published))


@pytest.fixture(scope="module")
def drawn(table, published):
    return {name: scales.FIGURES[name](table, published, "digits") for name in NAMES}


def test_the_study_draws_these():
    for name, function in scales.FIGURES.items():
        assert oconnor2020.FIGURES[name] is function


@pytest.mark.parametrize("name", NAMES)
def test_labelled_legible_and_free_of_overlaps(name, drawn):
    figure = drawn[name]
    assert isinstance(figure, Figure)
    assert round(figure.get_figwidth() * 25.4, 3) == style.DOUBLE_COLUMN_MM
    assert "95 % interval over 3 seeds" in legend_texts(figure)
    check_legibility(figure)


@pytest.mark.parametrize("name", NAMES)
def test_units_stand_at_the_axes(name, drawn):
    for axes in drawn[name].axes:
        assert "(" in axes.get_xlabel()
    assert "(" in drawn[name].axes[0].get_ylabel()


def test_figure_4_4_shows_ours_and_theirs(drawn, published):
    figure = drawn["ch4_fig4_4"]
    assert len(figure.axes) == 4
    rows = published.values("table_b1")["rows"]
    theirs = [
        (row["temporal_mnist"]["energy_nj"], row["temporal_mnist"]["test_error_percent"])
        for row in rows
        if row["network"] == "SigmaDelta" and row["setting"] == "optimized"
    ]
    black = lines_of(figure.axes[3], style.PUBLISHED_COLOUR)
    assert any(np.array_equal(line.get_xydata(), theirs) for line in black)
    ours = [line for line in lines_of(figure.axes[3], style.GREEN) if len(line.get_xdata()) == 10]
    np.testing.assert_allclose(ours[0].get_xydata(), theirs, rtol=0.02)
    assert "published (MNIST)" in legend_texts(figure)


def test_the_axes_of_the_titles(table, published):
    ours = scales.FIGURES["ch4_fig4_4"](table, published, "mnist")
    titles = [axes.get_title(loc="left") for axes in ours.axes]
    assert titles[0].endswith("MNIST") and titles[1].endswith("Temporal MNIST")
    assert "published" in legend_texts(ours)


def test_every_width_of_integers_is_drawn(drawn):
    operations, energy = drawn["quantisation_frontier"].axes
    assert [text.get_text() for text in operations.texts] == ["2 bits", "3 bits"]
    dense = [line for line in lines_of(energy, style.GREY) if len(line.get_xdata()) == 4]
    np.testing.assert_allclose(dense[0].get_xdata(), [20 + bits**2 for bits in (2, 3, 4, 8)])


def test_one_seed_has_no_intervals(table, published):
    one = table[table["seed"] == 1]
    for name, draw in scales.FIGURES.items():
        figure = draw(one, published, "mnist")
        assert not any("95 % interval" in text for text in legend_texts(figure)), name


def test_a_diverged_lambda_is_marked(table, published):
    gone = table.copy()
    lost = (gone["lambda"] == 1e-5) & (gone["seed"] == 1)
    gone.loc[lost, ["error_percent", "kflops", "energy_nj", "scale_0"]] = np.nan
    for name, draw in scales.FIGURES.items():
        assert "diverged" in legend_texts(draw(gone, published, "mnist")), name


@pytest.mark.parametrize("name", NAMES)
def test_other_lambdas_and_one_protocol(name, table, published):
    """What the demo scale has: other values, and perhaps only the reading by the code."""
    chosen = table[table["protocol"] == "as_coded"]
    chosen = chosen.assign(**{"lambda": 7 * chosen["lambda"]})
    assert scales.FIGURES[name](chosen, published, "digits").axes


def test_the_same_table_gives_the_same_bytes(table, published):
    texts = {
        style.svg_text(scales.FIGURES["optimised_scales"](table, published, "mnist"))
        for _ in range(2)
    }
    assert len(texts) == 1


def test_figure_4_4_names_protocol_and_split(drawn):
    (legend,) = drawn["ch4_fig4_4"].legends
    assert legend.get_title().get_text() == "scales as coded, tested on the thesis split"


def test_stars_are_explained_and_labels_of_bits_cover_nothing(drawn):
    """Labels stand to the right of the rightmost series of integers."""
    figure = drawn["quantisation_frontier"]
    assert "unoptimised ($k$ = 1)" in legend_texts(figure)
    for axes in figure.axes:
        labels = [text for text in axes.texts if text.get_text().endswith("bits")]
        assert sorted(text.get_text() for text in labels) == ["2 bits", "3 bits"]
        for text in labels:
            box = text.get_window_extent()
            for line in axes.lines:
                points = axes.transData.transform(line.get_xydata())
                assert not any(box.contains(*point) for point in points)
