"""Pictures of section 5.4.1 and C.6, from made-up tables."""

from typing import ClassVar

import numpy as np
import pytest

from plausible.studies.oconnor2020.ch5_learning.figures import costs

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """Learning curves and depths."""

    part = "oconnor2020.ch5_learning"
    tables: ClassVar = {
        "ch5.fig5.5": synthetic.table_c6,
        "table_c6": synthetic.table_c6,
        "beyond.text_and_code": synthetic.text_and_code,
    }

    def test_published_scores_stand_beside_ours(self, drawn, published):
        (first, *_) = drawn["ch5.fig5.5"].axes
        levels = {line.get_ydata()[0] for line in first.lines if len(set(line.get_ydata())) == 1}
        values = published.values("ch5.fig5.5")
        assert {values["pdnn_mnist_test_percent"], values["mlp_mnist_test_percent"]} <= levels


def test_costs_are_those_since_the_beginning():
    table = synthetic.table_c6(seeds=2, samples=300)
    table = table[(table["protocol"] == "as_coded") & (table["hidden_layers"] == 1)]
    rows = costs(table, "as_coded")
    mine = rows[(rows["network"] == "mlp") & (rows["order"] == "file") & (rows["seed"] == 1)]
    assert mine["epoch"].min() == 0.5 and not mine["operations"].isna().any()
    # 314,000 multiply-adds of 1.6 pJ for each image and epoch.
    np.testing.assert_allclose(mine["operations"], 0.314 * mine["epoch"], rtol=1e-12)
    np.testing.assert_allclose(mine["energy_uj"], 0.5024 * mine["epoch"], rtol=1e-12)
    pdnn = rows[(rows["network"] == "pdnn") & (rows["order"] == "file") & (rows["seed"] == 1)]
    ratio = pdnn["energy_uj"].iloc[-1] / mine["energy_uj"].iloc[-1]
    assert ratio == pytest.approx(711 * 0.1 / (314 * 1.6))
