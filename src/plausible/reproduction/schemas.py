"""JSON schemas of the study files, made from the types of their settings.

An editor that knows YAML completes keys and marks mistakes by them: the first line of every study
file names its schema. Run as a program (``make schemas``) it writes them anew to
``workflow/schemas/studies``; with ``--check`` it only says whether they are up to date.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from plausible.config import project_root
from plausible.errors import PlausibleError
from plausible.files import write_text
from plausible.learning.settings import TrainingSettings
from plausible.reproduction.declaration import settings_model
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.study_files import THEOREMS, study_files
from plausible.reproduction.study_models import PartFile, SpikingSimulation, StudyFile
from plausible.yaml_files import read_yaml

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def study_schema() -> dict[str, Any]:
    """Schema of a ``study.yaml``."""
    schema = {"$schema": DIALECT, **StudyFile.model_json_schema()}
    training = _partial(schema, TrainingSettings)
    schema["properties"]["settings"] = training
    schema["$defs"]["Scale"]["properties"]["settings"] = training
    simulation = _partial(schema, SpikingSimulation)
    schema["properties"]["simulation"] = simulation
    for name in ("Protocol", "Variant"):
        properties = schema["$defs"][name]["properties"]
        properties |= {"training": training, "simulation": simulation}
    return schema


def part_schema(document: str, part: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of the file of a part, with the settings of each of its experiments.

    ``content`` is the file's own: it says which experiment a sweep runs.
    """
    schema = {"$schema": DIALECT, **PartFile.model_json_schema()}
    training = _partial(schema, TrainingSettings)
    run = schema["$defs"]["Train"]["properties"]
    run["settings"] = training
    for key in ("protocols", "scales"):
        run[key] = {"type": "object", "additionalProperties": training}
    simulation = _partial(schema, SpikingSimulation)
    shown = schema["$defs"]["Simulate"]["properties"]
    shown["settings"] = simulation
    shown["scales"] = {"type": "object", "additionalProperties": simulation}
    sweeps = {
        name: declared.get("experiment", name).rpartition(".")[2]
        for name, declared in content.get("sweep", {}).items()
    }
    schema["properties"]["sweep"]["properties"] = {
        name: _with_settings(schema, "Sweep", settings_model(document, part, experiment))
        for name, experiment in sweeps.items()
    }
    if THEOREMS in content:
        model = settings_model(document, part, THEOREMS)
        schema["properties"][THEOREMS] = _with_settings(schema, "Job", model)
    return schema


def _with_settings(
    schema: dict[str, Any], base: str, model: type[ExperimentSettings]
) -> dict[str, Any]:
    settings = _partial(schema, model)
    own = {"settings": settings, "scales": {"additionalProperties": settings}}
    return {"allOf": [{"$ref": f"#/$defs/{base}"}, {"properties": own}]}


def _partial(schema: dict[str, Any], model: type[BaseModel]) -> dict[str, str]:
    """Reference to a model of which a file may state any part, put among the definitions."""
    name = model.__name__
    if name not in schema["$defs"]:
        own = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        schema["$defs"] |= {f"{name}.{key}": value for key, value in own.pop("$defs", {}).items()}
        own.pop("required", None)
        for field in getattr(model, "given", ()):
            own["properties"].pop(field)
        schema["$defs"][name] = own
    return {"$ref": f"#/$defs/{name}"}


def schemas(root: str | Path) -> dict[Path, str]:
    """Text of every schema by its path, for the project in ``root``."""
    workflow = Path(root) / "workflow"
    found = {}
    for folder in sorted(path.parent for path in (workflow / "studies").glob("*/study.yaml")):
        main, *files = study_files(folder)
        made = {main: study_schema()}
        made |= {file: part_schema(folder.name, file.stem, read_yaml(file)) for file in files}
        for file, schema in made.items():
            place = workflow / "schemas" / "studies" / folder.name / f"{file.stem}.json"
            found[place] = json.dumps(schema, indent=1, sort_keys=True) + "\n"
    return found


def main(arguments: list[str] | None = None) -> int:
    """Write the schemas, or check that they are up to date."""
    parser = argparse.ArgumentParser(
        prog="python -m plausible.reproduction.schemas",
        description="Write the JSON schemas of the study files to workflow/schemas/studies.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if one is outdated")
    options = parser.parse_args(arguments)
    try:
        root = project_root()
        made = schemas(root)
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    outdated = [
        path
        for path, text in made.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in outdated:
        shown = path.relative_to(root)
        if options.check:
            print(f"error: {shown} is outdated; run `make schemas`.", file=sys.stderr)
        else:
            write_text(path, made[path])
            print(f"{shown}: renewed")
    return 1 if options.check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
