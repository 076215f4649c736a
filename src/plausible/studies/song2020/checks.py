"""Values that the settings of this study's sweeps may have, refused before any job starts.

Snakemake reads this module whenever it starts, so it imports neither torch nor numba. A setting
means the same in every sweep, so the rules go by its name, wherever it stands in the settings.
"""

from collections.abc import Mapping
from typing import Any

from plausible.errors import StudyError
from plausible.studies.declaration import Study
from plausible.studies.setting_rules import (
    COUNT,
    NOT_NEGATIVE,
    NOT_NEGATIVE_COUNT,
    POSITIVE,
    Rule,
    check_settings,
    is_whole,
    one_of,
    single_values,
)
from plausible.studies.song2020.readings import make_reading

ACTIVATIONS = ("sigmoid", "tanh")
NOISES = ("initial", "persistent")
OPTIMIZERS = ("sgd", "adam")
DEVICES = ("cpu", "cuda")
DTYPES = ("float32", "float64")
MOMENT_L = "l"
"""In a list of moments: each layer at its own t = l."""

_MOMENT = Rule(
    lambda value: value == MOMENT_L or (is_whole(value) and value >= 0),
    f"a whole number of inference steps from 0, or {MOMENT_L}",
)
_DEPTH = Rule(
    lambda value: is_whole(value) and value >= 2, "a whole number of weight matrices from 2"
)

RULES: dict[str, Rule] = {
    **dict.fromkeys(("gamma", "gammas", "il_gamma", "weight_limit"), POSITIVE),
    **dict.fromkeys(("learning_rate", "learning_rates"), POSITIVE),
    **dict.fromkeys(("sigma", "sigmas", "tolerance", "tolerances"), NOT_NEGATIVE),
    **dict.fromkeys(("times", "il_steps"), _MOMENT),
    "l_max": _DEPTH,
    "fazil_steps": NOT_NEGATIVE_COUNT,
    **dict.fromkeys(
        (
            *("steps", "detection_steps", "epochs", "updates", "repetitions", "images"),
            *("batch_size", "batch_sizes", "hidden", "hidden_neurons", "layer_sizes"),
        ),
        COUNT,
    ),
    "noises": one_of(*NOISES),
    "activation": one_of(*ACTIVATIONS),
    **dict.fromkeys(("dtype", "dtypes"), one_of(*DTYPES)),
    **dict.fromkeys(("optimizer", "optimizers"), one_of(*OPTIMIZERS)),
    **dict.fromkeys(("device", "devices"), one_of(*DEVICES)),
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
        check_sweep(f"sweep.{sweep}", study.sweep_settings(sweep))


def check_sweep(place: str, settings: Mapping[str, Any]) -> None:
    """Check the settings of one sweep; ``place`` starts the sentence of an error."""
    check_settings(place, settings, RULES)
    _check_readings_and_moments(place, settings)


def _check_readings_and_moments(place: str, settings: Mapping[str, Any]) -> None:
    for name, value in settings.items():
        where = f"{place}.{name}"
        if name in READINGS:
            for title, choices in value.items():
                chosen = {key: choices[key] for key in choices if key != DESCRIPTION}
                make_reading(chosen, f"{where}.{title}")
        if isinstance(value, Mapping):
            _check_readings_and_moments(where, value)
    horizon = settings.get(HORIZON)
    for name in MOMENTS:
        for moment in single_values(settings.get(name, ())):
            if horizon is not None and moment != MOMENT_L and moment > horizon:
                raise StudyError(
                    f"{place}.{name}: the weights would be updated after {moment} inference steps, "
                    f"where there are T = {horizon}; lower it or raise {HORIZON}."
                )
