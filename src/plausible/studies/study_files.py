"""Reading a study file, together with the parts into which a long document's study is divided.

``workflow/studies/<study>.yaml`` may name ``parts``; part ``p`` is ``<study>/p.yaml`` beside it and
adds runs, sweeps, results and covered entries of its own. A name may be declared only once.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from plausible.config import nearest
from plausible.errors import StudyError
from plausible.files import read_yaml

SECTIONS = ("train", "simulate", "sweep", "results")
"""Sections, each a mapping by name, that a part may add to."""
COVERS = "covers"
"""List of patterns of published results that a part may add to."""


def part_files(path: str | Path, declaration: Mapping[str, Any]) -> list[Path]:
    """Files of the parts that a study file names, in its order."""
    path = Path(path)
    return [path.with_suffix("") / f"{part}.yaml" for part in declaration.get("parts", ())]


def study_files(path: str | Path) -> list[Path]:
    """The study file and the files of its parts."""
    return [Path(path), *part_files(path, _read(Path(path)))]


def read_study_file(path: str | Path) -> dict[str, Any]:
    """Declaration of a study, its parts laid together; not yet checked against the schema.

    Raises
    ------
    StudyError
        If a file is missing or is no YAML mapping, a part has a section that parts may not have, or
        a name is declared twice.
    """
    path = Path(path)
    whole = _read(path)
    if "parts" not in whole:
        return whole
    origin = {
        (section, name): path for section in SECTIONS for name in whole.get(section, None) or ()
    }
    for file in part_files(path, whole):
        part = _read(file)
        for section, declared in part.items():
            if section == COVERS:
                whole[COVERS] = [*whole.get(COVERS, ()), *declared]
                continue
            if section not in SECTIONS:
                allowed = (COVERS, *SECTIONS)
                raise StudyError(
                    f"{file}: the section {section!r} was found{nearest(section, allowed)}, where "
                    f"a part of a study may have {', '.join(allowed)}; the rest stands in {path}."
                )
            if not isinstance(declared, dict):
                raise StudyError(f"{file}: {section} must be a mapping by name; write `{{}}`.")
            for name, value in declared.items():
                if (section, name) in origin:
                    raise StudyError(
                        f"{file}: {section}.{name} is declared a second time, first in "
                        f"{origin[section, name]}; give one of them another name."
                    )
                origin[section, name] = file
                whole.setdefault(section, {})[name] = value
    return whole


def _read(path: Path) -> dict[str, Any]:
    try:
        found = read_yaml(path)
    except FileNotFoundError:
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise StudyError(
            f"{path}: there is no such study file{nearest(path.stem, known)}; known are "
            f"{', '.join(known)}."
        ) from None
    except yaml.YAMLError as error:
        raise StudyError(f"{path}: not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(found, dict):
        raise StudyError(f"{path}: a mapping is expected, with the sections of a study file.")
    return found
