"""Published numbers about single neurons and where our tables hold their reproduction."""

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Number, by_protocol
from plausible.studies.thuesen2022.neurons.claims import (
    curves_2a,
    curves_2c,
    filters,
    hard_curve,
    simulated_2b,
)


def printed_precision(number: float | str) -> float:
    """One unit of the last printed digit (rounded or cut off): 0.0001 for 38.5026."""
    return 10.0 ** -len(str(number).partition(".")[2])


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


def numbers_of_fig2a(evidence: Evidence) -> list[Number]:
    """r(j) from the curve of figure 2a, or of 2b beyond its right edge; 1/t_ref from its shape.

    By eq. 37, 1/r is a straight line in -log(1 - 1/j); the ceiling is 1 / its intercept.
    """
    derived = evidence.entry["derived"]
    numbers = []
    for protocol, frame in by_protocol(curves_2a(evidence)):
        hard = hard_curve(frame)
        for row in derived["r_of_j"]:
            current = row["input_current"]
            if current <= hard.index.max():
                value, note = smooth_value(hard, current), ""
            elif protocol == "corrected":
                value, note = smooth_value(theory_2b(evidence), current), "curve of fig2b"
            else:
                continue
            place, label = f"r_of_j.{row['id']}.rate_hz", f"r({current:g}) in Hz"
            numbers.append(_printed(place, protocol, row["rate_hz"], value, note, label))
        above = hard[hard.index > 1.05]
        line = np.polyfit(-np.log1p(-1.0 / above.index.to_numpy()), 1.0 / above.to_numpy(), 1)
        ceiling = derived["rate_ceiling_hz"]
        note = "1/t_ref from the curve"
        numbers.append(_printed("rate_ceiling_hz", protocol, ceiling, 1.0 / line[1], note))
    return numbers


def theory_2b(evidence: Evidence) -> pd.Series:
    """Theoretical rate in Hz over the currents of figure 2b's simulation."""
    frame = simulated_2b(evidence)
    frame = frame[frame["coding"] == "lif_constant_current"]
    return frame.set_index("input_current")["theoretical_rate_hz"].sort_index()


def _printed(
    place: str, protocol: str, published: float, value: float, note: str = "", label: str = ""
) -> Number:
    """Number without stated tolerance whose digits are its precision."""
    precision, source = printed_precision(published), "printed digits"
    more = {"note": note, "seeded": False, "label": label}
    return Number(place, protocol, published, (float(value),), precision, source, **more)


def numbers_of_fig2c(evidence: Evidence) -> list[Number]:
    """Scaled rate at four inputs, and the drawn interval."""
    values, derived = evidence.entry["values"], evidence.entry["derived"]
    numbers = []
    for protocol, part in by_protocol(curves_2c(evidence)):
        curve = part[part["curve"] == "scaled_soft_rate"].set_index("input")["value"].sort_index()
        for row in derived["scaled_r"]:
            current = row["input_current"]
            place, label = f"scaled_r.{row['id']}.activity", f"0.05 r({current:g})"
            value = smooth_value(curve, current)
            numbers.append(_printed(place, protocol, row["activity"], value, label=label))
        drawn = (curve.index.min(), curve.index.max())
        for end, (published, ours) in enumerate(zip(values["interval"], drawn, strict=True)):
            place, label = f"interval.{end}", f"{'last' if end else 'first'} input that is drawn"
            found = Number(place, protocol, published, (float(ours),), 0.0, "exact", label=label)
            numbers.append(found._replace(seeded=False))
    return numbers


def numbers_of_claim_alpha_filter_tau(evidence: Evidence) -> list[Number]:
    """Time constant of least error of every kernel and criterion, one per seed.

    The thesis states no tolerance; the resolution of the sweep around the published value (half its
    wider neighbouring gap) is the finest that can be asked.
    """
    published = evidence.entry["values"]["tau_s_s"]
    numbers = []
    for protocol, variant, part in filters(evidence):
        swept = part["tau_s"].to_numpy()
        below, above = swept[swept < published], swept[swept > published]
        if not len(below) or not len(above):
            raise StudyError(
                f"claim.alpha_filter_tau: the sweep does not enclose {published:g} s; widen it."
            )
        resolution = max(published - below.max(), above.min() - published) / 2.0
        best = part.loc[part.groupby("seed")["error_hz"].idxmin(), "tau_s"]
        tolerance = (float(resolution), "resolution of the sweep")
        found = Number("tau_s_s", protocol, published, tuple(best), *tolerance, variant=variant)
        numbers.append(found)
    return numbers
