"""Experiments of a part for tests, with the settings of the study file, some of them changed."""

from pathlib import Path
from typing import Any

import pandas as pd

from plausible.files import read_yaml
from plausible.reproduction.declaration import settings_model
from plausible.reproduction.parts import place
from plausible.reproduction.settings import ExperimentSettings, read_settings

STUDIES = Path(__file__).resolve().parents[2] / "workflow" / "studies"


def declared_sweep(document: str, part: str, sweep: str) -> dict[str, Any]:
    """What the study file says about a sweep, or about the part's ``theorems``."""
    declared = read_yaml(STUDIES / document / f"{part}.yaml")
    return declared["theorems"] if sweep == "theorems" else declared["sweep"][sweep]


def settings_of(document: str, part: str, sweep: str, **changes: Any) -> ExperimentSettings:
    """Settings of a sweep at the demo scale, with ``changes``, as a record of their type.

    The setting that a change gives the value ``...`` is left out.
    """
    entry = declared_sweep(document, part, sweep)
    demo = entry.get("scales", {}).get("demo", {})
    values = {**entry.get("settings", {}), **demo, **changes}
    values = {name: value for name, value in values.items() if value is not ...}
    function = entry.get("experiment", sweep).rpartition(".")[2]
    return read_settings(settings_model(document, part, function), values, f"sweep.{sweep}")


def run_experiment(
    document: str, part: str, sweep: str, seeds=(0, 1), dataset=None, networks=None, **changes
) -> pd.DataFrame:
    """Table of a sweep with changed settings."""
    name = declared_sweep(document, part, sweep).get("experiment", sweep)
    function = place(document, part, "experiment", name, sweep).load()
    settings = settings_of(document, part, sweep, **changes)
    return function(settings, list(seeds), dataset, networks)


def check_columns_and_determinism(run, name: str, columns: str, measured: str = "") -> None:
    """Fail unless ``run(name)`` has these columns, some rows, and the same ones twice.

    A column of ``measured`` times differs from run to run.
    """
    first, second = run(name), run(name)
    assert list(first.columns) == columns.split() and len(first) > 0
    both = [table.drop(columns=measured, errors="ignore") for table in (first, second)]
    pd.testing.assert_frame_equal(*both, check_exact=True)
