"""What the files of a study name must be there: found before the first job, not by it."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plausible.config import EMBEDDED_DATA_SETS, nearest, project_path
from plausible.errors import StudyError
from plausible.reproduction.parts import parameters
from plausible.reproduction.published_ids import published_ids

if TYPE_CHECKING:
    from plausible.reproduction.declaration import Study

STAGES = ("train", "simulate", "sweep")


def check_references(path: Path, declaration: Mapping[str, Any]) -> None:
    """Every name that a study file uses must be declared in it."""

    def require(where: str, names: Iterable[str], section: str) -> None:
        known = declaration[section]
        for name in names:
            if name not in known:
                raise StudyError(
                    f"{path}: {where} names {name!r}, which {section} does not declare"
                    f"{nearest(name, known)}; declared are {', '.join(known)}."
                )

    for run, declared in declaration["train"].items():
        require(f"train.{run}.protocols", declared.get("protocols", ()), "protocols")
        require(f"train.{run}.only_protocols", declared.get("only_protocols", ()), "protocols")
        require(f"train.{run}.scales", declared.get("scales", ()), "scales")
        require(f"train.{run}.variants", declared.get("variants", ()), "protocols")
        for protocol, name in declared.get("variants", {}).items():
            known = declaration["protocols"][protocol].get("variants", {})
            if name not in known:
                raise StudyError(
                    f"{path}: train.{run}.variants.{protocol}: found {name!r}, which is no variant "
                    f"of that protocol{nearest(name, known)}."
                )
    for name, declared in declaration["simulate"].items():
        require(f"simulate.{name}.networks", declared["networks"], "train")
    for name, declared in declaration["sweep"].items():
        require(f"sweep.{name}.networks", declared.get("networks", ()), "train")
        require(f"sweep.{name}.protocols", declared.get("protocols", ()), "protocols")
        require(f"sweep.{name}.scales", declared.get("scales", ()), "scales")
    for name, declared in declaration["results"].items():
        sources = declared.get("from", {})
        for stage in STAGES:
            require(f"results.{name}.from.{stage}", sources.get(stage, ()), stage)
        if "data" in declared:
            require(f"results.{name}.data", [declared["data"]], "results")
            if "from" not in declaration["results"][declared["data"]]:
                raise StudyError(
                    f"{path}: results.{name}.data names {declared['data']!r}, which has no table "
                    "of its own; name the result whose key `from` says what it is made of."
                )


def check_published(folder: Path, declaration: Mapping[str, Any]) -> None:
    """What is said to be published must be among what the document published."""
    place = folder.parents[1] / "published" / folder.name
    if not place.is_dir():
        place = Path(project_path("workflow", "published", folder.name))
    known = published_ids(place)
    named = {
        f"{section}.{name}.published": declared["published"]
        for section in ("sweep", "results")
        for name, declared in declaration[section].items()
        if "published" in declared
    }
    named |= {
        f"results.{name}": name
        for name, declared in declaration["results"].items()
        if "title" not in declared
    }
    for where, name in named.items():
        if name.removeprefix(f"{folder.name}.") not in known:
            remedy = "" if where.endswith(".published") else "; correct it or give it a title"
            raise StudyError(
                f"{folder}: {where}: {place} has no entry {name!r}{nearest(name, known)}{remedy}."
            )


def check_data_sets(folder: Path, declaration: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
    """Data sets must be those of the project or, by ``data.sets``, of the user."""
    scales = declaration["scales"].items()
    named = {f"scales.{name}.dataset": scale["dataset"] for name, scale in scales}
    for sweep, declared in declaration["sweep"].items():
        wanted = declared.get("data_set", False)
        if isinstance(wanted, Mapping):
            named |= {f"sweep.{sweep}.data_set.{scale}": name for scale, name in wanted.items()}
    known = (*EMBEDDED_DATA_SETS, *extra)
    for where, name in named.items():
        if name not in known:
            raise StudyError(
                f"{folder}: {where} names the data set {name!r}{nearest(name, known)}; known are "
                f"{', '.join(known)}."
            )


def check_options(study: "Study", result: str) -> None:
    """The options of a result must be parameters of its table function."""
    options = study.results[result].get("options")
    if not options:
        return
    found = study.function(result, "table")
    if found is None:
        raise StudyError(
            f"results.{result}.options: found {', '.join(options)}, but the result has no table "
            "function that takes them; name one under table, or remove them."
        )
    known = parameters(found)[1:]
    for name in options:
        if name not in known:
            raise StudyError(
                f"results.{result}.options: {name!r} is no parameter of {found.function}"
                f"{nearest(name, known)}; it takes {', '.join(known) or 'none'}."
            )


def where_overridden(sentence: str, config: Mapping[str, Any]) -> str:
    """Where a value comes from that is complained of, if the user has put it there."""
    for target, values in config["overrides"].items():
        for key in values:
            if re.search(rf"\b{re.escape(str(key))}\b.*: found ", sentence):
                return f" The value stands under overrides.{target} of the configuration."
    return ""
