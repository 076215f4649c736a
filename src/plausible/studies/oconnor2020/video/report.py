"""Evidence for statements about videos that are not to be had, from other videos and networks."""

import pandas as pd

from plausible.reproduction.evidence import Evidence
from plausible.reproduction.judging import DIFFERS, REPRODUCED
from plausible.reproduction.pages import Html, breakable, table
from plausible.reproduction.published import result_name
from plausible.reproduction.study_report import LATER, StudyReport
from plausible.reproduction.verdicts import claims_of, rows_of_entry
from plausible.reproduction.wording import number_text
from plausible.studies.oconnor2020.video.settings import ORIGINAL
from plausible.studies.oconnor2020.video.tables import MATERIALS, materials

PART = "video"
HERE = {REPRODUCED: "holds here", DIFFERS: "does not hold here"}
"""Of this material: words that are none of a verdict on the thesis."""


def evidence(report: StudyReport) -> Html:
    """What each published statement would be, were it one about the material of this run.

    The same measurements, bounds and rule as those of the entries; no verdict on the thesis.
    """
    results = ("ch4.fig4.5", "fig_b1", "ch4.noise_training")
    results += ("ch5.fig5.7", "ch5.fig5.8", "fig_c4", "ch5.end_to_end_works")
    if any(report.made_later(name) for name in results):
        return LATER
    tables = {name: report.table(name) for name in results}
    lines = evidence_rows(report, tables)
    header = ["entry", "statement of the thesis", "shown here to", "stated", "found", "so"]
    kinds, caption = ["id", "wide", "", "", "", ""], "Evidence, not verdicts"
    shown_to = {line[2] for line in lines}
    if len(shown_to) == 1:
        # What each row would say alike stands above them.
        caption += f": {shown_to.pop()}"
        for columns in (header, kinds, *lines):
            del columns[2]
    said = Html("<p>{}</p>").format(agreement(tables["ch4.fig4.5"]))
    return table(header, lines, caption, kinds) + said


def agreement(table: pd.DataFrame) -> str:
    """How often the sigma-delta network that saves so much still says what the original says."""
    shares = {}
    for material in materials(table):
        frames = table[(table["material"] == material) & (table["element"] == "frame")]
        shares[MATERIALS[material]] = 100.0 * frames["same_guess"].astype(float).mean()
    said = " and ".join(f"{share:.2g} % ({name})" for name, share in shares.items())
    return (
        "Read what is saved with this beside it: at the weight of computation that the thesis "
        f"takes, sigma-delta has the first guess of the original network on {said} of the frames."
    )


def still_share(report: StudyReport) -> Html:
    """How much of the cost at the highest frame rate a still picture has."""
    if report.made_later("ch5.fig5.8"):
        return LATER
    return Html("<p>{}</p>").format(conclusion(report.table("ch5.fig5.8")))


def conclusion(table: pd.DataFrame) -> str:
    """The share for each material, and what it says about the thesis's cause (C.8)."""
    shares = {}
    for material in materials(table):
        rows = table[table["material"] == material]
        moving = rows[rows["element"] == "rate"]
        fastest = moving.loc[moving["every"] == moving["every"].min(), "pd"].mean()
        shares[MATERIALS[material]] = rows.loc[rows["element"] == "still", "pd"].mean() / fastest
    said = " and ".join(f"{100 * share:.0f} % ({name})" for name, share in shares.items())
    cause = (
        "most of what remains is what k_p sends of a still picture, and not the roughness of "
        "hidden layers that the thesis names"
        if min(shares.values()) > 0.5
        else "what k_p sends of a still picture is not most of what remains in each case"
    )
    return (
        f"Of the additions of a frame at the highest frame rate a still picture takes {said}: "
        f"{cause}."
    )


def evidence_rows(report: StudyReport, tables: dict[str, pd.DataFrame]) -> list[list]:
    """Lines of the table: a statement on one material."""
    published, claims = report.published, claims_of(report.study, PART)
    found = {name for frame in tables.values() for name in frame["material"]}
    lines = []
    for identifier, entry in published.entries.items():
        if published.part_of[identifier] != PART:
            continue
        judged = {**entry, "reproducible": "full", "values": {}}
        places = {name: place for name, place in claims.items() if not name.startswith("numbers_")}
        for material in [name for name in MATERIALS if name in found - {ORIGINAL}]:
            seen = {
                name: frame[frame["material"] == material].assign(material=ORIGINAL)
                for name, frame in tables.items()
            }
            rows = rows_of_entry(Evidence(seen, judged, published, True), places)
            lines += [_line(identifier, material, row) for row in rows]
    return lines


def _line(identifier: str, material: str, row: dict) -> list:
    low, high = number_text(row["ci_low"]), number_text(row["ci_high"])
    interval = f" ({low} to {high})" if low and high else ""
    return [
        breakable(result_name(identifier)),
        row["statement"],
        MATERIALS[material],
        row["resolution"],
        f"{number_text(row['reproduced'])}{interval}",
        HERE.get(row["verdict"], row["verdict"]),
    ]
