"""Pictures of quantizers, limits and event graphs, from tables that follow their contracts."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from plausible.drawing import oconnor2020, style
from plausible.drawing import oconnor2020_graphs as graphs
from plausible.drawing import oconnor2020_quantization as plots
from plausible.reproduction.published import load_curves

from ..reproduction import synthetic_oconnor2020_quantization as synthetic
from .pictures import CURVES, legend_texts, lines_of

FIGURES = {**plots.FIGURES, **graphs.FIGURES}
TABLES = {
    "fig3_1": synthetic.fig3_1(),
    "stream_quantization": synthetic.fig3_1(("stream", "rectified")),
    "fig_a1": synthetic.fig_a1(),
    "spiking_gradient": synthetic.spiking_gradient(),
    "fig_a2": synthetic.fig_a2(),
    "fig_a3": synthetic.table_a2(),
}


@pytest.fixture(scope="module")
def published():
    return load_curves(CURVES, "oconnor2020")


@pytest.fixture(scope="module")
def drawn(published):
    return {name: FIGURES[name](table, published, "digits") for name, table in TABLES.items()}


def words_of(figure):
    """Everything that is written, but the numbers at the ticks."""
    found = [text for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        found += [*axes.texts, axes._left_title, axes.title]
        if axes.axison:
            found += [axes.xaxis.label, axes.yaxis.label]
    return [text for text in found if text.get_text()]


def texts(figure):
    return [text.get_text() for text in words_of(figure)]


def test_every_picture_is_registered_and_tested():
    assert set(FIGURES) == set(TABLES)
    assert FIGURES.items() <= oconnor2020.FIGURES.items()


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_leaves_the_page_and_bytes_are_the_same(drawn, published, name):
    figure = drawn[name]
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    page = figure.bbox
    for text in words_of(figure):
        box = text.get_window_extent(renderer)
        inside = page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1
        assert inside and page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1, text.get_text()
    again = FIGURES[name](TABLES[name], published, "digits")
    first = FIGURES[name](TABLES[name], published, "digits")
    assert style.svg_text(again) == style.svg_text(first)


@pytest.mark.parametrize("name", ["fig3_1", "stream_quantization", "fig_a1", "spiking_gradient"])
def test_axes_have_labels(drawn, name):
    for axes in drawn[name].axes:
        assert axes.get_xlabel() and axes.get_ylabel()


def test_published_slopes_stand_beside_the_measured(drawn):
    (axes,) = drawn["fig3_1"].axes
    guides = lines_of(axes, style.PUBLISHED_COLOUR)
    slopes = [np.diff(np.log(line.get_ydata()))[0] / np.diff(np.log(line.get_xdata()))[0]
              for line in guides]  # fmt: skip
    assert slopes == pytest.approx([-1.0, -0.5])
    legend = " ".join(legend_texts(drawn["fig3_1"]))
    assert "slope −1.00" in legend and "slope −0.50" in legend


def test_bound_of_streams_is_that_of_the_thesis(drawn):
    line, *_ = lines_of(drawn["stream_quantization"].axes[0], style.PUBLISHED_COLOUR)
    assert line.get_ydata() == pytest.approx(0.5 / line.get_xdata())


def test_layers_have_their_slopes(drawn):
    for axes in drawn["fig_a1"].axes:
        assert [text.get_text() for text in axes.texts] == ["−0.99"] * 3


def test_a_layer_that_diverged_is_no_obstacle(published):
    table = synthetic.fig_a1()
    table.loc[table["layer"] == 3, "error"] = np.nan
    assert plots.fig_a1(table, published, "digits").axes


def test_every_module_and_connection_is_drawn(drawn):
    table = TABLES["fig_a2"]
    for axes, network in zip(drawn["fig_a2"].axes, ("relu", "spiking"), strict=True):
        rows = table[table["network"] == network]
        arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
        boxes = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
        assert len(boxes) == (rows["element"] == "module").sum()
        assert len(arrows) == (rows["element"] != "module").sum()
        for index, one in enumerate(boxes):
            for other in boxes[:index]:
                assert not one.get_extents().overlaps(other.get_extents())


def test_orders_are_drawn_beside_the_published(drawn, published):
    words = texts(drawn["fig_a3"])
    for name in ("breadth_first", "depth_first"):
        for event in published.values("table_a2")[name]:
            assert words.count(event) == 4  # ours and the published, in both orders


def test_empty_tables_are_said(published):
    figure = plots.fig3_1(synthetic.fig3_1().iloc[:0], published, "digits")
    assert "no data" in texts(figure)
