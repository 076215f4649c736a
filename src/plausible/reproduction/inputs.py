"""What an experiment cannot do without."""

from collections.abc import Mapping
from typing import Any

from plausible.errors import StudyError


def require(value: Any, experiment: str, what: str) -> Any:
    """``value``, which an experiment cannot do without.

    Raises
    ------
    StudyError
        If it is None or empty.
    """
    if value is None or (isinstance(value, Mapping) and not value):
        raise StudyError(
            f"sweep {experiment}: no {what} was found, where {what} is needed; declare it in the "
            "sweep of the study file."
        )
    return value
