"""Files of a study: laid together without loss, and slips refused in one sentence."""

from pathlib import Path

import pytest
import yaml

from plausible.errors import PlausibleError
from plausible.reproduction.study_files import read_study_files, study_files

SCALE = {"dataset": "digits", "seeds": [0]}
MAIN = {
    "study": "thesis",
    "title": "A thesis",
    "document": "A. Author, A Thesis",
    "parts": ["one", "two"],
    "scales": {"demo": SCALE, "paper": SCALE},
    "protocols": {"corrected": {"what": "as it should be"}},
}
ONE = {
    "sweep": {"first": {"minutes": 3}},
    "results": {"b.fig1": {"from": {"sweep": ["first"]}}},
}
TWO = {
    "train": {"net": {"title": "t"}},
    "theorems": {"settings": {"size": 3}},
    "results": {"eq1": {"theorem": "equation"}, "eq2": {"theorem": "other.equation"}},
}


def write(folder: Path, **files) -> Path:
    (folder / "thesis").mkdir(exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        (folder / "thesis" / f"{name}.yaml").write_text(text)
    return folder / "thesis"


def test_parts_are_laid_together_in_their_order(tmp_path):
    folder = write(tmp_path, study=MAIN, one=ONE, two=TWO)
    whole, part_of = read_study_files(folder)
    assert list(whole["sweep"]) == ["first", "theorems_two"]
    assert list(whole["results"]) == ["b.fig1", "eq1", "eq2", "theorems"]
    assert whole["train"] == TWO["train"]
    assert whole["parts"] == ["one", "two"]
    assert part_of["results", "b.fig1"] == "one" and part_of["train", "net"] == "two"
    assert study_files(folder) == [folder / f"{name}.yaml" for name in ("study", "one", "two")]


def test_theorems_of_a_part_are_a_sweep_of_its_own_and_one_table_for_all(tmp_path):
    whole, part_of = read_study_files(write(tmp_path, study=MAIN, one=ONE, two=TWO))
    assert whole["sweep"]["theorems_two"] == TWO["theorems"]
    assert whole["results"]["theorems"]["from"] == {"sweep": ["theorems_two"]}
    assert part_of["sweep", "theorems_two"] == "two"
    assert ("results", "theorems") not in part_of


def test_without_theorems_there_is_no_table_of_them(tmp_path):
    whole, _ = read_study_files(write(tmp_path, study=MAIN | {"parts": ["one"]}, one=ONE))
    assert list(whole["results"]) == ["b.fig1"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"two": TWO | {"sweep": {"first": {}}}}, ["two.yaml", "sweep.first", "one.yaml"]),
        ({"two": {"sweeps": {}}}, ["two.yaml", "'sweeps'", "nearest: `sweep`"]),
        ({"two": {"scales": {}}}, ["two.yaml", "'scales'"]),
        ({"two": {"sweep": ["first"]}}, ["two.yaml", "sweep: found ['first']", "a mapping"]),
        ({"two": "sweep: {"}, ["two.yaml", "no valid YAML"]),
        ({"two": "- x"}, ["two.yaml", "a mapping is expected"]),
        ({"study": MAIN | {"parts": ["one", "twoo"]}}, ["twoo.yaml", "nearest: `two`"]),
        ({"three": ONE}, ["three.yaml", "no part of the study", "under parts in", "study.yaml"]),
        ({"study": MAIN | {"parts": ["one", "one"]}}, ["study.yaml", "parts", "twice"]),
        ({"study": MAIN | {"protocols": {"a": {}}}}, ["protocols.a", "'what'"]),
    ],
)
def test_a_slip_is_one_sentence_with_its_file(tmp_path, files, words):
    folder = write(tmp_path, **{"study": MAIN, "one": ONE, "two": TWO} | files)
    with pytest.raises(PlausibleError) as caught:
        read_study_files(folder)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
