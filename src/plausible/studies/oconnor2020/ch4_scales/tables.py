"""Tables of O'Connor 2020, section 4.6.2 and appendix B.5, ours beside the published values."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from plausible.reproduction.markdown import markdown_table, mean_text
from plausible.studies.oconnor2020.ch4_scales.settings import ORDERS, READINGS, TENTH

Published = Mapping[str, Any]
"""Values of table B.1: labels, and rows by lambda."""
TITLES = {"file": "order of the file", "temporal": "temporal order"}


def table_b1_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table B.1: every cell as ours with, in brackets, the published one.

    A table for each reading and for unitwise scales, which the thesis does not print.
    """
    parts = []
    table = table[table["granularity"] != TENTH]
    for (protocol, granularity), rows in table.groupby(["protocol", "granularity"], sort=False):
        test = READINGS[protocol].test_part
        lines = []
        for setting, group in by_setting(rows):
            for network, title in published["networks"].items():
                chosen = group[group["network"] == network]
                if chosen.empty:
                    continue
                printed = {}
                if granularity == "layerwise":
                    printed = published_cells(published, setting, network)
                start = ["1 (unoptimized)" if setting is None else f"lambda {setting:.3g}", title]
                lines.append(start + _cells(chosen, printed, network, test))
        header = ["scales", "network"]
        for title in TITLES.values():
            header += [f"{title}: kOps", "training error %", "test error %", "energy nJ"]
        brackets = ", in brackets the published value" if granularity == "layerwise" else ""
        parts.append(
            f"Protocol `{protocol}`, {granularity} scales, test images: {test} split; "
            f"{_average(rows)}{brackets}\n\n" + markdown_table(header, lines)
        )
    note = (
        "Original: dense / sparse; the dense counts are the same for every seed. The order of the "
        "file is MNIST, the temporal order Temporal MNIST in the thesis.\n"
    )
    return "\n".join([*parts, note])


def _average(rows: pd.DataFrame) -> str:
    seeds = rows["seed"].nunique()
    return "one seed" if seeds == 1 else f"mean ± 95 % interval over {seeds} seeds"


def by_setting(rows: pd.DataFrame) -> Iterator[tuple[float | None, pd.DataFrame]]:
    """Rows of the unoptimized networks (None), and of each lambda from the smallest on."""
    yield None, rows[rows["setting"] == "unoptimized"]
    yield from rows.groupby("lambda")


def published_row(published: Published, strength: float | None) -> Published:
    """The published row of a lambda (None: unoptimized), or an empty one."""
    for row in published["rows"]:
        if math.isclose(row.get("lambda", 0.0), strength or 0.0, rel_tol=1e-6):
            return row
    return {}


def published_cells(published: Published, strength: float | None, network: str) -> Published:
    """Published cells of a network by the order of the images, or none.

    The original network has no scales and stands once for all.
    """
    if network == "original":
        return published["original"]
    return published_row(published, strength).get(network, {})


def _cells(rows: pd.DataFrame, printed: Published, network: str, test: str) -> list[str]:
    cells = []
    for order in ORDERS:
        chosen, known = rows[rows["order"] == order], printed.get(order, {})
        tested, trained = (chosen[chosen["part"] == part] for part in (test, "training"))
        cells += [
            _cost(tested, "kflops", 1, network, known),
            _beside(_over_seeds(trained["error_percent"], 3), known.get("training_error_percent")),
            _beside(_over_seeds(tested["error_percent"], 2), known.get("test_error_percent")),
            _cost(tested, "energy_nj", 2, network, known),
        ]
    return cells


def _cost(rows: pd.DataFrame, column: str, digits: int, network: str, known: Published) -> str:
    """Operations or energy; of the original network those of a dense and of a sparse pass."""
    if network != "original":
        return _beside(_over_seeds(rows[column], digits), known.get(column))
    name, dash, unit = column.partition("_")
    dense, sparse = (f"{name}_{kind}{dash}{unit}" for kind in ("dense", "sparse"))
    pairs = ((column, dense), (sparse, sparse))
    return " / ".join(_beside(_count(rows[one], 1), known.get(cell)) for one, cell in pairs)


def _beside(text: str, printed: float | None) -> str:
    return text if printed is None else f"{text} ({printed:g})"


def _over_seeds(values: pd.Series, digits: int) -> str:
    """Mean with its interval over seeds; of runs that diverged none is left out silently."""
    return "diverged" if values.isna().any() else mean_text(values, digits)


def _count(values: pd.Series, digits: int) -> str:
    """As ``_over_seeds``, but without interval where the shape of the network fixes the count."""
    if values.isna().any() or not np.allclose(values, values.iloc[0], rtol=1e-9, atol=0):
        return _over_seeds(values, digits)
    return f"{values.iloc[0]:.{digits}f}"


def official_split_markdown(table: pd.DataFrame, published: Published) -> str:
    """Error and operations on both test parts, layerwise scales as coded, in temporal order."""
    rows = table[(table["protocol"] == "as_coded") & (table["granularity"] == "layerwise")]
    rows = rows[rows["order"] == "temporal"]
    lines = []
    for setting, group in by_setting(rows):
        for network, title in published["networks"].items():
            chosen = group[group["network"] == network]
            if chosen.empty:
                continue
            known = published_cells(published, setting, network).get("temporal", {})
            thesis, official = (
                chosen[chosen["part"] == part].set_index("seed") for part in ("thesis", "official")
            )
            errors = [each["error_percent"] for each in (thesis, official)]
            line = ["1 (unoptimized)" if setting is None else f"{setting:.3g}", title]
            line += [_over_seeds(each, 2) for each in (*errors, errors[1] - errors[0])]
            line.append(_printed(known, "test_error_percent"))
            line += [_cost(each, "kflops", 1, network, {}) for each in (thesis, official)]
            lines.append([*line, _printed(known, "kflops", "kflops_dense", "kflops_sparse")])
    header = ["lambda", "network", "error %, thesis split", "error %, official split"]
    header += ["official less thesis, points", "published error %"]
    header += ["kOps, thesis split", "kOps, official split", "published kOps"]
    note = (
        f"Protocol `as_coded`, layerwise scales, temporal order; {_average(rows)}"
        " of the same networks on both splits. The difference is taken seed by seed. Original: "
        "dense / sparse operations.\n"
    )
    return markdown_table(header, lines) + "\n" + note


def _printed(known: Published, *keys: str) -> str:
    """Published numbers under those of the keys that there are."""
    return " / ".join(f"{known[key]:g}" for key in keys if key in known) or "-"


def quantisation_frontier_markdown(table: pd.DataFrame, published: Published) -> str:
    """Error and cost on the official test images: sigma-delta, rounding, integers of a few bits."""
    rows = table[(table["part"] == "official") & (table["protocol"] == "as_coded")]
    rows = rows[rows["granularity"] != TENTH]
    lines = []
    keys = ["network", "granularity", "setting", "lambda", "bits", "order"]
    for key, group in rows.groupby(keys, sort=False, dropna=False):
        network, granularity, setting, strength, bits, order = key
        memoryless = network != "sigma_delta"
        if memoryless and order == "temporal":
            continue  # the same numbers as in the order of the file
        sparse = group["kflops_sparse"].notna().all()
        lines.append(
            [
                network.replace("_", "-"),
                granularity if setting == "optimized" else "-",
                f"{strength:.3g}" if setting == "optimized" else "-",
                f"{bits:.0f}" if network == "quantised" else "32",
                "any" if memoryless else TITLES[order],
                _over_seeds(group["error_percent"], 2),
                _count(group["kflops"], 1),
                _count(group["kflops_sparse"], 1) if sparse else "-",
                _count(group["energy_nj"], 2),
                _count(group["energy_sparse_nj"], 2) if sparse else "-",
            ]
        )
    header = ["network", "scales", "lambda", "bits", "order", "test error %", "kOps"]
    header += ["kOps without zeros", "energy nJ", "energy nJ without zeros"]
    note = (
        f"Protocol `as_coded`, official split; {_average(rows)}. Energy: "
        "0.1 pJ an addition of 32 bits, 3.1 pJ (b / 32)^2 a product of b bits.\n"
    )
    return markdown_table(header, lines) + "\n" + note
