"""The look that all pictures share, and the files they are written to."""

import re
import struct
from itertools import combinations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from plausible.drawing import style


def simple_figure():
    figure = style.new_figure(style.SINGLE_COLUMN_MM, 50)
    figure.subplots().plot([0.123456789, 1], [1 / 3, 2 / 3])
    return figure


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def test_protocols_differ_in_colour_marker_and_line():
    for first, second in combinations(style.PROTOCOLS.values(), 2):
        assert first.colour != second.colour
        assert first.marker != second.marker
        assert first.line != second.line


def test_no_series_is_black_and_all_show_on_white():
    for look in [*style.PROTOCOLS.values(), *style.SERIES]:
        assert look.colour != style.PUBLISHED_COLOUR
        assert 1.05 / (luminance(look.colour) + 0.05) > 2.0


def test_published_marks_are_open_black_and_of_one_size():
    marks = [style.published_marker(marker) for marker in "Dos^"]
    assert {mark["markersize"] for mark in marks} == {5.0}
    assert {(mark["color"], mark["markerfacecolor"]) for mark in marks} == {
        (style.PUBLISHED_COLOUR, "none")
    }


def test_an_unknown_protocol_is_drawn_in_grey():
    assert style.look_of("my_variant").colour == style.GREY
    assert style.look_of("my_variant").label == "my variant"
    table = pd.DataFrame({"protocol": ["my_variant", "corrected", "as_published"]})
    assert style.protocols_in(table) == ["as_published", "corrected", "my_variant"]


def test_interval_of_one_seed_and_of_a_diverged_one():
    assert style.interval([3.0])[0] == 3.0
    assert np.isnan(style.interval([3.0])[1:]).all()
    assert np.isnan(style.interval([3.0, np.nan])).all()
    assert np.isnan(style.interval([])).all()


def test_interval_of_two_values_by_hand():
    """With one degree of freedom t is Cauchy: the quantile is tan(0.475 pi)."""
    mean, low, high = style.interval([1.0, 3.0])
    half = np.tan(0.475 * np.pi) * np.sqrt(2.0) / np.sqrt(2.0)
    assert (mean, low, high) == pytest.approx((2.0, 2.0 - half, 2.0 + half))


def test_summary_groups_and_keeps_order():
    table = pd.DataFrame({"step": [2, 1, 2, 1], "value": [4.0, 1.0, 6.0, 1.0]})
    data = style.summary(table, ["step"], "value")
    assert list(data["step"]) == [1, 2]
    assert list(data["mean"]) == [1.0, 5.0]


def test_summary_of_few_seeds_has_no_interval():
    table = pd.DataFrame({"step": [1, 1, 2, 2, 2], "value": [1.0, 3.0, 1.0, 2.0, 3.0]})
    data = style.summary(table, ["step"], "value", fewest=3)
    assert list(data["mean"]) == [2.0, 2.0]
    assert list(data["low"].isna()) == list(data["high"].isna()) == [True, False]
    assert style.summary(table, ["step"], "value")["low"].notna().all()


def test_summary_of_a_percentage_stays_possible():
    table = pd.DataFrame({"step": 1, "value": [6.0, 90.0, 90.0]})
    assert style.summary(table, ["step"], "value")["low"].item() < 0
    data = style.summary(table, ["step"], "value", within=style.PERCENT)
    assert 0 < data["low"].item() < data["mean"].item() < data["high"].item() < 100


@pytest.fixture(scope="module")
def accuracy_axes():
    axes = style.new_figure().subplots()
    style.accuracy_scale(axes)
    axes.set_ylim(0, 99.95)
    return axes


@settings(deadline=None)
@given(values=st.lists(st.floats(0.0, 99.9), min_size=2, max_size=20, unique=True))
def test_accuracy_scale_keeps_the_order(accuracy_axes, values):
    axes = accuracy_axes
    drawn = axes.transData.transform([(0, value) for value in sorted(values)])[:, 1]
    assert (np.diff(drawn) >= 0).all()


def test_accuracy_limits_hold_all_values():
    low, high = style.accuracy_limits([10.0, 97.0, np.nan, 100.0])
    assert 0.0 <= low < 10.0 and 99.5 < high < 100.0
    assert style.accuracy_limits([np.nan]) is None


def test_style_is_local_to_a_figure_function():
    before = dict(matplotlib.rcParams)
    style.in_style(simple_figure)()
    assert dict(matplotlib.rcParams) == before


def test_settings_of_the_user_change_no_picture(tmp_path):
    style.save_figure(style.in_style(simple_figure)(), tmp_path / "a.svg", tmp_path / "a.png")
    strange = {"axes.facecolor": "black", "lines.linestyle": ":", "text.color": "red"}
    strange |= {"figure.facecolor": "green", "text.usetex": True, "svg.fonttype": "none"}
    with matplotlib.rc_context(strange):
        style.save_figure(style.in_style(simple_figure)(), tmp_path / "b.svg", tmp_path / "b.png")
    for end in ("svg", "png"):
        assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()


def test_saved_files(tmp_path):
    style.save_figure(simple_figure(), tmp_path / "a.svg", tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    assert width == int(style.SINGLE_COLUMN_MM / 25.4 * 300)
    assert height == int(50 / 25.4 * 300)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    for path in re.findall(r' d="([^"]*)"', text):
        assert not re.search(r"\.\d{3}", path)
    assert "scale(0.015625)" in text  # sizes of glyphs keep all their digits
    assert {path.name for path in tmp_path.iterdir()} == {"a.svg", "a.png"}


def test_panels_stand_at_rounded_positions():
    """The solver of the layout differs in the last bit from run to run."""
    figure = style.new_figure()
    panels = figure.subplots(2, 3)
    figure.colorbar(panels[0, 0].imshow([[0.0, 1.0]]), ax=panels)
    sizes = []
    for _ in range(2):
        figure.draw_without_rendering()
        for axes in figure.axes:
            corners = axes.get_position(original=True).get_points()
            assert np.array_equal(corners, np.round(corners, 9)) and axes.get_in_layout()
        sizes.append(panels[0, 0].get_position().width)
    assert sizes[0] == pytest.approx(sizes[1], rel=0.02) and sizes[0] > 0.15


def test_subfigures_stand_at_rounded_positions():
    """As panels do; their positions go into those of their panels."""
    figure = style.new_figure()
    for part in figure.subfigures(2, 1, height_ratios=(2.5, 1.1)):
        part.subplots(1, 3)
    figure.draw_without_rendering()
    for part in figure.subfigs:
        corners = part.bbox_relative.get_points()
        assert np.array_equal(corners, np.round(corners, 9))
    assert figure.subfigs[0].bbox.height > 1.5 * figure.subfigs[1].bbox.height


def test_a_failing_figure_leaves_nothing(tmp_path):
    figure = simple_figure()
    figure.axes[0].set_title("$\\notacommand$")
    with pytest.raises(ValueError, match="notacommand"):
        style.save_figure(figure, tmp_path / "a.svg", tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
