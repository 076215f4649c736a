"""Every cell of figure 3 beside ours, in the report."""

import re

import pytest

from plausible.studies.song2020.ablation.report import cell_tables

from . import synthetic


@pytest.fixture(scope="module")
def fig3():
    return synthetic.fig3()


def test_every_cell_stands_beside_its_published_value(fig3):
    text = cell_tables(synthetic.published(), fig3)
    # 288 cells and the weights in their other reading, for two protocols.
    assert text.count("&nbsp;✓") == 2 * (288 + 144)
    assert "8.7<br>8.7 ± 0.035" in text
    assert "Protocol calibrated: 144 of 144" in text
    header = text[text.index("l_max = 3: divergence of test error") :]
    assert re.findall(r'col">t = (\w+)', header)[:8] == ["0", "1", "l", "2", "3", "4", "16", "64"]


def test_cells_that_were_not_run_are_dashes(fig3):
    ran = fig3[(fig3["gamma"] != 0.01) & (fig3["t"] != "64")]
    text = cell_tables(synthetic.published(), ran)
    # Five rows of gamma, seven columns, nine tables in each protocol.
    assert text.count("&nbsp;✓") == 2 * 9 * 35
    assert text.count("<td>–</td>") == 2 * 9 * 5


def test_marks_of_cells(fig3):
    frame = fig3.copy()
    coded = frame["protocol"] == "as_coded_elsewhere"
    far = synthetic.cell("t_gamma", "l", 0.1)(frame) & coded
    frame.loc[far, "test_error_divergence_sum"] = 20.0
    near = synthetic.cell("t_gamma", "l", 0.5)(frame) & coded
    frame.loc[near, "test_error_divergence_sum"] = [0.93, 0.99, 0.96]
    top = frame["weight_divergence_sum"] == synthetic.BEYOND
    text = cell_tables(synthetic.published(), frame)
    assert "8.7<br>20&nbsp;✗" in text
    assert "0.917<br>0.96 ± 0.03&nbsp;≈" in text
    assert top.any() and f"≥ {synthetic.AT_TOP}<br>{synthetic.BEYOND:g}&nbsp;✓" in text
