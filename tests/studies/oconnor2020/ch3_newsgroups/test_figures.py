"""The picture of table 3.1, from a made-up table and from that of the reference."""

import pytest

from plausible.studies.oconnor2020.ch3_newsgroups.figures import LOOKS, newsgroups_errors

from ....drawing.pictures import legend_texts
from ...part_results import published_of
from ..picture_rules import PictureRules
from .synthetic import make_table

PART = "oconnor2020.ch3_newsgroups"


class TestFigures(PictureRules):
    """What all pictures share."""

    part = PART
    tables = {"beyond.newsgroups_learning": make_table}


@pytest.mark.parametrize("data_set", ["newsgroups", "breast_cancer"])
def test_networks_machine_and_published_errors_are_drawn(data_set):
    table = make_table(data_set, svm_linear=(12, 0), svm_rbf=(9, 0))
    figure = newsgroups_errors(table, published_of(PART), "mnist")
    assert len(figure.axes) == 3
    for axes in figure.axes:
        levels = [line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1]
        assert {2.278, 4.82} < set(levels)
        assert axes.get_xlabel() == "epochs" and axes.get_ylim()[0] == 0
        # Both kernels, each at its mean over seeds.
        for name, wrong in (("svm_linear", 12), ("svm_rbf", 9)):
            (line,) = [one for one in axes.lines if one.get_color() == LOOKS[name].colour]
            assert line.get_ydata()[0] == pytest.approx(100 * wrong / 247)
    labels = legend_texts(figure)
    assert {"SVM, linear kernel", "SVM, Gaussian kernel", "one seed"} < set(labels)
    more = "" if data_set == "newsgroups" else " (newsgroups)"
    assert {f"published, SVM{more}", f"published, 1 Layer NN and Spiking Regressor{more}"} < set(
        labels
    )
