"""What was measured of the constraints and of locality."""

from collections.abc import Callable

from plausible.reproduction.evidence import Evidence, Measured

OWN, BACKPROP = "spcn", "backprop"
"""Ids of the thesis's own method and of the one it is compared with."""


def replaced_layers_do_not_matter(evidence: Evidence) -> list[Measured]:
    """Change of every update when other layers' arrays are replaced; backprop is the control."""
    columns = ("method", "max_abs_change", "min_relative_change")
    frame = evidence.table("claim.local_updates", *columns)
    backprop = frame["method"] == BACKPROP
    control = frame.loc[backprop, "min_relative_change"]
    found = frame.loc[~backprop, "max_abs_change"]
    return [Measured("", found, seeded=False, controls={"backprop_network": control})]


def _measurement(method: str, constraint: str) -> Callable[[Evidence], list[Measured]]:
    """Check of what was measured of a method about a constraint, by their published ids."""

    def check(evidence: Evidence) -> list[Measured]:
        columns = ("constraint", "method", "measurement", "measured_value")
        frame = evidence.table("claim.constraints", *columns)
        values = evidence.published.values("claim.constraints")
        named = [
            next(row["name"] for row in values[key] if row["id"] == identifier)
            for key, identifier in (("constraints", constraint), ("methods", method))
        ]
        row = frame[(frame["constraint"] == named[0]) & (frame["method"] == named[1])]
        note = " ".join(row["measurement"])
        return [Measured("", row["measured_value"], note=note, seeded=False)]

    return check


no_spikes_while_learning = _measurement(OWN, "spikes")
spikes_after_conversion = _measurement("shadow_trained", "spikes")
unidirectionality = _measurement(OWN, "unidirectionality")
weight_transport = _measurement(OWN, "weight_transport")
derivative = _measurement(OWN, "derivative")
timing = _measurement(OWN, "timing")
timing_by_itself = _measurement("fazil", "timing")
backprop_weight_transport = _measurement(BACKPROP, "weight_transport")
backprop_derivative = _measurement(BACKPROP, "derivative")
backprop_linear_feedback = _measurement(BACKPROP, "linear_feedback")
backprop_no_spikes = _measurement(BACKPROP, "spiking")
