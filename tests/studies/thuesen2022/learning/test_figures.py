"""Pictures of learning."""

from functools import partial

import numpy as np
import pytest

from plausible.measure.accuracy import mean_interval

from ....drawing.pictures import check_nothing_is_cut
from ..harness import FigureTests, black_lines, published_of_document, shown_texts
from . import synthetic


class TestFigures(FigureTests):
    """Every picture of the part."""

    part = "thuesen2022.learning"
    tables = {
        "fig5": synthetic.fig5,
        synthetic.TEXT: synthetic.zil_equals_backprop_training,
        "claim.activation_scaling": partial(synthetic.activation_scaling, diverged=0),
        "claim.il_cost": synthetic.il_cost,
    }
    nothing_published = frozenset({"claim.activation_scaling", "claim.il_cost"})

    def test_fig5_published_curves_and_difference(self, drawn):
        curve = published_of_document().curve("fig5.accuracy")
        percent = curve.assign(percent=100 * curve["accuracy_fraction"])
        backprop = percent[percent["curve"] == "backprop"].set_index("step")["percent"]
        other = percent[percent["curve"] != "backprop"].set_index("step")["percent"]
        gap = (other - backprop).dropna()
        assert len(gap) == 93
        lines = black_lines(drawn["fig5"])
        for expected in (backprop, gap):
            points = np.column_stack([expected.index, expected])
            assert any(line.shape == points.shape and np.allclose(line, points) for line in lines)

    def test_fig5_compares_extremes_of_the_loss_in_windows(self, drawn):
        """Top and bottom of the published loss are true extremes: the last window by hand."""
        curve = published_of_document().curve("fig5.loss")
        last = curve[(curve["curve"] == "backprop") & (curve["step"] > 18000)]
        ends = [tuple(line[-1]) for line in black_lines(drawn["fig5"]) if len(line)]
        # 187 windows of 100 steps are joined ten by ten: the last one has its middle at 18,500.
        for extreme in last["cross_entropy_nats"].agg(["min", "max"]):
            assert any(np.allclose(end, (18500.0, extreme)) for end in ends)

    @pytest.mark.parametrize("seeds", [3, 8])
    def test_fig5_cuts_no_curve_and_fills_nothing_for_few_seeds(self, seeds):
        figure = self.draw("fig5", seeds=seeds)
        check_nothing_is_cut(figure)
        assert any(axes.collections for axes in figure.axes) is (seeds == 8)

    def test_an_interval_of_the_loss_is_whole_and_above_zero(self):
        """On a logarithmic axis; three of eight runs lie far above the others."""
        table = synthetic.activation_scaling(seeds=8)
        for seed, factor in ((3, 10.0), (4, 30.0), (5, 60.0)):
            table.loc[table["seed"] == seed, "training_loss_nats"] *= factor
        draw = self.functions()["claim.activation_scaling"]
        axes = draw(table, published_of_document()).axes[0]
        for scale, band in zip((0.05, 1.0), axes.collections, strict=True):
            rows = table[(table["activation_scale"] == scale) & (table["learning_rate"] == 0.01)]
            for _, losses in rows.groupby("step")["training_loss_nats"]:
                mean, _, high = mean_interval(losses)
                ends = [mean / np.exp(high / mean - 1), mean * np.exp(high / mean - 1)]
                drawn = band.get_paths()[0].vertices[:, 1]
                assert all(np.isclose(drawn, end).any() for end in ends)

    def test_costs_of_few_seeds_have_no_interval(self):
        for seeds in (3, 8):
            panels = self.draw("claim.il_cost", seeds=seeds).axes
            assert any(axes.containers for axes in panels) is (seeds == 8)

    def test_fig5_with_few_steps_takes_a_logarithmic_axis(self, drawn):
        short = self.draw("fig5", "digits", steps=400)
        assert short.axes[0].get_xscale() == "log"
        assert drawn["fig5"].axes[0].get_xscale() == "linear"

    def test_an_exact_zero_has_a_place_on_the_logarithmic_axis(self, drawn):
        weights, losses = drawn[synthetic.TEXT].axes
        assert [text.get_text() for text in losses.get_yticklabels()][0] == "0"
        bottom = losses.get_yticks()[0]
        assert any((line.get_ydata() == bottom).all() for line in losses.lines if line.get_marker())
        assert "0" not in [text.get_text() for text in weights.get_yticklabels()]

    def test_bounds_are_drawn_where_they_are_declared(self, drawn):
        weights = drawn[synthetic.TEXT].axes[0]
        levels = [line.get_ydata()[0] for line in weights.lines if len(set(line.get_ydata())) == 1]
        assert 1e-10 in levels

    def test_a_diverged_run_without_scaling_is_named(self, drawn):
        texts = shown_texts(drawn["claim.activation_scaling"])
        assert "scale 1: 1 of 3 seeds diverged" in texts

    @pytest.mark.parametrize("rule", ["backprop", "Z-IL", "IL"])
    def test_costs_name_the_rules(self, drawn, rule):
        labels = [text.get_text() for text in drawn["claim.il_cost"].axes[0].get_yticklabels()]
        assert any(label.startswith(rule) for label in labels)
