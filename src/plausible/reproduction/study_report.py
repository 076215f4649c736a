"""Everything that the report of one study shows, as pieces of HTML read from finished files.

The notebook templates in workflow/notebooks only arrange these pieces. Nothing is computed here
but sums and rearrangements of tables; numbers come from results, verdicts and provenance.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.declaration import load_study, page_name
from plausible.reproduction.evidence import present_protocols
from plausible.reproduction.findings import key_findings
from plausible.reproduction.made_from import how_it_was_made
from plausible.reproduction.meanings import ENTRY_MEANINGS, ROW_MEANINGS
from plausible.reproduction.pages import Html, badge, breakable, picture, piece, table
from plausible.reproduction.provenance import side_car
from plausible.reproduction.published import load_published, result_name
from plausible.reproduction.reasons import load_reasons
from plausible.reproduction.report_tables import (
    markdown_html,
    protocol_table,
    read_entries,
    read_table,
    read_verdicts,
    runtime_rows,
    setting_differences,
    verdict_rows,
    why,
)
from plausible.reproduction.study_files import part_title
from plausible.reproduction.summaries import (
    entry_counts,
    headline,
    protocol_summary,
    surviving_causes,
)
from plausible.yaml_files import read_yaml

REFERENCE = "the reference run at the paper scale"
LONG = 12
"""Rows of a table that stands folded."""
UNCHANGED = {
    "seeds": None,
    "seeds_per_job": None,
    "device": "cpu",
    "data": {"dataset": None, "sets": {}},
    "overrides": {},
}
"""Configuration in which a study is run as it is declared."""


LATER = Html("<p>Not in this run, which is older than this result.</p>")


class StudyReport:
    """Pieces of the report of one study at one scale.

    Parameters
    ----------
    study, scale:
        Names.
    results_dir:
        Folder of the study's results, e.g. ``results/demo/thuesen2022``. Beside it stands the
        configuration of the run, ``config.yaml``; without one nothing was changed in it.
    published_dir, study_dir:
        Folders ``workflow/published/<study>`` and ``workflow/studies/<study>``.
    reference_dir:
        Folder of the committed reference run; without one (or if it is not there) the columns of
        the reference are left out.
    """

    def __init__(
        self,
        study: str,
        scale: str,
        results_dir: str | Path,
        published_dir: str | Path,
        study_dir: str | Path,
        reference_dir: str | Path | None = None,
    ) -> None:
        self.study, self.scale = study, scale
        self.folder = Path(results_dir)
        kept = self.folder.parent / "config.yaml"
        config = read_yaml(kept) if kept.is_file() else UNCHANGED
        self.notebooks = Path(study_dir).parents[1] / "notebooks" / study
        self.declared = load_study(study_dir, {**config, "scale": scale})
        self.declaration, parts = self.declared.declaration, self.declared.parts
        self.published = load_published(published_dir, parts)
        self.causes_given = load_reasons(study, parts).causes
        self.verdicts = read_verdicts(self.folder / "verdicts.csv")
        reference = Path(reference_dir) if reference_dir else None
        self.reference = reference if reference and (reference / "verdicts.csv").is_file() else None
        self.reference_verdicts = (
            read_verdicts(self.reference / "verdicts.csv") if self.reference else None
        )
        self.judged = read_entries(self.folder / "entries.csv")
        self.times = read_table(self.folder / "runtimes.csv")
        self.shown: set[str] = set()

    # ------------------------------------------------------------------------- overview

    def headline(self) -> Html:
        """How much of the document holds."""
        return piece("lead", headline(self.judged))

    def summary(self) -> Html:
        """Facts of the run."""
        source = self.published.source
        record = self._record("verdicts.csv")
        commit = record.get("git_commit")
        state = {True: "", False: " (with uncommitted changes)", None: ""}[record.get("git_clean")]
        packages = record.get("packages", {})
        versions = [f"{name} {packages[name]}" for name in ("torch", "numpy") if packages.get(name)]
        shown = {
            "document": f"{', '.join(source['authors'])}: {source['title']} ({source['year']}), "
            f"{source['kind']}",
            "scale": self.scale,
            "data": self.declared.dataset,
            "seeds": ", ".join(map(str, self.declared.seeds)),
            "code": f"commit {commit[:12]}{state}" if commit else "",
            "software": ", ".join([f"Python {record['python']}", *versions]) if record else "",
            "machine": ", ".join(filter(None, [record.get("cpu"), record.get("gpu")])),
        }
        return piece("facts", shown)

    def findings(self) -> Html:
        """Key findings, each with its picture and the way to its entry.

        Those of a run that cannot be compared with the document are those of the reference run.
        """
        own = self.declared.as_declared()
        folder = self.folder if own else self.reference
        if folder is None:
            return Html("<p>Only a run at the paper scale can say.</p>")
        shown, pictures = [], set()
        declared = self.declaration.get("key_findings", ())
        for one in key_findings(self.published, declared, folder):
            title = self.published.entry(one.entry)["title"]
            new = self._drawn(one.picture) and one.picture not in pictures
            pictures.add(one.picture)
            drawn = picture(folder / one.picture, title) if new else ""
            shown.append((one, title, self._place(one.entry), drawn))
        return piece("findings", shown, "" if own else REFERENCE)

    def _drawn(self, name: str) -> bool:
        """Whether a result has a picture of its own."""
        return bool(self.declaration["results"].get(name, {}).get("figure"))

    def holds(self) -> Html:
        """Every entry with its verdict and one sentence, by parts, each with a link to its page."""
        parts = []
        for part in self.declared.parts:
            page = page_name(self.study, part)
            rows = [
                [
                    piece("link", f"{page}#{row.id}", breakable(result_name(row.id))),
                    row.title,
                    badge(row.verdict),
                    row.sentence,
                ]
                for row in self.judged[self.judged["part"] == part].itertuples()
            ]
            header = ["result", "title", "verdict", "why"]
            shown = table(header, rows, classes=["id", "wide", "", "wide"])
            counts = entry_counts(self.judged[self.judged["part"] == part])
            parts.append(piece("part", page, part_title(self.notebooks, part), counts, shown))
        return Html("").join(parts)

    def meanings(self) -> Html:
        """What each verdict means, of an entry and of a row."""
        entries = [[badge(name), text] for name, text in ENTRY_MEANINGS.items()]
        rows = [[badge(name), text] for name, text in ROW_MEANINGS.items()]
        header, kinds = ["verdict", "meaning"], ["", "wide"]
        return table(header, entries, "Of a published entry", kinds) + table(
            header, rows, "Of a row: one number or statement under one protocol", kinds
        )

    def glossary(self) -> Html:
        """What each protocol is, and what the abbreviations mean."""
        return table(["term", "meaning"], self.declared.terms.items(), classes=["", "wide"])

    def protocol_settings(self) -> Html:
        """Settings of trainings and spiking simulations in which the protocols differ."""
        study, protocols = self.declared, present_protocols(self.declaration["protocols"])
        training, spiking = {}, {}
        for run in self.declaration["train"]:
            training[run] = {
                name: study.training_settings(run, name) for name in study.protocols(run)
            }
        for simulation in self.declaration["simulate"]:
            for job in study.simulation_jobs(simulation):
                settings = study.simulation_settings(simulation, job.run, job.protocol)
                spiking.setdefault(job.run, {})[job.protocol] = settings
        header = ["setting", *(name.replace("_", " ") for name in protocols), "runs"]
        return Html("").join(
            table(header, setting_differences(settings, protocols), caption, ["id"])
            for settings, caption in ((training, "Training"), (spiking, "Spiking simulation"))
        )

    # ---------------------------------------------------------------------- one result

    def entry(self, name: str, table: bool = True) -> Html:
        """A published result: picture and table, verdict, one sentence, and what stands behind.

        ``table`` is False where the notebook has a fuller one than the readable one.
        """
        entry = self.published.entry(name)
        identifier, name = entry["id"], result_name(entry["id"])
        self.shown.add(identifier)
        own = self.declaration["results"].get(name, {}) if "same_as" not in entry else {}
        shown = self.figure(name) if "figure" in own else Html("")
        shown += self.readable(name) if table and "markdown" in own else ""
        rows = self.verdicts[self.verdicts["id"] == identifier]
        judged = self.judged[self.judged["id"] == identifier].iloc[0]
        statements = {one["id"]: one for one in entry["expect"]}
        behind = verdict_rows(rows, self.reference_verdicts, statements) if len(rows) else ""
        made = how_it_was_made(self.declared, self.published, identifier, self.folder, self.times)
        place = self._place(entry["same_as"]) if "same_as" in entry else ""
        return piece(
            "entry", entry, judged, *why(rows, judged.protocol), shown, place, behind, made
        )

    def entries(self, *names: str) -> Html:
        """Several results one below the other."""
        return Html("").join(self.entry(name) for name in names)

    def _place(self, identifier: str) -> str:
        """Address of an entry on the page of its part."""
        return f"{page_name(self.study, self.published.part_of[identifier])}#{identifier}"

    def figure(self, name: str, caption: str = "") -> Html:
        """Picture of a result; of one that a kept run is older than, a sentence."""
        if self.made_later(name):
            return LATER
        return picture(self.folder / name, self._title(name), caption)

    def _title(self, name: str) -> str:
        declared = self.declaration["results"].get(name, {})
        identifier = f"{self.study}.{name}"
        if identifier in self.published.entries:
            return self.published.entries[identifier]["title"]
        return declared.get("title", name)

    def beyond(self, name: str) -> Html:
        """Title and picture of a result that the document does not have."""
        return piece("titled", self._title(name), self.figure(name))

    def made_later(self, name: str) -> bool:
        """Whether a kept run is older than a result, and so lacks it."""
        declared = name in self.declaration["results"]
        table = f"{(declared and self.declared.shown_in(name)) or name}.csv"
        return (
            declared
            and (self.folder / "README.md").is_file()
            and not (self.folder / table).is_file()
        )

    def readable(self, name: str) -> Html:
        """Table that people read: the Markdown file of a result."""
        path = self.folder / f"{name}.md"
        if self.made_later(name):
            return Html("")
        if not path.is_file():
            raise StudyError(f"{path} is missing; build the results before their report.")
        text = path.read_text(encoding="utf-8")
        rows = sum(line.startswith("|") for line in text.splitlines()) - 2
        shown = markdown_html(text)
        return shown if rows <= LONG else piece("folded", f"The table: {rows} rows", shown)

    # ------------------------------------------------------------- tables, for the parts

    def table(self, name: str) -> pd.DataFrame:
        """Tidy table of a result of this run."""
        return read_table(self.folder / f"{name}.csv")

    def reference_table(self, name: str) -> pd.DataFrame | None:
        """Tidy table of a result of the reference run, if there is one."""
        return read_table(self.reference / f"{name}.csv") if self.reference else None

    # --------------------------------------------------------------------- whole tables

    def which_protocol(self) -> Html:
        """Which protocol yields each published number: in this run, and in the reference run.

        Numbers that the scale of this run does not allow to compare are left to the reference.
        """
        own = protocol_summary(self.verdicts)
        reference = ""
        if self.reference_verdicts is not None:
            summary = protocol_summary(self.reference_verdicts)
            reference = protocol_table(summary)
        shown = protocol_table(own[own["comparable"]])
        return piece("which_protocol", shown, int((~own["comparable"]).sum()), reference)

    def causes(self) -> Html:
        """Which of the document's explanations survive, here and in the reference run."""
        frame = surviving_causes(self.verdicts, self.study, self.causes_given)
        reference = [""] * len(frame)
        if self.reference_verdicts is not None:
            known = surviving_causes(self.reference_verdicts, self.study, self.causes_given)
            reference = [badge(outcome) for outcome in known["outcome"]]
        rows = [
            (row.section, row.explanation, badge(row.outcome), found, row.evidence, row.remark)
            for row, found in zip(frame.itertuples(), reference, strict=True)
        ]
        return piece("causes", rows)

    def runtimes(self) -> Html:
        """Minutes on one core and peak memory of every result and stage."""
        return piece("run_times", runtime_rows(self.table("runtimes")))

    def unshown(self) -> Html:
        """Published entries that no cell has shown; the report ends with none."""
        missing = [name for name in self.published.entries if name not in self.shown]
        if missing:
            raise StudyError(f"the report of {self.study} leaves out {', '.join(missing)}.")
        return piece("complete", len(self.shown), len(self.published.omitted))

    # ----------------------------------------------------------------------- provenance

    def _record(self, name: str) -> dict[str, Any]:
        path = side_car(self.folder / name)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
