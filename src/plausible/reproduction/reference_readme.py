"""The page that stands beside a reference run and says where it comes from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from plausible.reproduction.declaration import Study
from plausible.reproduction.runtimes import minutes_text

Commit = tuple[str | None, bool | None, str]
"""Commit, whether the tree was clean, and the rule that wrote a file."""


TREES = {True: "clean", False: "**with uncommitted changes**", None: ""}


class Facts(NamedTuple):
    """What is known about a run.

    ``records`` is the provenance of every file, ``commits`` counts the files by their code,
    ``dates`` are those of the commits, ``verdicts`` counts the verdicts.
    """

    study: Study
    records: Mapping[str, Mapping[str, Any]]
    commits: Counter[Commit]
    dates: Mapping[str, str]
    verdicts: Mapping[str, int]


def readme(
    facts: Facts, whole: Mapping[str, str], as_png: list[str], with_notebook: bool, limit: int
) -> str:
    """Text of the page, in Markdown.

    Parameters
    ----------
    facts:
        What is known about the run.
    whole:
        Row of the whole study in the table of run times, empty if there is none.
    as_png:
        Results whose picture is kept as PNG.
    with_notebook:
        Whether the notebook itself is part of the reference run.
    limit:
        Bytes that a reference run may take.
    """
    study = facts.study
    html = f"../../../reports/reference/{study.name}.html"
    parts = [
        f"# Reference run of `{study.name}`",
        f"{study.title}. A finished run at the scale `{study.scale}`, to read without running "
        f"anything: [the executed report]({html}), [the verdicts](verdicts.csv), and every table "
        "and picture of the report in this folder.",
        _table(["", ""], _facts(facts, whole)),
        "## Verdicts",
        _table(["verdict", "rows"], [[name, str(n)] for name, n in facts.verdicts.items()]),
        "## Code",
        *_code(facts),
        "## Files",
        f"`<result>.csv` holds the data of a result, `<result>.svg` its picture, `<result>.md` its "
        "table for people, `runtimes.csv` minutes and memory, and `<file>.json` beside each the "
        "provenance. File names in the provenance are those of the run, "
        f"`results/{study.scale}/{study.name}/...`; trained networks and spiking simulations are "
        "not part of this folder, their checksums are.",
    ]
    if as_png:
        names = ", ".join(f"`{name}`" for name in as_png)
        parts.append(f"Pictures with very many points are kept as PNG instead of SVG: {names}.")
    if not with_notebook:
        parts.append(
            f"The notebook behind the report is left out, because the limit of {limit / 1e6:g} MB "
            "was reached."
        )
    commit = next(iter(facts.commits))[0] if len(_states(facts)) == 1 else None
    steps = [f"git checkout {commit}"] if commit else []
    steps += ["make setup && source .venv/bin/activate"]
    steps += [f"snakemake --cores 8 all --config scale={study.scale}"]
    steps += [
        "make reference" + ("" if study.scale == "paper" else f' ARGS="--scale {study.scale}"')
    ]
    parts += ["## Make it again", "\n".join(["```sh", *steps, "```"])]
    return "\n\n".join(parts) + "\n"


def _states(facts: Facts) -> set[tuple[str | None, bool | None]]:
    return {(commit, clean) for commit, clean, _ in facts.commits}


def _facts(facts: Facts, whole: Mapping[str, str]) -> list[list[str]]:
    records = list(facts.records.values())
    rows = [
        ["data set", f"`{facts.study.dataset}`"],
        ["seeds", ", ".join(map(str, facts.study.seeds))],
        ["machine", _most(_machine(record) for record in records)],
        ["system", _most(str(record.get("platform")) for record in records)],
        ["Python", _most(str(record.get("python")) for record in records)],
        ["packages", _most(_packages(record) for record in records)],
    ]
    if whole:
        minutes = minutes_text(float(whole["minutes"] or "nan"), int(whole["jobs_without_time"]))
        memory = float(whole["peak_memory_mb"] or "nan")
        rows.append(["time", f"{minutes} minutes on one core, {whole['jobs']} jobs"])
        rows.append(["memory", f"{memory:.0f} MB in the largest job"])
    return rows


def _machine(record: Mapping[str, Any]) -> str:
    gpu = record.get("gpu")
    return f"{record.get('cpu')}, {record.get('cpu_cores')} cores, {gpu or 'no GPU used'}"


def _packages(record: Mapping[str, Any]) -> str:
    packages = record.get("packages") or {}
    return ", ".join(f"{name} {version}" for name, version in packages.items() if version)


def _most(values: Iterable[str]) -> str:
    """The value, or every value with the number of files that it holds for."""
    counts = Counter(values).most_common()
    if len(counts) == 1:
        return counts[0][0]
    return "; ".join(f"{value} ({count} files)" for value, count in counts)


def _code(facts: Facts) -> list[str]:
    states = _states(facts)
    if len(states) == 1:
        commit, clean = next(iter(states))
        date = f" of {facts.dates[commit]}" if commit in facts.dates else ""
        if not commit:
            return ["All files were made by code that is in no repository, so no commit is known."]
        tree = "a clean tree" if clean else "**uncommitted changes in the tree**"
        return [f"All files were made by commit `{commit}`{date}, with {tree}."]
    rows = []
    for commit, clean in sorted(
        states, key=lambda state: (facts.dates.get(state[0], ""), str(state))
    ):
        rules = {
            rule: count
            for (name, tree, rule), count in sorted(facts.commits.items(), key=str)
            if (name, tree) == (commit, clean)
        }
        rows.append(
            [
                f"`{commit}`" if commit else "unknown code",
                facts.dates.get(commit, ""),
                TREES[clean],
                ", ".join(f"{rule} {count}" for rule, count in rules.items()),
            ]
        )
    return [
        "**The files were not made by one commit.** Snakemake makes a file again when code that it "
        "depends on has changed, and keeps it otherwise. Which code made which files:",
        _table(["commit", "date", "tree", "files by rule"], rows),
    ]


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
