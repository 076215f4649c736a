"""What was found on error against computation: figure 4.4, table B.1, claims of section 4.6.2.

Everything is read from the one tidy table of table B.1. A protocol's test error is that of its own
test part: the official images by the text, the end of the training file by the code.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise, product

import numpy as np
import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, Number, by_protocol
from plausible.reproduction.wording import quantity
from plausible.studies.oconnor2020.ch4_scales.settings import DISCRETISED, ORDERS, READINGS
from plausible.studies.oconnor2020.ch4_scales.tables import by_setting, published_row

COLUMNS = (
    *("protocol", "granularity", "seed", "setting", "lambda", "network", "order", "part"),
    *("error_percent", "kflops", "kflops_sparse", "energy_nj", "energy_sparse_nj"),
)
NETWORKS = ("original", *DISCRETISED)
B_12 = 397.6
"""Thousands of operations of a dense pass of 784-200-200-10 by eq. B.12."""
DIP = 0.1
"""Points by which the error may fall from one lambda to the next, by the published statement."""


def readings(
    evidence: Evidence, tested: bool = True, *columns: str
) -> list[tuple[str, pd.DataFrame]]:
    """Rows of layerwise scales by protocol: of its test part, or of all parts.

    ``columns`` are further ones that the table must have.
    """
    frame = evidence.table("table_b1", *COLUMNS, *columns)
    found = []
    for protocol, rows in by_protocol(frame[frame["granularity"] == "layerwise"]):
        part = READINGS[protocol].test_part
        found.append((protocol, rows[rows["part"] == part] if tested else rows))
    return found


def of_network(rows: pd.DataFrame, network: str, order: str = "file") -> pd.DataFrame:
    """Rows of one network in one order of the data."""
    return rows[(rows["network"] == network) & (rows["order"] == order)]


def by_strength(rows: pd.DataFrame) -> list[tuple[float, pd.DataFrame]]:
    """Rows of the optimised networks by lambda, from the smallest on, one row a seed."""
    optimised = rows[rows["setting"] == "optimized"]
    return [(float(key), group.set_index("seed")) for key, group in optimised.groupby("lambda")]


def same_errors(evidence: Evidence) -> list[Measured]:
    """Test images that sigma-delta or another order decides otherwise than rounding does."""
    return [
        _differing(protocol, rows[rows["network"].isin(DISCRETISED)])
        for protocol, rows in readings(evidence, True, "differing_predictions")
    ]


def errors_do_not_depend_on_the_order(evidence: Evidence) -> list[Measured]:
    """The same of all three networks, with the training images."""
    found = []
    for protocol, rows in readings(evidence, False, "differing_predictions"):
        parts = rows["part"].isin(["training", READINGS[protocol].test_part])
        found.append(_differing(protocol, rows[parts & rows["network"].isin(NETWORKS)]))
    return found


def _differing(protocol: str, rows: pd.DataFrame) -> Measured:
    """Predictions that differ; a diverged network has none, and takes no part."""
    counts = rows["differing_predictions"].dropna()
    seeds = rows["seed"].nunique()
    note = f"{int(counts.sum())} predictions differ in {len(counts)} runs over all images"
    return Measured(protocol, counts, note=note, seeded=False, exact_seeds=seeds)


def _ratios(above: pd.DataFrame, below: pd.DataFrame) -> dict[str, pd.Series]:
    """Ratio of operations over seeds, for every lambda and for no scales."""
    pairs = zip(by_setting(above), by_setting(below), strict=True)
    return {
        "unoptimized" if strength is None else f"lambda {strength:.3g}": (
            ours.set_index("seed")["kflops"] / theirs.set_index("seed")["kflops"]
        )
        for (strength, ours), (_, theirs) in pairs
    }


def fewer_operations_in_temporal_order(evidence: Evidence) -> list[Measured]:
    """Operations of sigma-delta over those of rounding on Temporal MNIST."""
    return [
        Measured(protocol, _against_rounding(rows, "temporal"))
        for protocol, rows in readings(evidence)
    ]


def more_operations_in_file_order(evidence: Evidence) -> list[Measured]:
    """The same ratio in the order of the file.

    It is a property of the images: of digits whose grey levels fill the square it may be below 1.
    """
    return [
        Measured(protocol, _against_rounding(rows, "file"), full_scale=True)
        for protocol, rows in readings(evidence)
    ]


def _against_rounding(rows: pd.DataFrame, order: str) -> dict[str, pd.Series]:
    return _ratios(*(of_network(rows, name, order) for name in ("sigma_delta", "rounding")))


def temporal_over_file(evidence: Evidence) -> list[Measured]:
    """Operations of sigma-delta on Temporal MNIST over those on MNIST."""
    found = []
    for protocol, rows in readings(evidence):
        orders = [of_network(rows, "sigma_delta", order) for order in ("temporal", "file")]
        found.append(Measured(protocol, _ratios(*orders)))
    return found


def reach_the_original_error(evidence: Evidence) -> list[Measured]:
    """Error at the smallest lambda, less that of the original."""
    return [
        Measured(
            protocol,
            {
                network: mine["error_percent"] - original["error_percent"].reindex(mine.index)
                for network, mine, original in _smallest_lambda(rows)
            },
        )
        for protocol, rows in readings(evidence)
    ]


def fewer_operations_than_a_dense_pass(evidence: Evidence) -> list[Measured]:
    """Operations at the smallest lambda over those of a dense pass, a property of the images."""
    return [
        Measured(
            protocol,
            {
                network: mine["kflops"] / original["kflops"].reindex(mine.index)
                for network, mine, original in _smallest_lambda(rows)
            },
            full_scale=True,
        )
        for protocol, rows in readings(evidence)
    ]


def _smallest_lambda(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Both discretised networks with little weight on computation, and the original, by seed."""
    original = of_network(rows, "original").set_index("seed")
    for network in DISCRETISED:
        _, mine = by_strength(of_network(rows, network))[0]
        yield network, mine, original


def operations_fall_with_lambda(evidence: Evidence) -> list[Measured]:
    """Steps to the next lambda without fewer operations; in no network there may be one."""
    found = _violations(evidence, "kflops", lambda change: ~(change < 0))
    return [one._replace(seeded=False, exact_seeds=len(one.values)) for one in found]


def errors_rise_with_lambda(evidence: Evidence) -> list[Measured]:
    """Steps to the next lambda with an error that is lower by more than the dip allowed."""
    # The errors are fractions of whole images: a millionth point is rounding.
    return _violations(evidence, "error_percent", lambda change: ~(change >= -DIP - 1e-6))


def _violations(
    evidence: Evidence, column: str, violates: Callable[[pd.Series], pd.Series]
) -> list[Measured]:
    """Steps that violate an order in one of the networks and sequences, by seed."""
    found = []
    for protocol, rows in readings(evidence):
        bad: dict[str, pd.Series] = {}
        for network, order in product(DISCRETISED, ORDERS):
            for (_, before), (to, after) in pairwise(by_strength(of_network(rows, network, order))):
                step = f"lambda {to:.3g}"
                violated = violates(after[column] - before[column])
                bad[step] = bad.get(step, violated) | violated
        places = [step for step, seeds in bad.items() if seeds.any()]
        note = f"violated by the step to {', '.join(places)}" if places else ""
        found.append(Measured(protocol, sum(bad.values(), start=0).sort_index(), note=note))
    return found


def dense_original(evidence: Evidence) -> list[Measured]:
    """Operations of a dense pass, less those of eq. B.12."""
    return [
        Measured(
            protocol,
            np.round(1000 * (of_network(rows, "original")["kflops"] - B_12), 6),
            seeded=False,
            full_scale=True,
        )
        for protocol, rows in readings(evidence)
    ]


def numbers_of_ch4_fig4_4(evidence: Evidence) -> list[Number]:
    """Test accuracy of the trained network."""
    return [
        Number(
            "pretrained_test_accuracy_percent",
            protocol,
            tuple(100.0 - of_network(rows, "original").sort_values("seed")["error_percent"]),
        )
        for protocol, rows in readings(evidence)
    ]


def numbers_of_table_b1(evidence: Evidence) -> list[Number]:
    """Every cell of table B.1 that is not the same number as another one."""
    values = evidence.entry["values"]
    numbers = []
    for protocol, rows in readings(evidence, tested=False):
        original = of_network(rows, "original")
        numbers += _cells("original.file", protocol, original, _ORIGINAL, values)
        for strength, group in by_setting(rows):
            printed = published_row(values, strength)
            for (network, order), cells in _DISCRETISED.items() if printed else ():
                place = f"rows.{printed['id']}.{network}.{order}"
                chosen = of_network(group, network, order)
                numbers += _cells(place, protocol, chosen, cells, values)
    return numbers


_ERRORS = {"training_error_percent": "error_percent", "test_error_percent": "error_percent"}
_ORIGINAL = {
    **_ERRORS,
    **{"kflops_dense": "kflops", "kflops_sparse": "kflops_sparse"},
    **{"energy_dense_nj": "energy_nj", "energy_sparse_nj": "energy_sparse_nj"},
}
_DISCRETISED = {
    ("rounding", "file"): {"kflops": "kflops", **_ERRORS},
    ("sigma_delta", "file"): {"kflops": "kflops"},
    ("sigma_delta", "temporal"): {"kflops": "kflops"},
}
"""Published cells with the column of the table that holds them."""


def _cells(
    place: str, protocol: str, rows: pd.DataFrame, columns: dict[str, str], values: dict
) -> Iterator[Number]:
    """Numbers of one network, of the test part or of the training images."""
    *_, row, network, order = ["", *place.split(".")]
    name = f"{values['networks'].get(network, network)}, {values['orders'][order]}"
    name = name if row in ("", "original") else f"{quantity(row)}, {name}"
    for cell, column in columns.items():
        part = "training" if cell.startswith("training") else READINGS[protocol].test_part
        found = rows[rows["part"] == part].sort_values("seed")[column]
        # The thesis prints thousands of operations without what stands behind the point.
        cut = ", cut to whole ones as printed" if cell.startswith("kflops") else ""
        found = np.floor(found) if cut else found
        yield Number(
            f"{place}.{cell}",
            protocol,
            tuple(found),
            seeded=not cell.endswith(("dense", "dense_nj")),
            label=f"{name}: {quantity(cell)}{cut}",
        )
