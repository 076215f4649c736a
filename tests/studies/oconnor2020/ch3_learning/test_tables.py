"""Readable tables: their cells, and what FSGD gains over SGD on curves whose gains are known."""

import numpy as np
import pandas as pd
import pytest

from plausible.studies.oconnor2020.ch3_learning import tables
from plausible.studies.oconnor2020.ch3_learning.tables import fsgd_gain_markdown, nearest_epochs
from plausible.studies.oconnor2020.ch3_learning.tables_zero_reset import zero_reset_markdown

from ...part_results import functions_of, published_of, results_of
from . import synthetic

PART = "oconnor2020.ch3_learning"


@pytest.fixture(scope="module")
def published():
    return published_of(PART)


@pytest.fixture(scope="module")
def good(published):
    return synthetic.good_tables(published)


def test_every_markdown_of_the_part_has_its_cells(good, published):
    texts = {}
    for name, function in functions_of(PART, "markdown").items():
        declared = results_of(PART)[name]
        entry = f"oconnor2020.{declared.get('published', name)}"
        values = published.entries.get(entry, {}).get("values", {})
        texts[name] = function(good[declared.get("data", name)], values)
    assert set(texts) >= {
        "ch3.table3.2",
        "table_a1",
        "ch3.sparse_learned_computation",
        "beyond.early_guesses",
        "beyond.zero_reset",
    }
    assert (
        "| Spiking FSGD | 2.07 | 2.07 ± 0.02 | 2.07 ± 0.02 | 0.37 | 0.37 ± 0.02 |"
        in (texts["ch3.table3.2"])
    )
    row = next(
        line for line in texts["table_a1"].splitlines() if line.startswith("| Depth-First P")
    )
    assert row.count("81.47") == 5
    held = next(line for line in texts["table_a1"].splitlines() if "error held" in line)
    assert held.count("3.38 ± 0.02") == 2 and held.endswith("| - | - |")
    assert "| spiking, FSGD | vector network | 2 |" in texts["ch3.sparse_learned_computation"]
    # Limit 2.03 plus 20 / 2, after one step of 31 thousand additions.
    assert "12.03 ± 0.02 (31 k)" in texts["beyond.early_guesses"]
    assert "| ReLU network | official split |" in texts["beyond.early_guesses"]
    assert texts["beyond.zero_reset"].count("| zero reset (published 87.87) |") == 3
    assert "| 1 | 5 | 1001 to 1401 | 0 | 1401 |" in texts["beyond.counted_additions"]
    rates = texts["beyond.relu_learning_rates"]
    assert "| published | 1.63 | 1.63 | 0.426 | - |" in rates
    # 0.426 %, and 0.3 points more after the last epoch.
    assert "| 1 | 1.63 ± 0.02 | 1.63 ± 0.02 | 0.43 ± 0.02 |" in rates
    assert "| 1/2 | 1.63 ± 0.02 | 1.63 ± 0.02 | 0.73 ± 0.02 |" in rates


def test_a_diverged_variant_is_named(good, published):
    table = good["table_a1"].copy()
    table.loc[(table["network"] == "smooth") & (table["seed"] == 1), "error_percent"] = float("nan")
    text = tables.table_a1_markdown(table, published.entry("table_a1")["values"])
    row = next(line for line in text.splitlines() if line.startswith("| Smooth Gradients"))
    assert row.count("(1 diverged)") == 4


def test_rows_of_record_leaves_out_what_is_empty(good):
    whole = pd.concat([good["ch3.table3.2"], good["ch3.fig3.2"]], ignore_index=True)
    curves = tables.rows_of_record({"sweep.a": whole}, records=["curve"])
    assert set(curves["record"]) == {"curve"} and "counting" not in curves
    assert len(curves) == len(good["ch3.fig3.2"]) and "training_operations" in curves
    options = {"records": ["curve"], "networks": ["fsgd"], "protocols": ["as_coded"]}
    fsgd = tables.rows_of_record({"sweep.a": whole}, **options)
    assert len(fsgd) == (good["ch3.fig3.2"]["network"] == "fsgd").sum() > 0


def test_both_readings_of_the_initial_weights(good, published):
    values = published.entry("table_a1")["values"]
    text = tables.initial_weights_markdown(good["beyond.initial_weights"], values)
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert [row[1] for row in rows] == ["standard deviation", "variance"] * 2
    assert [row[2] for row in rows] == ["3.38", "3.38", "3.1", "3.1"]
    assert rows[0][3].startswith("3.38") and rows[1][3] == rows[3][4] == "70.00 ± 0.00"


@pytest.fixture(scope="module")
def text(published):
    return zero_reset_markdown(synthetic.zero_reset_table(), published.values("ch3.no_zero_reset"))


def test_readable_table_has_one_row_for_each_reset_and_seed(text):
    rows = [line for line in text.splitlines() if "(published " in line][1:]
    assert len(rows) == 9
    cells = [cell.strip() for cell in rows[-1].strip("|").split("|")]
    assert cells[:2] == ["zero reset (published 87.87)", "2"]
    assert cells[3:6] == ["0", "0", "10"] and cells[6:] == [
        "0",
        "0",
        "0.1",
        "never",
        "89.00 / 90.00",
    ]


def test_means_are_weighted_with_the_samples_between_test_points(text):
    """Without a reset layer 1 has 4 error spikes in the first half epoch, 8 afterwards."""
    row = next(line for line in text.splitlines() if line.startswith("| no reset (published 3.38)"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert float(cells[3]) == pytest.approx((0.5 * 4 + 3.5 * 8) / 4)
    assert cells[6:] == ["2", "2", "2", "epoch 0.5", "3.38 / 4.38"]


def test_a_diverged_network_has_no_numbers(published):
    table = synthetic.zero_reset_table()
    lost = (table["reset"] == "random") & (table["seed"] == 1)
    columns = ["spikes", "error_spikes", "passed", "relative_change"]
    columns += ["thesis_error_percent", "official_error_percent"]
    table.loc[lost & (table["epoch"] > 1), columns] = np.nan
    text = zero_reset_markdown(table, published.values("ch3.no_zero_reset"))
    row = next(
        line for line in text.splitlines() if line.startswith("| random") and "| 1 |" in line
    )
    assert row.count("n/a") == 5


# ----------------------------------------------------------------- what FSGD gains


def curve(network, seed, part, errors, cost):
    return pd.DataFrame(
        {
            "network": network,
            "seed": seed,
            "part": part,
            "epoch": list(errors),
            "error_percent": list(errors.values()),
            "training_operations": [cost * epoch for epoch in errors],
        }
    )


@pytest.fixture(scope="module")
def table():
    """FSGD starts a point behind and ends a point ahead, at twice the additions of an epoch."""
    parts = []
    for part, more in (("thesis", 0.0), ("official", 0.3)):
        for seed in (0, 1, 2, 3):
            last = {} if seed == 3 else {20: 2.0 + more + 0.1 * seed}
            sgd = {0: 90.0, 1: 5.0 + more, 2: 4.0 + more, 10: 3.0 + more} | last
            fsgd = {0: 90.0, 1: 6.0 + more, 2: 4.0 + more, 10: 2.0 + more}
            fsgd |= {20: 1.0 + more} if last else {}
            parts += [curve("sgd", seed, part, sgd, 1e9), curve("fsgd", seed, part, fsgd, 2e9)]
        parts.append(curve("relu", 0, part, {0: 90.0, 1: 9.9, 20: 9.9}, np.nan))
    return pd.concat(parts, ignore_index=True)


def lines_of(text, part):
    rows = [[cell.strip() for cell in one.strip("|").split("|")] for one in text.splitlines()]
    return {row[1]: row[2:] for row in rows if row[0] == part}


def test_gains_of_both_splits_with_their_seeds(table):
    text = fsgd_gain_markdown(table, {})
    thesis, official = (lines_of(text, f"{part} split") for part in ("thesis", "official"))
    assert list(thesis) == list(official) == ["1", "2", "10", "20"]
    # At the additions of its first epoch, SGD has done two; at those of its tenth, twenty.
    assert thesis["1"] == [
        "5.00 ± 0.00", "6.00 ± 0.00", "-1.00 ± 0.00", "4", "-2.00 ± 0.00", "4", "2.00 ± 0.00",
    ]  # fmt: skip
    half = 4.302653 * 0.1 / 3**0.5
    assert thesis["10"][2:6] == ["1.00 ± 0.00", "4", f"0.10 ± {half:.2f}", "3"]
    assert thesis["20"] == [
        f"2.10 ± {half:.2f}", "1.00 ± 0.00", f"1.10 ± {half:.2f}", "3", "-", "0", "2.00 ± 0.00",
    ]  # fmt: skip
    # Harder images shift both errors and leave the gains.
    assert official["1"][0] == "5.30 ± 0.00"
    assert {epoch: row[2:] for epoch, row in official.items()} == {
        epoch: row[2:] for epoch, row in thesis.items()
    }


def test_a_diverged_run_is_counted(table):
    lost = table.copy()
    gone = (lost["network"] == "sgd") & (lost["seed"] == 0) & (lost["epoch"] >= 10)
    lost.loc[gone, "error_percent"] = np.nan
    row = lines_of(fsgd_gain_markdown(lost, {}), "thesis split")["10"]
    assert row[0] == "3.00 ± 0.00 (1 diverged)" and row[3] == "3"


def test_one_rule_alone_is_said_to_be_alone(table):
    text = fsgd_gain_markdown(table[table["network"] == "fsgd"], {})
    assert lines_of(text, "thesis split")["1"] == [
        "not run", "6.00 ± 0.00", "-", "0", "-", "0", "-",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tested", "found"),
    [
        ([0.5, 1, 2, 3, 5, 20, 50], [1, 2, 5, 20, 50]),
        ([1, 2, 4, 6, 8, 11, 14], [1, 2, 4, 11, 14]),
        ([0.1, 0.5], [0.5]),
        ([], []),
    ],
)
def test_epochs_are_the_nearest_tested_ones_and_the_last(tested, found):
    epochs = pd.Series(tested, dtype=float)
    assert nearest_epochs(epochs, (1, 2, 5, 10, 20, 50)) == found
