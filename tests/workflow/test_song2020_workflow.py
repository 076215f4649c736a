"""The workflow on a study of sweeps alone, some of them divided among jobs."""

import json
import os
import signal
from pathlib import Path

import pandas as pd
import pytest

from plausible.learning.checkpoint import load_checkpoint, save_checkpoint

from .project import (
    Edits,
    copy_project,
    edit_study,
    planned_rules,
    process_at_work,
    snakemake,
    start_snakemake,
)

STUDY = "song2020"
FOLDER = f"results/demo/{STUDY}"
ALONE = ("--config", f"studies=[{STUDY}]")
SHARDS = [f"{FOLDER}/sweep/grid_as_coded_elsewhere.{shard}.csv" for shard in range(2)]

OLD = f"{FOLDER}/checkpoints/grid_as_coded_elsewhere.1/of_other_settings"

pytestmark = pytest.mark.slow


def reduced(shards: int | None = 2, **settings) -> Edits:
    """Edits that leave figures 1 and 3 and table 1, with a grid of a few networks in two jobs."""

    def study(content: dict) -> None:
        content["parts"] = ["ablation", "properties"]
        content["scales"]["demo"]["seeds"] = [1482555873]

    def ablation(content: dict) -> None:
        grid = content["sweep"]["grid_as_coded_elsewhere"]
        grid |= {"shards": {"demo": shards} if shards else {}, "scales": {}}
        grid["settings"] |= {
            **{"l_max": [2, 3], "gammas": [0.5, 1], "times": ["l", 0, 2], "sigmas": [0, 0.1]},
            **{"epochs": 1, "fazil_steps": 3, "steps": 8, "train_limit": 200},
            **settings,
        }
        kept = ("fig3", "supp.table1", "claim.c1_needed")
        results = {name: content["results"][name] for name in kept}
        results["fig3"]["from"] = {"sweep": ["grid_as_coded_elsewhere"]}
        content.clear()
        content |= {"sweep": {"grid_as_coded_elsewhere": grid}, "results": results}

    def properties(content: dict) -> None:
        sweeps = {name: content["sweep"][name] for name in ("fig1", "notation")}
        results = {name: content["results"][name] for name in ("fig1", "table1")}
        content.clear()
        content |= {"sweep": sweeps, "results": results}

    return {"study": study, "ablation": ablation, "properties": properties}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The reduced study, with the other study out of the configuration."""
    folder = copy_project(tmp_path_factory.mktemp("song"), STUDY, reduced())
    (folder / OLD).mkdir(parents=True)
    targets = [f"{FOLDER}/{name}" for name in ("fig3.csv", "fig3.svg", "fig1.csv", "table1.md")]
    snakemake(folder, "--cores", "2", *targets, f"{FOLDER}/supp.table1.md", *ALONE)
    return folder


def test_a_study_without_training_and_simulation(built):
    shown = snakemake(built, "-n", "--cores", "1", f"{STUDY}_fig3", *ALONE)
    assert "Nothing to be done" in shown.stdout + shown.stderr
    assert "`levels." in (built / FOLDER / "table1.md").read_text()
    assert (
        "Protocol `as_coded_elsewhere`, noise: initial"
        in (built / FOLDER / "supp.table1.md").read_text()
    )


def test_a_job_of_a_divided_sweep_knows_its_part_and_leaves_no_checkpoints(built):
    for shard, path in enumerate(SHARDS):
        settings = json.loads((built / f"{path}.json").read_text())["settings"]["settings"]
        assert (settings["shard"], settings["shards"]) == (shard, 2)
        folder = f"{FOLDER}/checkpoints/grid_as_coded_elsewhere.{shard}/"
        assert settings["checkpoints"].startswith(folder)
    assert not (built / OLD).parent.exists()


def test_divided_and_undivided_grids_have_the_same_rows(built, tmp_path):
    folder = copy_project(tmp_path, STUDY, reduced(shards=None))
    snakemake(folder, "--cores", "1", f"{FOLDER}/fig3.csv", *ALONE)
    assert not (folder / SHARDS[0]).exists()
    keys = ["protocol", "panel", "l_max", "seed", "t", "gamma", "sigma", "noise"]
    tables = [
        pd.read_csv(place / FOLDER / "fig3.csv").sort_values(keys).reset_index(drop=True)
        for place in (built, folder)
    ]
    assert not tables[0].duplicated(keys).any()
    pd.testing.assert_frame_equal(*tables)
    cell = tables[0].query("panel == 't_gamma' and t == 'l' and gamma == 1")
    assert len(cell) == 2 and (cell["weight_divergence_sum"] < 1e-12).all()


def test_a_further_value_runs_the_grid_again_and_nothing_else(built):
    file = built / f"workflow/studies/{STUDY}/ablation.yaml"
    original = file.read_text()

    def add(content):
        content["sweep"]["grid_as_coded_elsewhere"]["settings"]["gammas"].append(5)

    edit_study(built, STUDY, {"ablation": add})
    planned = planned_rules(built, f"{FOLDER}/fig3.csv", f"{FOLDER}/fig1.csv", *ALONE)
    file.write_text(original)
    assert planned == ["run_sweep", "run_sweep", f"{STUDY}_fig3"]


@pytest.mark.parametrize("victim", ["job", "snakemake"])
def test_kill_9_of_a_part_loses_no_finished_network(victim, tmp_path):
    target = SHARDS[0]
    folders = [tmp_path / name for name in ("reference", "killed")]
    for folder in folders:
        folder.mkdir()
        copy_project(folder, STUDY, reduced(epochs=40, train_limit=None))
    reference, folder = folders
    snakemake(reference, "--cores", "1", target, *ALONE)
    running = start_snakemake(folder, "--cores", "1", target, *ALONE)
    pid = process_at_work(folder, "checkpoints/*/*/*.done.npz", "run_sweep.py")
    if victim == "job":
        os.kill(pid, signal.SIGKILL)
        assert running.wait(timeout=120) != 0
    else:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(timeout=60)
        snakemake(folder, "--unlock", *ALONE)
    assert not (folder / target).exists()
    kept = {path: path.stat().st_mtime_ns for path in (folder / FOLDER).rglob("checkpoints/*/*/*")}
    kept = {path: moment for path, moment in kept.items() if path.name.endswith(".done.npz")}
    assert kept, "what was computed before the kill must not be lost"
    # A checkpoint that is read, and not made again, shows in the result.
    marked = next(iter(kept))
    name = marked.name.removesuffix(".done.npz")
    text = json.dumps(load_checkpoint(marked, name).words)
    assert '"diverged_epoch": -1' in text
    words = json.loads(text.replace('"diverged_epoch": -1', '"diverged_epoch": 7'))
    save_checkpoint(marked, name, words)
    snakemake(folder, "--cores", "1", target, *ALONE)
    ours, theirs = (pd.read_csv(place / target) for place in (folder, reference))
    changed = ours["diverged_epoch"] == 7
    assert changed.any()
    ours.loc[changed, "diverged_epoch"] = -1
    pd.testing.assert_frame_equal(ours, theirs)
    assert not list((folder / FOLDER).rglob("checkpoints/grid_as_coded_elsewhere.0"))
    assert not list((folder / "results").rglob(".partial-*"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "overrides: {grid_as_coded_elsewhere: {times: [l, 9]}}",
            ["grid_as_coded_elsewhere", "times", "9", "T = 8"],
        ),
        (
            "overrides: {grid_as_coded_elsewhere: {gammas: [0]}}",
            ["grid_as_coded_elsewhere.gammas", "0", "above 0"],
        ),
        (
            "overrides: {grid_as_coded_elsewhere: {readings: {as_coded_elsewhere: "
            "{activation: sigmoyd}}}}",
            ["grid_as_coded_elsewhere.readings", "sigmoyd", "sigmoid"],
        ),
        ("seeds: [18446744073709551616]", ["seeds", "2^63 - 1"]),
        ("device: cuda", ["cuda"]),
        (
            "overrides: {grid_as_coded_elsewere: {epochs: 1}}",
            ["grid_as_coded_elsewere", "grid_as_coded_elsewhere"],
        ),
    ],
)
def test_bad_input_is_one_sentence_before_any_job(built, text, expected, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (built / "slip.yaml").write_text(text)
    target = f"{FOLDER}/fig1.csv"
    done = snakemake(built, "-n", target, "--configfile", "slip.yaml", *ALONE, check=False)
    assert done.returncode != 0
    sentences = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(sentences) == 1, done.stderr
    for word in expected:
        assert word in sentences[0]
    assert "Traceback" not in done.stderr
