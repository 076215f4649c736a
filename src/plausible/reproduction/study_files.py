"""Reading a study: ``workflow/studies/<document>/study.yaml`` and one file for each of its parts.

``study.yaml`` says what holds for the whole document (scales, seeds, protocols) and in which order
its parts stand. A part's file declares what is run and what comes out of it; a name may be declared
only once in a study, and what needs a name of another part finds it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from plausible.config import nearest
from plausible.errors import StudyError
from plausible.yaml_files import read_yaml

if TYPE_CHECKING:
    from plausible.settings import Settings

SECTIONS = ("train", "simulate", "sweep", "results")
"""Sections of a part, each a mapping by name."""
THEOREMS = "theorems"
"""Section of a part that says how its theorems are run, and the result that holds all of them."""


class StudyFiles(NamedTuple):
    """A study's declarations, laid together, and the part that each name comes from."""

    declaration: dict[str, Any]
    part_of: dict[tuple[str, str], str]
    """By section and name."""


def study_files(folder: str | Path) -> list[Path]:
    """The files of a study: ``study.yaml`` first, then those of its parts in their order."""
    folder = Path(folder)
    main = folder / "study.yaml"
    return [main, *(folder / f"{part}.yaml" for part in _mapping(main).get("parts", ()))]


def read_study_files(folder: str | Path) -> StudyFiles:
    """Declarations of a study, each file checked for its form.

    A part with theorems gets a sweep of its own, ``theorems_<part>``, and the study a result
    ``theorems`` that holds the rows of all of them; the theorems show its table.

    Raises
    ------
    StudyError
        If a file is missing, is no YAML, has another form or is not among the parts, or a name is
        declared twice.
    """
    # Every job asks for the files of its study, and the models take longer to load than that.
    from plausible.reproduction.study_models import PartFile, StudyFile

    main, *files = study_files(folder)
    whole: dict[str, Any] = {**_checked(main, StudyFile), **{section: {} for section in SECTIONS}}
    for section in ("settings", "simulation"):
        whole.setdefault(section, {})
    part_of: dict[tuple[str, str], str] = {}
    sweeps: list[str] = []
    for file in files:
        part, content = file.stem, _checked(file, PartFile)
        names: list[tuple[str, str, Any]] = [
            (section, name, value)
            for section in SECTIONS
            for name, value in content.get(section, {}).items()
        ]
        if any(section == "results" and "theorem" in value for section, _, value in names):
            sweeps.append(f"{THEOREMS}_{part}")
            names.append(("sweep", sweeps[-1], content.get(THEOREMS, {})))
        for section, name, value in names:
            if (section, name) in part_of:
                raise StudyError(
                    f"{file}: {section}.{name} is declared a second time, first in "
                    f"{main.parent / part_of[section, name]}.yaml; give one of them another name."
                )
            part_of[section, name] = part
            whole[section][name] = value
    for file in sorted({*main.parent.glob("*.yaml")} - {main, *files}):
        raise StudyError(f"{file}: this is no part of the study; name it under parts in {main}.")
    if sweeps:
        whole["results"][THEOREMS] = {
            "title": "Largest deviation of every equation and theorem",
            "from": {"sweep": sweeps},
        }
    return StudyFiles(whole, part_of)


def part_title(notebooks: Path, part: str) -> str:
    """Title of a part: the first heading of its notebook, in the study's folder of notebooks."""
    lines = (notebooks / f"{part}.md").read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("## ") for line in lines if line.startswith("## "))


def _checked(path: Path, model: "type[Settings]") -> dict[str, Any]:
    from plausible.settings import read_settings

    content = _mapping(path)
    read_settings(model, content, f"{path}:")
    return content


def _mapping(path: Path) -> dict[str, Any]:
    if not path.is_file():
        folder = path.parent if path.stem != "study" else path.parent.parent
        known = sorted(
            entry.stem
            for entry in folder.glob("*" if folder != path.parent else "*.yaml")
            if entry.stem != "study" and not entry.name.startswith(".")
        )
        wanted = path.stem if path.stem != "study" else path.parent.name
        raise StudyError(
            f"{path}: there is no such study file{nearest(wanted, known)}; known are "
            f"{', '.join(known)}."
        )
    found = read_yaml(path)
    if not isinstance(found, dict):
        raise StudyError(f"{path}: a mapping is expected, with the sections of a study file.")
    return found
