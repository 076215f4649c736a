"""A run as one file: equal bytes, every damage found, verdicts judged again."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from plausible.errors import StudyError
from plausible.reproduction import archive

ROOT = Path(__file__).parents[2]
STUDY = "song2020"
FOLDER = f"results/paper/{STUDY}"


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """The committed reference run as a run at the paper scale."""
    folder = tmp_path_factory.mktemp("project")
    for name in archive.PROJECT:
        if (ROOT / name).is_dir() and name != "src":
            shutil.copytree(ROOT / name, folder / name)
        elif (ROOT / name).is_file():
            shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / f"results/reference/{STUDY}", folder / FOLDER)
    (folder / "results/paper/config.yaml").write_text(
        f"scale: paper\nstudies: [{STUDY}]\ndata: {{dir: null, dataset: null, sets: {{}}}}\n"
    )
    (folder / "results/paper/checkpoints").mkdir()
    (folder / "results/paper/checkpoints/a.npz").touch()
    return folder


@pytest.fixture(scope="module")
def made(root, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        # Of every picture the reference run keeps one file.
        patch.setattr(archive, "files_of", lambda root, study: ([], []))
        return archive.make_archive(root, "paper", tmp_path_factory.mktemp("made") / "run.zip")


def changed(made: Path, path: Path, edit) -> Path:
    """Copy of an archive whose content, by name, was edited."""
    with zipfile.ZipFile(made) as source:
        content = {name: source.read(name) for name in source.namelist()}
    edit(content)
    with zipfile.ZipFile(path, "w") as target:
        for name, data in content.items():
            target.writestr(name, data)
    return path


def test_a_run_comes_back_as_it_was_made(made):
    found = archive.verify_archive(made)
    assert found.problems == [] and found.files > 100
    assert found.verdicts[STUDY] > 100
    with zipfile.ZipFile(made) as source:
        names = source.namelist()
    assert not [name for name in names if "checkpoints" in name or name.endswith(".npz")]


def test_equal_content_gives_equal_bytes(root, made, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "files_of", lambda root, study: ([], []))
    for path in (root / FOLDER).iterdir():
        path.touch()
    again = archive.make_archive(root, "paper", tmp_path / "run.zip")
    assert again.read_bytes() == made.read_bytes()


def test_the_description_names_every_file_and_how_it_was_made(made):
    with zipfile.ZipFile(made) as source:
        crate = json.loads(source.read(f"run/{archive.METADATA}"))
        names = {name.removeprefix("run/") for name in source.namelist()}
    entries = {entry["@id"]: entry for entry in crate["@graph"]}
    assert len(entries) == len(crate["@graph"]), "ids are unique"
    parts = {part["@id"] for part in entries["./"]["hasPart"]}
    assert parts == names - {archive.METADATA, archive.MANIFEST}
    assert entries["#run"]["instrument"]["@id"] == entries["./"]["mainEntity"]["@id"]
    for entry in entries.values():
        for value in entry.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and not one["@id"].startswith("https:"):
                    assert one["@id"] in entries
    assert any(
        "Can the Brain Do" in source["name"] for source in entries.values() if "name" in source
    )


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda content: content.pop(f"run/{FOLDER}/fig3.csv"), "fig3.csv: missing"),
        (lambda content: content.update({"run/more.txt": b""}), "more.txt: not in"),
        (
            lambda content: content.update({f"run/{FOLDER}/table2.csv": b"a\n"}),
            "table2.csv: another checksum",
        ),
    ],
)
def test_damage_is_named(made, tmp_path, edit, words):
    found = archive.verify_archive(changed(made, tmp_path / "a.zip", edit))
    assert len(found.problems) == 1 and words in found.problems[0]


def test_a_verdict_that_its_tables_do_not_give_is_found(made, tmp_path):
    """Even where whoever wrote it brought every checksum along."""
    name, manifest = f"{FOLDER}/verdicts.csv", f"run/{archive.MANIFEST}"

    def forge(content):
        text = content[f"run/{name}"].replace(b",differs,", b",reproduced,", 1)
        assert text != content[f"run/{name}"]
        content[f"run/{name}"] = text
        digest = hashlib.sha256(text).hexdigest()
        record = json.loads(content[f"run/{name}.json"])
        content[f"run/{name}.json"] = json.dumps({**record, "sha256": digest}).encode()
        lines = []
        for line in content[manifest].decode().splitlines():
            _, _, file = line.partition("  ")
            lines.append(f"{hashlib.sha256(content[f'run/{file}']).hexdigest()}  {file}\n")
        content[manifest] = "".join(lines).encode()

    found = archive.verify_archive(changed(made, tmp_path / "a.zip", forge))
    assert [problem.partition(":")[0] for problem in found.problems] == [name]
    assert "other verdicts" in found.problems[0]


def test_an_unfinished_run_and_what_is_no_archive(root, tmp_path, capsys):
    with pytest.raises(StudyError, match="is not complete"):
        archive.make_archive(root, "paper", tmp_path / "run.zip")
    (tmp_path / "text.zip").write_text("no")
    assert archive.main(["--verify", str(tmp_path / "text.zip")]) == 1
    assert "this is no archive of a run" in capsys.readouterr().err
