"""Values that the settings of chapter 3's training runs may have."""

from collections.abc import Mapping
from typing import Any

from plausible.errors import StudyError
from plausible.studies.oconnor2020.spiking_specs import FORMS, OWN_KEYS, SPIKING, runs
from plausible.studies.setting_rules import (
    COUNT,
    NOT_NEGATIVE,
    NOT_NEGATIVE_COUNT,
    POSITIVE,
    Rule,
    one_of,
)

PARTS = ("train", "thesis", "official")
RULES: dict[str, Rule] = {
    **dict.fromkeys(("hidden_sizes", "training_images_tested"), COUNT),
    **dict.fromkeys(("initial_deviation", "learning_rate"), POSITIVE),
    **dict.fromkeys(("test_epochs", "regularisation"), NOT_NEGATIVE),
    "anytime_steps": NOT_NEGATIVE_COUNT,
    "tested_parts": one_of(*PARTS),
    "form": one_of(*FORMS),
}
"""By the name of the setting; a list must hold such values throughout."""
OPTIONS = ("update", "smooth", "routing", "hold_error", "back_reset", "regularisation")


def check_variants(place: str, settings: Mapping[str, Any], seeds: tuple[int, ...]) -> None:
    """Check that every network among the setting ``variants`` has a rule, where there is one.

    Raises
    ------
    StudyError
        If an option is unknown, has no meaning or fits no rule.
    """
    if "variants" not in settings:
        return
    for name, own in settings["variants"].items():
        for key in own:
            if key not in (*OWN_KEYS, *OPTIONS):
                raise StudyError(
                    f"{place}.variants.{name}.{key} is no option of a network; allowed are "
                    f"{', '.join((*OWN_KEYS, *OPTIONS))}."
                )
        for protocol in own.get("protocols", ()):
            if protocol not in settings["protocols"]:
                raise StudyError(
                    f"{place}.variants.{name}.protocols names {protocol!r}, where one of "
                    f"{', '.join(settings['protocols'])} is expected."
                )
    for name in (settings.get("further_seeds") or {}).get("variants", ()):
        if name not in settings["variants"]:
            raise StudyError(
                f"{place}.further_seeds.variants names {name!r}, where one of "
                f"{', '.join(settings['variants'])} is expected."
            )
    for run in runs(settings, seeds):
        if run.spec.form == SPIKING:
            try:
                run.spec.rule()
            except StudyError as error:
                raise StudyError(f"{place}.variants.{run.network}: {error}") from None
