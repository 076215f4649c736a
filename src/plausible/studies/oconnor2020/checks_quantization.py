"""Values that the settings of the quantizers and of the limits of the spiking network may have."""

from plausible.studies.setting_rules import COUNT, NOT_NEGATIVE_COUNT, POSITIVE, Rule, is_number

_NUMBER = Rule(is_number, "a finite number")

RULES: dict[str, Rule] = {
    **dict.fromkeys(("units", "steps", "points", "images", "layer_sizes", "hidden_sizes"), COUNT),
    **dict.fromkeys(("integer_samples", "integer_images"), COUNT),
    **dict.fromkeys(("learning_rate", "learning_rates", "weight_std"), POSITIVE),
    "training": NOT_NEGATIVE_COUNT,
    "input_means": _NUMBER,
}
"""By the name of the setting; a list or a mapping must hold such values throughout."""
