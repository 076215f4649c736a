"""A finished run of a study for the reports: committed tables, made-up verdicts and pictures.

The verdicts are not those of the claims: the engine of the reports has to show any.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from plausible.reproduction import verdicts as vd
from plausible.reproduction.declaration import page_name
from plausible.reproduction.entries import entry_verdicts
from plausible.reproduction.index_page import write_index
from plausible.reproduction.published import leaves, load_published
from plausible.reproduction.reasons import Reasons, load_reasons
from plausible.reproduction.report_tables import read_entries, read_verdicts
from plausible.reproduction.reports import render_notebook
from plausible.reproduction.runtimes import COLUMNS as COLUMNS_OF_TIMES
from plausible.reproduction.study_files import read_study_files
from plausible.reproduction.verdicts import (
    COLUMNS,
    DIFFERS,
    ILLUSTRATION,
    NOT_COMPARABLE,
    REPRODUCED,
)

from ..studies.oconnor2020.video.synthetic import good_tables
from .made_up_document import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "workflow"
STUDIES = ("thuesen2022", "song2020", "oconnor2020")
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="252pt" height="144pt" viewBox="0 0 252 144">'
    '<rect width="252" height="144" fill="#dbe9f4"/><text x="10" y="80">{name}</text></svg>'
)
MARKDOWN = "| t_d | rate |\n| --- | --- |\n| 1 | 93.4 |\n\nA note on `phi`.\n"
NOTE, REASON = "1.8 Hz", "the code of the author adds 1e-12 to the current"


def parts_of(study):
    """Parts of a study, in their order."""
    return read_study_files(WORKFLOW / "studies" / study).declaration["parts"]


def templates_of(study):
    """Parts of the notebook of a study."""
    names = ("study", *parts_of(study), "closing")
    return [WORKFLOW / "notebooks" / study / f"{name}.md" for name in names]


def parameters_of(root, study="thuesen2022", scale="demo"):
    """Parameters of a report on a made-up run below ``root``."""
    return {
        "study": study,
        "scale": scale,
        "results_dir": str(root / "results" / "demo" / study),
        "published_dir": str(WORKFLOW / "published" / study),
        "study_dir": str(WORKFLOW / "studies" / study),
        "reference_dir": str(root / "results" / "reference" / study),
    }


def is_judged(published, entry, place):
    """Whether a published number has a resolution by which it is judged."""
    if entry["reproducible"] != "full" or "same_as" in entry:
        return False
    return published.number(entry["id"], place).resolution is not None


def made_up_verdicts(study, scale):
    """Rows for every statement and number of a study, and those on which explanations rest."""
    published = load_published(WORKFLOW / "published" / study, parts_of(study))
    rows = {}
    for identifier, entry in published.entries.items():
        protocols = ("as_coded", "corrected")
        verdict = REPRODUCED
        if entry["reproducible"] == "illustration_only":
            protocols, verdict = ("",), ILLUSTRATION
        elif entry["needs"] != ["none"] and scale == "demo":
            verdict = NOT_COMPARABLE
        common = {key: entry[key] for key in ("kind", "title")} | {"verdict": verdict}
        for protocol in protocols:
            for statement in entry["expect"]:
                row = common | {"statement": statement["test"], "reproduced": 1.5, "n_seeds": 3}
                rows[identifier, statement["id"], "", protocol] = row
            for place, value in leaves(entry["values"]):
                if isinstance(value, float) and is_judged(published, entry, place):
                    number = {"statement": f"published value of {place}", "published": value}
                    row = common | number | {"reproduced": value, "n_seeds": 3}
                    rows[identifier, f"value:{place}", "", protocol] = row
    for cause in load_reasons(study, parts_of(study)).causes:
        for need in cause.needs:
            identifier = f"{study}.{need.result}"
            entry = published.entry(identifier)
            row = {key: entry[key] for key in ("kind", "title")} | {"verdict": need.verdict}
            key = (identifier, need.check, need.variant or "", need.protocol)
            rows[key] = rows.get(key, {"statement": need.check}) | row
    first = next(key for key in rows if rows[key]["verdict"] == REPRODUCED)
    rows[first] |= {"verdict": DIFFERS, "note": NOTE, "reason": REASON, "reproduced": 1.8}
    empty = dict.fromkeys(COLUMNS, "") | {"ci_low": np.nan, "ci_high": np.nan}
    empty |= {"n_seeds": 0, "seeds_needed": 0}
    keys = ("id", "check", "variant", "protocol")
    made = [empty | row | dict(zip(keys, key, strict=True)) for key, row in rows.items()]
    order = {identifier: place for place, identifier in enumerate(published.entries)}
    made.sort(key=lambda row: order[row["id"]])
    return pd.DataFrame(made, columns=list(COLUMNS))


def with_committed_rows(made, study):
    """Made-up rows and those of the committed reference for which none is made up."""
    committed = read_verdicts(ROOT / "results" / "reference" / study / "verdicts.csv")
    keys = ["id", "check", "variant", "protocol"]
    known = pd.MultiIndex.from_frame(made[keys])
    new = committed[~pd.MultiIndex.from_frame(committed[keys]).isin(known)]
    return pd.concat([made, new], ignore_index=True)


def write_run(folder, study, scale):
    """Write a study's results as the workflow leaves them."""
    folder.mkdir(parents=True)
    for table in (ROOT / "results" / "reference" / study).glob("*.csv"):
        shutil.copyfile(table, folder / table.name)
    if study == "oconnor2020":  # what its pages compute with, where the reference is older
        for name, made in good_tables().items():
            if not (folder / f"{name}.csv").is_file():
                made.to_csv(folder / f"{name}.csv", index=False)
    declared = read_study_files(WORKFLOW / "studies" / study).declaration["results"]
    times = [("study", "whole study", "everything", 40, 0, 3.5, 0.4, 410.0)]
    times += [("stage", "train", "Training", 20, 0, 2.5, 0.4, 410.0)]
    times += [("result", name, name.upper(), 3, 0, 0.25, 0.2, np.nan) for name in declared]
    frame = pd.DataFrame(times, columns=list(COLUMNS_OF_TIMES))
    frame.insert(0, "study", study)
    frame.to_csv(folder / "runtimes.csv", index=False)
    for name, result in declared.items():
        if result.get("figure"):
            (folder / f"{name}.svg").write_text(SVG.format(name=name))
        if result.get("markdown"):
            (folder / f"{name}.md").write_text(MARKDOWN)
    verdicts = made_up_verdicts(study, scale)
    if scale == "paper":  # key findings ask for rows that only a whole run has
        verdicts = with_committed_rows(verdicts, study)
    verdicts.to_csv(folder / "verdicts.csv", index=False)
    published = load_published(WORKFLOW / "published" / study, parts_of(study))
    entry_verdicts(verdicts, published).to_csv(folder / "entries.csv", index=False)
    record = {
        "git_commit": "0123456789abcdef" * 2 + "01234567",
        "git_clean": True,
        "python": "3.11.7",
        "packages": {"torch": "2.13.0", "numpy": "2.4.6"},
        "cpu": "a processor",
        "gpu": None,
    }
    (folder / "verdicts.csv.json").write_text(json.dumps(record))


def made_pages(folder):
    """Empty pages where none is made, to which others lead."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [name for study in STUDIES for name in pages_of(study)]
    for name in ("index.html", "workflow.html", *names):
        (folder / name).touch()


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """Folder with results/demo and results/reference of a made-up run of every study."""
    root = tmp_path_factory.mktemp("project")
    for name in ("src", "workflow"):  # to which the pages lead
        (root / name).symlink_to(ROOT / name)
    for study in STUDIES:
        write_run(root / "results" / "reference" / study, study, "paper")
        write_run(root / "results" / "demo" / study, study, "demo")
    return root


def pages_of(study):
    """Names of the pages of a report, the overview first."""
    return [page_name(study, part) for part in ("", *parts_of(study))]


def render(root, study, path):
    """Execute the real report of a study on the made-up run below ``root``."""
    log = root / "logs" / "notebook.log"
    pages = {name: path.with_name(name) for name in pages_of(study)}
    terms = {"as coded": "what the code of the author does"}
    render_notebook(templates_of(study), parameters_of(root, study), path, pages, log, terms)
    assert not log.with_suffix(".ipynb").exists(), "kept only after a failure"


@pytest.fixture(scope="session")
def rendered(finished_run):
    """Folder with the pages of every study."""
    folder = finished_run / "reports" / "demo"
    made_pages(folder)
    for study in STUDIES:
        render(finished_run, study, folder / f"{study}.ipynb")
    return folder


def write_index_of(root, path, **changes):
    """The index page of the made-up run below ``root``."""
    results = root / "results" / "demo"
    given = {
        "run": "demo scale",
        "comparable": dict.fromkeys(STUDIES, False),
        "verdicts": pd.concat(read_verdicts(results / name / "verdicts.csv") for name in STUDIES),
        "entries": pd.concat(read_entries(results / name / "entries.csv") for name in STUDIES),
        "runtimes": pd.concat(pd.read_csv(results / name / "runtimes.csv") for name in STUDIES),
        "results_dir": results,
        "root": root,
    }
    write_index(path, **(given | changes))
    return given | changes


@pytest.fixture
def judge(tmp_path, monkeypatch):
    """Verdicts on entries of a made-up document, by functions in the place of its claims."""

    def judged(*entries, claims=None, tables=None, scale="paper", reasons=None, **more):
        folder = tmp_path / "doc"
        folder.mkdir(exist_ok=True)
        source = {"id": "doc", "title": "t", "authors": ["a"], "year": 2020, "kind": "thesis"}
        for name, content in {
            "document": {"source": source, "common_settings": {}},
            "ambiguities": {"ambiguities": []},
            "one": {"results": list(entries)},
        }.items():
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
        functions = {name: _Function(value) for name, value in (claims or {}).items()}
        monkeypatch.setattr(vd, "claims_of", lambda document, part: functions)
        monkeypatch.setattr(vd, "load_reasons", lambda document, parts: reasons or Reasons())
        judged.published = load_published(folder, schema_path=SCHEMA)
        return vd.verdict_table("doc", tables or {}, scale, judged.published, **more)

    return judged


class _Function:
    """A place that holds the findings themselves."""

    module = "doc.one.claims"

    def __init__(self, found):
        self.found = found

    def load(self):
        return self.found if callable(self.found) else lambda evidence: self.found
