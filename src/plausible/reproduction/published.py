"""What a document published, read from ``workflow/published`` and checked against its schema."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from plausible.config import check_schema, nearest, project_root
from plausible.errors import ConfigError, StudyError
from plausible.files import read_yaml

RECOVERED = "recovered.yaml"
"""File beside the published ones with numbers that were recovered from other copies of them."""

Entry = Mapping[str, Any]
"""One figure, table, claim or theorem; workflow/published/README.md explains its keys."""


class Published(NamedTuple):
    """Everything that one document published."""

    study: str
    source: Mapping[str, Any]
    ambiguities: tuple[Mapping[str, str], ...]
    entries: Mapping[str, Entry]
    recovered: Mapping[str, Mapping[str, Any]] = {}
    """Values that were read from another copy of the document, by the id of their entry."""
    omitted: tuple[str, ...] = ()
    """Ids of the document's entries that the study does not cover."""

    def entry(self, name: str) -> Entry:
        """Entry of ``name``, an id with or without the study before its first dot."""
        full = name if name in self.entries else f"{self.study}.{name}"
        if full not in self.entries:
            raise StudyError(
                f"{self.study} published no result '{name}'{nearest(full, self.entries)}."
            )
        return self.entries[full]

    def recovered_values(self, name: str) -> Mapping[str, Any]:
        """Values of ``name`` that were recovered from another copy of the document."""
        full = self.entry(name)["id"]
        if full not in self.recovered:
            raise StudyError(f"{RECOVERED} holds no values of '{full}'; restore that file.")
        return self.recovered[full]

    def original(self, name: str) -> Entry:
        """Entry that holds the content of ``name``: itself, or the one it is ``same_as``."""
        entry = self.entry(name)
        return self.entry(entry["same_as"]) if "same_as" in entry else entry


def result_name(identifier: str) -> str:
    """Name of a result within its study: the id after the first dot."""
    return identifier.split(".", 1)[1]


def published_path(study: str, root: str | Path | None = None) -> Path:
    """File of what ``study`` published, in the project at ``root``."""
    return Path(root or project_root()) / "workflow" / "published" / f"{study}.yaml"


def load_published(
    path: str | Path,
    schema_path: str | Path | None = None,
    covers: Sequence[str] | None = None,
) -> Published:
    """Read and check one published file, and what ``recovered.yaml`` beside it says about it.

    ``schema_path`` is by default ``schemas/published.schema.yaml`` beside the folder of ``path``.
    With ``covers``, patterns of result names such as ``ch3.*``, only these entries are kept.

    Raises
    ------
    StudyError
        If the file is missing, is no YAML, breaks the schema, names an id twice or of another
        study, or refers to an entry that is not there or is itself a reference; or if a pattern of
        ``covers`` fits none of its results.
    """
    path = Path(path)
    document = read_checked(path, schema_path)
    study = document["source"]["id"]
    entries: dict[str, Entry] = {}
    for entry in document["results"]:
        identifier = entry["id"]
        if identifier in entries:
            raise StudyError(f"{path}: the id '{identifier}' occurs twice; ids must be unique.")
        if not identifier.startswith(f"{study}."):
            raise StudyError(f"{path}: the id '{identifier}' must start with '{study}.'.")
        entries[identifier] = entry
    for identifier, entry in entries.items():
        target = entry.get("same_as")
        if target is None:
            continue
        if target not in entries:
            raise StudyError(
                f"{path}: {identifier} is the same as '{target}', which is not in the file"
                f"{nearest(target, entries)}."
            )
        if "same_as" in entries[target]:
            raise StudyError(
                f"{path}: {identifier} is the same as {target}, which is itself only a reference; "
                f"name {entries[target]['same_as']}."
            )
    recovered = _recovered(path.with_name(RECOVERED), schema_path, entries, study)
    kept = entries if covers is None else _covered(path, entries, covers)
    omitted = tuple(identifier for identifier in entries if identifier not in kept)
    ambiguities = tuple(document["ambiguities"])
    return Published(study, document["source"], ambiguities, kept, recovered, omitted)


def _covered(path: Path, entries: Mapping[str, Entry], patterns: Sequence[str]) -> dict[str, Entry]:
    """Entries whose result names fit one of ``patterns``, in their own order."""
    fitting = {
        pattern: {name for name in entries if fnmatchcase(result_name(name), pattern)}
        for pattern in patterns
    }
    for pattern, found in fitting.items():
        if not found:
            raise StudyError(
                f"{path}: the study covers {pattern!r}, which fits no result of the file; correct "
                "the pattern under covers in the study file."
            )
    kept = set().union(*fitting.values())
    return {name: entry for name, entry in entries.items() if name in kept}


def _recovered(
    path: Path, schema_path: str | Path | None, entries: Mapping[str, Entry], study: str
) -> dict[str, Mapping[str, Any]]:
    """Recovered values of the entries of ``study``; none where there is no such file."""
    if not path.is_file():
        return {}
    found: dict[str, Mapping[str, Any]] = {}
    for entry in read_checked(path, schema_path)["entries"]:
        identifier = entry["id"]
        if not identifier.startswith(f"{study}."):
            continue
        if identifier not in entries or identifier in found:
            problem = "occurs twice" if identifier in found else f"is no entry of {study}.yaml"
            raise StudyError(f"{path}: the id '{identifier}' {problem}.")
        found[identifier] = entry["values"]
    return found


def read_checked(path: str | Path, schema_path: str | Path | None = None) -> dict[str, Any]:
    """Content of a published file or of ``recovered.yaml`` after the check against the schema."""
    path = Path(path)
    schema_path = Path(schema_path or path.parents[1] / "schemas" / "published.schema.yaml")
    document = _read_yaml(path)
    try:
        check_schema(document, _read_yaml(schema_path), str(path))
    except ConfigError as error:
        raise StudyError(str(error)) from None
    return document


def _read_yaml(path: Path) -> Any:
    try:
        return read_yaml(path)
    except FileNotFoundError:
        raise StudyError(f"{path} is missing; it belongs to the project, restore it.") from None
    except yaml.YAMLError as error:
        raise StudyError(f"{path} is no valid YAML: {' '.join(str(error).split())}.") from None


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every published value of an entry with its dotted place, e.g. ``rows.3.model``."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(values, list):
        for position, value in enumerate(values):
            yield from leaves(value, f"{path}.{position}")
    else:
        yield path, values


_NUMBER = re.compile(r"(?<![A-Za-z_\d.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def stated_numbers(text: str) -> list[float]:
    """Numbers in a published sentence, in their order: ``"drop between 0 and 2"`` gives 0 and 2.

    Checks take their bounds from here, so that a tolerance is the published one by construction.
    """
    return [float(number) for number in _NUMBER.findall(text)]
