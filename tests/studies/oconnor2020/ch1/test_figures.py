"""Pictures of chapter 1 of O'Connor 2020, drawn from tables made of closed forms."""

import numpy as np
import pytest

from plausible.drawing import style
from plausible.studies.oconnor2020.ch1.figures import RECALLED_LOAD

from ....drawing.pictures import legend_texts, lines_of
from ..picture_rules import PictureRules
from . import synthetic


class TestFigures(PictureRules):
    """Four pictures beyond the thesis, which draws none of this."""

    part = "oconnor2020.ch1"
    tables = {
        "beyond.hopfield_recall": synthetic.recall_table,
        "beyond.hopfield_capacity": synthetic.capacity_table,
        "beyond.integrate_and_fire": synthetic.neuron_table,
        "beyond.stdp": synthetic.window_table,
    }

    def test_axes_have_units(self, drawn, picture):
        """In brackets, wherever there is a quantity."""
        axes = drawn[picture].axes
        labels = [label for one in axes for label in (one.get_xlabel(), one.get_ylabel())]
        assert all("(" in label for label in labels if label and label != "input"), labels

    @pytest.mark.parametrize("name", ["beyond.hopfield_capacity", "beyond.integrate_and_fire"])
    def test_a_single_seed(self, name, published, drawn):
        figure = self.functions()[name](self.tables[name](seeds=1), published)
        figure.draw_without_rendering()
        several = legend_texts(drawn[name])
        assert several == [*legend_texts(figure), "one seed"]

    def test_recalls_are_one_line_each(self, drawn):
        table = synthetic.recall_table()
        panels = drawn["beyond.hopfield_recall"].axes
        assert [len(axes.lines) for axes in panels] == [8, 9, 12, 13]  # with a line at overlap 1
        first = lines_of(panels[1], style.BLUE)
        rows = table[(table["load"] == 0.05) & (table["states"] == "binary") & (table["seed"] == 0)]
        rows = rows[rows["pattern"] == 0]
        np.testing.assert_array_equal(first[0].get_ydata(), rows["overlap"])
        assert "load 0.2 patterns per unit" in legend_texts(drawn["beyond.hopfield_recall"])

    def test_capacity_has_means_intervals_up_to_one_and_theory(self, drawn):
        table = synthetic.capacity_table()
        panels = drawn["beyond.hopfield_capacity"].axes
        assert [axes.get_title(loc="left").split("start: ")[1] for axes in panels] == [
            "the pattern itself",
            "20 % of it turned over",
        ]
        chosen = table[(table["units"] == 200) & (table["turned_fraction"] == 0.2)]
        lines = lines_of(panels[1], style.ORANGE)
        (line,) = (one for one in lines if one.get_marker() == "s")
        assert len(lines) == 1 + 3, "the mean, and each of three seeds"
        np.testing.assert_allclose(line.get_ydata(), chosen.groupby("load")["overlap"].mean())
        np.testing.assert_allclose(line.get_xdata(), sorted(chosen["load"].unique()), atol=2e-3)
        (theory,) = lines_of(panels[0], style.GREY)
        assert list(theory.get_ydata()) == [1.0, 1.0, 0.0]
        (stated,) = lines_of(panels[0], style.PUBLISHED_COLOUR)
        assert list(stated.get_xdata()) == [0, RECALLED_LOAD] and set(stated.get_ydata()) == {1}

    def test_intervals_of_five_seeds_end_at_an_overlap_of_one(self, published):
        draw = self.functions()["beyond.hopfield_capacity"]
        figure = draw(synthetic.capacity_table(seeds=5), published)
        drawn = [item for axes in figure.axes for item in axes.collections]
        bars = [path.vertices[:, 1] for item in drawn for path in item.get_paths()]
        assert max(map(np.max, bars)) <= 1.0
        assert "95 % interval over 5 seeds" in legend_texts(figure)

    def test_potentials_stand_on_the_published_scale(self, drawn, published):
        inputs, cell, kernels, rates = drawn["beyond.integrate_and_fire"].axes
        levels = [line.get_ydata()[0] for line in lines_of(cell, style.PUBLISHED_COLOUR)]
        values = published.values("ch1.fig1.3")
        assert levels == [values[key] for key in ("resting_mv", "threshold_mv", "peak_mv")]
        assert [text.get_text() for text in cell.texts] == ["resting", "threshold", "peak"]
        (potential,) = lines_of(cell, style.BLUE)
        assert potential.get_ydata().min() == -70 and potential.get_ydata().max() < -55
        (spikes,) = cell.collections
        assert len(spikes.get_paths()) == 5
        dots = [line for line in kernels.lines if line.get_marker() == "."]
        assert len(dots) == 2 and len(dots[0].get_xdata()) == 101
        (rectified,) = lines_of(rates, style.GREY)
        assert list(rectified.get_ydata()) == [0.0, 0.0, 100.0, 200.0]

    def test_windows_jump_and_what_was_computed_lies_on_them(self, drawn):
        first, fifth, sixth = drawn["beyond.stdp"].axes
        for axes, lines in ((first, 4), (fifth, 1), (sixth, 2)):
            formulas = [
                line
                for line in axes.lines
                if line.get_color() in (style.SKY, style.ORANGE, style.BLUE)
            ]
            assert len(formulas) == lines
        (printed,) = lines_of(fifth, style.PUBLISHED_COLOUR)
        assert printed.get_ydata().max() == 0.5
        (circles,) = [line for line in fifth.lines if line.get_marker() == "o"]
        assert circles.get_ydata().max() == 2.0 and 0 in circles.get_xdata()
        assert not lines_of(sixth, style.PUBLISHED_COLOUR)
        for line in sixth.lines:
            x = np.asarray(line.get_xdata(), dtype=float)
            assert line.get_marker() == "o" or len(x) <= 2 or not x.min() < 0 < x.max()
