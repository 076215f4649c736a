"""What every experiment of every study is given: settings that it reads, things that it needs."""

from collections.abc import Mapping
from typing import Any

from plausible.errors import StudyError

Settings = Mapping[str, Any]


def read(settings: Settings, experiment: str, *names: str) -> tuple[Any, ...]:
    """Values of the settings ``names``, all of which the study file must state.

    Raises
    ------
    StudyError
        If one of them is missing.
    """
    missing = [name for name in names if name not in settings]
    if missing:
        raise StudyError(
            f"sweep {experiment}: the setting {missing[0]!r} was not found, where "
            f"{', '.join(names)} are expected; add it to the sweep in the study file."
        )
    return tuple(settings[name] for name in names)


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
