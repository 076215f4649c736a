"""The documents for people: their examples work, their links lead somewhere, their tables hold."""

import copy
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from plausible.config import load_config, load_schema, reference_table
from plausible.reproduction.declaration import load_study

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "workflow/published/README.md")
STUDY = "workflow/studies/thuesen2022.yaml"


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


@pytest.fixture(scope="module")
def declaration(project_root):
    return yaml.safe_load((project_root / STUDY).read_text())


@pytest.fixture
def load(project_root, tmp_path):
    def load(declaration, config=None):
        path = tmp_path / "thuesen2022.yaml"
        path.write_text(yaml.safe_dump(declaration))
        schema = project_root / "workflow" / "schemas" / "study.schema.yaml"
        return load_study(path, schema, load_config(config or {}, project_root))

    return load


def test_the_example_of_a_row_adds_jobs_and_changes_none(project_root, declaration, load):
    row, _ = blocks(project_root / "CONTRIBUTING.md", "yaml", STUDY)
    before = load(declaration)
    study = load(added(copy.deepcopy(declaration), yaml.safe_load(row)))
    assert study.seeds == (*before.seeds, 3)
    jobs = study.jobs(["spcn_adam_wide"])
    assert [job.protocol for job in jobs] == ["corrected"] * len(jobs) and jobs
    settings = study.training_settings("spcn_adam_wide", "corrected")
    assert list(settings["hidden_sizes"]) == [500, 500]
    inputs = sum(study.result_inputs("table1").values(), [])
    for stage in ("train", "simulate"):
        assert any("spcn_adam_wide" in path and f"/{stage}/" in path for path in inputs)
    assert study.results["table1"]["options"]["rows"][-1]["row"] == 11
    for run in declaration["train"]:
        for protocol in before.protocols(run):
            assert study.training_settings(run, protocol) == before.training_settings(run, protocol)


def test_the_example_of_a_divided_experiment(project_root, tmp_path):
    (example,) = blocks(project_root / "CONTRIBUTING.md", "yaml", "workflow/studies/song2020.yaml")
    declaration = yaml.safe_load((project_root / "workflow/studies/song2020.yaml").read_text())
    path = tmp_path / "song2020.yaml"
    path.write_text(yaml.safe_dump(added(declaration, yaml.safe_load(example))))
    schema = project_root / "workflow" / "schemas" / "study.schema.yaml"
    study = load_study(path, schema, load_config({"scale": "paper"}, project_root))
    parts = yaml.safe_load(example)["sweep"]["grid_as_coded"]["shards"]["paper"]
    assert len(study.sweep_files("grid_as_coded")) == parts
    last = study.sweep_settings("grid_as_coded", study.sweep_parts("grid_as_coded")[-1])
    assert (last["shard"], last["shards"]) == (parts - 1, parts)


def test_the_example_of_a_figure(project_root, declaration, load):
    path = project_root / "CONTRIBUTING.md"
    _, entry = blocks(path, "yaml", STUDY)
    study = load(added(copy.deepcopy(declaration), yaml.safe_load(entry)))
    name = "beyond.accuracy_reached"
    assert study.data_of(name).endswith("/beyond.simulation_time.csv")
    assert [file.rsplit(".", 1)[1] for file in study.result_files(name)] == ["svg", "png"]

    (code,) = blocks(path, "python", "src/plausible/plots")
    names = {}
    exec(compile(code, str(path), "exec"), names)
    table = pd.DataFrame(
        {
            "network": ["snn", "snn", "spcn_sgd"],
            "protocol": "corrected",
            "time_ms": [10, 200, 200],
            "rate_accuracy_percent": [80.0, 80.0, 90.0],
            "spiking_accuracy_percent": [40.0, 76.0, 45.0],
        }
    )
    figure = names[study.results[name]["figure"]](table, None)
    lines = {line.get_label(): line.get_ydata().tolist() for line in figure.axes[0].lines}
    assert lines == {"snn": [50.0, 95.0], "spcn_sgd": [50.0]}


def test_the_examples_of_configurations(project_root, declaration, load):
    trial, data = blocks(project_root / "CONTRIBUTING.md", "yaml", "mine.yaml")
    study = load(declaration, yaml.safe_load(trial))
    settings = study.training_settings("spcn_adam", "corrected")
    assert study.seeds == (0,) and settings["epochs"] == 2
    assert load(declaration, yaml.safe_load(data)).dataset == "fashion"
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
    targets = set(re.findall(r"^\.PHONY: (\w+)$", (project_root / "Makefile").read_text(), re.M))
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (project_root / document).read_text()
        commands = re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)
        assert commands and set(commands) <= targets


def test_readme_lists_every_study(project_root):
    text = (project_root / "README.md").read_text()
    for path in (project_root / "workflow" / "studies").glob("*.yaml"):
        assert f"| `{path.stem}` |" in text


def test_readme_shows_the_keys_of_the_configuration(project_root):
    """`make keys` prints the table; it goes between the two marks."""
    text = (project_root / "README.md").read_text()
    shown = text.partition("<!-- config:begin -->")[2].partition("<!-- config:end -->")[0]
    assert shown.strip() == reference_table(load_schema(project_root))
