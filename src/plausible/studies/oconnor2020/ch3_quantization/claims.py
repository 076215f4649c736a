"""What was measured of quantizers, of the limit of large T, and of the order of events.

Claims that are checked exactly have their findings in the table of theorems.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured, by_protocol
from plausible.studies.oconnor2020.ch3_quantization.tables import (
    FIRST,
    FIRST_STEP,
    LAST,
    ROUTINGS,
    event_order,
    exponents,
)


def slopes(evidence: Evidence, quantizer: str) -> pd.Series:
    """Exponent of T of a quantizer's error from `FIRST_STEP` on, for each seed."""
    frame = evidence.table("ch3.fig3.1", "quantizer", "seed", "steps", "error_rms")
    frame = frame[frame["quantizer"] == quantizer]
    if frame.empty:
        raise StudyError(f"the table of oconnor2020.ch3.fig3.1 lacks the quantizer {quantizer}.")
    return exponents(frame, "error_rms", FIRST_STEP)


def quantization_rate(evidence: Evidence) -> list[Measured]:
    """Slope of spiking vector quantization."""
    return [Measured("", slopes(evidence, "vector"))]


def sampling_rate(evidence: Evidence) -> list[Measured]:
    """Slope of stochastic sampling."""
    return [Measured("", slopes(evidence, "sampling"))]


def _layers(
    evidence: Evidence, measure: Callable[[pd.DataFrame], pd.Series]
) -> list[tuple[str, Mapping[str, pd.Series]]]:
    """A measure of the errors of each layer, one value per seed, by protocol."""
    frame = evidence.table("fig_a1", "protocol", "seed", "layer", "steps", "error")
    return [
        (protocol, {f"layer {n}": measure(part) for n, part in rows.groupby("layer")})
        for protocol, rows in by_protocol(frame)
    ]


def _slopes(rows: pd.DataFrame) -> pd.Series:
    return exponents(rows, "error", FIRST)


def every_layer_converges(evidence: Evidence) -> list[Measured]:
    """Slopes of the errors of all layers."""
    return [Measured(protocol, layers) for protocol, layers in _layers(evidence, _slopes)]


def first_layer_rate(evidence: Evidence) -> list[Measured]:
    """Slope of the first hidden layer."""
    found = _layers(evidence, _slopes)
    return [Measured(protocol, layers["layer 1"]) for protocol, layers in found]


def every_layer_falls(evidence: Evidence) -> list[Measured]:
    """Error of each layer at the largest T over that at `FIRST`; a shorter run cannot tell."""
    largest = evidence.table("fig_a1", "steps")["steps"].max()

    def ratio(rows: pd.DataFrame) -> pd.Series:
        late, early = (
            rows[rows["steps"] == t].set_index("seed")["error"] for t in (largest, FIRST)
        )
        return late / early

    return [
        Measured(protocol, layers, full_scale=largest < LAST)
        for protocol, layers in _layers(evidence, ratio)
    ]


def router_orders(evidence: Evidence) -> list[Measured]:
    """Events of both orders that stand at another place than the published ones."""
    frame = evidence.table("table_a2", "element", "name", "routing", "position", "event")
    events, findings = frame[frame["element"] == "event"], []
    for routing in ROUTINGS:
        found = event_order(events, routing)
        printed = evidence.published.values("table_a2")[routing]
        wrong = np.sum([a != b for a, b in zip(found, printed, strict=False)])
        wrong += abs(len(found) - len(printed))
        note = f"found: {', '.join(found)}"
        findings.append(Measured("", [float(wrong)], routing, note, seeded=False))
    return findings
