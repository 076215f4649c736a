"""Tables of section 4.6.2 for people, made of synthetic and of spoilt rows."""

import numpy as np
import pytest

from plausible.studies.oconnor2020.ch4_scales.tables import (
    official_split_markdown,
    published_row,
    quantisation_frontier_markdown,
    table_b1_markdown,
)

from ...part_results import published_of, results_of
from . import synthetic

PART = "oconnor2020.ch4_scales"


@pytest.fixture(scope="module")
def published():
    return published_of(PART)


@pytest.fixture(scope="module")
def printed(published):
    """Published values of table B.1."""
    return published.values("table_b1")


@pytest.fixture(scope="module")
def table(published):
    return synthetic.table_b1(published)


def rows_of(table, **values):
    for name, value in values.items():
        table = table[table[name] == value]
    return table


def cells_of(text, *first):
    """Cells of the first line of a table that begins with the given ones."""
    start = f"| {' | '.join(first)} |"
    line = next(one for one in text.splitlines() if one.startswith(start))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_b1_shows_every_published_cell(table, printed):
    text = table_b1_markdown(table, printed)
    cells = " ".join(cells_of(text, "lambda 1e-10", "sigma-delta"))
    for cell in ("(245)", "(0.07)", "(2.39)", "(24.6)", "(110)", "(11)"):
        assert cell in cells
    assert all("(" in cell for cell in cells_of(text, "lambda 1e-05", "rounding")[2:])
    cells = " ".join(cells_of(text, "1 (unoptimized)", "original"))
    for cell in ("(397)", "(107)", "(0.024)", "(2.24)", "(636)", "(173)"):
        assert cell in cells
    assert "unitwise scales" in text
    other = table_b1_markdown(table.assign(**{"lambda": 3 * table["lambda"]}), printed)
    assert "(" not in "".join(cells_of(other, "lambda 3e-10", "rounding"))


def test_table_b1_has_intervals_over_seeds(table, printed):
    text = table_b1_markdown(table, printed)
    assert "mean ± 95 % interval over 3 seeds" in text
    # Values are 44.5 - 0.3, 44.5 and 44.5 + 0.3; the t quantile of three is 4.303.
    half = 4.3027 * 0.3 / np.sqrt(3)
    assert cells_of(text, "1 (unoptimized)", "rounding")[2] == f"44.5 ± {half:.1f} (44)"
    # A dense pass costs the same for every seed.
    assert cells_of(text, "1 (unoptimized)", "original")[2].startswith("397.6 (397) / 107.0 ±")
    one = table_b1_markdown(table[table["seed"] == 0], printed)
    assert "±" not in one and "one seed" in one


def test_both_splits_stand_side_by_side(table, printed):
    # What the workflow gives to the table: the entry that the study names.
    assert results_of(PART)["beyond.official_split"]["published"] == "table_b1"
    text = official_split_markdown(table, printed)
    assert cells_of(text, "1e-10", "rounding")[5::3] == ["2.39", "209"]
    assert cells_of(text, "1e-10", "sigma-delta")[5::3] == ["2.39", "110"]
    assert cells_of(text, "1 (unoptimized)", "original")[5::3] == ["2.24", "397 / 107"]
    # The difference is that of pairs: as large for every seed, it has no width.
    even = table.copy()
    even["error_percent"] = 2.0 + 0.1 * even["seed"] + 0.5 * (even["part"] == "official")
    other = official_split_markdown(even.assign(**{"lambda": 3 * even["lambda"]}), printed)
    cells = cells_of(other, "3e-05", "rounding")
    assert cells[2:5] == ["2.10 ± 0.25", "2.60 ± 0.25", "0.50 ± 0.00"]
    assert cells[5::3] == ["-", "-"]
    costs = rows_of(
        table, protocol="as_coded", granularity="layerwise", network="sigma_delta",
        order="temporal", part="thesis", **{"lambda": 1.0e-5},
    )["kflops"]  # fmt: skip
    assert cells_of(text, "1e-05", "sigma-delta")[6].startswith(f"{costs.mean():.1f} ±")


def test_what_diverged_is_not_left_out_of_a_mean(table, printed):
    lost = table.copy()
    chosen = (lost["seed"] == 1) & (lost["lambda"] == 1.0e-5)
    lost.loc[chosen, ["error_percent", "kflops", "energy_nj"]] = np.nan
    cells = cells_of(official_split_markdown(lost, printed), "1e-05", "rounding")
    assert cells[2:5] == ["diverged"] * 3
    frontier = quantisation_frontier_markdown(lost, {})
    assert cells_of(frontier, "rounding", "layerwise", "1e-05", "32", "any")[5] == "diverged"
    cells = cells_of(table_b1_markdown(lost, printed), "lambda 1e-05", "sigma-delta")
    assert all(cell.startswith("diverged (") for cell in cells[2:])


def test_the_frontier_has_every_width(table):
    text = quantisation_frontier_markdown(table, {})
    for bits in (8, 4, 3, 2):
        cells = cells_of(text, "quantised", "-", "-", f"{bits}", "any")
        assert cells[8] == f"{20 + bits**2:.2f}"
    assert cells_of(text, "sigma-delta", "unitwise", "1e-10", "32", "temporal order")


def test_published_rows_are_found_by_their_lambda(printed):
    assert published_row(printed, 1.29e-9)["rounding"]["file"]["kflops"] == 178
    assert published_row(printed, None)["sigma_delta"]["temporal"]["kflops"] == 24
    assert published_row(printed, 2.0e-9) == {}
