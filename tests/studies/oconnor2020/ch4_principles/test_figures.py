"""Pictures of chapter 4's principles of O'Connor 2020, drawn from tables made of closed forms."""

import numpy as np
import pandas as pd
import pytest

from plausible.drawing import style
from plausible.reproduction.published import load_published
from plausible.studies.oconnor2020.ch4_principles.figures_random_scales import pareto_front

from ....drawing.pictures import legend_texts, lines_of
from ...part_results import ROOT
from ..picture_rules import PictureRules
from . import synthetic


class TestFigures(PictureRules):
    """Networks, scales, Temporal MNIST, and when differences pay."""

    part = "oconnor2020.ch4_principles"
    tables = {
        "ch4.fig4.1": synthetic.networks,
        "ch4.fig4.2": synthetic.scales,
        "ch4.fig4.3": synthetic.temporal,
        "appB.temporal_mnist": synthetic.temporal,
        "beyond.unitwise_scales": synthetic.scales,
        "beyond.change_rate": synthetic.changes,
        "beyond.noise_training": synthetic.noise,
        "beyond.higher_layer_computation": synthetic.higher_layers,
    }
    largest_svg = 400_000

    @pytest.fixture(scope="class")
    @classmethod
    def published(cls):
        """With the part that holds table B.1, whose ratios stand beside ours."""
        folder = ROOT / "workflow" / "published" / "oconnor2020"
        return load_published(folder, ["ch4_principles", "ch4_scales"])

    def test_labelled(self, drawn, picture):
        for axes in drawn[picture].axes:
            if axes.axison and axes.get_subplotspec().is_last_row():
                assert axes.get_xlabel()

    @pytest.mark.parametrize("name", ["ch4.fig4.2", "beyond.unitwise_scales", "beyond.change_rate"])
    def test_a_single_seed(self, name, published):
        figure = self.functions()[name](self.tables[name](seeds=1), published)
        figure.draw_without_rendering()
        assert legend_texts(figure)

    @pytest.mark.parametrize(
        ("name", "key", "values"),
        [
            ("beyond.noise_training", "quantizer", ("rounding", "noise")),
            (
                "beyond.higher_layer_computation",
                "computation_of",
                ("own layer", "higher layers"),
            ),
        ],
    )
    def test_every_network_is_a_line(self, drawn, name, key, values):
        """Beside the mean, of which a start between good and bad says little."""
        table = self.tables[name]()
        for axes, column in zip(
            drawn[name].axes, ["error_fraction", "kops_per_sample"], strict=True
        ):
            for value, colour in zip(values, (style.BLUE, style.VERMILLION), strict=True):
                rows = table[table[key] == value]
                *singles, mean = lines_of(axes, colour)
                wanted = [each[column] for _, each in rows.groupby("seed")]
                np.testing.assert_allclose([line.get_ydata() for line in singles], wanted)
                np.testing.assert_allclose(mean.get_ydata(), np.mean(wanted, axis=0))
        assert legend_texts(drawn[name])[-1] == "one seed"

    def test_networks_show_their_modules_and_twins(self, drawn):
        figure = drawn["ch4.fig4.1"]
        diagrams, outputs = figure.axes[0::3], figure.axes[2::3]
        shown = {"A": ["w", "h"], "D": [r"\Delta", "H", "w", r"\Sigma", "h"]}
        for axes, (_, symbols) in zip((diagrams[0], diagrams[3]), shown.items(), strict=True):
            boxes = [text.get_text() for text in axes.texts]
            assert [text for text in boxes if text.strip("$") in symbols] == [
                f"${symbol}$" for symbol in symbols
            ] * 2
            assert len([p for p in axes.patches if hasattr(p, "get_boxstyle")]) == 2 * len(symbols)
        assert [axes.get_title(loc="left") for axes in outputs] == [
            "",
            "equal to A",
            "",
            "equal to C",
        ]
        assert [len(axes.lines) for axes in outputs] == [2, 4, 2, 4]
        sent = figure.axes[1::3]
        assert [axes.get_title(loc="left").split(": ")[1].split(" ")[0] for axes in sent] == [
            "real",
            "real",
            "whole",
            "whole",
        ]

    def test_scales_and_paths_are_those_of_the_table(self, drawn):
        table = synthetic.scales()
        scales, paths, ends = drawn["ch4.fig4.2"].axes
        random = table[(table["kind"] == "random") & (table["seed"] == 0)]
        assert len(lines_of(scales, style.GREY)) == len(random)
        crosses = [line for line in paths.lines if line.get_marker() == "X"]
        found = sorted((line.get_xdata()[0], line.get_ydata()[0]) for line in crosses)
        rows = table[
            (table["kind"] == "end") & (table["protocol"] == "as_coded") & ~table["unitwise"]
        ]
        rows = rows[(rows["seed"] == 0) & (rows["network"] == "layers")]
        wanted = sorted(zip(rows["kops_per_sample"], rows["error_fraction"], strict=True))
        np.testing.assert_allclose(found, wanted)
        assert found[0] == (0.0, 1.0)
        low, high = paths.get_xlim()
        assert low < 0.0 and high > table["kops_per_sample"].max()
        for protocol in ("as_coded", "as_published"):
            look = style.look_of(protocol)
            (points,) = [line for line in ends.lines if line.get_color() == look.colour]
            assert len(points.get_xdata()) == 18
        assert "as published" in legend_texts(drawn["ch4.fig4.2"])

    def test_published_ratios_stand_where_the_change_is_known(self, published, drawn):
        (row,) = [
            row for row in published.values("table_b1")["rows"] if row["id"] == "lambda_1e-10"
        ]
        wanted = [
            row["sigma_delta"][order]["kflops"] / row["rounding"][order]["kflops"]
            for order in ("file", "temporal")
        ]
        assert wanted[0] > 1 > wanted[1]
        ours = self.functions()["beyond.change_rate"](synthetic.changes(), published, "mnist")
        published_lines = lines_of(ours.axes[0], style.PUBLISHED_COLOUR)
        marks = [line for line in published_lines if line.get_marker() in "Ds"]
        assert [line.get_marker() for line in marks] == ["D", "s"]
        assert {"published, MNIST", "published, Temporal MNIST"} < set(legend_texts(ours))
        assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marks] == [
            (1.26, wanted[0]),
            (0.55, wanted[1]),
        ]
        lines = lines_of(drawn["beyond.change_rate"].axes[0], style.PUBLISHED_COLOUR)
        assert [line.get_ydata()[0] for line in lines] == wanted

    def test_means_of_ratios(self, drawn):
        table = synthetic.changes()
        rows = table[(table["layer"] == -1) & (table["scale"] == 8.0)]
        means = rows.groupby("correlation")["ratio"].mean()
        heights = [list(line.get_ydata()) for line in drawn["beyond.change_rate"].axes[0].lines]
        assert any(np.allclose(line, means) for line in heights if len(line) == 4)

    def test_snippets_are_the_frames_of_their_columns(self, drawn):
        (axes,) = drawn["ch4.fig4.3"].axes
        sheet = np.nan_to_num(np.asarray(axes.images[0].get_array().filled(np.nan)))
        dark = np.argwhere(sheet > 0)
        assert len(dark) == 8 * 16 and sheet.max() == 1.0
        rows, columns = 28 + 2, 28 + 10
        wanted = {(f * rows + f, s * columns + s) for s in range(8) for f in range(16)}
        assert set(map(tuple, dark)) == wanted
        assert [text.get_text() for text in axes.texts[:16]] == ["0"] * 16

    def test_distances_over_the_buffer(self, drawn):
        first, _, labels = drawn["appB.temporal_mnist"].axes
        (line,) = [line for line in lines_of(first, style.BLUE) if len(line.get_xdata()) == 4]
        assert list(line.get_xdata()) == [1, 10, 100, 1000]
        assert list(line.get_ydata()) == [130.0, 105.0, 80.0, 55.0]
        (training,) = [
            line for line in lines_of(labels, style.VERMILLION) if line.get_marker() == "s"
        ]
        np.testing.assert_allclose(training.get_ydata(), [15.0])
        shuffled = [line for line in lines_of(first, style.GREEN) if len(line.get_xdata()) == 2]
        assert shuffled[0].get_ydata()[0] == 130.0

    def test_no_scale_leaves_its_panel_and_no_own_line_looks_published(self, drawn):
        scales, paths, _ = drawn["ch4.fig4.2"].axes
        low, high = scales.get_ylim()
        heights = np.concatenate([line.get_ydata() for line in scales.lines])
        assert low < heights[heights > 0].min() and heights.max() < high
        own = [*scales.lines, *paths.lines, *drawn["ch4.fig4.1"].axes[5].lines]
        assert not {"black", style.PUBLISHED_COLOUR} & {line.get_color() for line in own}

    def test_panels_of_one_protocol_name_it(self, drawn):
        titles = [axes.get_title("left") for axes in drawn["ch4.fig4.2"].axes]
        assert ["as coded" in title for title in titles] == [True, True, False]

    def test_sequences_are_named_as_the_splits(self, drawn):
        names = legend_texts(drawn["appB.temporal_mnist"])
        assert names[:3] == ["thesis split", "official split", "training images"]


def test_front_is_what_no_point_beats():
    points = pd.DataFrame(
        {"kops_per_sample": [1.0, 2.0, 2.0, 3.0, 4.0], "error_fraction": [0.9, 0.5, 0.4, 0.6, 0.1]}
    )
    front = pareto_front(points)
    assert front["kops_per_sample"].tolist() == [1.0, 2.0, 4.0]
    assert front["error_fraction"].tolist() == [0.9, 0.4, 0.1]
