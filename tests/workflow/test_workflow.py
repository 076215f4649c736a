"""The workflow itself, on a reduced study in a temporary copy of the project."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

from . import project
from .project import planned_rules, process_at_work, snakemake, start_snakemake

STUDY = "thuesen2022"
FOLDER = "results/demo/thuesen2022"
TARGETS = [f"{FOLDER}/{name}" for name in ("table1.csv", "fig2c.svg", "fig3.csv", "table1.md")]

pytestmark = pytest.mark.slow


def reduced(**settings) -> project.Edits:
    """Edits that leave one training run, one simulation, two sweeps and the results they feed."""

    def study(content: dict) -> None:
        content["parts"] = ["neurons", "table1", "constraints"]
        scale = content["scales"]["demo"]
        scale.update(seeds=[0, 1], seeds_per_job=1)
        scale["settings"] = {
            **{"epochs": 2, "batch_size": 32, "test_every_steps": 45, "hidden_sizes": [16, 16]},
            **settings,
        }

    def table1(content: dict) -> None:
        run = {**content["train"]["spcn_adam"], "only_protocols": ["as_coded"]}
        result = content["results"]["table1"]
        result["from"] = {"train": ["spcn_adam"], "simulate": ["spiking"]}
        result["options"]["rows"] = [
            row for row in result["options"]["rows"] if row["run"] == "spcn_adam"
        ]
        simulation = {
            "title": "short",
            "networks": ["spcn_adam"],
            "settings": {"test_images": 20, "checkpoints_ms": [50, 200]},
        }
        content.clear()
        content |= {
            "train": {"spcn_adam": run},
            "simulate": {"spiking": simulation},
            "results": {"table1": result},
        }

    def only(name: str):
        def keep(content: dict) -> None:
            kept = {key: {name: content[key][name]} for key in ("sweep", "results")}
            content.clear()
            content |= kept

        return keep

    return {
        "study": study,
        "table1": table1,
        "neurons": only("fig2c"),
        "constraints": only("fig3"),
    }


def copy_project(folder: Path, **settings) -> Path:
    """A copy of the project with the reduced study."""
    return project.copy_project(folder, STUDY, reduced(**settings))


def edit_study(folder: Path, **edits) -> None:
    project.edit_study(folder, STUDY, edits)


def csv_bytes(folder: Path) -> dict[str, bytes]:
    root = folder / FOLDER
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.csv")}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("built"))
    snakemake(folder, "--cores", "2", *TARGETS)
    return folder


def test_outputs_and_their_provenance_exist(built):
    table = pd.read_csv(built / FOLDER / "table1.csv")
    assert set(table["seed"]) == {0, 1}
    assert set(table["row"]) == {6, 7}
    assert table["test_accuracy_percent"].between(0, 100).all()
    for path in (built / "results").rglob("*"):
        is_output = path.is_file() and path.suffix in {".csv", ".svg", ".png", ".md", ".npz"}
        if is_output and "benchmarks" not in path.parts:
            assert Path(f"{path}.json").is_file(), path


def test_results_do_not_depend_on_cores(built, tmp_path):
    again = copy_project(tmp_path)
    snakemake(again, "--cores", "1", *TARGETS)
    first, second = csv_bytes(built), csv_bytes(again)
    assert first.keys() == second.keys() and len(first) > 5
    assert first == second


def test_built_workflow_reruns_nothing(built):
    assert planned_rules(built, *TARGETS) == []


def test_fresh_checkout_with_results_reruns_nothing(built, tmp_path):
    folder = tmp_path / "checkout"
    shutil.copytree(built, folder, ignore=shutil.ignore_patterns(".snakemake", "logs"))
    generator = random.Random(0)  # a clone writes files in any order
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            moment = time.time() - generator.uniform(0, 1000)
            os.utime(path, (moment, moment))
    assert planned_rules(folder, *TARGETS) == []


def test_a_further_seed_is_one_edit_and_reruns_nothing_else(built, tmp_path):
    folder = tmp_path / "more"
    shutil.copytree(built, folder)

    def add(content):
        content["scales"]["demo"]["seeds"].append(2)

    edit_study(folder, study=add)
    planned = planned_rules(folder, f"{FOLDER}/table1.csv")
    assert planned == ["convert_network", "simulate_spikes", f"{STUDY}_table1", "train"]
    snakemake(folder, "--cores", "2", f"{FOLDER}/table1.csv")
    assert set(pd.read_csv(folder / FOLDER / "table1.csv")["seed"]) == {0, 1, 2}


def test_a_further_variant_and_its_row_are_edits_of_the_study_file(built, tmp_path):
    folder = tmp_path / "variant"
    shutil.copytree(built, folder)

    def add(content):
        run = dict(content["train"]["spcn_adam"], title="With a larger step")
        run["settings"] = {**run["settings"], "learning_rate": 0.003}
        content["train"]["faster"] = run
        table = content["results"]["table1"]
        table["from"]["train"].append("faster")
        table["options"]["rows"].append({**table["options"]["rows"][0], "row": 10, "run": "faster"})

    edit_study(folder, table1=add)
    snakemake(folder, "--cores", "2", f"{FOLDER}/table1.csv")
    assert set(pd.read_csv(folder / FOLDER / "table1.csv")["row"]) == {6, 7, 10}


def test_changed_setting_reruns_only_what_depends_on_it(built, tmp_path):
    folder = tmp_path / "changed"
    shutil.copytree(built, folder)

    def change(content):
        content["sweep"]["fig2c"]["settings"]["points"] = 500

    edit_study(folder, neurons=change)
    assert planned_rules(folder, *TARGETS) == ["run_sweep", f"{STUDY}_fig2c"]


@pytest.mark.parametrize("victim", ["job", "snakemake"])
def test_kill_9_leaves_nothing_half_written_and_loses_nothing(victim, tmp_path):
    target = f"{FOLDER}/train/spcn_adam.as_coded.0.csv"
    for name in "ab":
        (tmp_path / name).mkdir()
    reference = copy_project(tmp_path / "a")
    snakemake(reference, "--cores", "1", target, "--configfile", str(_overlay(reference)))
    folder = copy_project(tmp_path / "b")
    arguments = ("--cores", "1", target, "--configfile", str(_overlay(folder)))
    running = start_snakemake(folder, *arguments)
    pid = process_at_work(folder, "checkpoints/*/*.npz", "train.py")
    if victim == "job":
        os.kill(pid, signal.SIGKILL)
        assert running.wait(timeout=120) != 0
    else:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(timeout=60)
        snakemake(folder, "--unlock")
    assert not (folder / target).exists()
    checkpoints = list((folder / FOLDER / "checkpoints").rglob("*.npz"))
    assert checkpoints, "what was computed before the kill must not be lost"
    done = snakemake(folder, *arguments)
    log = (folder / "logs/demo/thuesen2022/train/spcn_adam.as_coded.0.log").read_text()
    assert "epoch 1/" not in log, "training started anew instead of going on"
    assert "prepare_data" not in done.stderr.partition("Job stats")[2].partition("total")[0]
    assert (folder / target).read_bytes() == (reference / target).read_bytes()
    assert not list((folder / "results").rglob(".partial-*"))


def _overlay(folder: Path) -> Path:
    """A configuration that makes one training last some seconds."""
    path = folder / "long.yaml"
    path.write_text("overrides: {spcn_adam: {epochs: 150, hidden_sizes: [200, 200]}}\n")
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scael: demo", ["scael", "scale"]),
        ("scale: huge", ["scale", "huge", "demo"]),
        ("overrides: {spcn_adam: {learning_rat: 1}}", ["learning_rat", "learning_rate"]),
        ("overrides: {spcn_adam: {optimizer: adm}}", ["optimizer", "adm", "adam"]),
        ("overrides: {spcn_adm: {epochs: 1}}", ["spcn_adm", "spcn_adam"]),
        ("studies: [thuesen2023]", ["thuesen2023", "thuesen2022"]),
    ],
)
def test_a_slip_in_the_configuration_is_one_sentence_before_any_job(text, expected, tmp_path):
    folder = copy_project(tmp_path)
    (folder / "slip.yaml").write_text(text)
    done = snakemake(folder, "-n", *TARGETS, "--configfile", "slip.yaml", check=False)
    assert done.returncode != 0
    sentence = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(sentence) == 1
    for word in expected:
        assert word in sentence[0]
    assert "Traceback" not in done.stderr
