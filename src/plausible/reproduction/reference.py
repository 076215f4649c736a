"""The reference run: a finished run, copied to where it is committed and read without running.

``results/reference/<study>`` gets the tables, pictures, verdicts and run times of a study with
their provenance; its report is executed on them and kept in ``reports/reference``. What is
incomplete, not consistent, not of one commit, or too large is refused with one sentence.

Run as a program: ``make reference``.
"""

import argparse
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from plausible.config import load_config, project_root
from plausible.errors import PlausibleError
from plausible.reproduction.declaration import Study
from plausible.reproduction.listing import read_configuration, read_study
from plausible.reproduction.provenance import side_car
from plausible.reproduction.reference_again import make_again
from plausible.reproduction.reference_index import write_reference_index
from plausible.reproduction.reference_readme import Facts, readme
from plausible.reproduction.reference_sources import (
    check_comparable,
    check_one_commit,
    files_of,
    read_provenance,
)
from plausible.reproduction.reference_staging import (
    NAME,
    Summary,
    code_state,
    counted_verdicts,
    put_finished,
    staged_reference,
    whole_time,
)


def make_reference(root: str | Path, study: Study, allow_mixed: bool = False) -> Summary:
    """Copy the finished run of ``study`` (at its scale, in the project ``root``).

    Both folders change only when everything is in place.

    Raises
    ------
    StudyError
        If a file or its provenance is missing, a file is not the one of its provenance or was made
        from other inputs than those that are there, the files were made by several commits or by
        code that was not committed (unless ``allow_mixed``), or everything takes more than
        ``LIMIT`` bytes.
    """
    code_state()  # before anything is written
    root = Path(root).resolve()
    sources, as_png = files_of(root, study)
    records = read_provenance(root, sources)
    check_comparable(study, records)
    commits = Counter(
        (record.get("git_commit"), record.get("git_clean"), record["rule"])
        for record in records.values()
    )
    if not allow_mixed:
        check_one_commit(study, {(commit, clean) for commit, clean, _ in commits})
    with staged_reference(root) as staged:
        for path in sources:
            for file in (root / path, side_car(root / path)):
                shutil.copy(file, staged / "results")
        verdicts = counted_verdicts(staged / "results" / "verdicts.csv")
        facts = Facts(study, records, commits, _dates(root, commits), verdicts)
        text = readme(facts, whole_time(staged / "results" / "runtimes.csv"), as_png)
        (staged / "results" / "README.md").write_text(text, encoding="utf-8")
        return put_finished(root, staged, study)


def _dates(root: Path, commits: Iterable[tuple[str | None, bool | None, str]]) -> dict[str, str]:
    """Date of each commit that git knows here."""
    dates = {}
    for commit in {commit for commit, _, _ in commits if commit}:
        command = ["git", "-C", str(root), "show", "-s", "--format=%cs", commit]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            continue
        if answer.returncode == 0:
            dates[commit] = answer.stdout.strip()
    return dates


def run_configuration(root: Path, scale: str) -> dict[str, Any]:
    """Configuration of the run at ``scale``: the one it kept, else that of the project."""
    kept = root / "results" / scale / "config.yaml"
    return load_config(kept, root) if kept.is_file() else read_configuration(root, scale=scale)


def main(arguments: list[str] | None = None) -> int:
    """Make the reference run of each study."""
    parser = argparse.ArgumentParser(
        prog="python -m plausible.reproduction.reference",
        description="Copy a finished run to results/reference and reports/reference.",
    )
    parser.add_argument("--scale", default="paper", help="scale of the run (default: paper)")
    parser.add_argument("--study", help="one study (default: all of the configuration)")
    parser.add_argument(
        "--from-tables",
        action="store_true",
        help="keep the tables of the reference run, make all that is shown of them again",
    )
    parser.add_argument(
        "--carry",
        metavar="TABLE",
        action="append",
        default=[],
        help="with --from-tables: take this older table for one of the present code; repeatable",
    )
    parser.add_argument("--because", default="", help="why the tables to carry may be taken so")
    parser.add_argument("--root", metavar="PATH", help="folder of the Snakefile (default: here)")
    parser.add_argument(
        "--allow-mixed",
        action="store_true",
        help="take files of several commits or of uncommitted code; the README then names them",
    )
    options = parser.parse_args(arguments)
    try:
        root = project_root() if options.root is None else Path(options.root)
        config = run_configuration(root, options.scale)
        names = config["studies"] if options.study is None else [options.study]
        studies = {name: read_study(root, name, config) for name in names}
        for name, study in studies.items():
            done = (
                make_again(root, study, options.carry, options.because)
                if options.from_tables
                else make_reference(root, study, options.allow_mixed)
            )
            counts = ", ".join(f"{count} {verdict}" for verdict, count in done.verdicts.items())
            print(f"results/{NAME}/{name}: {done.files} files, {done.size / 1e6:.2f} MB; {counts}")
            for link in done.dead_links:
                print(f"reports/{NAME}/{name}.html: the link {link} leads nowhere here")
        write_reference_index(root)
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
