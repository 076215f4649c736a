"""Study files in parts: laid together without loss, and slips refused in one sentence."""

from pathlib import Path

import pytest
import yaml

from plausible.errors import StudyError
from plausible.reproduction.study_files import read_study_file, study_files

MAIN = {
    "study": "thesis",
    "parts": ["one", "two"],
    "covers": ["a.*"],
    "sweep": {"common": {"settings": {"x": 1}}},
    "results": {},
}
ONE = {"covers": ["b.*"], "sweep": {"first": {}}, "results": {"b.fig1": {"from": {}}}}
TWO = {"covers": ["c.*"], "train": {"net": {"title": "t"}}}


def write(folder: Path, **files) -> Path:
    (folder / "thesis").mkdir(exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        place = "thesis.yaml" if name == "thesis" else f"thesis/{name}.yaml"
        (folder / place).write_text(text)
    return folder / "thesis.yaml"


def test_parts_are_laid_together_in_their_order(tmp_path):
    path = write(tmp_path, thesis=MAIN, one=ONE, two=TWO)
    whole = read_study_file(path)
    assert whole["covers"] == ["a.*", "b.*", "c.*"]
    assert list(whole["sweep"]) == ["common", "first"]
    assert list(whole["results"]) == ["b.fig1"]
    assert whole["train"] == TWO["train"]
    assert whole["parts"] == ["one", "two"]
    folder = tmp_path / "thesis"
    assert study_files(path) == [path, folder / "one.yaml", folder / "two.yaml"]


def test_a_study_without_parts_is_its_file(tmp_path):
    alone = {"study": "thesis", "sweep": {}}
    path = write(tmp_path, thesis=alone)
    assert read_study_file(path) == alone
    assert study_files(path) == [path]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"two": TWO | {"sweep": {"first": {}}}}, ["two.yaml", "sweep.first", "one.yaml"]),
        ({"two": TWO | {"sweep": {"common": {}}}}, ["sweep.common", "thesis.yaml"]),
        ({"two": {"sweeps": {}}}, ["two.yaml", "'sweeps'", "nearest: `sweep`"]),
        ({"two": {"scales": {}}}, ["two.yaml", "'scales'", "thesis.yaml"]),
        ({"two": {"sweep": ["first"]}}, ["two.yaml", "sweep must be a mapping"]),
        ({"two": "sweep: {"}, ["two.yaml", "not valid YAML"]),
        ({"two": "- x"}, ["two.yaml", "a mapping is expected"]),
        ({"thesis": MAIN | {"parts": ["one", "twoo"]}}, ["twoo.yaml", "nearest: `two`"]),
    ],
)
def test_a_slip_in_a_part_is_one_sentence_with_its_file(tmp_path, files, words):
    path = write(tmp_path, **{"thesis": MAIN, "one": ONE, "two": TWO} | files)
    with pytest.raises(StudyError) as caught:
        read_study_file(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
