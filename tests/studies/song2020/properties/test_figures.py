"""Pictures of the two models, of the logged runs and of the detections."""

import numpy as np
from matplotlib.patches import FancyBboxPatch

from plausible.drawing import style
from plausible.drawing.over_seeds import ONE_LINE
from plausible.studies.song2020.looks import MARKERS

from ....drawing.pictures import lines_of
from ...figure_harness import FigureTests
from ..pictures import SongPictures
from . import synthetic


class TestFigures(SongPictures, FigureTests):
    """Figures 1 and 2, and table 3 as a picture."""

    part = "song2020.properties"
    tables = {"fig1": synthetic.fig1, "fig2": synthetic.fig2, "table3": synthetic.table3}
    with_published = {"table3"}
    without_units = {"fig1"}

    def test_fig1_has_an_error_node_for_every_value_node_but_the_inputs(self, drawn):
        ann, pcn = drawn["fig1"].axes
        markers = [line.get_marker() for line in ann.lines]
        assert markers.count("o") == 8 and "s" not in markers
        markers = [line.get_marker() for line in pcn.lines]
        assert markers.count("o") == 8 and markers.count("s") == 5
        assert len(ann.patches) == 3 * 3 + 3 * 2
        assert len(pcn.patches) == 15 + 6 + 5

    def test_fig2_draws_every_logged_weight_update(self, drawn):
        table = synthetic.fig2()
        for axes, algorithm in zip(drawn["fig2"].axes, ("bp", "il", "zil", "fazil"), strict=True):
            logged = table[(table["algorithm"] == algorithm) & (table["event"] == "weight_update")]
            bars = [
                (round(patch.get_x() + 0.22), round(patch.get_y() + 0.62))
                for patch in axes.patches
                if isinstance(patch, FancyBboxPatch)
            ]
            assert sorted(bars) == sorted(zip(logged["t"], logged["layer"], strict=True))
            assert axes.get_ylim()[0] > axes.get_ylim()[1]  # output on top, as in the paper

    def test_table3_shows_every_run_as_a_line_and_no_band(self, drawn):
        table = synthetic.table3()
        first = table[(table["counting"] == "per_neuron_and_sample")]
        first = first[first["training_state"] == "initial"]
        runs = len(first.groupby(["tolerance", "seed", "l_max"]))
        thin = [one for one in drawn["table3"].axes[0].lines if one.get_lw() == ONE_LINE["lw"]]
        assert len(thin) == runs
        assert not any(axes.collections for axes in drawn["table3"].axes)
        steps = table["t_d"].nunique()
        medians = first.groupby(["tolerance", "t_d"])["success_rate_percent"].median()
        drawn_medians = [
            line.get_ydata()
            for line in drawn["table3"].axes[0].lines
            if line.get_marker() in MARKERS and len(line.get_xdata()) == steps
        ]
        for values in medians.to_numpy().reshape(-1, steps):
            assert any(np.allclose(one, values) for one in drawn_medians)

    def test_table3_draws_the_published_row(self, drawn, published):
        printed = list(published.values("table3")["success_rate_percent"].values())
        for axes in drawn["table3"].axes[:3]:
            black = [line.get_ydata() for line in lines_of(axes, style.PUBLISHED_COLOUR)]
            assert all(list(values) == printed for values in black) and black
            low, high = axes.get_ylim()
            assert low < min(printed) and high >= 99.95
