"""What a setting of a sweep may be: rules by the setting's name, checked before any job starts.

Snakemake needs this whenever it starts, so it imports neither torch, pandas nor numba.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from plausible.config import nearest
from plausible.errors import StudyError


class Rule(NamedTuple):
    """What one value of a setting must be."""

    allows: Callable[[Any], bool]
    expected: str
    choices: tuple[str, ...] = ()


def is_number(value: Any) -> bool:
    """Whether ``value`` is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: Any) -> bool:
    """Whether ``value`` is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def one_of(*choices: str) -> Rule:
    """Rule of a setting with a few allowed values."""
    return Rule(lambda value: value in choices, f"one of {', '.join(choices)}", choices)


POSITIVE = Rule(lambda value: is_number(value) and value > 0, "a finite number above 0")
NOT_NEGATIVE = Rule(lambda value: is_number(value) and value >= 0, "a finite number from 0")
COUNT = Rule(lambda value: is_whole(value) and value >= 1, "a whole number from 1")
NOT_NEGATIVE_COUNT = Rule(lambda value: is_whole(value) and value >= 0, "a whole number from 0")
FRACTION = Rule(lambda value: is_number(value) and 0 <= value <= 1, "a number from 0 to 1")


def check_settings(place: str, settings: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Check every setting that a rule names, wherever it stands; a list must hold such values.

    Raises
    ------
    StudyError
        If a value is not what its rule allows; ``place`` says in which sweep.
    """
    for name, value in settings.items():
        where = f"{place}.{name}"
        if name in rules:
            for single in single_values(value):
                require(rules[name], where, single)
        elif isinstance(value, Mapping):
            check_settings(where, value, rules)


def single_values(value: Any) -> Iterator[Any]:
    """Values in a nest of lists and mappings."""
    if isinstance(value, list | tuple | Mapping):
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from single_values(entry)
    else:
        yield value


def require(rule: Rule, where: str, value: Any) -> None:
    """Raise a StudyError unless ``rule`` allows ``value``."""
    if not rule.allows(value):
        hint = nearest(value, rule.choices) if rule.choices else ""
        raise StudyError(f"{where}: found {value!r}, where {rule.expected} is expected{hint}.")
