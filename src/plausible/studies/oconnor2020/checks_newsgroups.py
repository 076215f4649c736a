"""Values that the settings of table 3.1 may have."""

from collections.abc import Mapping
from typing import Any

from plausible.errors import StudyError
from plausible.studies.setting_rules import COUNT, POSITIVE, Rule, one_of, require

_PROTOCOLS = ("as_published", "as_coded", "corrected")
_DIVISION: dict[str, Rule] = {
    "protocol": one_of(*_PROTOCOLS),
    "order": one_of("file", "shuffled"),
    "training_parts": COUNT,
}

RULES: dict[str, Rule] = {"epochs_tested": COUNT, "rectified_learning_rate": POSITIVE}
"""By the name of the setting; other settings have the rules of the training runs."""


def check_divisions(place: str, settings: Mapping[str, Any]) -> None:
    """Check the divisions of a sweep that has any.

    Raises
    ------
    StudyError
        If a division lacks a key, has an unknown one, or a value that its meaning does not allow,
        or if the tested epochs do not increase.
    """
    epochs = settings.get("epochs_tested", [])
    if list(epochs) != sorted(set(epochs)):
        raise StudyError(f"{place}.epochs_tested: found {epochs!r}, expected increasing numbers.")
    for name, division in settings.get("divisions", {}).items():
        where = f"{place}.divisions.{name}"
        if not isinstance(division, Mapping) or set(division) != set(_DIVISION):
            raise StudyError(f"{where}: found {division!r}, expected {', '.join(_DIVISION)}.")
        for key, rule in _DIVISION.items():
            require(rule, f"{where}.{key}", division[key])
