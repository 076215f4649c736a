"""The tidy table of table B.1 as the thesis has it: published cells, scattered over seeds."""

import math

import numpy as np
import pandas as pd

from plausible.studies.oconnor2020.ch4_scales.settings import TENTH

SEEDS = (0, 1, 2)
PARTS = ("training", "thesis", "official")
COLUMNS = [
    *("protocol", "granularity", "seed", "setting", "lambda", "network", "bits", "order", "part"),
    *("samples", "error_percent", "kflops", "kflops_sparse", "energy_nj", "energy_sparse_nj"),
    *("energy_nonzero_nj", "diverged", "differing_predictions", "scale_0", "scale_1", "scale_2"),
]


def table_b1(published, protocols=("as_coded", "as_published"), seeds=SEEDS) -> pd.DataFrame:
    """A table that reproduces every cell and every statement."""
    printed = published.values("table_b1")
    rows = []
    for protocol in protocols:
        for seed in seeds:
            rows += _layerwise(printed, protocol, seed - np.mean(seeds))
            if protocol == "as_coded":
                rows += _beyond(printed, protocol, seed - np.mean(seeds))
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _layerwise(printed, protocol, shift):
    cells = [(None, "original", printed["original"], printed["original"]["file"])]
    # Errors of both discretised networks and orders must agree: those of the first are taken.
    cells += [
        (row.get("lambda"), network, row[network], row["rounding"]["file"])
        for row in printed["rows"]
        for network in ("rounding", "sigma_delta")
    ]
    return [
        {
            "protocol": protocol,
            "granularity": "layerwise",
            "seed": shift + 1,
            "setting": "unoptimized" if strength is None else "optimized",
            "lambda": math.nan if strength is None else strength,
            "network": network,
            "order": order,
            "part": part,
            "samples": 10000,
            "error_percent": errors[f"{'training' if part == 'training' else 'test'}_error_percent"]
            + 0.002 * shift
            + (0.005 if network == "original" else 0.0),
            "diverged": False,
            "differing_predictions": 0,
        }
        | _costs(own, network, shift)
        for strength, network, orders, errors in cells
        for order, own in orders.items()
        for part in PARTS
    ]


def _costs(own, network, shift):
    if network == "original":
        return {
            "kflops": 397.6,
            "energy_nj": 636.16,
            "kflops_sparse": own["kflops_sparse"] + shift,
            "energy_sparse_nj": own["energy_sparse_nj"] + shift,
        }
    return {
        "kflops": own["kflops"] + 0.5 + 0.3 * shift,
        "energy_nj": own["energy_nj"] + 0.05 * shift,
        "energy_nonzero_nj": 1.4 * own["energy_nj"],
        "scale_0": 1.5,
        "scale_1": 2.0,
        "scale_2": 1.2,
    }


def _beyond(printed, protocol, shift):
    """Other scales and integers of a few bits, of which the thesis has nothing."""
    other = [
        row | {"granularity": granularity, "kflops": factor * row["kflops"]}
        for granularity, factor in (("unitwise", 0.9), (TENTH, 1.2))
        for row in _layerwise(printed, protocol, shift)
        if row["setting"] == "optimized"
    ]
    bits = [
        {
            "protocol": protocol,
            "granularity": "layerwise",
            "seed": shift + 1,
            "setting": "post_training",
            "network": "quantised",
            "bits": width,
            "order": "file",
            "part": part,
            "samples": 10000,
            "error_percent": 2.2 + 40.0 / width**3 + 0.02 * shift,
            "kflops": 397.19,
            "kflops_sparse": 110.0,
            "energy_nj": 20.0 + width**2,
            "energy_sparse_nj": 6.0 + 0.2 * width**2,
            "diverged": False,
        }
        for width in (8, 4, 3, 2)
        for part in PARTS
    ]
    return other + bits
