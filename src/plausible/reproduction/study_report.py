"""Everything that the report of one study shows, as pieces of HTML read from finished files.

The notebook templates in workflow/notebooks only arrange these pieces. Nothing is computed here
but sums and rearrangements of tables; numbers come from results, verdicts and provenance.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from plausible.errors import StudyError
from plausible.files import read_yaml
from plausible.reproduction.declaration import load_study
from plausible.reproduction.evidence import present_protocols
from plausible.reproduction.pages import Html, badge, picture, piece, table
from plausible.reproduction.provenance import side_car
from plausible.reproduction.published import load_published, result_name
from plausible.reproduction.reasons import load_reasons
from plausible.reproduction.report_tables import (
    markdown_html,
    note_cells,
    protocol_table,
    read_table,
    read_verdicts,
    reproduced_cell,
    runtime_rows,
    setting_differences,
)
from plausible.reproduction.summaries import (
    protocol_summary,
    surviving_causes,
)
from plausible.reproduction.verdicts import (
    DIFFERS,
    ILLUSTRATION,
    NEEDS_DATA,
    NOT_COMPARABLE,
    REPRODUCED,
    verdict_counts,
)
from plausible.reproduction.wording import decimals_of, number_text

UNCHANGED = {
    "seeds": None,
    "seeds_per_job": None,
    "device": "cpu",
    "data": {"dataset": None},
    "overrides": {},
}
"""Configuration in which a study is run as it is declared."""
MEANINGS = {
    REPRODUCED: "The number lies within the published tolerance, or the statement holds; for a "
    "number without a tolerance, within the 95 % interval of one further run of ours. The mean "
    "over seeds decides; where its interval reaches across the bound, the note says so.",
    DIFFERS: "It does not. The note says why where the cause is known; no tolerance is widened.",
    NOT_COMPARABLE: "This scale cannot tell: other data, shorter training, too few seeds, or runs "
    "that scatter over most of the possible values. The reproduced value is shown all the same.",
    NEEDS_DATA: "A further data set or pretrained weights would be needed.",
    ILLUSTRATION: "A photograph, a borrowed picture, a cited fact or a review.",
}


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
        self.shown: set[str] = set()

    # ------------------------------------------------------------------------- overview

    def summary(self) -> Html:
        """Facts of the run and the number of rows of each verdict."""
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
        counts = verdict_counts(self.verdicts)
        entries = self.verdicts["id"].nunique()
        return piece("summary", shown, len(self.verdicts), entries, counts)

    def outcomes(self) -> Html:
        """Verdicts of every entry, and of every protocol, in numbers."""
        parts = []
        for key, name in (("id", "result"), ("protocol", "protocol")):
            rows = []
            known = self.verdicts[key].unique()
            order = known if key == "id" else ["", *present_protocols(known)]
            for value in order:
                group = self.verdicts[self.verdicts[key] == value]
                title = [group["title"].iloc[0]] if key == "id" else []
                shown = result_name(value) if key == "id" else value or "none"
                rows.append([shown, *title, piece("badges", verdict_counts(group))])
            header = [name, *(["title"] if key == "id" else []), "verdicts"]
            parts.append(table(header, rows, classes=["id"]))
        return Html("").join(parts)

    def meanings(self) -> Html:
        """What each verdict means."""
        rows = [[badge(name), text] for name, text in MEANINGS.items()]
        return table(["verdict", "meaning"], rows, classes=["", "wide"])

    def protocols(self) -> Html:
        """What each protocol is."""
        rows = [
            [name, " ".join(declared["what"].split())]
            for name, declared in self.declaration["protocols"].items()
        ]
        return table(["protocol", "what it is"], rows, classes=["id", "wide"])

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
        header = ["setting", *protocols, "runs"]
        return Html("").join(
            table(header, setting_differences(settings, protocols), caption, ["id"])
            for settings, caption in ((training, "Training"), (spiking, "Spiking simulation"))
        )

    # ---------------------------------------------------------------------- one result

    def entry(self, name: str) -> Html:
        """Title, content, picture (if there is one) and verdicts of a published result."""
        entry = self.published.entry(name)
        self.shown.add(entry["id"])
        drawn = self.declaration["results"].get(name, {}).get("figure") and "same_as" not in entry
        return piece("entry", entry, self.figure(name) if drawn else "", self.verdict_table(name))

    def entries(self, *names: str) -> Html:
        """Several results one below the other."""
        return Html("").join(self.entry(name) for name in names)

    def figure(self, name: str, caption: str = "") -> Html:
        """Picture of a result."""
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

    def readable(self, name: str) -> Html:
        """Table that people read: the Markdown file of a result."""
        path = self.folder / f"{name}.md"
        if not path.is_file():
            raise StudyError(f"{path} is missing; build the results before their report.")
        return markdown_html(path.read_text(encoding="utf-8"))

    def verdict_table(self, *names: str) -> Html:
        """Verdicts of some results: published, reference and this run side by side."""
        wanted = {self.published.entry(name)["id"] for name in names}
        rows = self.verdicts[self.verdicts["id"].isin(wanted)]
        if rows.empty:
            raise StudyError(f"the verdicts have no row for {', '.join(sorted(wanted))}.")
        return self._verdict_rows(rows, several=len(wanted) > 1)

    def _verdict_rows(self, rows: pd.DataFrame, several: bool) -> Html:
        reference = self._reference_cells(rows)
        columns: list[tuple[str, str, list[Any]]] = []
        if several:
            columns.append(("result", "id", [result_name(name) for name in rows["id"]]))
        columns += [
            ("statement or number", "wide", [piece("statement", row) for row in rows.itertuples()]),
            ("protocol", "", list(rows["protocol"])),
            (
                "published",
                "number",
                [number_text(value, decimals_of(value)) for value in rows["published"]],
            ),
            ("reference", "number", reference),
            ("this run", "number", [reproduced_cell(row) for row in rows.itertuples()]),
            ("verdict", "", [badge(value) for value in rows["verdict"]]),
            ("note", "wide", note_cells(rows["note"])),
        ]
        filled = [column for column in columns if any(cell != "" for cell in column[2])]
        lines = zip(*(cells for _, _, cells in filled), strict=True)
        return table(
            [name for name, _, _ in filled], lines, classes=[kind for _, kind, _ in filled]
        )

    def _reference_cells(self, rows: pd.DataFrame) -> list[Any]:
        if self.reference_verdicts is None:
            return [""] * len(rows)
        keys = ["id", "check", "variant", "protocol"]
        known = {
            tuple(getattr(row, key) for key in keys): row
            for row in self.reference_verdicts.itertuples()
        }
        found = [known.get(tuple(getattr(row, key) for key in keys)) for row in rows.itertuples()]
        return ["" if row is None else reproduced_cell(row) for row in found]

    # ------------------------------------------------------------- tables, for the parts

    def table(self, name: str) -> pd.DataFrame:
        """Tidy table of a result of this run."""
        return read_table(self.folder / f"{name}.csv")

    def reference_table(self, name: str) -> pd.DataFrame | None:
        """Tidy table of a result of the reference run, if there is one."""
        return read_table(self.reference / f"{name}.csv") if self.reference else None

    # --------------------------------------------------------------------- whole tables

    def theorems(self, *names: str) -> Html:
        """Verdicts of theorems in one table, with their largest measured deviations."""
        identifiers = [self.published.entry(name)["id"] for name in names]
        self.shown.update(identifiers)
        return piece("anchored", identifiers, self.verdict_table(*names))

    def which_protocol(self) -> Html:
        """Which protocol yields each published number: in this run, and in the reference run.

        Numbers that the scale of this run does not allow to compare are left to the reference.
        """
        own = protocol_summary(self.verdicts)
        reference = ""
        if self.reference_verdicts is not None:
            summary = protocol_summary(self.reference_verdicts)
            reference = protocol_table(summary, "Reference run at the paper scale")
        shown = protocol_table(own[own["comparable"]], "This run")
        return piece("which_protocol", shown, int((~own["comparable"]).sum()), reference)

    def causes(self) -> Html:
        """Which of the document's explanations survive, here and in the reference run."""
        frame = surviving_causes(self.verdicts, self.study, self.causes_given)
        reference = [""] * len(frame)
        if self.reference_verdicts is not None:
            known = surviving_causes(self.reference_verdicts, self.study, self.causes_given)
            reference = [badge(outcome) for outcome in known["outcome"]]
        rows = [
            [row.section, row.explanation, found, badge(row.outcome), row.evidence, row.remark]
            for row, found in zip(frame.itertuples(), reference, strict=True)
        ]
        header = ["section", "explanation of the document", "reference run", "this run"]
        header += ["verdicts of this run", "remark"]
        kinds = ["", "wide", "", "", "wide", "wide"]
        if self.reference_verdicts is None:
            rows = [[*row[:2], *row[3:]] for row in rows]
            del header[2], kinds[2]
        return table(header, rows, classes=kinds)

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
