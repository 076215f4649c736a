"""The picture of table 3.1, from a made-up table."""

import pandas as pd
import pytest

from plausible.drawing import oconnor2020, style
from plausible.reproduction.published import load_curves
from plausible.studies.oconnor2020.ch3_newsgroups.figures import MACHINES, newsgroups_errors

from .pictures import CURVES, legend_texts


def make_table(data_set):
    rows = [
        {
            "seed": seed,
            "division": division,
            "data_set": data_set,
            "classifier": kind,
            "epoch": epoch,
            "test_error_percent": 3 + 5 / max(epoch, 1) + 0.3 * seed + number,
        }
        for seed in (0, 1, 2)
        for division in ("file_order", "shuffled", "shuffled_4to1")
        for number, kind in enumerate(("relu", "sgd", "fsgd", "svm_linear", "svm_rbf"))
        for epoch in ((0,) if kind.startswith("svm") else (1, 2, 5, 10))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("data_set", ["newsgroups", "breast_cancer"])
def test_networks_machine_and_published_errors_are_drawn(data_set):
    published = load_curves(CURVES, "oconnor2020")
    figure = newsgroups_errors(make_table(data_set), published, "mnist")
    assert oconnor2020.FIGURES["newsgroups_errors"] is newsgroups_errors
    assert len(figure.axes) == 3
    for axes in figure.axes:
        levels = [line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1]
        assert {2.278, 4.82} < set(levels)
        assert axes.get_xlabel() == "epochs" and axes.get_ylim()[0] == 0
        # Both kernels, each at its mean over seeds.
        for name, mean in (("svm_linear", 11.3), ("svm_rbf", 12.3)):
            (line,) = [one for one in axes.lines if one.get_color() == MACHINES[name].colour]
            assert line.get_ydata()[0] == pytest.approx(mean)
    labels = legend_texts(figure)
    assert {"SVM, linear kernel", "SVM, Gaussian kernel", "one seed (thin)"} < set(labels)
    assert ("published, SVM" in labels) is (data_set == "newsgroups")
    assert ("published, SVM (newsgroups)" in labels) is (data_set != "newsgroups")
    again = newsgroups_errors(make_table(data_set), published, "mnist")
    assert style.svg_text(figure) == style.svg_text(again)
