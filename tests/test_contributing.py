"""The documents for people: their examples work, their links lead somewhere, their tables hold."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from plausible.config import load_config, load_schema, reference_table
from plausible.errors import StudyError
from plausible.reproduction import declaration, parts
from plausible.reproduction.declaration import load_study, read_sweep_settings, settings_model
from plausible.reproduction.findings import key_findings
from plausible.reproduction.published import load_published, published_folder
from plausible.reproduction.verdicts import DIFFERS, REPRODUCED, verdict_table
from plausible.studies import thuesen2022

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "workflow/published/README.md",
    "docs/index.md",
    "docs/tutorial.md",
)
STUDY = "workflow/studies/thuesen2022"


def blocks(path: Path, language: str, title: str) -> list[str]:
    """Code blocks of a document in one language whose first line names ``title``."""
    found = re.findall(
        rf"^ *```{language}\n(.*?)^ *```$", path.read_text(), re.DOTALL | re.MULTILINE
    )
    return [block for block in found if title in block.splitlines()[0]]


def added(base, more):
    """``base`` with the entries of ``more``: mappings merge, lists go to the end."""
    if isinstance(base, dict) and isinstance(more, dict):
        return {**base, **{key: added(base.get(key), value) for key, value in more.items()}}
    return base + more if isinstance(base, list) and isinstance(more, list) else more


@pytest.fixture
def load(project_root, tmp_path):
    """Function that loads a study with examples laid on its files; ``config`` is the user's."""

    def load(*examples: str, study=STUDY, **config):
        folder = tmp_path / Path(study).name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(project_root / study, folder)
        for example in examples:
            file = folder / re.match(r"# \S+/(\w+\.yaml)", example)[1]
            whole = added(yaml.safe_load(file.read_text()), yaml.safe_load(example))
            file.write_text(yaml.safe_dump(whole))
        return load_study(folder, load_config(config, project_root))

    return load


def test_the_example_of_a_row_adds_jobs_and_changes_none(project_root, load):
    row, _ = blocks(project_root / "CONTRIBUTING.md", "yaml", f"{STUDY}/table1.yaml")
    (seed,) = blocks(project_root / "CONTRIBUTING.md", "yaml", f"{STUDY}/study.yaml")
    before, study = load(), load(row, seed)
    assert study.seeds == (*before.seeds, 3)
    jobs = study.jobs(["spcn_adam_wide"])
    assert [job.protocol for job in jobs] == ["corrected"] * len(jobs) and jobs
    settings = study.training_settings("spcn_adam_wide", "corrected")
    assert list(settings["hidden_sizes"]) == [500, 500]
    inputs = sum(study.result_inputs("table1").values(), [])
    for stage in ("train", "simulate"):
        assert any("spcn_adam_wide" in path and f"/{stage}/" in path for path in inputs)
    assert study.results["table1"]["options"]["rows"][-1]["row"] == 11
    for run in before.declaration["train"]:
        for protocol in before.protocols(run):
            assert study.training_settings(run, protocol) == before.training_settings(run, protocol)


def test_the_example_of_a_divided_experiment(project_root, load):
    name = "workflow/studies/song2020"
    (example,) = blocks(project_root / "CONTRIBUTING.md", "yaml", name)
    study = load(example, study=name, scale="paper")
    parts = yaml.safe_load(example)["sweep"]["grid_as_coded_elsewhere"]["shards"]["paper"]
    assert len(study.sweep_files("grid_as_coded_elsewhere")) == parts
    last = study.sweep_settings(
        "grid_as_coded_elsewhere", study.sweep_parts("grid_as_coded_elsewhere")[-1]
    )
    assert (last["shard"], last["shards"]) == (parts - 1, parts)


def test_the_example_of_a_figure(project_root, load, monkeypatch):
    path = project_root / "CONTRIBUTING.md"
    (code,) = blocks(path, "python", "src/plausible/studies/thuesen2022/table1")
    names = {}
    exec(compile(code, str(path), "exec"), names)
    _, entry = blocks(path, "yaml", f"{STUDY}/table1.yaml")
    with pytest.raises(StudyError, match="no function 'accuracy_reached'"):
        load(entry)
    # As if the function stood in its file.
    known = declaration.place
    monkeypatch.setattr(
        declaration,
        "place",
        lambda *given: known(*given) if given[3] != "beyond.accuracy_reached" else given,
    )
    study = load(entry)
    name = "beyond.accuracy_reached"
    assert study.data_of(name).endswith("/beyond.simulation_time.csv")
    assert [file.rsplit(".", 1)[1] for file in study.result_files(name)] == ["svg", "png"]

    table = pd.DataFrame(
        {
            "network": ["snn", "snn", "spcn_sgd"],
            "protocol": "corrected",
            "seed": 0,
            "time_ms": [10, 200, 200],
            "rate_accuracy_percent": [80.0, 80.0, 90.0],
            "spiking_accuracy_percent": [40.0, 76.0, 45.0],
        }
    )
    figure = names["accuracy_reached"](table, None)
    lines = [list(line.get_ydata()) for line in figure.axes[0].lines]
    assert [50.0, 95.0] in lines and [50.0] in lines


@pytest.fixture
def part_of_a_document(project_root, tmp_path, monkeypatch):
    """Function that adds the part whose files a document shows: study, experiment, published."""

    def add(document: str, part: str):
        code = "src/plausible/studies/thuesen2022"
        for folder in (STUDY, "workflow/published/thuesen2022", "workflow/schemas", code):
            shutil.copytree(project_root / folder, tmp_path / folder)
        text = (project_root / document).read_text()
        files = re.findall(rf"^# (\S+/{part}\S*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        assert len(files) == 5
        for file, content in files:
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_text(content)
        main = tmp_path / STUDY / "study.yaml"
        main.write_text(main.read_text().replace("parts:\n", f"parts:\n  - {part}\n"))
        monkeypatch.setattr(parts, "_FOLDER", (tmp_path / code).parent)
        monkeypatch.setattr(thuesen2022, "__path__", [str(tmp_path / code), *thuesen2022.__path__])
        settings_model.cache_clear()
        study = load_study(tmp_path / STUDY, load_config({}, project_root))
        published = load_published(tmp_path / "workflow/published/thuesen2022", [part])
        settings = read_sweep_settings(study, part)
        return study.experiment(part).load(), settings, published

    return add


def test_the_example_of_a_part(part_of_a_document):
    experiment, settings, published = part_of_a_document("CONTRIBUTING.md", "line")
    table = experiment(settings, [0, 1], None, None)
    for factor, verdict in ((1.0, REPRODUCED), (-1.0, DIFFERS)):
        tables = {"slope": table.assign(y=factor * table["y"])}
        rows = verdict_table("thuesen2022", tables, "paper", published).set_index("check")
        assert list(rows.index) == ["it_grows", "value:slope"]
        assert set(rows["verdict"]) == {verdict}


def test_the_verdict_of_the_tutorial(part_of_a_document):
    experiment, settings, published = part_of_a_document("docs/tutorial.md", "tumours")
    table = experiment(settings, [0, 1, 2, 3], None, None)
    column = "test_accuracy_percent"
    for change, verdict in ((0.0, REPRODUCED), (-60.0, DIFFERS)):
        tables = {"tumours": table.assign(**{column: table[column] + change})}
        rows = verdict_table("thuesen2022", tables, "paper", published).set_index("check")
        assert list(rows.index) == ["it_learns", f"value:{column}"]
        assert set(rows["verdict"]) == {verdict}, rows[["reproduced", "verdict"]]


def test_the_examples_of_configurations(project_root, load):
    trial, data = blocks(project_root / "CONTRIBUTING.md", "yaml", "mine.yaml")
    study = load(**yaml.safe_load(trial))
    settings = study.training_settings("spcn_adam", "corrected")
    assert study.seeds == (0,) and settings["epochs"] == 2
    assert load(**yaml.safe_load(data)).dataset == "fashion"
    (same,) = blocks(project_root / "README.md", "yaml", "scale")
    assert yaml.safe_load(same) == yaml.safe_load(data)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_paths_lead_somewhere(project_root, document):
    path = project_root / document
    text = path.read_text()
    links = re.findall(r"\]\(([^)#\s]+)", text)
    links = [link for link in links if "://" not in link]
    # Paths in the text that name a file or folder of this project.
    if path.parent == project_root:
        links += re.findall(r"`((?:src|workflow|tests|profiles)/[\w./]+)`", text)
    generated = ("results/reference/", "reports/reference/")
    for link in links:
        target = path.parent / link
        if (
            link.startswith(generated)
            and not (project_root / link.split("/")[0] / "reference").exists()
        ):
            continue  # the reference run is not committed yet
        assert target.exists(), link


def test_commands_of_the_documents_are_targets(project_root):
    targets = set(re.findall(r"^\.PHONY: ([\w-]+)$", (project_root / "Makefile").read_text(), re.M))
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (project_root / document).read_text()
        commands = re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
        assert commands and set(commands) <= targets


def test_readme_lists_every_study(project_root):
    text = (project_root / "README.md").read_text()
    names = [path.parent.name for path in (project_root / "workflow/studies").glob("*/study.yaml")]
    assert len(names) > 2
    for name in names:
        assert f"| `{name}` |" in text


def test_readme_shows_the_keys_of_the_configuration(project_root):
    """`make keys` prints the table; it goes between the two marks."""
    text = (project_root / "README.md").read_text()
    shown = text.partition("<!-- config:begin -->")[2].partition("<!-- config:end -->")[0]
    assert shown.strip() == reference_table(load_schema(project_root))


def test_the_example_of_a_key_finding(project_root):
    (text,) = blocks(project_root / "CONTRIBUTING.md", "yaml", "key_findings")
    declared = yaml.safe_load(text)["key_findings"]
    folder = project_root / "results" / "reference" / "thuesen2022"
    if not (folder / "entries.csv").is_file():
        pytest.skip("no reference run is committed")
    published = load_published(published_folder("thuesen2022", project_root))
    (finding,) = key_findings(published, declared, folder)
    assert re.fullmatch(r"Spikes cost \d\.\d \[\d\.\d, \d\.\d\] points\.", finding.sentence)
