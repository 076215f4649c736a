"""Checks on chapter 4's principles and appendix B: networks, scales, Temporal MNIST, energies.

Theorems have no check of their own: their findings stand in the table of theorems.
"""

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.measure.energy import FLOAT32_ADD_PJ, FLOAT32_MULTIPLY_PJ
from plausible.measure.operations import (
    INT32_ADD_PJ,
    INT32_MULTIPLY_PJ,
    layer_multiply_adds,
    original_operations,
)
from plausible.reproduction.evidence import (
    NAN,
    Evidence,
    Number,
    Outcome,
    by_protocol,
    judge,
    outcome_of,
)

# ------------------------------------------------------------------------------- figure 4.1


def drawn_networks(evidence: Evidence) -> list[Outcome]:
    """Modules that a run showed, and distances of the outputs of B from A and of D from C."""
    equal = evidence.bound("drawn_networks", "relative_difference")
    networks = {network["id"]: network for network in evidence.entry["values"]["networks"]}
    columns = ("network", "layer", "position", "module", "distance_from_twin")
    frame = evidence.table("ch4.fig4.1", *columns)
    found = {
        str(name): {
            tuple(layer.sort_values("position")["module"])[1:]
            for _, layer in rows.drop_duplicates(["layer", "position"]).groupby("layer")
        }
        for name, rows in frame.groupby("network", sort=False)
    }
    texts = ", ".join(f"{name} {' '.join(*found[name])}" for name in found if len(found[name]) == 1)
    same = found == {name: {tuple(each["modules"])} for name, each in networks.items()}
    note = "found by running every layer and explaining its signals"
    outcomes = [Outcome("corrected", same, texts, variant="modules", note=note)]
    for name, network in networks.items():
        if "equals" not in network:
            continue
        variant = f"{network['panel']} equals {networks[network['equals']]['panel']}"
        # Measured in the run: the signals of the table are rounded to what a picture needs.
        measured = frame.loc[frame["network"] == name, "distance_from_twin"]
        apart = float(measured.max(skipna=False)) if len(measured) else NAN
        note = f"largest difference of the outputs over the largest output; must be <= {equal:g}"
        outcomes.append(Outcome("corrected", apart <= equal, apart, variant=variant, note=note))
    return outcomes


# ------------------------------------------------------------------------------- figure 4.2


def scale_points(evidence: Evidence) -> pd.DataFrame:
    """Figure 4.2 without what goes beyond it: layerwise scales of the published network."""
    frame = evidence.table(
        "ch4.fig4.2",
        *("protocol", "network", "kind", "unitwise", "seed", "lambda"),
        *("scale_0", "scale_1", "scale_2", "error_fraction", "kops_per_sample"),
    )
    return frame[(frame["network"] == "layers") & ~frame["unitwise"].astype(bool)]


def ends_of(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """End points of each protocol, by seed and rising lambda."""
    ends = frame[frame["kind"] == "end"].sort_values(["seed", "lambda"])
    return by_protocol(ends)


def ends_are_on_the_front(evidence: Evidence) -> list[Outcome]:
    """Share of the random points that beat an end point in error and computation, the largest."""
    allowed = evidence.bound("ends_are_on_the_front", "dominating_percent") / 100.0
    frame = scale_points(evidence)
    random = frame[frame["kind"] == "random"]
    outcomes = []
    for protocol, ends in ends_of(frame):
        shares = [_dominated(end, random[random["seed"] == end.seed]) for end in ends.itertuples()]
        per_seed = pd.Series(shares, index=ends["seed"]).groupby(level=0).max()
        judged = judge(per_seed, high=allowed, strict=False)
        note = f"largest share of random points that dominate an end point; must be <= {allowed:g}"
        outcomes.append(outcome_of(judged, protocol, note))
    return outcomes


def _dominated(end, random: pd.DataFrame) -> float:
    """Share of random points with less error and less computation; all, if the run diverged."""
    if not np.isfinite(end.error_fraction):
        return 1.0
    less = random["error_fraction"] < end.error_fraction
    return float((less & (random["kops_per_sample"] < end.kops_per_sample)).mean())


def lambda_orders_the_ends(evidence: Evidence) -> list[Outcome]:
    """Steps from one lambda to the next with less computation and more error: all of them."""
    outcomes = []
    for protocol, ends in ends_of(scale_points(evidence)):
        good = steps = 0
        for _, rows in ends.groupby("seed"):
            fewer = np.diff(rows["kops_per_sample"]) < 0
            worse = np.diff(rows["error_fraction"]) > 0
            good, steps = good + int((fewer & worse).sum()), steps + len(fewer)
        text = f"{good} of {steps} steps"
        note = "steps to the next lambda with less computation and more error"
        seeds = ends["seed"].nunique()
        outcomes.append(Outcome(protocol, good == steps > 0, text, n_seeds=seeds, note=note))
    return outcomes


def conditioning_is_undone(evidence: Evidence) -> list[Outcome]:
    """Scales of the hidden layers against those of the start, which are all 1.

    Literally, at every end point. A lambda also makes all scales larger or smaller together, so
    that the start is compared, too, with the optimum that needs as many operations: between two end
    points, linear in the logarithms.
    """
    frame = scale_points(evidence)
    starts = frame[frame["kind"] == "start"].set_index("seed")["kops_per_sample"]
    outcomes = []
    for protocol, ends in ends_of(frame):
        for name, sign, bounds, variant in (
            ("scale_1", ">", (1.0, np.inf), "first_hidden_layer"),
            ("scale_2", "<", (-np.inf, 1.0), "second_hidden_layer"),
        ):
            good = int(ends[name].between(*bounds, inclusive="neither").sum())
            literal = Outcome(protocol, good == len(ends), f"{good} of {len(ends)} end points")
            note = f"end points as they are, with a scale {sign} 1"
            seeds = ends["seed"].nunique()
            outcomes.append(literal._replace(n_seeds=seeds, note=note, variant=variant))
            found = [
                _at_computation(rows, name, starts[seed]) for seed, rows in ends.groupby("seed")
            ]
            note = f"our reading: scale at the computation of the start, must be {sign} 1"
            variant = f"{variant}_as_many_operations"
            outcomes.append(outcome_of(judge(found, *bounds), protocol, note, variant=variant))
    return outcomes


def _at_computation(ends: pd.DataFrame, name: str, kops: float) -> float:
    """Scale at so many operations; NaN where there are no end points on both sides of them."""
    # Silent and diverged networks have no place on a logarithmic axis.
    rows = ends[ends["kops_per_sample"] > 0].sort_values("kops_per_sample")
    if rows.empty:
        return NAN
    operations, scales = np.log(rows["kops_per_sample"]), np.log(rows[name])
    return float(np.exp(np.interp(np.log(kops), operations, scales, left=NAN, right=NAN)))


# ------------------------------------------------------------------------------- Temporal MNIST


def sequences(evidence: Evidence) -> pd.DataFrame:
    """Rows of figure 4.3 that speak of whole sequences."""
    frame = evidence.table(
        "ch4.fig4.3",
        *("element", "protocol", "part", "order", "buffer_size", "seed", "mean_l1", "mean_l2"),
        *("lost_frames", "wrong_labels", "frames"),
    )
    return frame[frame["element"] == "sequence"]


def neighbours_are_alike(evidence: Evidence) -> list[Outcome]:
    """Mean L2 distance of neighbours, temporal over shuffled, with the published buffer."""
    bound = evidence.bound("neighbours_are_alike", "ratio")
    outcomes = []
    for protocol, rows in by_protocol(sequences(evidence)):
        for part, each in rows.groupby("part", sort=False):
            temporal = each[each["order"] == "temporal"].nlargest(1, "buffer_size")
            shuffled = each[each["order"] == "shuffled"]
            if temporal.empty or shuffled.empty:
                raise StudyError(f"the table of oconnor2020.ch4.fig4.3 lacks an order of {part}.")
            (ours,) = temporal.itertuples()
            note = (
                f"{int(ours.frames)} images, L1 {shuffled['mean_l1'].mean():.4g} shuffled and "
                f"{ours.mean_l1:.4g} temporal; the label changes at "
                f"{100 * ours.label_change_fraction:.1f} % of the steps"
            )
            judged = judge(ours.mean_l2 / shuffled["mean_l2"].to_numpy(), high=bound)
            outcomes.append(outcome_of(judged, protocol, note, variant=str(part)))
    return outcomes


def a_permutation_with_labels(evidence: Evidence) -> list[Outcome]:
    """Images that an ordered sequence lacks or shows under another label, over all buffers."""
    outcomes = []
    frame = sequences(evidence)
    for protocol, rows in by_protocol(frame[frame["order"] == "temporal"]):
        lost, wrong = (int(rows[name].sum()) for name in ("lost_frames", "wrong_labels"))
        note = f"lost and mislabelled images of {len(rows)} ordered sequences"
        outcomes.append(Outcome(protocol, lost == wrong == 0, lost + wrong, note=note))
    return outcomes


def larger_buffers_find_nearer_neighbours(evidence: Evidence) -> list[Outcome]:
    """Mean L1 distance of neighbours over the buffer sizes that are smaller than the sequence."""
    outcomes = []
    frame = sequences(evidence)
    for protocol, rows in by_protocol(frame[frame["order"] == "temporal"]):
        for part, each in rows.groupby("part", sort=False):
            each = each[each["buffer_size"] < each["frames"]].sort_values("buffer_size")
            if len(each) < 2:
                continue
            falls = bool((np.diff(each["mean_l1"]) < 0).all())
            points = (f"{int(one.buffer_size)}: {one.mean_l1:.4g}" for one in each.itertuples())
            listed = ", ".join(points)
            note = "mean L1 distance of neighbours by the size of the buffer"
            outcomes.append(Outcome(protocol, falls, listed, note=note, variant=str(part)))
    return outcomes


# ------------------------------------------------------------------------------- numbers


def numbers_of_ch4_energy_per_op(evidence: Evidence) -> list[Number]:
    """Energies by which counts of operations are converted."""
    used = {
        "float_mult_pj": FLOAT32_MULTIPLY_PJ,
        "float_add_pj": FLOAT32_ADD_PJ,
        "int_mult_pj": INT32_MULTIPLY_PJ,
        "int_add_pj": INT32_ADD_PJ,
    }
    return [
        _exact(name, published, used[name], "Horowitz 2014, 45 nm")
        for name, published in evidence.entry["values"].items()
    ]


def numbers_of_appB_flops(evidence: Evidence) -> list[Number]:
    """Operations of the dense network by eq. B.12; the code leaves out biases."""
    sizes = evidence.entry["settings"]["layer_sizes"]
    formula, code = (
        float(original_operations(layer_multiply_adds(sizes), sizes[1:], count_biases=biases).total)
        for biases in (True, False)
    )
    note = f"the author's code leaves out the additions of biases: {code:.0f}"
    return [
        _exact(name, published, formula, note)
        for name, published in evidence.entry["derived"].items()
    ]


def _exact(place: str, published: float, found: float, note: str) -> Number:
    """A number that no random stream enters."""
    return Number(place, "as_published", published, (found,), 0.0, "exact", note, seeded=False)
