"""Settings of the optimisation of scales that are refused before any job starts."""

from collections.abc import Mapping
from typing import Any

from plausible.errors import StudyError
from plausible.studies.oconnor2020.scale_readings import optimisations
from plausible.studies.setting_rules import COUNT, POSITIVE, Rule, is_whole

_MOST_BITS = 16
_BITS = Rule(
    lambda value: is_whole(value) and 2 <= value <= _MOST_BITS,
    f"a whole number of bits from 2 to {_MOST_BITS}",
)
_SWITCH = Rule(lambda value: isinstance(value, bool), "true or false")

RULES: dict[str, Rule] = {
    **dict.fromkeys(("hidden_sizes", "epochs", "batch_size", "buffer_size"), COUNT),
    **dict.fromkeys(("learning_rate", "lambdas", "record_every_epochs"), POSITIVE),
    "bits": _BITS,
    "unitwise": _SWITCH,
}


def check_optimisations(place: str, settings: Mapping[str, Any]) -> None:
    """Check the setting ``optimisations`` of a sweep, where there is one.

    Raises
    ------
    StudyError
        If a key or a protocol is unknown, or two optimisations would have the same rows.
    """
    if "optimisations" not in settings:
        return
    where = f"{place}.optimisations"
    seen: set[tuple[str, bool]] = set()
    for way in optimisations(settings["optimisations"], where):
        rows = (way.protocol, way.unitwise)
        if rows in seen:
            kind = "unitwise" if way.unitwise else "layerwise"
            raise StudyError(
                f"{where}: {way.protocol} with {kind} scales was found twice, where each protocol "
                "may have one optimisation of each kind; remove one of them."
            )
        seen.add(rows)
