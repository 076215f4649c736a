"""What was found on PDNNs that learn MNIST: figure 5.5, the table of C.6, claims of 5.4.1 and C.6.

Everything is read from the one tidy table of C.6. The text gives scores without saying of which
moment; the author's script prints the best of all tests.
"""

from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured, Number, by_protocol
from plausible.studies.oconnor2020.ch5_learning.settings import ADDITION_PJ, ORDERS, READINGS

KEYS = ("protocol", "order", "network", "hidden_layers", "seed", "epoch")
COLUMNS = (
    *("test_score_percent", "training_score_percent", "samples", "forward", "backward", "update"),
    *("spikes", "touched_share", "noise_first", "noise_last", "diverged_epoch"),
)
MOMENTS = ("best", "last")
"""Of the scores of all tests."""
DATASETS = {"mnist": "file", "temporal_mnist": "temporal"}
"""Order of the images, by the published name."""


def runs(evidence: Evidence) -> list[tuple[str, pd.DataFrame]]:
    """Rows of all networks, by protocol."""
    return by_protocol(evidence.table("table_c6", *KEYS, *COLUMNS))


def chosen(rows: pd.DataFrame, network: str, order: str, depth: int | None = None) -> pd.DataFrame:
    """Rows of one network; ``depth``: hidden layers, None for the fewest."""
    depth = rows["hidden_layers"].min() if depth is None else depth
    rows = rows[(rows["network"] == network) & (rows["order"] == order)]
    return rows[rows["hidden_layers"] == depth]


def depths(rows: pd.DataFrame) -> list[int]:
    """Numbers of hidden layers."""
    return sorted(int(each) for each in rows["hidden_layers"].unique())


def score(rows: pd.DataFrame, moment: str, column: str = "test_score_percent") -> pd.Series:
    """Score of one network at a moment, by seed; NaN if it diverged."""
    if rows.empty:
        raise StudyError("the table of C.6 lacks a network that its statements compare.")
    known = rows.dropna(subset=[column]).sort_values("epoch").groupby("seed")[column]
    found = known.max() if moment == "best" else known.last()
    return found.where(rows.groupby("seed")["diverged_epoch"].max() < 0)


def operations(rows: pd.DataFrame, *passes: str) -> pd.Series:
    """Mean operations of a sample of the whole training, by seed; no passes: all three."""
    passes = passes or ("forward", "backward", "update")
    total = rows[list(passes)].sum(axis=1) * rows["samples"]
    return total.groupby(rows["seed"]).sum() / rows.groupby("seed")["samples"].sum()


def mean_of(rows: pd.DataFrame, column: str) -> pd.Series:
    """Mean of another count over the samples of the training, by seed."""
    known = rows.dropna(subset=[column])
    total = (known[column] * known["samples"]).groupby(known["seed"]).sum()
    return total / known.groupby("seed")["samples"].sum()


def lead(rows: pd.DataFrame, order: str, moment: str, depth: int | None = None) -> pd.Series:
    """Test score of the PDNN less that of the ordinary network, points by seed."""
    pdnn, mlp = (score(chosen(rows, name, order, depth), moment) for name in ("pdnn", "mlp"))
    return pdnn - mlp


def _leads(evidence: Evidence, *orders: str) -> list[Measured]:
    return [
        Measured(protocol, {order: lead(rows, order, moment) for order in orders}, variant=moment)
        for protocol, rows in runs(evidence)
        for moment in MOMENTS
    ]


def _temporal_over_file(evidence: Evidence, *passes: str) -> list[Measured]:
    """Operations in temporal order over those in the order of the file; its size, of one pass.

    How much is saved is a property of the images, and of the width of the network.
    """
    return [
        Measured(
            protocol,
            operations(chosen(rows, "pdnn", "temporal"), *passes)
            / operations(chosen(rows, "pdnn", "file"), *passes),
            full_scale=bool(passes),
        )
        for protocol, rows in runs(evidence)
    ]


def _checkpoint_sum(rows: pd.DataFrame) -> pd.Series:
    """Sum over all tests of the forward additions until then, by seed.

    What the author's figure script prints as the number of operations.
    """
    done = rows.sort_values("epoch")
    additions = done["forward"] * done["samples"]
    return additions.groupby(done["seed"]).cumsum().groupby(done["seed"]).sum()


# ------------------------------------------------------------- figure 5.5


def numbers_of_ch5_fig5_5(evidence: Evidence) -> list[Number]:
    """Scores of one hidden layer; the operations as the code prints them."""
    found = []
    for protocol, rows in runs(evidence):
        for (dataset, order), network in product(DATASETS.items(), ("pdnn", "mlp")):
            mine = chosen(rows, network, order)
            found += [
                Number(
                    f"{network}_{dataset}_test_percent",
                    protocol,
                    tuple(score(mine, moment)),
                    variant=moment,
                )
                for moment in MOMENTS
            ]
            if network == "pdnn" and protocol == "as_coded":
                summed = tuple(_checkpoint_sum(mine))
                found.append(Number(f"pdnn_ops_{dataset}", protocol, summed))
    return found


def score_near_mlp(evidence: Evidence) -> list[Measured]:
    """Lead of the PDNN in both orders."""
    return _leads(evidence, *ORDERS)


def fewer_operations_on_temporal(evidence: Evidence) -> list[Measured]:
    """All operations of the PDNN on Temporal MNIST over those on MNIST."""
    return _temporal_over_file(evidence)


def less_energy_than_mlp(evidence: Evidence) -> list[Measured]:
    """Energy of the training of a PDNN over that of the ordinary network."""
    found = []
    for protocol, rows in runs(evidence):
        unit = ADDITION_PJ / READINGS[protocol].multiply_add_pj
        ratios = {order: unit * _against_mlp(rows, order) for order in ORDERS}
        found.append(Measured(protocol, ratios, full_scale=True))
    return found


def _against_mlp(rows: pd.DataFrame, order: str, *passes: str) -> pd.Series:
    pdnn, mlp = (operations(chosen(rows, name, order), *passes) for name in ("pdnn", "mlp"))
    return pdnn / mlp


# ------------------------------------------------------------- claims of one hidden layer


def leads_the_mlp(evidence: Evidence) -> list[Measured]:
    """Lead of the PDNN on MNIST."""
    return _leads(evidence, "file")


def about_half_of_the_operations(evidence: Evidence) -> list[Measured]:
    """Forward additions on Temporal MNIST over those on MNIST."""
    return _temporal_over_file(evidence, "forward")


def below_the_mlp(evidence: Evidence) -> list[Measured]:
    """Lead of the PDNN on Temporal MNIST."""
    return _leads(evidence, "temporal")


def only_slightly(evidence: Evidence) -> list[Measured]:
    """The same, which must not be far below 0."""
    return below_the_mlp(evidence)


def touches_fewer_entries(evidence: Evidence) -> list[Measured]:
    """Share of the first matrix that updates touch in the first epoch on MNIST."""
    found = []
    for protocol, rows in runs(evidence):
        first = chosen(rows, "pdnn", "file")
        found.append(Measured(protocol, mean_of(first[first["epoch"] <= 1], "touched_share")))
    return found


def all_passes(evidence: Evidence) -> list[Measured]:
    """Operations of the PDNN over multiply-adds of the ordinary network, as C.6 counts both."""
    return [
        Measured(
            protocol,
            {order: _against_mlp(rows, order) for order in ORDERS},
            full_scale=True,
        )
        for protocol, rows in runs(evidence)
    ]


LEVELS = 10
"""Scores at which the operations of two networks are compared."""


def _until(rows: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Test scores, ascending, and the operations after which they are first reached."""
    rows = rows[rows["epoch"] > 0].sort_values("epoch")
    done = (rows[["forward", "backward", "update"]].sum(axis=1) * rows["samples"]).cumsum()
    scores, first = np.unique(rows["test_score_percent"].cummax(), return_index=True)
    return scores, done.to_numpy()[first]


def at_equal_score(rows: pd.DataFrame, order: str) -> pd.Series:
    """Operations of the PDNN until a score over those of the ordinary network, by seed.

    Geometric mean over scores from the higher of both first ones to the lower of both best ones; in
    between, operations are interpolated. NaN where a network diverged, or no score is between.
    """
    both = [chosen(rows, name, order) for name in ("pdnn", "mlp")]
    ratios: dict[int, float] = {}
    for seed in sorted(set(both[0]["seed"]) & set(both[1]["seed"])):
        mine = [each[each["seed"] == seed] for each in both]
        if any(each["diverged_epoch"].max() >= 0 for each in mine):
            ratios[seed] = np.nan
            continue
        curves = [_until(each) for each in mine]
        low, high = max(curve[0][0] for curve in curves), min(curve[0][-1] for curve in curves)
        levels = np.linspace(low, high, LEVELS)
        pdnn, mlp = (np.interp(levels, *curve) for curve in curves)
        ratios[seed] = float(np.exp(np.log(pdnn / mlp).mean())) if high > low else np.nan
    return pd.Series(ratios)


def all_passes_at_equal_score(evidence: Evidence) -> list[Measured]:
    """The same until equal test scores."""
    return [
        Measured(
            protocol, {order: at_equal_score(rows, order) for order in ORDERS}, full_scale=True
        )
        for protocol, rows in runs(evidence)
    ]


def forward_pass_alone(evidence: Evidence) -> list[Measured]:
    """The same of the forward pass, multiplications and additions counted each."""
    return [
        Measured(
            protocol,
            {order: _against_mlp(rows, order, "forward") / 2 for order in ORDERS},
            full_scale=True,
        )
        for protocol, rows in runs(evidence)
    ]


def modest_decrease(evidence: Evidence) -> list[Measured]:
    """Spikes on Temporal MNIST over those on MNIST."""
    return [
        Measured(
            protocol,
            mean_of(chosen(rows, "pdnn", "temporal"), "spikes")
            / mean_of(chosen(rows, "pdnn", "file"), "spikes"),
            full_scale=True,
        )
        for protocol, rows in runs(evidence)
    ]


# ------------------------------------------------------------- depth, C.6


def numbers_of_table_c6(evidence: Evidence) -> list[Number]:
    """Scores and operations of every network."""
    found = []
    for protocol, rows in runs(evidence):
        for printed in evidence.entry["values"]["rows"]:
            network, depth = printed["network"].lower(), len(printed["hidden_sizes"])
            mine = chosen(rows, network, DATASETS[printed["dataset"]], depth)
            if mine.empty:
                continue
            place = f"rows.{printed['id']}"
            for part, moment in product(("training", "test"), MOMENTS):
                column = f"{part}_score_percent"
                values = tuple(score(mine, moment, column))
                found.append(Number(f"{place}.{column}", protocol, values, variant=moment))
            counted = tuple(operations(mine))
            found.append(
                Number(
                    f"{place}.ops_per_sample_column", protocol, counted, seeded=network == "pdnn"
                )
            )
    return found


def score_near_mlp_at_every_depth(evidence: Evidence) -> list[Measured]:
    """Lead of the PDNN in both orders, at every depth."""
    return [
        Measured(
            protocol,
            {
                f"{order}, {depth} hidden": lead(rows, order, moment, depth)
                for order, depth in product(ORDERS, depths(rows))
            },
            variant=moment,
        )
        for protocol, rows in runs(evidence)
        for moment in MOMENTS
    ]


def fewer_operations_at_every_depth(evidence: Evidence) -> list[Measured]:
    """Operations of the PDNN on Temporal MNIST over those on MNIST, at every depth."""
    return [
        Measured(
            protocol,
            {
                f"{depth} hidden": operations(chosen(rows, "pdnn", "temporal", depth))
                / operations(chosen(rows, "pdnn", "file", depth))
                for depth in depths(rows)
            },
        )
        for protocol, rows in runs(evidence)
    ]


def no_drop_with_depth(evidence: Evidence) -> list[Measured]:
    """Lead of the deepest PDNN less that of the shallowest, seeds that both have."""
    found = []
    for (protocol, rows), moment in product(runs(evidence), MOMENTS):
        shallow, *_, deep = depths(rows)
        changes = {}
        for order in ORDERS:
            ends = [lead(rows, order, moment, depth) for depth in (shallow, deep)]
            changes[order] = (ends[1] - ends[0]).dropna()
        found.append(Measured(protocol, changes, variant=moment))
    return found


def noise_does_not_grow(evidence: Evidence) -> list[Measured]:
    """Relative noise of the last hidden layer over that of the first, deepest PDNN."""
    found = []
    for protocol, rows in runs(evidence):
        ratios = {}
        for order in ORDERS:
            ends = chosen(rows, "pdnn", order, max(depths(rows))).dropna(subset=["noise_last"])
            ends = ends.set_index("seed")
            ratios[order] = ends["noise_last"] / ends["noise_first"]
        found.append(Measured(protocol, ratios))
    return found
