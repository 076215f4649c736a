"""A reference run made again from its tables, after a change of a picture, a claim or a value.

Tables take hours, what is shown and said of them takes seconds.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.declaration import Study, short_name
from plausible.reproduction.entries import entry_verdicts
from plausible.reproduction.provenance import side_car
from plausible.reproduction.published import Published, load_published, published_folder
from plausible.reproduction.reference_readme import MadeBy, with_facts, with_verdicts
from plausible.reproduction.reference_sources import (
    PICTURE_LIMIT,
    check_one_commit,
    read_provenance,
)
from plausible.reproduction.reference_staging import (
    NAME,
    Summary,
    code_state,
    put_finished,
    staged_reference,
    whole_time,
    write_record,
)
from plausible.reproduction.results import draw_figure
from plausible.reproduction.runtimes import collect
from plausible.reproduction.verdicts import verdict_counts, verdict_table


def make_again(
    root: str | Path, study: Study, carry: Iterable[str] = (), because: str = ""
) -> Summary:
    """Make pictures, readable tables, verdicts and report of a reference run from its tables.

    A table that a later run at the same scale has made takes the place of the old one, with its
    provenance; where it has made all of them, its seeds and run times are told as well. What no run
    has made yet is left out, and what rests on it is not comparable. ``carry`` names older tables
    that are taken for those of the later run, ``because`` of something that is kept in their
    provenance: that the experiment gives the same at another scale.

    Raises
    ------
    StudyError
        If there is no reference run of ``study``, or a later table is not the one of its
        provenance, or was made by code that was not committed; if a table to carry is not there,
        or nothing says why it may be.
    """
    code_state()  # before anything is written
    root = Path(root).resolve()
    made = root / "results" / NAME / study.name
    if not (made / "README.md").is_file():
        raise StudyError(f"{made}: there is no reference run; make one by `make reference`.")
    later = [
        f"{study.folder}/{name}.csv"
        for name in study.own_tables()
        if (root / study.folder / f"{name}.csv").is_file()
    ]
    records = read_provenance(root, later, tables_alone=True)
    if later:
        commits = {(one.get("git_commit"), one.get("git_clean")) for one in records.values()}
        check_one_commit(study, commits)
    with staged_reference(root) as staged:
        results = staged / "results"
        shutil.copytree(made, results, dirs_exist_ok=True)
        for path in later:
            for file in (root / path, side_car(root / path)):
                shutil.copy(file, results)
        tables = {
            name: pd.read_csv(results / f"{name}.csv")
            for name in study.own_tables()
            if (results / f"{name}.csv").is_file()
        }
        lacking = [name for name in study.own_tables() if name not in tables]
        older = set(tables) - {Path(path).stem for path in later}
        to = records[later[0]]["git_commit"] if later else code_state()["git_commit"]
        _carry_over(results, older, carry, {"to": to, "because": because})
        made_by = _made_by(results, tables)
        published = load_published(published_folder(study.name, root), study.parts)
        verdicts = verdict_table(
            study.name, tables, study.scale, published, comparable=True, partial=True
        )
        used = [results / f"{name}.csv" for name in tables]
        judged = {"verdicts": verdicts, "entries": entry_verdicts(verdicts, published)}
        for name, table in judged.items():
            table.to_csv(results / f"{name}.csv", index=False)
            write_record(results / f"{name}.csv", study, "judge_results", used)
        kept = []
        for result in study.results:
            if (study.shown_in(result) or result) in tables:
                try:
                    _show_again(results, study, result, tables, published)
                except (LookupError, StudyError):
                    # Its table is older than what the picture shows now.
                    kept.append(result)
        page = results / "README.md"
        text = page.read_text(encoding="utf-8")
        if later and not older:
            # Nothing is left of the run that was described, its seeds and its minutes included.
            times = collect(study, root / "results" / study.scale / "benchmarks")
            times.insert(0, "study", study.name)
            page_of_times = results / "runtimes.csv"
            times.to_csv(page_of_times, index=False)
            write_record(page_of_times, study, "collect_run_times", used)
            text = with_facts(text, study, whole_time(page_of_times))
        text = with_verdicts(
            text,
            verdict_counts(verdicts),
            code_state(),
            made_by,
            lacking,
            kept,
        )
        page.write_text(text, encoding="utf-8")
        return put_finished(root, staged, study)


def _carry_over(
    results: Path, older: set[str], carry: Iterable[str], said: Mapping[str, str]
) -> None:
    """Say in the provenance of tables to which commit they are carried over, and why."""
    for name in carry:
        if name not in older or not said["because"]:
            raise StudyError(
                f"--carry {name}: found {'no reason' if name in older else 'no such older table'}, "
                f"expected a reason and one of {', '.join(sorted(older)) or 'no table'}."
            )
        place = side_car(results / f"{name}.csv")
        record = json.loads(place.read_text(encoding="utf-8"))
        record["carried_over"] = dict(said)
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        place.write_text(text, encoding="utf-8")


def _made_by(results: Path, tables: Iterable[str]) -> list[MadeBy]:
    """Which code made each table, and to which it was carried over."""
    found = []
    for name in tables:
        record = json.loads(side_car(results / f"{name}.csv").read_text(encoding="utf-8"))
        commit = record.get("git_commit")
        if not record.get("git_clean"):
            commit = f"{commit} with uncommitted changes"
        carried = record.get("carried_over", {})
        found.append(MadeBy(name, commit, carried.get("to"), carried.get("because")))
    return found


def _show_again(
    results: Path,
    study: Study,
    result: str,
    tables: Mapping[str, pd.DataFrame],
    published: Published,
) -> None:
    """Picture and readable table of one result; of a picture of very many points, the PNG."""
    shown = study.shown_in(result) or result
    used = [results / f"{shown}.csv"]
    if draw := study.function(result, "figure"):
        files = [results / f"{result}.{suffix}" for suffix in ("svg", "png")]
        draw_figure(draw.load(), tables[shown], published, study.dataset, *files)
        left = files.pop(0 if files[0].stat().st_size > PICTURE_LIMIT else 1)
        for path in (left, side_car(left)):
            path.unlink(missing_ok=True)
        write_record(files[0], study, short_name(study.name, result), used)
    if write := study.function(result, "markdown"):
        shows = study.results[result].get("published", result)
        text = write.load()(tables[shown], published.shown_values(shows))
        (results / f"{result}.md").write_text(text, encoding="utf-8")
        write_record(results / f"{result}.md", study, short_name(study.name, result), used)
