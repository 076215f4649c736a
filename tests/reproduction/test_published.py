"""Published files: read, checked, and complete."""

from pathlib import Path

import pytest
import yaml

from plausible.errors import StudyError
from plausible.reproduction.published import (
    leaves,
    load_published,
    published_files,
    published_folder,
    read_checked,
    result_name,
)

FOLDER = Path(__file__).resolve().parents[2] / "workflow" / "published"
SCHEMA = FOLDER.parent / "schemas" / "published.schema.yaml"


@pytest.mark.parametrize(
    "study", sorted(path.parent.name for path in FOLDER.glob("*/document.yaml"))
)
def test_every_document_is_valid(study):
    published = load_published(FOLDER / study)
    assert published.study == study
    kinds = {entry["kind"] for entry in published.entries.values()}
    assert {"figure", "theorem", "claim"} <= kinds


def test_recovered_numbers_are_valid():
    document = read_checked(FOLDER / "recovered.yaml", "recovered", SCHEMA)
    assert all(entry["confidence"] for entry in document["entries"])


def test_recovered_numbers_stand_beside_their_entries():
    published = load_published(FOLDER / "song2020")
    cells = published.recovered_values("fig3")["divergence_of_test_error"]["l_max_3"]["rows"]
    assert len(cells) == 6 and cells[1][2] == 8.7
    with pytest.raises(StudyError, match=r"recovered.yaml holds no values of 'song2020.fig1'"):
        published.recovered_values("fig1")
    assert not load_published(FOLDER / "thuesen2022").recovered


@pytest.mark.parametrize(
    ("ids", "message"),
    [(["doc.fig9"], "'doc.fig9' is no entry of doc"), (["doc.fig1"] * 2, "occurs twice")],
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


def test_default_folder_and_its_files():
    assert published_folder("song2020").absolute() == FOLDER / "song2020"
    files = published_files(FOLDER / "song2020", ["run_time"])
    assert [path.stem for path in files] == ["document", "ambiguities", "run_time"]
    assert all(path.is_file() for path in files)


def test_published_curves():
    published = load_published(FOLDER / "thuesen2022", ["neurons"])
    assert {"rate_hz"} & set(published.curve("fig2a").columns) or len(published.curve("fig2a"))
    with pytest.raises(StudyError, match="thuesen2022.fig2d.*nearest: `thuesen2022.fig2"):
        published.curve("fig2d")


@pytest.fixture
def document():
    entry = {
        "id": "doc.fig1",
        "kind": "figure",
        "section": "1",
        "title": "t",
        "what": "w",
        "settings": {},
        "values": {"a": [1, 2.5]},
        "expect": [{"id": "holds", "test": "x", "tolerance": None}],
        "needs": ["none"],
        "reproducible": "full",
    }
    source = {"id": "doc", "title": "T", "authors": ["A"], "year": 2022, "kind": "paper"}
    twin = {**entry, "id": "doc.fig2", "same_as": "doc.fig1"}
    return {
        "document": {"source": source, "common_settings": {}},
        "ambiguities": {"ambiguities": []},
        "one": {"results": [entry]},
        "two": {"results": [twin]},
    }


def load(document, tmp_path, parts=None):
    folder = tmp_path / "doc"
    folder.mkdir(exist_ok=True)
    for name, content in document.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return load_published(folder, parts, SCHEMA)


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
        (lambda d: d["one"]["results"][0].update(kind="photo"), "one.yaml.*kind.*photo"),
        (lambda d: d["one"]["results"][0].update(kind="theorem"), "subkind"),
        (
            lambda d: d["one"]["results"][0].update(titel=1),
            "titel.*no known key.*nearest: .title",
        ),
        (lambda d: d["one"]["results"][0].pop("expect"), "expect"),
        (lambda d: d["one"]["results"][0].update(expect=[]), "expect"),
        (lambda d: d["one"]["results"][0]["expect"][0].pop("id"), "lacks the key `id`"),
        (
            lambda d: d["one"]["results"][0].update(expect=2 * d["one"]["results"][0]["expect"]),
            "two statements with the id 'holds'",
        ),
        (lambda d: d["one"]["results"][0].update(needs=["cifar"]), "cifar"),
        (lambda d: d["two"]["results"][0].update(id="doc.fig1"), "'doc.fig1' occurs twice"),
        (lambda d: d["two"]["results"][0].update(id="other.fig1"), "must start with 'doc.'"),
        (lambda d: d["two"]["results"][0].update(same_as="doc.fig3"), "'doc.fig3', which is not"),
        (
            lambda d: d["two"]["results"].append(
                {**d["two"]["results"][0], "id": "doc.f", "same_as": "doc.fig2"}
            ),
            "itself only a reference; name doc.fig1",
        ),
        (
            lambda d: d["one"]["results"][0].update(values={"a": {"b": [{"n": 1}]}}),
            "doc.fig1: a row of a.b has no id",
        ),
        (lambda d: d["document"].pop("source"), "source"),
        (lambda d: d["document"]["source"].update(id="dok"), "source.id: found 'dok'"),
    ],
)
def test_mistakes_are_one_clear_sentence(document, tmp_path, spoil, message):
    spoil(document)
    with pytest.raises(StudyError, match=message) as error:
        load(document, tmp_path)
    assert str(tmp_path / "doc") in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("declared", "low", "high", "text"),
    [
        ({"resolution": 0.25, "unit": "points"}, 2.25, 2.75, "within 0.25 points"),
        ({"resolution": 0}, 2.5, 2.5, "exact"),
        ({"relative": 0.04}, 2.4, 2.6, "within 0.04 of the value"),
        ({"interval": [2, None]}, 2.0, float("inf"), "from 2 to inf"),
    ],
)
def test_resolutions(document, tmp_path, declared, low, high, text):
    declared = {"places": ["a"], "because": "a reason", "runs": 3, **declared}
    document["one"]["results"][0]["resolutions"] = [declared]
    number = load(document, tmp_path).number("fig1", "a.1")
    assert (number.value, number.text) == (2.5, text)
    assert number.resolution[:2] == pytest.approx((low, high)) and number.resolution.runs == 3


def test_bounds_are_data_of_a_statement(document, tmp_path):
    bound = {"op": "<", "bound": 0.3, "because": "a reason"}
    document["one"]["results"][0]["expect"].append({"id": "falls", "test": "x", **bound})
    published = load(document, tmp_path)
    assert published.bound("fig1", "falls") == 0.3
    with pytest.raises(StudyError, match="no statement 'fall' .nearest: `falls`."):
        published.bound("fig1", "fall")
    with pytest.raises(StudyError, match="'holds' has no bound"):
        published.bound("fig1", "holds")


def test_the_first_resolution_that_fits_counts(document, tmp_path):
    document["one"]["results"][0]["resolutions"] = [
        {"places": ["a.*"], "for_values": [2, None], "resolution": 1, "because": "large"},
        {"places": ["*"], "resolution": None, "because": "shown"},
    ]
    published = load(document, tmp_path)
    assert published.number("fig1", "a.1").resolution.delta == 1
    assert published.number("fig1", "a.0").resolution is None
    with pytest.raises(StudyError, match="no number stands at a.2"):
        published.number("fig1", "a.2")


def test_missing_and_broken_files(tmp_path):
    (tmp_path / "doc").mkdir()
    with pytest.raises(StudyError, match="document.yaml: the file is missing"):
        load_published(tmp_path / "doc", schema_path=SCHEMA)
    (tmp_path / "doc" / "document.yaml").write_text("a: [1, 2\nb: ")
    with pytest.raises(StudyError, match="no valid YAML"):
        load_published(tmp_path / "doc", schema_path=SCHEMA)


def test_a_study_may_have_only_some_parts_of_a_document(document, tmp_path):
    whole, part = load(document, tmp_path), load(document, tmp_path, ["two"])
    assert list(whole.entries) == ["doc.fig1", "doc.fig2"] and whole.omitted == ()
    assert list(part.entries) == ["doc.fig2"] and part.omitted == ("doc.fig1",)
    assert whole.part_of == {"doc.fig1": "one", "doc.fig2": "two"}
    with pytest.raises(StudyError, match="three.yaml: the file is missing"):
        load(document, tmp_path, ["three"])


def test_leaves():
    values = {"a": [1, 2.5], "c": "x", "rows": [{"id": "first", "n": 3}]}
    assert list(leaves(values)) == [
        ("a.0", 1),
        ("a.1", 2.5),
        ("c", "x"),
        ("rows.first.id", "first"),
        ("rows.first.n", 3),
    ]


def test_result_name():
    assert result_name("thuesen2022.claim.readout") == "claim.readout"
