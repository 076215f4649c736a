"""Published numbers of Thuesen 2022 and where our tables hold their reproduction."""

from typing import Any

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Number, Registry, by_protocol
from plausible.reproduction.thuesen2022.neurons import (
    KERNEL_PROTOCOL,
    curves_2a,
    hard_curve,
    simulated_2b,
)
from plausible.reproduction.thuesen2022.structure import (
    drawn_layer_sizes,
    drawn_nodes,
    shown_images,
)
from plausible.reproduction.thuesen2022.training import (
    final_zil_accuracy,
    row_values,
    table1,
    table1_drops,
    zil_accuracies,
)

REGISTRY = Registry()
DROP_NETWORKS = {
    "SNN, Adam, BN": "SNN",
    "SPCN, SGD": "SPCN SGD",
    "SPCN, Adam": "SPCN Adam",
    "SPCN, Adam, BN": "SPCN Adam BN",
}
GAP_NETWORKS = {"SGD": "spcn_sgd", "Adam": "spcn_adam", "Adam_BN": "spcn_adam_bn"}
EXACT = "exact"

REGISTRY.leave_out("fig2a", "colours", "a choice of drawing")
REGISTRY.leave_out("fig2b", "colours", "a choice of drawing")
REGISTRY.leave_out("fig2c", "scale", "a setting of the run, not a result")
REGISTRY.leave_out("fig4", "count", "a setting of the run, not a result")
for _place in ("hidden_neurons_per_layer", "duration_ms", "digit"):
    REGISTRY.leave_out("fig6", _place, "a setting of the run, not a result")
REGISTRY.leave_out("claim.readout", "simulation_time_ms", "a setting of the run, not a result")
REGISTRY.leave_out("claim.activation_scaling", "scale", "a setting of the run, not a result")
for _place in ("method", "verdicts", "other_methods", "other_methods_note"):
    REGISTRY.leave_out("claim.constraints", _place, "verdicts in words, compared by expect:0")
REGISTRY.leave_out("claim.problem_list", "problems", "names, compared by expect:0")


def printed_precision(number: float | str) -> float:
    """One unit of the last printed digit (rounded or cut off): 0.0001 for 38.5026."""
    digits = str(number).partition(".")[2]
    return 10.0 ** -len(digits)


def smooth_value(curve: pd.Series, at: float) -> float:
    """Value of a smooth sampled curve at ``at``, by the cubic through the four points around it.

    Raises
    ------
    StudyError
        If ``at`` lies outside the samples.
    """
    x, y = curve.index.to_numpy(dtype=float), curve.to_numpy(dtype=float)
    if not x[0] <= at <= x[-1]:
        raise StudyError(
            f"a curve runs from {x[0]:g} to {x[-1]:g}, but its value at {at:g} is asked."
        )
    start = int(np.clip(np.searchsorted(x, at) - 2, 0, len(x) - 4))
    x, y = x[start : start + 4], y[start : start + 4]
    weights = [np.prod((at - np.delete(x, i)) / (x[i] - np.delete(x, i))) for i in range(4)]
    return float(np.dot(weights, y))


@REGISTRY.number("fig2a", "r_of_j_hz", "rate_ceiling_hz")
def rates_of_the_formula(evidence: Evidence) -> list[Number]:
    """r(j) from the curve of figure 2a, or of 2b beyond its right edge; 1/t_ref from its shape.

    By eq. 37, 1/r is a straight line in -log(1 - 1/j); the ceiling is 1 / its intercept.
    """
    derived = evidence.entry["derived"]
    numbers = []
    for protocol, frame in by_protocol(curves_2a(evidence)):
        hard = hard_curve(frame)
        for current, rate in derived["r_of_j_hz"].items():
            if float(current) <= hard.index.max():
                value, note = smooth_value(hard, float(current)), ""
            elif protocol == "corrected":
                value, note = smooth_value(theory_2b(evidence), float(current)), "curve of fig2b"
            else:
                continue
            numbers.append(_printed(f"r_of_j_hz {current}", protocol, rate, value, note))
        above = hard[hard.index > 1.05]
        line = np.polyfit(-np.log1p(-1.0 / above.index.to_numpy()), 1.0 / above.to_numpy(), 1)
        ceiling = derived["rate_ceiling_hz"]
        numbers.append(
            _printed("rate_ceiling_hz", protocol, ceiling, 1.0 / line[1], "1/t_ref from the curve")
        )
    return numbers


def theory_2b(evidence: Evidence) -> pd.Series:
    """Theoretical rate in Hz over the currents of figure 2b's simulation."""
    frame = simulated_2b(evidence)
    frame = frame[frame["coding"] == "lif_constant_current"]
    return frame.set_index("input_current")["theoretical_rate_hz"].sort_index()


def _printed(label: str, protocol: str, published: float, value: float, note: str = "") -> Number:
    """Number without stated tolerance whose digits are its precision."""
    precision = printed_precision(published)
    values = (float(value),)
    return Number(label, protocol, published, values, precision, "printed digits", note, False)


@REGISTRY.number("fig2c", "interval", "scaled_r")
def scaled_rates(evidence: Evidence) -> list[Number]:
    """Scaled rate at four inputs, and the drawn interval."""
    values, derived = evidence.entry["values"], evidence.entry["derived"]
    frame = evidence.table("fig2c", "protocol", "curve", "input", "value")
    numbers = []
    for protocol, part in by_protocol(frame):
        curve = part[part["curve"] == "scaled_soft_rate"].set_index("input")["value"].sort_index()
        for current, scaled in derived["scaled_r"].items():
            value = smooth_value(curve, float(current))
            numbers.append(_printed(f"scaled_r {current}", protocol, scaled, value))
        for end, published in zip(("from", "to"), values["interval"], strict=True):
            drawn = curve.index.min() if end == "from" else curve.index.max()
            numbers.append(_exact(f"interval {end}", protocol, published, drawn))
    return numbers


def _exact(label: str, protocol: str, published: Any, value: Any, note: str = "") -> Number:
    if isinstance(value, str):
        return Number(label, protocol, str(published), value, 0.0, EXACT, note)
    return Number(label, protocol, published, (float(value),), 0.0, EXACT, note, False)


@REGISTRY.number("fig3", "input_nodes", "hidden_nodes", "output_nodes")
def drawn_network(evidence: Evidence) -> list[Number]:
    """Numbers of drawn value nodes."""
    sizes = drawn_layer_sizes(drawn_nodes(evidence))
    keys = ("input_nodes", "hidden_nodes", "output_nodes")
    if len(sizes) != len(keys):
        raise StudyError(f"fig3: the drawing has {len(sizes)} layers of value nodes, expected 3.")
    return [
        _exact(key, "", evidence.entry["values"][key], size)
        for key, size in zip(keys, sizes, strict=True)
    ]


@REGISTRY.number("fig4", "labels_of_first_ten_training_images")
def labels_in_order(evidence: Evidence) -> list[Number]:
    """Labels of the images, in order."""
    frame = shown_images(evidence)
    labels = frame.groupby("image", sort=False)["label"].first()
    key = "labels_of_first_ten_training_images"
    published = " ".join(map(str, evidence.entry["derived"][key]))
    return [_exact(key, "", published, " ".join(map(str, labels)))]


@REGISTRY.number("fig5", "final_test_accuracy_zil_percent")
def end_of_the_curve(evidence: Evidence) -> list[Number]:
    """Accuracy of Z-IL after the last update of figure 5."""
    key = "final_test_accuracy_zil_percent"
    tolerance = evidence.bounds(1)[0]
    return [
        _stated(key, protocol, evidence.entry["values"][key], values, tolerance, "expect:1")
        for protocol, values in final_zil_accuracy(evidence).items()
    ]


def _stated(
    label: str, protocol: str, published: float, values: Any, tolerance: float, source: str
) -> Number:
    return Number(label, protocol, published, tuple(map(float, values)), tolerance, source)


@REGISTRY.number("table1", "rows")
def accuracies_of_table1(evidence: Evidence) -> list[Number]:
    """Nine rows in every protocol."""
    tolerance = evidence.bounds(0)[0]
    return [
        _stated(
            f"row {row}",
            protocol,
            printed["test_accuracy_percent"],
            row_values(frame, row),
            tolerance,
            "expect:0",
        )
        for row, printed in enumerate(evidence.entry["values"]["rows"], start=1)
        for protocol, frame in by_protocol(table1(evidence))
    ]


@REGISTRY.number("claim.zil_final_accuracy", "test_accuracy_percent")
def final_accuracy(evidence: Evidence) -> list[Number]:
    """The 97.31 % of section 4.1."""
    key = "test_accuracy_percent"
    tolerance = evidence.bounds(0)[0]
    return [
        _stated(key, protocol, evidence.entry["values"][key], values, tolerance, "expect:0")
        for protocol, values in zil_accuracies(evidence).items()
    ]


@REGISTRY.number("claim.spiking_drop", "drop_percentage_points")
def drops(evidence: Evidence) -> list[Number]:
    """Differences of cells of table 1, as in the published file; no tolerance is stated."""
    return [
        Number(
            f"drop_percentage_points {printed['model']}",
            protocol,
            printed["drop"],
            tuple(table1_drops(frame)[DROP_NETWORKS[printed["model"]]]),
            None,
        )
        for printed in evidence.entry["derived"]["drop_percentage_points"]
        for protocol, frame in by_protocol(table1(evidence))
    ]


@REGISTRY.number("claim.spcn_near_snn", "gap_percentage_points")
def gaps(evidence: Evidence) -> list[Number]:
    """Gap of each SPCN to the SNN, rate-coded; no tolerance is stated."""
    frame = evidence.table(
        "claim.spcn_near_snn", "network", "protocol", "seed", "gap_percentage_points"
    )
    return [
        Number(
            f"gap_percentage_points {name}",
            protocol,
            gap,
            tuple(part.loc[part["network"] == GAP_NETWORKS[name], "gap_percentage_points"]),
            None,
        )
        for name, gap in evidence.entry["derived"]["gap_percentage_points"].items()
        for protocol, part in by_protocol(frame)
    ]


@REGISTRY.number("claim.bn_spiking_exception", "spiking_adam_percent", "spiking_adam_bn_percent")
def spiking_accuracies(evidence: Evidence) -> list[Number]:
    """Rows 7 and 9 of table 1, under that table's tolerance."""
    tolerance = evidence.bounds(0, of="table1")[0]
    frame = evidence.table(
        "claim.bn_spiking_exception", "protocol", "batch_norm", "spiking_accuracy_percent"
    )
    return [
        _stated(
            key,
            protocol,
            evidence.entry["values"][key],
            part.loc[part["batch_norm"] == batch_norm, "spiking_accuracy_percent"],
            tolerance,
            "table 1",
        )
        for key, batch_norm in (("spiking_adam_percent", False), ("spiking_adam_bn_percent", True))
        for protocol, part in by_protocol(frame)
    ]


@REGISTRY.number("claim.alpha_filter_tau", "tau_s_s")
def best_time_constant(evidence: Evidence) -> list[Number]:
    """Time constant of least error of every kernel and criterion, one per seed.

    The thesis states no tolerance; the resolution of the sweep around the published value (half its
    wider neighbouring gap) is the finest that can be asked.
    """
    published = evidence.entry["values"]["tau_s_s"]
    frame = evidence.table(
        "claim.alpha_filter_tau", "kernel", "criterion", "tau_s", "error_hz", "seed"
    )
    numbers = []
    for (kernel, criterion), part in frame.groupby(["kernel", "criterion"]):
        swept = part["tau_s"].to_numpy()
        below, above = swept[swept < published], swept[swept > published]
        if not len(below) or not len(above):
            raise StudyError(
                f"claim.alpha_filter_tau: the sweep does not enclose {published:g} s; widen it."
            )
        resolution = max(published - below.max(), above.min() - published) / 2.0
        best = part.loc[part.groupby("seed")["error_hz"].idxmin(), "tau_s"]
        numbers.append(
            Number(
                "tau_s_s " + f"{kernel}, {criterion}".replace("_", " "),
                KERNEL_PROTOCOL[str(kernel)],
                published,
                tuple(best),
                float(resolution),
                "resolution of the sweep",
            )
        )
    return numbers
