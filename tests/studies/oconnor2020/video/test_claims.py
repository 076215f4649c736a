"""Statements on video: judged where the thesis's videos were named, and each of them can fail."""

import pandas as pd
import pytest

from plausible.reproduction import verdicts as vd
from plausible.studies.oconnor2020.video import claims
from plausible.studies.oconnor2020.video.settings import DIGITS

from ...claim_harness import ClaimTests, Spoil
from ...part_results import results_of
from . import synthetic


def change(result, column, rows, value):
    """Tables in which a column is changed where ``rows`` is true."""

    def spoil(tables):
        frame = tables[result].copy()
        chosen = frame.eval(rows)
        assert chosen.any()
        frame.loc[chosen, column] = value(frame.loc[chosen, column])
        return {**tables, result: frame}

    return spoil


def times(factor):
    """A column that is larger."""
    return lambda column: factor * column


def put(value):
    """A column of one value."""
    return lambda column: value


def with_other_material(tables):
    """The same rows, and others that say nothing about the thesis."""
    return {
        name: pd.concat([frame, frame.assign(material=DIGITS)], ignore_index=True)
        for name, frame in tables.items()
    }


class TestClaims(ClaimTests):
    """Everything is about one network on one material."""

    part = "oconnor2020.video"
    good_tables = staticmethod(synthetic.good_tables)
    scale = "paper"
    spoils = [
        Spoil(
            "ch4.fig4.5", "saving_of_the_static_video", "less is saved",
            change("ch4.fig4.5", "sigma_delta", "element == 'frame' and frame < 10", times(2)),
        ),
        Spoil(
            "ch4.fig4.5", "saving_of_the_moving_video", "as much is saved",
            change("ch4.fig4.5", "sigma_delta", "element == 'frame' and frame > 10", times(0.4)),
        ),
        Spoil(
            "ch4.fig4.5", "peak_at_the_splice", "elsewhere",
            change("ch4.fig4.5", "sigma_delta", "element == 'frame' and frame == 13", put(900.0)),
        ),
        Spoil(
            "ch4.fig4.5", "ratio_of_upper_layers", "one falls towards 0",
            change("ch4.fig4.5", "sigma_delta", "element == 'layer' and layer == 6", times(0.1)),
        ),
        Spoil(
            "ch4.fig4.5", "guess_in_top_5", "now and then it is not",
            change("ch4.fig4.5", "in_top_5", "element == 'frame' and frame < 3", put(False)),
        ),
        Spoil(
            "ch4.fig4.5", "same_guess_most_of_the_time", "seldom",
            change("ch4.fig4.5", "same_guess", "element == 'frame' and frame < 14", put(False)),
        ),
        Spoil(
            "ch4.order_of_magnitude", "saving_factor", "a factor of 4 in the moving video",
            change("ch4.fig4.5", "sigma_delta", "element == 'frame' and frame > 10", times(10)),
        ),
        Spoil(
            "ch4.order_of_magnitude", "at_least_four", "less in the moving video",
            change("ch4.fig4.5", "sigma_delta", "element == 'frame' and frame > 10", times(1.3)),
        ),
        Spoil(
            "ch4.order_of_magnitude", "more_for_the_static_clip", "as much",
            change("ch4.fig4.5", "sigma_delta", "element == 'frame' and frame <= 10", times(4)),
        ),
        Spoil(
            "ch4.noise_training", "rounding_collapses", "with noise as well",
            change("ch4.noise_training", "collapsed", "way == 'rounding'", put(False)),
        ),
        Spoil(
            "ch4.noise_training", "noise_prevents_collapse", "one collapses",
            change("ch4.noise_training", "collapsed", "way == 'noise' and seed == 1", put(True)),
        ),
        Spoil(
            "ch4.higher_layer_computation", "higher_layers_make_it_unstable", "they do not",
            change("ch4.noise_training", "loss_after", "way == 'higher_layers'", put(0.4)),
        ),
        Spoil(
            "ch4.features_not_slower", "top_layers_change_as_much", "they are slow",
            change("fig_b1", "l1_change", "layer > 3", times(0.3)),
        ),
        Spoil(
            "fig_b1", "top_layers_change_as_much", "by the cosine they are slow",
            change("fig_b1", "cosine_distance", "layer > 3", times(0.3)),
        ),
        Spoil(
            "fig_b1", "lower_layers_change_more", "less than pixels",
            change("fig_b1", "l1_change", "layer in [1, 2]", times(0.3)),
        ),
        Spoil(
            "ch5.fig5.7", "score_above_plain_network", "below",
            change("ch5.fig5.7", "test_score_percent", "network == 'pdnn'", times(0.9)),
        ),
        Spoil(
            "ch5.fig5.7", "less_energy_than_plain_network", "more",
            change("ch5.fig5.7", "energy_mj", "network == 'pdnn'", times(90)),
        ),
        Spoil(
            "ch5.fig5.8", "computation_falls_with_frame_rate", "rises once",
            change("ch5.fig5.8", "pd", "element == 'rate' and every == 4", times(1.5)),
        ),
        Spoil(
            "ch5.fig5.8", "plain_computation_constant", "one is larger",
            change("ch5.fig5.8", "original", "element == 'rate' and every == 4", put(201.0)),
        ),
        Spoil(
            "ch5.fig5.8", "computation_flattens", "goes to 0",
            change("ch5.fig5.8", "pd", "element == 'rate' and every == 1", times(0.55)),
        ),
        Spoil(
            "fig_c4", "change_falls_with_frame_rate", "rises once in a layer",
            change("fig_c4", "relative_change", "layer == 2 and every == 4", times(2.5)),
        ),
        Spoil(
            "fig_c4", "deeper_layers_change_less", "more",
            change("fig_c4", "relative_change", "layer > 4", times(3)),
        ),
        Spoil(
            "fig_c4", "deeper_layers_fall_more_slowly", "faster",
            change("fig_c4", "relative_change", "layer > 4 and every == 1", times(0.05)),
        ),
        Spoil(
            "ch5.end_to_end_works", "loss_falls", "rises",
            change("ch5.end_to_end_works", "loss", "step > 80", times(9)),
        ),
    ]  # fmt: skip

    def test_every_entry_is_a_result_and_has_a_verdict(self, good, published):
        """Each is drawn from other material, and judged where the thesis's own is there."""
        named = {name for name in results_of(self.part) if not name.startswith("beyond.")}
        assert named == {vd.result_name(name) for name in published.entries}
        stated = {
            (name, one["id"])
            for name, entry in published.entries.items()
            for one in entry["expect"]
            if "shown_only" not in one
        }
        assert stated <= set(zip(good["id"], good["check"], strict=True))

    def test_everything_is_reproduced_by_the_good_tables(self, good):
        """But for the order of magnitude, which figure 4.5 denies of the moving video."""
        denied = good["check"] == "saving_factor"
        assert good.loc[denied, "verdict"].tolist() == [vd.DIFFERS]
        assert set(good.loc[~denied, "verdict"]) == {vd.REPRODUCED}

    def test_a_spoilt_table_fails(self, tables, published, spoilt):
        """An order of magnitude holds of none that has the two printed factors."""
        if spoilt.statement == "saving_factor":
            tables = change("ch4.fig4.5", "sigma_delta", "element == 'frame'", times(0.3))(tables)
        super().test_a_spoilt_table_fails(tables, published, spoilt)

    def test_every_claim_has_a_table_that_fails(self, published):
        """Though the entries need data that are not to be had."""
        stated = {
            (vd.result_name(name), one["id"])
            for name, entry in published.entries.items()
            for one in entry["expect"]
            if "op" in one
        }
        assert stated == {(one.result, one.statement) for one in self.spoils}

    def test_other_material_changes_no_verdict(self, tables, published, good):
        """It is evidence, no more."""
        again = self.judged(with_other_material(tables), published)
        assert again["verdict"].tolist() == good["verdict"].tolist()
        assert again["reproduced"].tolist() == pytest.approx(good["reproduced"].tolist())

    def test_without_the_thesis_s_material_everything_needs_it(self, tables, published):
        """And the rows say how it would be named."""
        others = {
            name: frame.assign(material=DIGITS) if "material" in frame else frame
            for name, frame in tables.items()
        }
        rows = self.judged(others, published)
        assert set(rows["verdict"]) == {vd.NEEDS_DATA}
        assert set(rows["note"]) == {claims.ABSENT}
