"""Values that the settings of this study's sweeps may have, refused before any job starts.

Snakemake reads this module whenever it starts, so it imports neither torch nor numba. A setting
means the same in every sweep, so the rules go by its name, wherever it stands in the settings.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from plausible.config import nearest
from plausible.errors import StudyError
from plausible.studies.declaration import Study
from plausible.studies.song2020.readings import make_reading

ACTIVATIONS = ("sigmoid", "tanh")
NOISES = ("initial", "persistent")
OPTIMIZERS = ("sgd", "adam")
DEVICES = ("cpu", "cuda")
DTYPES = ("float32", "float64")
MOMENT_L = "l"
"""In a list of moments: each layer at its own t = l."""


class Rule(NamedTuple):
    """What one value of a setting must be."""

    allows: Callable[[Any], bool]
    expected: str
    choices: tuple[str, ...] = ()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _one_of(*choices: str) -> Rule:
    return Rule(lambda value: value in choices, f"one of {', '.join(choices)}", choices)


_POSITIVE = Rule(lambda value: _is_number(value) and value > 0, "a finite number above 0")
_NOT_NEGATIVE = Rule(lambda value: _is_number(value) and value >= 0, "a finite number from 0")
_COUNT = Rule(lambda value: _is_whole(value) and value >= 1, "a whole number from 1")
_NOT_NEGATIVE_COUNT = Rule(lambda value: _is_whole(value) and value >= 0, "a whole number from 0")
_MOMENT = Rule(
    lambda value: value == MOMENT_L or (_is_whole(value) and value >= 0),
    f"a whole number of inference steps from 0, or {MOMENT_L}",
)
_DEPTH = Rule(
    lambda value: _is_whole(value) and value >= 2, "a whole number of weight matrices from 2"
)

RULES: dict[str, Rule] = {
    **dict.fromkeys(("gamma", "gammas", "il_gamma", "weight_limit"), _POSITIVE),
    **dict.fromkeys(("learning_rate", "learning_rates"), _POSITIVE),
    **dict.fromkeys(("sigma", "sigmas", "tolerance", "tolerances"), _NOT_NEGATIVE),
    **dict.fromkeys(("times", "il_steps"), _MOMENT),
    "l_max": _DEPTH,
    "fazil_steps": _NOT_NEGATIVE_COUNT,
    **dict.fromkeys(
        (
            *("steps", "detection_steps", "epochs", "updates", "repetitions", "images"),
            *("batch_size", "batch_sizes", "hidden", "hidden_neurons", "layer_sizes"),
        ),
        _COUNT,
    ),
    "noises": _one_of(*NOISES),
    "activation": _one_of(*ACTIVATIONS),
    **dict.fromkeys(("dtype", "dtypes"), _one_of(*DTYPES)),
    **dict.fromkeys(("optimizer", "optimizers"), _one_of(*OPTIMIZERS)),
    **dict.fromkeys(("device", "devices"), _one_of(*DEVICES)),
}
"""By the name of the setting; a list must hold such values throughout."""

MOMENTS = ("times", "il_steps")
READINGS = ("readings", "candidates")
"""Mappings of names to the choices of a `Reading`, and perhaps a description of it."""
DESCRIPTION = "description"
HORIZON = "steps"
"""T, the number of inference steps: no moment of a weight update may lie beyond it."""


def check_sweeps(study: Study) -> None:
    """Check the settings of every sweep, as they are after the user's overrides.

    Raises
    ------
    StudyError
        If a setting has a value that its meaning does not allow, or a moment of a weight update
        lies beyond the inference steps.
    """
    for sweep in study.declaration["sweep"]:
        _check(f"sweep.{sweep}", study.sweep_settings(sweep))


def _check(place: str, settings: Mapping[str, Any]) -> None:
    for name, value in settings.items():
        where = f"{place}.{name}"
        if name in READINGS:
            for title, choices in value.items():
                chosen = {key: choices[key] for key in choices if key != DESCRIPTION}
                make_reading(chosen, f"{where}.{title}")
        if name in RULES:
            for single in _values(value):
                _require(RULES[name], where, single)
        elif isinstance(value, Mapping):
            _check(where, value)
    horizon = settings.get(HORIZON)
    for name in MOMENTS:
        for moment in _values(settings.get(name, ())):
            if horizon is not None and moment != MOMENT_L and moment > horizon:
                raise StudyError(
                    f"{place}.{name}: the weights would be updated after {moment} inference steps, "
                    f"where there are T = {horizon}; lower it or raise {HORIZON}."
                )


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple | Mapping):
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from _values(entry)
    else:
        yield value


def _require(rule: Rule, where: str, value: Any) -> None:
    if not rule.allows(value):
        hint = nearest(value, rule.choices) if rule.choices else ""
        raise StudyError(f"{where}: found {value!r}, where {rule.expected} is expected{hint}.")
