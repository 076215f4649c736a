"""What was found on chapter 4's principles and appendix B: networks, scales, Temporal MNIST.

Theorems have no function of their own: their findings stand in the table of theorems.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured, by_protocol

# ------------------------------------------------------------------------------- figure 4.1


def modules_of_the_networks(evidence: Evidence) -> list[Measured]:
    """Networks with a layer that a run showed to have other modules than those drawn."""
    frame = evidence.table("ch4.fig4.1", "network", "layer", "position", "module")
    found = {
        str(name): {
            tuple(layer.sort_values("position")["module"])[1:]
            for _, layer in rows.drop_duplicates(["layer", "position"]).groupby("layer")
        }
        for name, rows in frame.groupby("network", sort=False)
    }
    drawn = evidence.entry["values"]["networks"]
    other = [one["id"] for one in drawn if found.get(one["id"]) != {tuple(one["modules"])}]
    note = "found by running every layer and explaining its signals"
    return [Measured("", [float(len(other))], note=note, seeded=False)]


# ------------------------------------------------------------------------------- figure 4.2


def ends_of(evidence: Evidence) -> list[tuple[str, pd.DataFrame]]:
    """End points of figure 4.2 by protocol: layerwise scales of the published network."""
    frame = evidence.table(
        "ch4.fig4.2",
        *("protocol", "network", "kind", "unitwise", "seed", "lambda", "scale_1", "scale_2"),
        *("error_fraction", "kops_per_sample", "dominating_fraction"),
    )
    shown = (frame["network"] == "layers") & ~frame["unitwise"].astype(bool)
    return by_protocol(frame[shown & (frame["kind"] == "end")].sort_values(["seed", "lambda"]))


def by_lambda(ends: pd.DataFrame, column: str) -> dict[str, pd.Series]:
    """Values of a column over seeds, for each lambda."""
    return {f"lambda {weight:g}": rows[column] for weight, rows in ends.groupby("lambda")}


def ends_are_on_the_front(evidence: Evidence) -> list[Measured]:
    """Share of random rescalings that beat an end point in error and computation."""
    return [
        Measured(protocol, by_lambda(ends, "dominating_fraction"))
        for protocol, ends in ends_of(evidence)
    ]


def ends_do_not_dominate_one_another(evidence: Evidence) -> list[Measured]:
    """Pairs of end points of which one has less error and less computation, by seed."""

    def dominated(ends: pd.DataFrame) -> int:
        points = ends[["error_fraction", "kops_per_sample"]].to_numpy()
        less = (points[:, np.newaxis] < points).all(axis=2)
        return int(less.sum()) + int(np.isnan(points).any(axis=1).sum())

    return _by_seed(evidence, dominated)


def lambda_orders_the_ends(evidence: Evidence) -> list[Measured]:
    """Steps to the next lambda without less computation and more error, by seed."""

    def violations(ends: pd.DataFrame) -> int:
        fewer, worse = np.diff(ends["kops_per_sample"]) < 0, np.diff(ends["error_fraction"]) > 0
        return int((~(fewer & worse)).sum())

    return _by_seed(evidence, violations)


def _by_seed(evidence: Evidence, count: Callable[[pd.DataFrame], int]) -> list[Measured]:
    """A count of each network, of which every single one must respect the bound."""
    found = []
    for protocol, ends in ends_of(evidence):
        counts = [count(rows) for _, rows in ends.groupby("seed")]
        note = f"{sum(counts)} in {len(counts)} networks"
        found.append(Measured(protocol, counts, note=note, seeded=False, exact_seeds=len(counts)))
    return found


def conditioning_is_undone(evidence: Evidence) -> list[Measured]:
    """log(k1 / k2) at the end points; at the start all scales are 1."""
    return [
        Measured(
            protocol,
            by_lambda(ends.assign(ratio=np.log(ends["scale_1"] / ends["scale_2"])), "ratio"),
        )
        for protocol, ends in ends_of(evidence)
    ]


def first_scale_rises(evidence: Evidence) -> list[Measured]:
    """log k1 at the end of the smallest lambda, which is 0 at the start."""
    return _smallest_lambda(evidence, "scale_1")


def second_scale_falls(evidence: Evidence) -> list[Measured]:
    """log k2 at the end of the smallest lambda, which is 0 at the start."""
    return _smallest_lambda(evidence, "scale_2")


def _smallest_lambda(evidence: Evidence, column: str) -> list[Measured]:
    return [
        Measured(protocol, np.log(ends.loc[ends["lambda"] == ends["lambda"].min(), column]))
        for protocol, ends in ends_of(evidence)
    ]


# ------------------------------------------------------------------------------- Temporal MNIST


def sequences(evidence: Evidence) -> list[tuple[str, pd.DataFrame]]:
    """Rows of figure 4.3 that speak of whole sequences, by the protocol that has their images."""
    frame = evidence.table(
        "ch4.fig4.3",
        *("element", "protocol", "part", "order", "buffer_size", "seed", "mean_l1", "mean_l2"),
        *("lost_frames", "wrong_labels", "frames", "farther_steps"),
        *("random_farther_fraction", "farthest_mean_l1", "unmoved_labels_fraction"),
    )
    return by_protocol(frame[frame["element"] == "sequence"])


def neighbours_are_alike(evidence: Evidence) -> list[Measured]:
    """Mean L2 distance of neighbours, temporal over shuffled, with the published buffer."""
    found = []
    for protocol, rows in sequences(evidence):
        ratios, notes = {}, []
        for part, each in rows.groupby("part", sort=False):
            temporal = each[each["order"] == "temporal"].nlargest(1, "buffer_size")
            shuffled = each[each["order"] == "shuffled"]
            if temporal.empty or shuffled.empty:
                raise StudyError(f"the table of oconnor2020.ch4.fig4.3 lacks an order of {part}.")
            (ours,) = temporal.itertuples()
            ratios[str(part)] = ours.mean_l2 / shuffled["mean_l2"].to_numpy()
            notes.append(
                f"{part}: {int(ours.frames)} images, L1 {shuffled['mean_l1'].mean():.4g} shuffled "
                f"and {ours.mean_l1:.4g} temporal; the label changes at "
                f"{100 * ours.label_change_fraction:.1f} % of the steps"
            )
        found.append(Measured(protocol, ratios, note="; ".join(notes)))
    return found


def a_permutation_with_labels(evidence: Evidence) -> list[Measured]:
    """Images that an ordered sequence lacks or shows under another label, each buffer."""
    found = []
    for protocol, rows in _ordered(evidence):
        note = f"lost and mislabelled images of {len(rows)} ordered sequences"
        lost = rows["lost_frames"] + rows["wrong_labels"]
        # With few candidates many images stay where they were, and so do their labels.
        longest = rows[rows["buffer_size"] == rows["buffer_size"].max()]
        broken = {"labels_left_in_place": longest["unmoved_labels_fraction"].dropna()}
        found.append(Measured(protocol, lost, note=note, seeded=False, controls=broken))
    return found


def the_nearest_candidate_follows(evidence: Evidence) -> list[Measured]:
    """Steps at which a nearer image of the buffer waited, each buffer."""
    found = []
    for protocol, rows in _ordered(evidence):
        note = f"steps of {len(rows)} ordered sequences"
        # A buffer of one has no other candidate.
        random = rows.loc[rows["buffer_size"] > 1, "random_farther_fraction"].dropna()
        steps, broken = rows["farther_steps"], {"random_candidate": random}
        found.append(Measured(protocol, steps, note=note, seeded=False, controls=broken))
    return found


def larger_buffers_find_nearer_neighbours(evidence: Evidence) -> list[Measured]:
    """Buffers, smaller than the sequence, with a mean L1 distance not below the one before."""
    found = []
    for protocol, rows in _ordered(evidence):
        rows = rows[(rows["buffer_size"] < rows["frames"])]
        rows = rows.dropna(subset="farthest_mean_l1").sort_values("buffer_size")
        counts = [int((np.diff(each["mean_l1"]) >= 0).sum()) for _, each in rows.groupby("part")]
        farthest = [
            float(np.mean(np.diff(each["farthest_mean_l1"]) > 0))
            for _, each in rows.groupby("part")
        ]
        points = [f"{int(one.buffer_size)}: {one.mean_l1:.4g}" for one in rows.itertuples()]
        note = f"mean L1 distance of neighbours by the size of the buffer: {', '.join(points)}"
        broken = {"farthest_candidate": farthest}
        found.append(Measured(protocol, counts, note=note, seeded=False, controls=broken))
    return found


def _ordered(evidence: Evidence) -> list[tuple[str, pd.DataFrame]]:
    return [(protocol, rows[rows["order"] == "temporal"]) for protocol, rows in sequences(evidence)]
