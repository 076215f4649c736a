"""What the tests of a part look up: its results as the study file declares them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from plausible.reproduction.declaration import settings_model
from plausible.reproduction.parts import place
from plausible.reproduction.published import Published, load_published
from plausible.settings import read_settings
from plausible.yaml_files import read_yaml

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results" / "reference"


def results_of(part: str) -> dict[str, Mapping[str, Any]]:
    """Results of ``<document>.<part>``, by their names."""
    document, name = part.split(".")
    return read_yaml(ROOT / "workflow" / "studies" / document / f"{name}.yaml")["results"]


def functions_of(part: str, key: str) -> dict[str, Callable[..., Any]]:
    """Functions that the results of a part name under ``theorem``, ``figure``, ``markdown``, ..."""
    kind = {"theorem": "theorems", "figure": "figures"}.get(key, "tables")
    return {
        result: place(*part.split("."), kind, declared[key], result).load()
        for result, declared in results_of(part).items()
        if key in declared
    }


def read_sweep(part: str, sweep: str, scale: str = "paper", without: str = "", **changed: Any):
    """Settings of an experiment as its study file states them at a scale, some of them changed."""
    document, name = part.split(".")
    content = read_yaml(ROOT / "workflow" / "studies" / document / f"{name}.yaml")
    declared = content["theorems"] if sweep == "theorems" else content["sweep"][sweep]
    values = declared["settings"] | declared.get("scales", {}).get(scale, {}) | changed
    values = {key: value for key, value in values.items() if key != without}
    experiment = declared.get("experiment", sweep).rpartition(".")[2]
    return read_settings(settings_model(document, name, experiment), values, f"sweep.{sweep}")


def published_of(part: str) -> Published:
    """What the document published in the part."""
    document, name = part.split(".")
    return load_published(ROOT / "workflow" / "published" / document, [name])
