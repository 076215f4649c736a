"""Pictures of table 1 and of spiking networks."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from scipy.stats import t as student_t

from plausible.drawing import style
from plausible.drawing.over_seeds import ONE_DOT

from ....drawing.pictures import check_nothing_is_cut, legend_texts, lines_of
from ..harness import FigureTests, black_marks, black_segments, published_of_document
from . import synthetic

SPIKING = "spiking_accuracy_percent"


class TestFigures(FigureTests):
    """Every picture of the part."""

    part = "thuesen2022.table1"
    tables = {
        "fig4": synthetic.fig4,
        "fig6": synthetic.fig6,
        "table1": synthetic.table1,
        "claim.spiking_drop": synthetic.spiking_drop,
        "claim.noise_may_close_the_drop": synthetic.noise_may_close_the_drop,
        "claim.bn_spiking_exception": synthetic.bn_spiking_exception,
        "claim.readout": synthetic.readout,
        "beyond.simulation_time": synthetic.simulation_time,
        "beyond.input_rate": synthetic.input_rate,
        "beyond.energy": synthetic.energy,
        "beyond.conversion_diagnostic": synthetic.conversion_diagnostic,
        "beyond.ablations": synthetic.ablations,
        "beyond.simulation_choices": synthetic.simulation_choices,
    }
    nothing_published = frozenset({"fig4", "beyond.conversion_diagnostic"})
    without_axes = frozenset({"fig4"})
    lettered_together = frozenset({"fig6"})
    measured = {
        "table1": "test_accuracy_percent",
        "claim.spiking_drop": "drop_percentage_points",
        "claim.noise_may_close_the_drop": SPIKING,
        "claim.bn_spiking_exception": SPIKING,
        "claim.readout": "accuracy_percent",
        "beyond.simulation_time": SPIKING,
        "beyond.energy": SPIKING,
        "beyond.ablations": "test_accuracy_percent",
        "beyond.simulation_choices": SPIKING,
    }

    def test_table1_points_are_means_with_t_intervals(self):
        table = synthetic.table1(seeds=5)
        axes = self.draw("table1", seeds=5).axes[0]
        chosen = table[(table["row"] == 5) & (table["protocol"] == "corrected")]
        values = chosen["test_accuracy_percent"].to_numpy()
        half = student_t.ppf(0.975, 4) * values.std(ddof=1) / np.sqrt(5)
        ends = style.possible(values.mean(), *(values.mean() + half * np.array([-1, 1])), (0, 100))
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
                if isinstance(collection, LineCollection)
                and to_hex(collection.get_color()[0]) == blue
                for segment in collection.get_segments()
            ]
        )
        bar = bars[np.argmin(abs(bars[:, 0, 1] - 5.24))]
        # The half-width is taken to the logit, so that no interval leaves 0 to 100 %.
        share = values.mean() / 100
        wide = half / 100 / (share * (1 - share))
        ends = [100 / (1 + (1 - share) / share * np.exp(-side * wide)) for side in (-1, 1)]
        assert sorted(bar[:, 0]) == pytest.approx(ends)
        assert ends == pytest.approx([values.mean() - half, values.mean() + half], abs=1e-3)

    @pytest.mark.parametrize("seeds", [3, 5, 8])
    def test_table1_cuts_no_seed_and_no_interval(self, seeds):
        table = synthetic.table1(seeds=seeds)
        lost = synthetic.row_of_table1(5, "as_published")(table) & (table["seed"] == 0)
        table.loc[lost, "test_accuracy_percent"] -= 8.0
        check_nothing_is_cut(self.functions()["table1"](table, published_of_document()))

    def test_networks_are_compared_on_the_same_axes(self, drawn):
        axes = drawn["beyond.conversion_diagnostic"].axes
        rates = [one for one in axes if one.get_xlabel() == "analytic rate (Hz)"]
        assert len(rates) == 2
        assert len({(axes.get_xlim(), axes.get_ylim()) for axes in rates}) == 1
        assert all(axes.get_xlim() == axes.get_ylim() for axes in rates)
        for name in ("beyond.ablations", "beyond.simulation_choices"):
            assert len({axes.get_xlim() for axes in drawn[name].axes}) == 1

    def test_few_seeds_are_drawn_one_by_one(self, drawn):
        table = synthetic.table1(seeds=3)
        dots = np.concatenate(
            [
                line.get_xdata()
                for line in drawn["table1"].axes[0].lines
                if line.get_markersize() == ONE_DOT["ms"]
            ]
        )
        assert sorted(dots) == pytest.approx(sorted(table["test_accuracy_percent"]))
        assert "one seed" in legend_texts(drawn["table1"])
        several = legend_texts(self.draw("table1", seeds=5))
        assert "one seed" not in several and "95 % interval over 5 seeds" in several

    def test_table1_marks_stand_at_the_published_values(self, drawn):
        marks = [segment[0] for segments in black_segments(drawn["table1"]) for segment in segments]
        assert sorted(x for x, _ in marks) == sorted(row[-1] for row in synthetic.ROWS)

    @pytest.mark.parametrize(
        "name", ["table1", "beyond.simulation_time", "claim.readout", "claim.bn_spiking_exception"]
    )
    def test_one_seed_has_no_interval(self, name):
        figure = self.draw(name, seeds=1)
        coloured = {look.colour.lower() for look in style.PROTOCOLS.values()}
        for axes in figure.axes:
            assert not axes.containers
            for artist in axes.collections:
                band = isinstance(artist, PolyCollection) and len(artist.get_facecolor())
                colour = artist.get_facecolor()[0] if band else artist.get_edgecolor()[0]
                assert to_hex(colour) not in coloured

    def test_table1_far_off_is_an_arrow_with_its_number(self):
        table = synthetic.table1(seeds=2)
        lost = synthetic.row_of_table1(9, "as_coded")(table)
        table.loc[lost, "test_accuracy_percent"] = 11.2
        axes = self.functions()["table1"](table, published_of_document()).axes[0]
        assert axes.get_xlim()[0] > 80
        assert "◂ 11.2" in [text.get_text() for text in axes.texts]

    def test_fig6_draws_every_published_spike(self, drawn):
        figure = drawn["fig6"]
        assert [len(segments) for segments in black_segments(figure)] == [93, 188, 39]
        counts = [text.get_text() for text in figure.axes[8].texts]
        assert "24" in counts and "11" in counts

    def test_drop_of_the_thesis_is_marked_at_200_ms(self, drawn):
        drops = (0.26, 1.09, 0.62, 1.06)
        for axes, drop in zip(drawn["claim.spiking_drop"].axes, drops, strict=True):
            marks = [line.get_xydata() for line in axes.lines if line.get_marker() == "D"]
            assert np.allclose(marks, [[[200, drop]]])

    @pytest.mark.parametrize(
        ("name", "choices", "accuracies"),
        [
            ("beyond.ablations", synthetic.CHOICES, synthetic.ABLATED.values()),
            ("beyond.simulation_choices", synthetic.SIMULATIONS, synthetic.SPIKING.values()),
        ],
    )
    def test_choices_stand_in_rows_beside_the_published_accuracy(
        self, drawn, name, choices, accuracies
    ):
        panels = [axes for axes in drawn[name].axes if axes.axison]
        for axes, accuracy in zip(panels, accuracies, strict=True):
            assert [text.get_text() for text in axes.get_yticklabels()] == list(choices)
            (line,) = lines_of(axes, style.PUBLISHED_COLOUR)
            assert line.get_xdata()[0] == accuracy

    def test_a_network_of_ones_own_has_a_panel_without_a_published_value(self):
        table = synthetic.simulation_time()
        own = table[table["network"] == "snn"].assign(network="spcn_adam_wide")
        figure = self.functions()["beyond.simulation_time"](own, published_of_document())
        assert "spcn_adam_wide" in figure.axes[0].get_title(loc="left")
        assert not black_marks(figure)
