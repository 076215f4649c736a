"""Published files: read, checked, and complete."""

from pathlib import Path

import pytest
import yaml

from plausible.errors import StudyError
from plausible.reproduction.published import (
    leaves,
    load_published,
    published_path,
    read_checked,
    result_name,
    stated_numbers,
)

FOLDER = Path(__file__).resolve().parents[2] / "workflow" / "published"
SCHEMA = FOLDER.parent / "schemas" / "published.schema.yaml"


@pytest.mark.parametrize(
    ("study", "entries", "theorems"),
    [("thuesen2022", 54, 23), ("song2020", 42, 15), ("oconnor2020", 197, 89)],
)
def test_every_document_is_valid(study, entries, theorems):
    published = load_published(FOLDER / f"{study}.yaml")
    assert published.study == study
    assert len(published.entries) == entries
    assert sum(entry["kind"] == "theorem" for entry in published.entries.values()) == theorems


def test_recovered_numbers_are_valid():
    document = read_checked(FOLDER / "recovered.yaml")
    assert all(entry["confidence"] for entry in document["entries"])


def test_recovered_numbers_stand_beside_their_entries():
    published = load_published(FOLDER / "song2020.yaml")
    cells = published.recovered_values("fig3")["divergence_of_test_error"]["l_max_3"]["rows"]
    assert len(cells) == 6 and cells[1][2] == 8.7
    with pytest.raises(StudyError, match=r"recovered.yaml holds no values of 'song2020.fig1'"):
        published.recovered_values("fig1")
    assert not load_published(FOLDER / "thuesen2022.yaml").recovered


@pytest.mark.parametrize(
    ("ids", "message"),
    [(["doc.fig9"], "'doc.fig9' is no entry of doc.yaml"), (["doc.fig1"] * 2, "occurs twice")],
)
def test_mistakes_in_recovered_numbers(document, tmp_path, ids, message):
    entries = [
        {"id": name, "values": {"a": 1}, "source": "s", "confidence": "high"} for name in ids
    ]
    (tmp_path / "recovered.yaml").write_text(yaml.safe_dump({"entries": entries}))
    with pytest.raises(StudyError, match=message):
        load(document, tmp_path)


def test_recovered_numbers_of_other_documents_are_passed_over(document, tmp_path):
    entry = {"id": "other.fig1", "values": {"a": 1}, "source": "s", "confidence": "high"}
    (tmp_path / "recovered.yaml").write_text(yaml.safe_dump({"entries": [entry]}))
    assert not load(document, tmp_path).recovered


def test_default_path():
    assert published_path("song2020") == FOLDER / "song2020.yaml"


@pytest.fixture
def document():
    entry = {
        "id": "doc.fig1",
        "kind": "figure",
        "section": "1",
        "title": "t",
        "what": "w",
        "settings": {},
        "values": {"a": [1, {"b": 2.5}]},
        "expect": [{"test": "x", "tolerance": None}],
        "needs": ["none"],
        "reproducible": "full",
    }
    source = {"id": "doc", "title": "T", "authors": ["A"], "year": 2022, "kind": "paper"}
    twin = {**entry, "id": "doc.fig2", "same_as": "doc.fig1"}
    return {"source": source, "common_settings": {}, "ambiguities": [], "results": [entry, twin]}


def load(document, tmp_path):
    path = tmp_path / "doc.yaml"
    path.write_text(yaml.safe_dump(document))
    return load_published(path, SCHEMA)


def test_entries_and_references(document, tmp_path):
    published = load(document, tmp_path)
    assert published.entry("fig1") is published.entry("doc.fig1")
    assert published.original("fig2")["id"] == "doc.fig1"
    assert published.original("fig1")["id"] == "doc.fig1"
    with pytest.raises(StudyError, match=r"no result 'fig9' \(nearest: `doc.fig"):
        published.entry("fig9")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d["results"][0].update(kind="photo"), "results.*kind.*photo"),
        (lambda d: d["results"][0].update(kind="theorem"), "subkind"),
        (lambda d: d["results"][0].update(titel=1), "titel.*no known key.*nearest: .title"),
        (lambda d: d["results"][0].pop("expect"), "expect"),
        (lambda d: d["results"][0].update(expect=[]), "expect"),
        (lambda d: d["results"][0].update(needs=["cifar"]), "cifar"),
        (lambda d: d["results"][1].update(id="doc.fig1"), "'doc.fig1' occurs twice"),
        (lambda d: d["results"][1].update(id="other.fig1"), "must start with 'doc.'"),
        (lambda d: d["results"][1].update(same_as="doc.fig3"), "'doc.fig3', which is not in"),
        (
            lambda d: d["results"].append(
                {**d["results"][1], "id": "doc.f", "same_as": "doc.fig2"}
            ),
            "itself only a reference; name doc.fig1",
        ),
        (lambda d: d.pop("source"), "source"),
    ],
)
def test_mistakes_are_one_clear_sentence(document, tmp_path, spoil, message):
    spoil(document)
    with pytest.raises(StudyError, match=message) as error:
        load(document, tmp_path)
    assert "doc.yaml" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(StudyError, match="missing"):
        load_published(tmp_path / "doc.yaml", SCHEMA)
    (tmp_path / "doc.yaml").write_text("a: [1, 2\nb: ")
    with pytest.raises(StudyError, match="no valid YAML"):
        load_published(tmp_path / "doc.yaml", SCHEMA)


def test_leaves():
    assert list(leaves({"a": [1, {"b": 2.5}], "c": "x"})) == [
        ("a.0", 1),
        ("a.1.b", 2.5),
        ("c", "x"),
    ]


def test_result_name():
    assert result_name("thuesen2022.claim.readout") == "claim.readout"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("drop between 0 and 2 percentage points", [0, 2]),
        ("log-log slope -0.5 +/- 0.1", [-0.5, 0.1]),
        ("< 1e-10 in float64 after 100 steps; < 1e-3 in float32", [1e-10, 100, 1e-3]),
        ("drop(1000 ms) <= drop(200 ms) + 0.2", [1000, 200, 0.2]),
        ("max abs difference < 1 Hz for gamma = 0.001 and |j - 1| >= 0.05", [1, 0.001, 1, 0.05]),
        ("for j in [1.5, 10]", [1.5, 10]),
        ("exact", []),
    ],
)
def test_stated_numbers(text, numbers):
    assert stated_numbers(text) == numbers


def test_a_study_may_cover_a_part_of_a_document():
    whole = load_published(FOLDER / "oconnor2020.yaml")
    part = load_published(FOLDER / "oconnor2020.yaml", covers=["ch1.*", "fig_a?", "ch3.fig3.1"])
    names = {name.split(".", 1)[1] for name in part.entries}
    assert {"fig_a1", "fig_a2", "fig_a3", "ch3.fig3.1", "ch1.eq1.6.hopfield"} <= names
    assert all(name.startswith(("ch1.", "fig_a", "ch3.fig3.1")) for name in names)
    # In the order of the document, and nothing is lost unnamed.
    assert list(part.entries) == [name for name in whole.entries if name in part.entries]
    assert sorted([*part.entries, *part.omitted]) == sorted(whole.entries)
    assert whole.omitted == ()
    with pytest.raises(StudyError, match=r"'ch33\.\*', which fits no result"):
        load_published(FOLDER / "oconnor2020.yaml", covers=["ch33.*"])
