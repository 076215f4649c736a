"""Table 9.1 for people, measured properties beside its marks, and the costs of an inference."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import markdown_table, mean_text
from plausible.studies.oconnor2020.ch9.claims import MARKS, marks

SYSTEMS = {
    ("mlp", "file"): "MLP",
    ("deep_spiking", "file"): "deep spiking (ch. 3)",
    ("rounding", "file"): "rounding (ch. 4)",
    ("sigma_delta", "file"): "sigma-delta (ch. 4)",
    ("sigma_delta", "temporal"): "sigma-delta, temporal order",
    ("pdnn", "file"): "PDNN (ch. 5)",
    ("pdnn", "temporal"): "PDNN, temporal order",
    ("eqprop", "file"): "EqProp (ch. 2)",
    ("initialised_eqprop", "file"): "initialised EqProp (ch. 7)",
    ("initialised_forward", "file"): "its forward pass alone",
    ("binary_eqprop", "file"): "binary EqProp (ch. 8)",
}
"""Systems whose inference is counted, with the order of the test images."""


def characteristics_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Published marks; in the columns QC and ADP, behind them, the derived ones."""
    measured = {system: rows for system, rows in table.groupby("system")}
    lines = []
    for row in published["rows"]:
        own = marks(measured[row["id"]]) if row["id"] in measured else {}
        cells = [f"{row[mark]} / {own[mark]}" if mark in own else row[mark] for mark in MARKS]
        rows = measured.get(row["id"])
        extra = (
            ["", ""]
            if rows is None
            else [f"{rows[c].mean():.3g}" for c in ("whole_share", "partial_cost")]
        )
        lines.append([row["algorithm"], *cells, *extra])
    header = ["algorithm", *MARKS, "whole messages", "cost of a partial update"]
    notes = "; ".join(f"{number}: {text}" for number, text in published["notes"].items())
    note = (
        "Behind a stroke the mark that follows from what was measured: QC, all messages are whole "
        "numbers; ADP, the change of one input unit costs fewer additions than half of the weights "
        f"(last column: over the number of weights). Notes of the thesis: {notes}.\n"
    )
    return markdown_table(header, lines) + "\n" + note


def inference_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Operations and energy of one inference, mean over seeds."""
    lines = []
    for (system, order), title in SYSTEMS.items():
        rows = table[(table["system"] == system) & (table["order"] == order)]
        counts = [rows[name].mean() / 1e3 for name in ("additions", "multiplications")]
        energies = [rows["energy_nj"], rows["nonzero_energy_nj"]]
        energies.append(rows["energy_nj"] + rows["unit_energy_nj"])
        cells = [f"{each.mean():.4g}" if each.notna().all() else "-" for each in energies]
        error = mean_text(rows["error_percent"], 2)
        lines.append([title, *(f"{count:.4g}" for count in counts), *cells, error])
    header = ["system", "additions, 10³", "multiplications, 10³", "energy nJ"]
    header += ["without products by 0, nJ", "with products of units, nJ", "test error %"]
    note = (
        "One image of the official test images, networks of the same layers. Energy: 3.1 pJ a "
        "product, 0.1 pJ an addition of 32-bit integers (Horowitz 2014), no memory; products of "
        "units are those of encoders, decoders, step sizes and states, which the thesis does not "
        "count. Temporal order: each image is like the one before.\n"
    )
    return markdown_table(header, lines) + "\n" + note
