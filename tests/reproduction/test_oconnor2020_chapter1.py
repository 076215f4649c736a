"""Verdicts of chapter 1 of O'Connor 2020: every entry has rows, and the gaps can fail."""

from pathlib import Path

import pytest

from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.published import load_published
from plausible.reproduction.study_files import read_study_file
from plausible.studies.oconnor2020.ch1.claims import REGISTRY
from plausible.studies.oconnor2020.ch1.experiment_gaps import gap_table

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"


@pytest.fixture(scope="module")
def published():
    covers = read_study_file(WORKFLOW / "studies" / "oconnor2020.yaml")["covers"]
    return load_published(WORKFLOW / "published" / "oconnor2020.yaml", covers=covers)


def outcomes(published, table):
    entry = published.entry("ch1.gaps")
    evidence = Evidence({"ch1.gaps": table}, entry, published, False)
    found = {one.aspect: one for one in REGISTRY.checks["ch1.gaps", 0](evidence)}
    return found, REGISTRY.numbers["ch1.gaps"](evidence)


def test_the_gaps_hold(published):
    found, names = outcomes(published, gap_table())
    assert list(found) == ["rows", "implemented", "measured"]
    assert all(one.holds for one in found.values())
    assert [name.values for name in names] == published.entry("ch1.gaps")["values"]["gaps"]
    assert all(name.values == name.published for name in names)


@pytest.mark.parametrize(
    ("aspect", "spoil"),
    [
        ("rows", lambda table: table.iloc[::-1]),
        ("rows", lambda table: table.iloc[:4]),
        ("implemented", lambda table: table.assign(found=[True, True, False, True, True])),
        ("measured", lambda table: table.assign(measured_in="ch1.gaps; ch1.fig9")),
        ("measured", lambda table: table.assign(measured_in="")),
    ],
)
def test_each_finding_can_fail(published, aspect, spoil):
    found, _ = outcomes(published, spoil(gap_table()))
    assert not found[aspect].holds


def test_a_gap_of_another_name_differs(published):
    table = gap_table().replace("spiking", "no spikes")
    _, names = outcomes(published, table)
    assert [name.values == name.published for name in names] == [True, False, True, True, True]


def test_every_statement_and_number_of_the_chapter_is_judged(published):
    chapter = {
        vd.result_name(name): entry
        for name, entry in published.entries.items()
        if vd.result_name(name).startswith("ch1.")
    }
    assert len(chapter) == 17
    for name, entry in chapter.items():
        if entry["reproducible"] != "full":
            continue
        assert set(entry["values"]) == set(REGISTRY.covered.get(name, ()))
        statements = range(len(entry["expect"]))
        if entry["kind"] != "theorem":
            assert all((name, index) in REGISTRY.checks for index in statements)


def test_every_full_entry_of_the_chapter_is_a_result(published):
    declared = read_study_file(WORKFLOW / "studies" / "oconnor2020.yaml")
    assert "theorems_chapter1" in declared["results"]["theorems"]["from"]["sweep"]
    for name, entry in published.entries.items():
        short = vd.result_name(name)
        if short.startswith("ch1.") and entry["reproducible"] == "full":
            result = declared["results"][short]
            assert (result.get("data") == "theorems") == (entry["kind"] == "theorem")
