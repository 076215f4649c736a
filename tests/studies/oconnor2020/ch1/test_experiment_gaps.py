"""The table of gaps against the published entries."""

import pytest

from plausible.kernels import event_router
from plausible.reproduction.published import load_published
from plausible.studies.oconnor2020.ch1.experiment import gaps

from ...part_results import read_sweep, results_of

SETTINGS = read_sweep("oconnor2020.ch1", "gaps")


def gap_table():
    return gaps(SETTINGS, [0], None, None)


@pytest.fixture(scope="module")
def published(project_root):
    folder = project_root / "workflow" / "published" / "oconnor2020"
    return load_published(folder, ["ch1", "ch9"])


def test_gaps_are_the_published_ones_in_their_order(published) -> None:
    names = {str(n): gap.name for n, gap in enumerate(SETTINGS.gaps, start=1)}
    assert published.values("ch1.gaps")["gaps"] == names
    assert published.values("ch9.gap_coverage")["gap_numbers"] == names


def test_systems_are_the_published_ones(published) -> None:
    rows = published.values("ch9.gap_coverage")["rows"]
    ours = {
        f"{s.name} (ch{s.chapter})": (list(s.closes), list(s.partly), list(s.leaves))
        for s in SETTINGS.systems
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
    for row in published.values("ch9.gap_coverage")["rows"]:
        named = [row["system"] in cell for cell in table.closed_by]
        expected = row["addresses"] if "(ch" in row["system"] else []
        assert [number for number, there in zip(table.number, named, strict=True) if there] == (
            expected
        )
    assert "Initialized EqProp (ch7)" in table.partly_by[3]
    assert table.closed_by[4] == "" and (table.brain != table.deep_learning).all()


def test_gaps_of_this_chapter_are_measured_in_its_results() -> None:
    table = gap_table()
    assert table["found"].all()
    named = {name for cell in table["measured_in"] for name in cell.split("; ")}
    assert {name for name in named if name.startswith("ch1.")} <= set(results_of("oconnor2020.ch1"))


def test_a_gap_whose_code_is_gone_is_seen(monkeypatch) -> None:
    monkeypatch.delattr(event_router, "route")
    assert gap_table()["found"].tolist() == [True, True, True, False, True]
