"""The table of what FSGD gains over SGD, on curves whose gains are known."""

import numpy as np
import pandas as pd
import pytest
from plausible.studies.oconnor2020.tables import fsgd_gain_markdown

from plausible.studies.oconnor2020.ch3_learning.tables import nearest_epochs


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
