"""Section 4.3 in the report: which method meets which biological constraint."""

from plausible.reproduction.pages import Html, table
from plausible.reproduction.study_report import StudyReport
from plausible.studies.thuesen2022.constraints.tables import verdict_rows


def constraints(report: StudyReport) -> Html:
    """Constraints in rows, methods in columns, and what was measured."""
    frame = report.table("claim.constraints")
    caption = "Verdicts of section 4.3 and of the sections that mention other methods"
    verdicts = table(*verdict_rows(frame), caption)
    measured = frame[frame["measured_value"].notna()]
    columns = ["constraint", "method", "measurement", "measured_value"]
    header = ["constraint", "method", "measured on the implementation", "value"]
    rows = measured[columns].astype(object).to_numpy()
    return verdicts + table(header, rows, classes=["", "", "wide", "number"])
