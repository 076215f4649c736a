"""Every result that can be made: id, title, kind, short target, and the minutes that it takes.

Run as a program (``make list``). It loads neither torch nor pandas, so that the list is there at
once.
"""

import argparse
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from plausible.config import load_configs, project_root
from plausible.errors import PlausibleError
from plausible.reproduction.declaration import Study, load_study, short_name
from plausible.reproduction.published import (
    Published,
    load_published,
    published_folder,
    result_name,
)
from plausible.reproduction.runtimes import find_run_times, minutes_text

WIDTH = 100
"""Characters of a line that is not written to a terminal."""


class Line(NamedTuple):
    """One result; its minutes stand in the order of the scales of the list."""

    identifier: str
    title: str
    kind: str
    target: str
    minutes: tuple[str, ...]


def read_configuration(
    root: str | Path, configfile: str | Path | None = None, **changes: Any
) -> dict[str, Any]:
    """Checked configuration of the project, with a file laid over it as Snakemake would.

    ``changes`` replace keys of the highest level, for instance the scale.
    """
    files = [Path(root) / "config.yaml", *([] if configfile is None else [Path(configfile)])]
    return load_configs(files, changes, root)


def read_study(root: str | Path, name: str, config: Mapping[str, Any]) -> Study:
    """A study of the project in ``root``."""
    workflow = Path(root) / "workflow"
    return load_study(workflow / "studies" / name, config)


def lines_of(
    study: Study, published: Published, minutes: Mapping[str, Mapping[str, str]]
) -> list[Line]:
    """One line for each result of a study; ``minutes`` are texts by scale and id."""
    lines = []
    for result, declared in study.results.items():
        identifier = f"{study.name}.{result}"
        entry = published.entries.get(identifier, declared)
        made = "figure" if declared.get("figure") else "table"
        lines.append(
            Line(
                identifier,
                entry.get("title", ""),
                entry.get("kind", made),
                short_name(study.name, result),
                tuple(known.get(identifier, "-") for known in minutes.values()),
            )
        )
    return lines


def known_minutes(root: str | Path) -> dict[str, dict[str, str]]:
    """Minutes of every result whose run time is known, as text by scale and id."""
    return {
        scale: {
            f"{row['study']}.{row['result']}": minutes_text(
                row["minutes"], row["jobs_without_time"]
            )
            for row in rows
            if row["part"] == "result"
        }
        for scale, rows in find_run_times(root).items()
    }


def format_short(lines: Sequence[Line], place: int | None, scale: str, width: int) -> str:
    """Target, minutes at one scale (the one at ``place``) and title of each result."""
    minutes = ["-" if place is None else line.minutes[place] for line in lines]
    header = ("target", f"{scale} min", "title")
    rows = zip(lines, minutes, strict=True)
    table = [header, *((line.target, taken, line.title) for line, taken in rows)]
    sizes = [max(len(row[column]) for row in table) for column in range(2)]
    left = max(0, width - sum(sizes) - 4)
    return "\n".join(
        f"{target.ljust(sizes[0])}  {taken.rjust(sizes[1])}  {_cut(title, left)}".rstrip()
        for target, taken, title in table
    )


def format_long(lines: Sequence[Line], scales: Sequence[str]) -> str:
    """Everything about each result, in aligned columns."""
    header = ("id", "title", "kind", "short target", *(f"{scale} min" for scale in scales))
    table = [header, *((*line[:4], *line.minutes) for line in lines)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    shown = []
    for row in table:
        cells = [cell.ljust(size) for cell, size in zip(row[:4], widths[:4], strict=True)]
        cells += [cell.rjust(size) for cell, size in zip(row[4:], widths[4:], strict=True)]
        shown.append("  ".join(cells).rstrip())
    return "\n".join(shown)


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: max(0, size - 3)].rstrip() + "..."


def not_made(study: Study, published: Published) -> dict[str, list[str]]:
    """Ids that the document publishes and the study does not make, by the reason."""
    found: dict[str, list[str]] = {}
    for identifier, entry in published.entries.items():
        if result_name(identifier) not in study.results:
            found.setdefault(entry["reproducible"].replace("_", " "), []).append(identifier)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print the list."""
    parser = argparse.ArgumentParser(
        prog="python -m plausible.reproduction.listing",
        description="Print every result: its target (snakemake --cores 8 TARGET), the minutes that "
        "it took on one core at the scale of the configuration, and its title.",
    )
    parser.add_argument("--configfile", metavar="FILE", help="settings laid over config.yaml")
    parser.add_argument("--study", metavar="NAME", help="only this study")
    parser.add_argument(
        "--all", action="store_true", help="ids, kinds, all scales, and what has no target, too"
    )
    options = parser.parse_args(arguments)
    try:
        root = project_root()
        changes = {} if options.study is None else {"studies": [options.study]}
        config = read_configuration(root, options.configfile, **changes)
        studies = [read_study(root, name, config) for name in config["studies"]]
        minutes = known_minutes(root)
        lines, notes = [], []
        for study in studies:
            published = load_published(published_folder(study.name, root), study.parts)
            lines += lines_of(study, published, minutes)
            for reason, names in not_made(study, published).items():
                notes.append(f"Published, without a target ({reason}): {', '.join(names)}")
        scale, scales = config["scale"], list(minutes)
        if scale not in scales:
            notes = ["Minutes are shown once the scale has been run: make all", *notes]
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    place = scales.index(scale) if scale in scales else None
    try:
        if options.all:
            print(format_long(lines, scales))
        else:
            print(format_short(lines, place, scale, min(width, WIDTH)))
            notes = [*notes[: scale not in scales], "Everything about them: make list ARGS=--all"]
        for note in notes:
            print("", textwrap.fill(note, width, break_on_hyphens=False), sep="\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, `head` for instance, has seen enough; Python must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
