"""Checks on chapter 3's long training runs: table 3.2, learning curves, claims made of them.

Each is measured on both test parts, that of the thesis first; see ``claims_rows``.
"""

import numpy as np
import pandas as pd

from plausible.measure.trend import fall
from plausible.reproduction.evidence import Evidence, Measured, Number
from plausible.studies.oconnor2020.ch3_learning.claims_rows import (
    TABLE,
    TEST_PARTS,
    TRAINING_PART,
    common,
    final,
    gaps,
    parts,
    shown_curves,
    split,
)
from plausible.studies.oconnor2020.ch3_learning.tables import NETWORKS

Tested = tuple[str, str]
"""A trained network, and the form in which it is tested."""
SGD: Tested = ("sgd", "spiking")
FSGD: Tested = ("fsgd", "spiking")
RELU: Tested = ("relu", "rectified")
SPIKING_RELU: Tested = ("relu", "spiking")
RECTIFIED_FSGD: Tested = ("fsgd", "rectified")
DRAWN = ("fsgd", "sgd")
"""Spiking networks of which one is drawn in figure 3.2."""


# ----------------------------------------------------------------------- table 3.2


def _apart(evidence: Evidence, network: Tested, other: Tested) -> list[Measured]:
    """Error of a network minus that of another one, seed by seed, on both test parts."""
    return [
        Measured(protocol, common(final(rows, *network), final(rows, *other)), split(part))
        for protocol, part, rows in parts(evidence, TABLE)
    ]


def fsgd_beats_sgd(evidence: Evidence) -> list[Measured]:
    """Error of FSGD minus error of SGD."""
    return _apart(evidence, FSGD, SGD)


def relu_is_best(evidence: Evidence) -> list[Measured]:
    """Error of FSGD minus error of the ReLU network."""
    return _apart(evidence, FSGD, RELU)


def relu_weights_bring_it_near_the_relu_network(evidence: Evidence) -> list[Measured]:
    """Both forms of the weights of the ReLU network: spiking minus vector network."""
    return _apart(evidence, SPIKING_RELU, RELU)


def relu_weights_improve_the_spiking_network(evidence: Evidence) -> list[Measured]:
    """Spiking network with the weights of the ReLU network minus that with those of FSGD."""
    return _apart(evidence, SPIKING_RELU, FSGD)


def relu_with_spiking_weights_is_similar(evidence: Evidence) -> list[Measured]:
    """Both forms of the weights of FSGD: vector minus spiking network."""
    return _apart(evidence, RECTIFIED_FSGD, FSGD)


def numbers_of_ch3_table3_2(evidence: Evidence) -> list[Number]:
    """The ten cells: errors of both test parts beside the printed one, and training errors."""
    tested = list(parts(evidence, TABLE, (*TEST_PARTS, TRAINING_PART)))
    numbers = []
    for row in evidence.entry["values"]["rows"]:
        for protocol, part, rows in tested:
            training = part == TRAINING_PART
            kind = "training" if training else "test"
            told = {"note": "all training images"} if training else {"variant": split(part)}
            told["label"] = f"{row['network']}: {kind} error"
            place = f"rows.{row['id']}.{kind}_error_percent"
            errors = tuple(final(rows, row["weights"], row["form"]))
            numbers.append(Number(place, protocol, errors, **told))
    return numbers


# ----------------------------------------------------------------------- learning curves


def gap_is_much_smaller(evidence: Evidence) -> list[Measured]:
    """Gap of a spiking network less half of that of the ReLU network, over the shown epochs.

    Of the networks that may be drawn, the one of which the statement holds better.
    """
    found = []
    for protocol, curves in shown_curves(evidence):
        for part in TEST_PARTS:
            relu = _gaps(curves, part, "relu")
            points = {
                network: {when: common(gap, 0.5 * relu[when]) for when, gap in mine.items()}
                for network in DRAWN
                for mine in [_gaps(curves, part, network)]
            }
            drawn = min(DRAWN, key=lambda network: _worst(points[network]))
            listed = ", ".join(f"{NETWORKS[name]} {_worst(points[name]):.3g}" for name in DRAWN)
            note = f"of {NETWORKS[drawn]}; the larger of both is {listed}"
            found.append(Measured(protocol, points[drawn], split(part), note))
    return found


def _gaps(curves: pd.DataFrame, part: str, network: str) -> dict[str, pd.Series]:
    """Test minus training error of each seed: mean over the shown epochs, and after the last."""
    wide = gaps(curves[curves["epoch"] >= 1], part, network)
    return {"mean": wide.mean(skipna=False), "at the end": wide.iloc[-1]}


def _worst(points: dict[str, pd.Series]) -> float:
    """Largest mean over seeds; a diverged run is behind every other."""
    means = [one.mean(skipna=False) for one in points.values()]
    return np.inf if np.isnan(means).any() else max(means)


def curves_fall(evidence: Evidence) -> list[Measured]:
    """Kendall's tau of test error and epoch of each seed, over the shown epochs from 1 on.

    The first epoch, in which every network that learns at all falls, tells nothing.
    """
    found = []
    for protocol, curves in shown_curves(evidence):
        for part in TEST_PARTS:
            rows = curves[(curves["part"] == part) & (curves["epoch"] >= 1)]
            trends = {
                NETWORKS[network]: [
                    fall(run["epoch"], run["error_percent"]).tau
                    for _, run in rows[rows["network"] == network].groupby("seed")
                ]
                for network in (*DRAWN, "relu")
            }
            found.append(Measured(protocol, trends, split(part)))
    return found


# ----------------------------------------------------------------------- claims


def _of_the_distance(evidence: Evidence, one: Tested, other: Tested) -> list[Measured]:
    """Distance of two forms of the same weights, less half of that of FSGD and ReLU."""
    found = []
    for protocol, part, rows in parts(evidence, TABLE):
        forward, whole = (
            common(final(rows, *a), final(rows, *b)).abs() for a, b in ((one, other), (FSGD, RELU))
        )
        note = f"{forward.mean():.3g} points by the pass alone, {whole.mean():.3g} in all"
        found.append(Measured(protocol, common(forward, 0.5 * whole), split(part), note))
    return found


def spiking_forward_pass_changes_little(evidence: Evidence) -> list[Measured]:
    """With the weights of the ReLU network."""
    return _of_the_distance(evidence, SPIKING_RELU, RELU)


def vector_forward_pass_changes_little(evidence: Evidence) -> list[Measured]:
    """With the weights of the FSGD network."""
    return _of_the_distance(evidence, RECTIFIED_FSGD, FSGD)
