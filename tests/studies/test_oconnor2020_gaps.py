"""The table of gaps against the published entries."""

import pytest

from plausible.reproduction.published import load_published
from plausible.studies.oconnor2020.ch1.experiment_gaps import GAPS, SYSTEMS, gap_table


@pytest.fixture(scope="module")
def published(project_root):
    return load_published(project_root / "workflow" / "published" / "oconnor2020.yaml")


def test_gaps_are_the_published_ones_in_their_order(published) -> None:
    assert [gap.name for gap in GAPS] == published.entry("ch1.gaps")["values"]["gaps"]
    numbers = published.entry("ch9.gap_coverage")["values"]["gap_numbers"]
    assert numbers == {str(n): gap.name for n, gap in enumerate(GAPS, start=1)}


def test_systems_are_the_published_ones(published) -> None:
    rows = published.entry("ch9.gap_coverage")["values"]["rows"]
    ours = {
        f"{s.name} (ch{s.chapter})": (list(s.closes), list(s.partly), list(s.leaves))
        for s in SYSTEMS
    }
    theirs = {
        row["system"]: (row["addresses"], row.get("partly", []), row["fails"])
        for row in rows
        if "(ch" in row["system"]
    }
    assert ours == theirs


def test_table(published) -> None:
    table = gap_table()
    assert table.number.tolist() == [1, 2, 3, 4, 5]
    for row in published.entry("ch9.gap_coverage")["values"]["rows"]:
        named = [row["system"] in cell for cell in table.closed_by]
        expected = row["addresses"] if "(ch" in row["system"] else []
        assert [number for number, there in zip(table.number, named, strict=True) if there] == (
            expected
        )
    assert "Initialized EqProp (ch7)" in table.partly_by[3]
    assert table.closed_by[4] == "" and (table.brain != table.deep_learning).all()
