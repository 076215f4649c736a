"""What a document published, read from ``workflow/published/<document>`` and checked.

``document.yaml`` names the source, ``ambiguities.yaml`` what is unclear in it, and one file for
each part holds its entries: figures, tables, claims and theorems. ``recovered.yaml`` beside the
folders holds numbers that a document shows but does not print, such as the cells of a heat map, and
``curves`` those of its curves.
"""

import fnmatch
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from plausible.config import check_schema, nearest, project_path
from plausible.errors import ConfigError, StudyError
from plausible.yaml_files import read_yaml

if TYPE_CHECKING:
    import pandas as pd

RECOVERED = "recovered.yaml"
DOCUMENT, AMBIGUITIES, PART = "document", "ambiguities", "part"
CURVES = "curves"
RECOVERED_PLACE = "recovered"
"""First step of the place of a recovered value."""

Entry = Mapping[str, Any]
"""One figure, table, claim or theorem; workflow/published/README.md explains its keys."""


class Resolution(NamedTuple):
    """What a published number may be taken for: anything from ``low`` to ``high``.

    ``delta`` is half of that width, or NaN where one end is open. ``runs`` is the number of runs of
    which the published number is the mean.
    """

    low: float
    high: float
    unit: str = ""
    runs: int = 1

    @property
    def delta(self) -> float:
        """Largest half-width of an interval of ours that still says something."""
        return (self.high - self.low) / 2.0 if math.isfinite(self.high - self.low) else math.inf


class PublishedNumber(NamedTuple):
    """A published number with what decides about it."""

    place: str
    """Dotted place below ``values`` of the entry, or below ``recovered``."""
    value: Any
    resolution: Resolution | None
    """None: it is shown and not judged."""
    text: str = ""
    """The resolution for people."""
    duplicate_of: tuple[str, str] | None = None
    """Id of the entry and place where the same number is judged."""


@dataclass(frozen=True)
class Published:
    """What one document published, of the parts that were read."""

    study: str
    source: Mapping[str, Any]
    ambiguities: tuple[Mapping[str, str], ...]
    entries: Mapping[str, Entry]
    part_of: Mapping[str, str]
    """Part of the document in whose file an entry stands, by its id."""
    recovered: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Values that were read from another copy of the document, by the id of their entry."""
    omitted: tuple[str, ...] = ()
    """Ids of the document's entries in parts that were not read."""
    folder: Path = Path()
    """Folder of the document's files."""
    _numbers: dict[tuple[str, str], PublishedNumber] = field(default_factory=dict, repr=False)
    """Numbers that were asked for."""

    def entry(self, name: str) -> Entry:
        """Entry of ``name``, an id with or without the study before its first dot."""
        full = name if name in self.entries else f"{self.study}.{name}"
        if full not in self.entries:
            raise StudyError(
                f"{self.study} published no result '{name}'{nearest(full, self.entries)}."
            )
        return self.entries[full]

    def values(self, name: str) -> Mapping[str, Any]:
        """Published numbers of an entry."""
        return self.entry(name)["values"]

    def shown_values(self, name: str) -> Mapping[str, Any]:
        """Published numbers of a result; none of one that the document does not have."""
        return self.entries.get(f"{self.study}.{name}", {}).get("values", {})

    def recovered_values(self, name: str) -> Mapping[str, Any]:
        """Values of ``name`` that were recovered from another copy of the document."""
        full = self.entry(name)["id"]
        if full not in self.recovered:
            raise StudyError(f"{RECOVERED} holds no values of '{full}'; restore that file.")
        return self.recovered[full]

    def bound(self, name: str, statement: str) -> Any:
        """Number, or limits, with which a statement of the entry ``name`` is compared.

        Raises
        ------
        StudyError
            If there is no such statement, or it has no bound.
        """
        entry = self.entry(name)
        statements = {one["id"]: one for one in entry["expect"]}
        if statement not in statements:
            raise StudyError(
                f"{entry['id']} has no statement '{statement}'{nearest(statement, statements)}; "
                f"it has {', '.join(statements)}."
            )
        if "bound" not in statements[statement]:
            raise StudyError(f"{entry['id']}: the statement '{statement}' has no bound.")
        return statements[statement]["bound"]

    def number(self, name: str, place: str) -> PublishedNumber:
        """Published number at ``place`` of an entry, e.g. ``rows.fsgd.test_error_percent``.

        Places below ``recovered`` are those of `recovered_values`.

        Raises
        ------
        StudyError
            If the entry has no such number or declares no resolution for it.
        """
        entry = self.entry(name)
        asked = entry["id"], place
        if asked not in self._numbers:
            self._numbers[asked] = self._number(entry, place)
        return self._numbers[asked]

    def _number(self, entry: Entry, place: str) -> PublishedNumber:
        values, inner = entry["values"], place
        if place.startswith(f"{RECOVERED_PLACE}."):
            values, inner = self.recovered_values(entry["id"]), place.split(".", 1)[1]
        numbers = dict(leaves(values))
        if inner not in numbers:
            raise StudyError(
                f"{entry['id']}: no number stands at {place}{nearest(inner, numbers)}; name the "
                "place of a published value."
            )
        steps = place.split(".")
        above = [".".join(steps[: n + 1]) for n in range(len(steps))]
        for declared in entry.get("resolutions", ()):
            named = (fnmatch.filter(above, pattern) for pattern in declared["places"])
            if any(named) and _applies(declared.get("for_values"), numbers[inner]):
                return _number(place, numbers[inner], declared)
        raise StudyError(
            f"{entry['id']}: no resolution is declared for {place}; add it under resolutions, "
            "with its reason, or null where the number is only shown."
        )

    def curve(self, name: str) -> "pd.DataFrame":
        """Published curve such as ``fig2a`` or ``fig5.loss``, recovered from the graphics.

        Raises
        ------
        StudyError
            If there is no such curve.
        """
        import pandas as pd

        folder = self.folder.parent / CURVES
        path = folder / f"{self.study}.{name}.csv"
        if not path.is_file():
            known = sorted(file.stem for file in folder.glob(f"{self.study}.*.csv"))
            raise StudyError(
                f"{path}: there is no such published curve{nearest(path.stem, known)}; known are "
                f"{', '.join(known) or 'none'}."
            )
        return pd.read_csv(path)

    def original(self, name: str) -> Entry:
        """Entry that holds the content of ``name``: itself, or the one it is ``same_as``."""
        entry = self.entry(name)
        return self.entry(entry["same_as"]) if "same_as" in entry else entry


def _applies(limits: Sequence[float | None] | None, value: Any) -> bool:
    """Whether a resolution for values between two limits is one for ``value``."""
    if limits is None:
        return True
    low, high = limits
    return (low is None or value >= low) and (high is None or value <= high)


def _number(place: str, value: Any, declared: Mapping[str, Any]) -> PublishedNumber:
    """Number with the resolution that is declared for its place."""
    if "duplicate_of" in declared:
        entry, _, other = declared["duplicate_of"].partition(": ")
        return PublishedNumber(place, value, None, duplicate_of=(entry, other))
    unit, runs = declared.get("unit", ""), declared.get("runs", 1)
    shown = f" {unit}" if unit else ""
    if "interval" in declared:
        low, high = declared["interval"]
        low, high = (-math.inf if low is None else low), (math.inf if high is None else high)
        text = f"from {low:g} to {high:g}{shown}"
        return PublishedNumber(place, value, Resolution(low, high, unit, runs), text)
    if "relative" in declared:
        delta = declared["relative"] * abs(value)
        text = f"within {declared['relative']:.2g} of the value"
    elif declared["resolution"] is None:
        return PublishedNumber(place, value, None)
    else:
        delta = declared["resolution"]
        text = f"within {delta:g}{shown}" if delta else "exact"
    exact = isinstance(value, str | bool)
    limits = (math.nan, math.nan) if exact else (value - delta, value + delta)
    return PublishedNumber(place, value, Resolution(*limits, unit, runs), text)


def result_name(identifier: str) -> str:
    """Name of a result within its study: the id after the first dot."""
    return identifier.split(".", 1)[1]


def published_folder(study: str, root: str | Path | None = None) -> Path:
    """Folder of what ``study`` published, in the project at ``root`` (default: this project)."""
    inner = ("workflow", "published", study)
    return Path(project_path(*inner)) if root is None else Path(root, *inner)


def published_files(folder: str | Path, parts: Iterable[str]) -> list[Path]:
    """Files that `load_published` reads for these parts."""
    folder = Path(folder)
    return [folder / f"{name}.yaml" for name in (DOCUMENT, AMBIGUITIES, *parts)]


def load_published(
    folder: str | Path, parts: Iterable[str] | None = None, schema_path: str | Path | None = None
) -> Published:
    """Read and check what a document published, and what ``recovered.yaml`` says about it.

    ``schema_path`` is by default ``schemas/published.schema.yaml`` beside the folder that holds
    ``folder``. Entries are those of ``parts``, by default of all.

    Raises
    ------
    StudyError
        If a file is missing, is no YAML, breaks the schema, names an id twice or of another study,
        or refers to an entry that is not there or is itself a reference.
    """
    folder = Path(folder)
    schema_path = schema_path or folder.parents[1] / "schemas" / "published.schema.yaml"
    document = read_checked(folder / f"{DOCUMENT}.yaml", DOCUMENT, schema_path)
    ambiguities = read_checked(folder / f"{AMBIGUITIES}.yaml", AMBIGUITIES, schema_path)
    study = document["source"]["id"]
    if study != folder.name:
        raise StudyError(
            f"{folder / DOCUMENT}.yaml: source.id: found '{study}', where the name of the folder, "
            f"'{folder.name}', is expected."
        )
    entries: dict[str, Entry] = {}
    part_of: dict[str, str] = {}
    here = {
        path.stem: path
        for path in sorted(folder.glob("*.yaml"))
        if path.stem not in (DOCUMENT, AMBIGUITIES)
    }
    chosen = list(here) if parts is None else list(parts)
    for part in [*chosen, *(name for name in here if name not in chosen)]:
        path = here.get(part, folder / f"{part}.yaml")
        for entry in read_checked(path, PART, schema_path if part in chosen else None)["results"]:
            identifier = entry["id"]
            if identifier in entries:
                raise StudyError(f"{path}: the id '{identifier}' occurs twice; ids must be unique.")
            if not identifier.startswith(f"{study}."):
                raise StudyError(f"{path}: the id '{identifier}' must start with '{study}.'.")
            names = [statement["id"] for statement in entry["expect"]]
            if double := next((name for name in names if names.count(name) > 1), None):
                raise StudyError(
                    f"{path}: {identifier} has two statements with the id '{double}'; ids must be "
                    "unique within an entry."
                )
            if (place := _without_id(entry["values"])) is not None:
                raise StudyError(
                    f"{path}: {identifier}: a row of {place or 'values'} has no id; rows are named "
                    "by their ids everywhere."
                )
            entries[identifier], part_of[identifier] = entry, part
    _check_references(folder, entries)
    recovered = _recovered(folder.parent / RECOVERED, schema_path, entries, study)
    kept = {name: entry for name, entry in entries.items() if part_of[name] in chosen}
    omitted = tuple(name for name in entries if name not in kept)
    return Published(
        study,
        document["source"],
        tuple(ambiguities["ambiguities"]),
        kept,
        part_of,
        recovered,
        omitted,
        folder,
    )


def _check_references(folder: Path, entries: Mapping[str, Entry]) -> None:
    for identifier, entry in entries.items():
        target = entry.get("same_as")
        if target is None:
            continue
        if target not in entries:
            raise StudyError(
                f"{folder}: {identifier} is the same as '{target}', which is not in its files"
                f"{nearest(target, entries)}."
            )
        if "same_as" in entries[target]:
            raise StudyError(
                f"{folder}: {identifier} is the same as {target}, which is itself only a "
                f"reference; name {entries[target]['same_as']}."
            )


def _recovered(
    path: Path, schema_path: str | Path, entries: Mapping[str, Entry], study: str
) -> dict[str, Mapping[str, Any]]:
    """Recovered values of the entries of ``study``; none where there is no such file."""
    if not path.is_file():
        return {}
    found: dict[str, Mapping[str, Any]] = {}
    for entry in read_checked(path, "recovered", schema_path)["entries"]:
        identifier = entry["id"]
        if not identifier.startswith(f"{study}."):
            continue
        if identifier not in entries or identifier in found:
            problem = "occurs twice" if identifier in found else f"is no entry of {study}"
            raise StudyError(f"{path}: the id '{identifier}' {problem}.")
        found[identifier] = entry["values"]
    return found


def read_checked(path: str | Path, kind: str, schema_path: str | Path | None) -> dict[str, Any]:
    """Content of a file of a kind that the schema defines, checked against it if one is given."""
    try:
        content = read_yaml(path)
        if schema_path is not None:
            definitions = read_yaml(schema_path)["$defs"]
            check_schema(content, {"$ref": f"#/$defs/{kind}", "$defs": definitions}, str(path))
    except ConfigError as error:
        raise StudyError(str(error)) from None
    return content


def _without_id(values: Any, place: str = "") -> str | None:
    """Place of the first list that holds a row without an id."""
    if isinstance(values, list):
        if any(isinstance(row, Mapping) and "id" not in row for row in values):
            return place
        values = {row["id"]: row for row in values if isinstance(row, Mapping)}
    if not isinstance(values, Mapping):
        return None
    found = (_without_id(value, f"{place}.{key}".strip(".")) for key, value in values.items())
    return next((where for where in found if where is not None), None)


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every published value of an entry with its dotted place, e.g. ``rows.fsgd.test_error``.

    A row of a table is named by its id; numbers of a plain list are named by their position.
    """
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(values, list):
        for position, value in enumerate(values):
            name = value["id"] if isinstance(value, Mapping) else position
            yield from leaves(value, f"{path}.{name}")
    else:
        yield path, values
