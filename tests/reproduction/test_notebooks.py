"""The notebooks of the parts: each shows what its part published and made, all of it, once."""

import re

import jupytext
import pytest
import yaml

from .conftest import ROOT

WORKFLOW = ROOT / "workflow"
PARTS = [
    (path.parent.name, part)
    for path in sorted((WORKFLOW / "studies").glob("*/study.yaml"))
    for part in yaml.safe_load(path.read_text(encoding="utf-8"))["parts"]
]


def read(section, document, part):
    """Content of a part's file."""
    path = WORKFLOW / section / document / f"{part}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["results"]


def shown(document, part):
    """Names that a part's notebook and its ``report.py`` give to each method of the report."""
    found = {}
    notebook = jupytext.read(WORKFLOW / "notebooks" / document / f"{part}.md", fmt="md")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    own = ROOT / "src" / "plausible" / "studies" / document / part / "report.py"
    code += own.read_text(encoding="utf-8") if own.is_file() else ""
    for method, names in re.findall(r"report\.(\w+)\(([^)]*)\)", code):
        found.setdefault(method, []).extend(re.findall(r'"([^"]+)"', names))
    return found


@pytest.mark.parametrize(("document", "part"), PARTS)
def test_every_entry_and_every_result_of_a_part_is_shown_once(document, part):
    names = shown(document, part)
    published = {entry["id"].partition(".")[2] for entry in read("published", document, part)}
    entries = [*names.get("entry", []), *names.get("entries", [])]
    assert sorted(entries) == sorted(published)
    results = read("studies", document, part)
    beyond = {name for name in results if name.startswith("beyond.")}
    assert sorted(names.get("beyond", [])) == sorted(beyond)
    # The table of an entry that people read stands in its section.
    tables = {name for name, one in results.items() if one.get("markdown")} - published
    read_by_people = names.get("readable", [])
    assert len(read_by_people) == len(set(read_by_people)) and set(read_by_people) <= tables
    assert tables <= {*read_by_people, *names.get("table", [])}
