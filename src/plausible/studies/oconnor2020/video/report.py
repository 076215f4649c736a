"""Evidence for statements about videos that are not to be had, from other videos and networks."""

import pandas as pd

from plausible.reproduction.evidence import Evidence
from plausible.reproduction.judging import DIFFERS, REPRODUCED
from plausible.reproduction.pages import Html, breakable, table
from plausible.reproduction.published import result_name
from plausible.reproduction.study_report import LATER, StudyReport
from plausible.reproduction.verdicts import claims_of, rows_of_entry
from plausible.reproduction.wording import number_text
from plausible.studies.oconnor2020.video.claims import TOP
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
    results += ("beyond.static_camera",)
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
    said = [
        agreement(tables["ch4.fig4.5"]),
        price_of_agreement(tables["beyond.static_camera"]),
        failed_runs(tables["ch4.noise_training"]),
        change_of_features(tables["fig_b1"]),
    ]
    return table(header, lines, caption, kinds) + Html("<p>{}</p>").format(" ".join(said))


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


ENOUGH = 95.0
"""Percent of frames with the same first guess."""


def price_of_agreement(table: pd.DataFrame) -> str:
    """What sigma-delta saves of a camera that stands still, at scales with which it agrees.

    Where it agrees with none, at the largest ones.
    """
    said = []
    for material in materials(table):
        rows = table[table["material"] == material].groupby("multiple")
        means = rows[["agreement_percent", "original", "sigma_delta"]].mean()
        enough = means[means["agreement_percent"] >= ENOUGH]
        chosen = (enough.iloc[:1] if len(enough) else means.iloc[-1:]).reset_index()
        multiple, agrees, original, sigma_delta = chosen.iloc[0]
        cause = "That weight is the reason: with" if len(enough) else "Even with"
        said.append(
            f"{cause} all scales {multiple:g} times as large it has it on {agrees:.3g} % of the "
            f"frames of a camera that stands still, and needs {original / sigma_delta:.2g} times "
            f"fewer operations than the original ({MATERIALS[material]})."
        )
    return " ".join(said)


def failed_runs(table: pd.DataFrame) -> str:
    """How many optimisations of scales failed in any way."""
    failed = table["diverged"].astype(bool) | table["collapsed"].astype(bool)
    failed |= table["loss_after"] > table["loss_before"]
    return (
        f"Of {len(table)} optimisations of scales, with rounding, with noise, and with the "
        f"computation of all higher layers, {int(failed.sum()) or 'none'} failed."
    )


def change_of_features(table: pd.DataFrame) -> str:
    """How much the top layers change from frame to frame, in units of the pixels."""
    said = []
    for material in materials(table):
        rows = table[(table["material"] == material) & (table["element"] == "change")]
        first = rows.groupby(["seed", "scene"])["frame"].transform("min")
        means = rows[rows["frame"] > first].groupby("layer")[["l1_change"]].mean()
        share = means["l1_change"] / rows.groupby("layer")["l1_norm"].mean()
        ratio = share.iloc[-TOP:].mean() / share.iloc[0]
        said.append(f"{ratio:.2g} times ({MATERIALS[material]})")
    return (
        f"From frame to frame the top layers change {' and '.join(said)} as much as the pixels, by "
        "the L1 norm."
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
