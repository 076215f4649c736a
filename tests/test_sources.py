"""The digest of code: what it sees, what it ignores, what it keeps from one start to the next."""

import json
import os
from pathlib import Path

import pytest

from plausible import sources
from plausible.errors import StudyError
from plausible.sources import dependencies, source_digest

MODULES = {
    "__init__": "",
    "a": "from plausible.b import value\n\ndef f():\n    '''Doc.'''\n    return value  # why\n",
    "b": "import math\n\nvalue = 1\n",
    "c": "value = 3\n",
    "room/__init__": "",
    "room/d": "from ..b import value\nfrom . import e\n",
    "room/e": "page = open('sheets/page.css')\nother = __file__ + '/../reasons.yaml'\n",
}
TEXTS = {"room/sheets/page.css": "p {}", "room/reasons.yaml": "a: b", "room/unread.yaml": "a: b"}


def forget():
    """As a new process: nothing is known but what is in the working directory."""
    for function in (sources._modules, sources._sources, sources._content):
        function.cache_clear()


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """Function that gives the digest of a module of a small package, with files replaced."""
    folder = tmp_path / "plausible"
    for name, text in {**{f"{name}.py": text for name, text in MODULES.items()}, **TEXTS}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setattr(sources, "FOLDER", folder)
    monkeypatch.chdir(tmp_path)

    def compute(changed=None, text=None, module="plausible.a", **options):
        path = folder / changed if changed else None
        before = path.read_text() if path and path.exists() else None
        if path:
            path.write_text(text)
        forget()
        try:
            return source_digest(module, **options)
        finally:
            if path:
                path.write_text(before) if before is not None else path.unlink()

    yield compute
    forget()


@pytest.fixture
def parsed(monkeypatch):
    """Names of the modules that are parsed, in order."""
    names, read = [], sources._read
    monkeypatch.setattr(sources, "_read", lambda *args: names.append(args[0]) or read(*args))
    return names


def test_a_change_of_an_imported_module_changes_the_digest(digest):
    assert digest() != digest("b.py", "import math\n\nvalue = 2\n")


def test_a_change_of_another_module_does_not(digest):
    assert digest() == digest("c.py", "value = 4\n")
    assert digest(module="plausible.c") != digest("c.py", "value = 4\n", module="plausible.c")


def test_comments_docstrings_and_layout_do_not_count(digest):
    same = "from plausible.b import value\ndef f():\n    '''Other.'''\n    return (value)\n"
    assert digest() == digest("a.py", same)


def test_relative_imports_are_followed(digest):
    digest()
    assert dependencies("plausible.room.d") == {
        *("plausible.room.d", "plausible.b", "plausible.room", "plausible.room.e")
    }


def test_files_beside_a_module_count_where_its_code_names_them(digest):
    before = digest(module="plausible.room.d")
    for name in ("room/sheets/page.css", "room/reasons.yaml", "room/sheets/further.css"):
        assert digest(name, "changed", module="plausible.room.d") != before, name
    assert digest("room/unread.yaml", "changed", module="plausible.room.d") == before
    assert digest("reasons.yaml", "of another folder", module="plausible.room.d") == before
    assert digest("room/sheets/page.css", "changed") == digest()


def test_a_file_that_comes_later_counts_too(digest):
    text = "from pathlib import Path\nthere = Path(__file__).with_name('late.txt').is_file()\n"
    (sources.FOLDER / "a.py").write_text(text)
    Path(".snakemake").mkdir()
    before = digest()
    assert digest("late.txt", "here") != before
    assert digest() == before


def test_further_files_count_by_their_content(digest, tmp_path):
    file = tmp_path / "given.yaml"
    file.write_text("1")
    before = digest(files=[file])
    assert before != digest()
    file.write_text("2")
    assert digest(files=[file]) != before
    with pytest.raises(StudyError, match="missing.yaml: there is no such file"):
        digest(files=["missing.yaml"])


def test_what_was_found_is_kept_until_a_file_changes(digest, parsed):
    Path(".snakemake").mkdir()
    before = digest()
    assert len(parsed) == len(MODULES)
    parsed.clear()
    assert digest() == before and parsed == []
    assert digest("b.py", "value = 2\n") != before and parsed == ["plausible.b"]
    parsed.clear()
    # Back at the old text, with a new time: parsed again, with the old digest.
    assert digest() == before and parsed == ["plausible.b"]


def test_a_new_time_of_change_is_enough_to_read_a_file_again(digest):
    Path(".snakemake").mkdir()
    before, path = digest(), sources.FOLDER / "b.py"
    path.write_text(MODULES["b"].replace("1", "2"))
    os.utime(path, ns=(0, 0))
    assert digest() != before


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", '{"version": "older"}', '{"version": null, "sources": {"a.py": []}}', "\x00"],
)
def test_damaged_records_are_made_again(digest, parsed, damage):
    Path(".snakemake").mkdir()
    before = digest()
    whole = sources.KEPT.read_text()
    sources.KEPT.write_text(damage)
    parsed.clear()
    assert digest() == before and len(parsed) == len(MODULES)
    assert sources.KEPT.read_text() == whole


def test_records_with_damaged_entries_or_of_another_python_are_made_again(digest, parsed):
    Path(".snakemake").mkdir()
    before = digest()
    content = json.loads(sources.KEPT.read_text())
    for changed in (
        {**content, "version": "3.12"},
        {**content, "sources": {name: [1, 2] for name in content["sources"]}},
    ):
        sources.KEPT.write_text(json.dumps(changed))
        parsed.clear()
        assert digest() == before and len(parsed) == len(MODULES)


def test_nothing_is_written_where_snakemake_does_not_run(digest, tmp_path):
    digest()
    assert [path.name for path in tmp_path.iterdir()] == ["plausible"]


def test_a_folder_that_cannot_be_written_is_no_error(digest, monkeypatch):
    def refuse(*_):
        raise PermissionError("read-only")

    Path(".snakemake").mkdir()
    monkeypatch.setattr(sources, "write_text", refuse)
    assert digest() == digest()
    assert not sources.KEPT.exists()


def test_a_file_that_is_no_python_counts_by_its_text(digest):
    before = digest("b.py", "value = (\n")
    assert before not in (digest(), digest("b.py", "value = [\n"))


def test_dependencies_follow_imports_inside_functions_and_packages():
    found = dependencies("plausible.reproduction.train")
    assert {"plausible.learning.training", "plausible.neurons.rates", "plausible.seeds"} <= found
    assert not any(name.startswith("plausible.drawing") for name in found)


def test_unknown_module_is_one_sentence():
    with pytest.raises(StudyError, match="plausible.nothing"):
        source_digest("plausible.nothing")
