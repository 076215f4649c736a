"""A finished run made of synthetic tables, for the reports."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from plausible.reproduction.published import load_published
from plausible.reproduction.verdicts import verdict_table

from . import synthetic_thuesen2022 as synthetic

ROOT = Path(__file__).resolve().parents[2]
STUDY_FILE = ROOT / "workflow" / "studies" / "thuesen2022.yaml"
PUBLISHED_FILE = ROOT / "workflow" / "published" / "thuesen2022.yaml"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="252pt" height="144pt" viewBox="0 0 252 144">'
    '<rect width="252" height="144" fill="#dbe9f4"/><text x="10" y="80">{name}</text></svg>'
)


def training_record(run, protocol, seeds):
    """What a report reads from the provenance of a training job."""
    init = "thuesen_normal" if protocol == "as_coded" else "he_normal"
    settings = {"init": init, "shuffle": protocol != "as_coded", "epochs": 20, "batch_norm": False}
    return {
        "wildcards": {"run": run, "protocol": protocol},
        "settings": {"settings": settings},
        "seeds": seeds,
    }


def write_run(folder, published, tables, scale):
    """Write a study's results as the workflow leaves them."""
    (folder / "train").mkdir(parents=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    for run in ("spcn_sgd", "spcn_adam"):
        for protocol in synthetic.PROTOCOLS:
            record = training_record(run, protocol, [0, 1, 2])
            path = folder / "train" / f"{run}.{protocol}.0-1-2.csv.json"
            path.write_text(json.dumps(record))
    declared = yaml.safe_load(STUDY_FILE.read_text())["results"]
    for name, result in declared.items():
        if result.get("figure"):
            (folder / f"{name}.svg").write_text(SVG.format(name=name))
        if result.get("markdown"):
            (folder / f"{name}.md").write_text("| a |\n")
    verdicts = verdict_table("thuesen2022", tables, scale, published)
    verdicts.to_csv(folder / "verdicts.csv", index=False)
    record = {
        "git_commit": "0123456789abcdef" * 2 + "01234567",
        "git_clean": True,
        "python": "3.11.7",
        "packages": {"torch": "2.13.0", "numpy": "2.4.6"},
        "cpu": "a processor",
        "gpu": None,
    }
    (folder / "verdicts.csv.json").write_text(json.dumps(record))
    return verdicts


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """Folder with results/demo, results/reference and the two verdict tables of made-up runs."""
    root = tmp_path_factory.mktemp("project")
    published = load_published(PUBLISHED_FILE)
    tables = synthetic.good_tables(published)
    write_run(root / "results" / "reference" / "thuesen2022", published, tables, "paper")
    dict((what, spoil) for *_, what, spoil in synthetic.SPOILS)[
        "the floor of 1.8 Hz of the author's code"
    ](tables)
    tables["fig4"] = synthetic.fig4(8)
    write_run(root / "results" / "demo" / "thuesen2022", published, tables, "demo")
    declared = yaml.safe_load(STUDY_FILE.read_text())["results"]
    rows = [("study", "whole study", "everything", 40, 0, 3.5, 0.4, 410.0)]
    rows += [("stage", "train", "Training", 20, 0, 2.5, 0.4, 410.0)]
    rows += [("result", name, name.upper(), 3, 0, 0.25, 0.2, np.nan) for name in declared]
    columns = ["part", "result", "title", "jobs", "jobs_without_time", "minutes"]
    frame = pd.DataFrame(rows, columns=[*columns, "longest_job_minutes", "peak_memory_mb"])
    frame.insert(0, "study", "thuesen2022")
    frame.to_csv(root / "results" / "demo" / "runtimes.csv", index=False)
    return root
