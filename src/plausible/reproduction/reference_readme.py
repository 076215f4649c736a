"""The page that stands beside a reference run and says where it comes from."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from plausible.reproduction.declaration import Study
from plausible.reproduction.pages import render
from plausible.reproduction.runtimes import minutes_text

Commit = tuple[str | None, bool | None, str]
"""Commit, whether the tree was clean, and the rule that wrote a file."""

TREES = {True: "clean", False: "**with uncommitted changes**", None: ""}


class MadeBy(NamedTuple):
    """Which code a table is of."""

    name: str
    commit: str | None
    carried_to: str | None
    because: str | None


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


def readme(facts: Facts, whole: Mapping[str, str], as_png: list[str]) -> str:
    """Text of the page, in Markdown.

    Parameters
    ----------
    facts:
        What is known about the run.
    whole:
        Row of the whole study in the table of run times, empty if there is none.
    as_png:
        Results whose picture is kept as PNG.
    """
    codes = _codes(facts)
    commit, date, clean, _ = codes[0]
    return render(
        "reference.md.j2",
        study=facts.study,
        facts=_facts(facts, whole),
        verdicts=facts.verdicts,
        code=None,
        groups={},
        owner=None,
        lacking=[],
        kept=[],
        codes=[
            (f"`{name}`" if name else "unknown code", when, TREES[tree], rules)
            for name, when, tree, rules in codes
        ],
        commit=commit,
        date=date,
        clean=clean,
        as_png=as_png,
    )


def _facts(facts: Facts, whole: Mapping[str, str]) -> list[list[str]]:
    records = list(facts.records.values())
    rows = [
        ["data set", f"`{facts.study.dataset}`"],
        _seeds(facts.study),
        ["machine", _most(_machine(record) for record in records)],
        ["system", _most(str(record.get("platform")) for record in records)],
        ["Python", _most(str(record.get("python")) for record in records)],
        ["packages", _most(_packages(record) for record in records)],
    ]
    return rows + _costs(whole)


def _seeds(study: Study) -> list[str]:
    return ["seeds", ", ".join(map(str, study.seeds))]


def _costs(whole: Mapping[str, str]) -> list[list[str]]:
    if not whole:
        return []
    minutes = minutes_text(float(whole["minutes"] or "nan"), int(whole["jobs_without_time"]))
    memory = float(whole["peak_memory_mb"] or "nan")
    return [
        ["time", f"{minutes} minutes on one core, {whole['jobs']} jobs"],
        ["memory", f"{memory:.0f} MB in the largest job"],
    ]


def with_facts(text: str, study: Study, whole: Mapping[str, str]) -> str:
    """The page with the seeds and the run times of a later run."""
    rows = {name: f"| {name} | {value} |" for name, value in [_seeds(study), *_costs(whole)]}
    lines = text.splitlines(keepends=True)
    places = [re.match(r"\| (\w+) \|", line) for line in lines]
    return "".join(
        f"{rows[found[1]]}\n" if found and found[1] in rows else line
        for line, found in zip(lines, places, strict=True)
    )


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


def _codes(facts: Facts) -> list[tuple[str | None, str, bool | None, str]]:
    """Commit, its date, whether the tree was clean, files by rule: of each code of the run."""
    states = {(commit, clean) for commit, clean, _ in facts.commits}
    codes = []
    for commit, clean in sorted(
        states, key=lambda state: (facts.dates.get(state[0], ""), str(state))
    ):
        rules = [
            f"{rule} {count}"
            for (name, tree, rule), count in sorted(facts.commits.items(), key=str)
            if (name, tree) == (commit, clean)
        ]
        codes.append((commit, facts.dates.get(commit, ""), clean, ", ".join(rules)))
    return codes


def with_verdicts(
    text: str,
    counts: Mapping[str, int],
    code: Mapping[str, Any],
    made_by: Sequence[MadeBy],
    lacking: Iterable[str],
    kept: Iterable[str],
) -> str:
    """The page with new numbers of verdicts, and with the ``code`` that judged again.

    ``made_by`` tells the code of each table; ``lacking`` names those that no run has made yet, and
    ``kept`` those whose pictures stay as they were. Once all tables belong to one commit, the code
    of the first run is left out.
    """
    found = {name: count for name, count in counts.items() if count}
    groups: dict[tuple, list[str]] = {}
    for table in made_by:
        groups.setdefault(table[1:], []).append(table.name)
    owners = {table.carried_to or table.commit for table in made_by}
    whole = len(owners) == 1 and " " not in str(*owners)  # a word behind it: not of a clean tree
    owner = owners.pop() if whole else None
    if owner and list(groups) == [(owner, None, None)]:
        groups = {}  # nothing more to say
    section = render(
        "reference_verdicts.md.j2",
        verdicts=found,
        code=code,
        groups=groups,
        owner=owner,
        lacking=lacking,
        kept=kept,
    )
    until = r"(?=## Files\n)" if owner else r"(?=## Code\n|## Files\n)"
    return re.sub(rf"(?s)## Verdicts\n.*?{until}", lambda _: section, text)
