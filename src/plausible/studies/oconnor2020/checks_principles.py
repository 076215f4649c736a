"""Values that the settings of chapter 4's principles may have; imports neither torch nor numba."""

from plausible.studies.setting_rules import (
    COUNT,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    Rule,
    is_number,
)

_ANY = Rule(is_number, "a finite number")

RULES: dict[str, Rule] = {
    **dict.fromkeys(
        (
            *("layer_sizes", "frames", "samples", "random_triples", "epochs", "batch_size"),
            *("recorded_epochs", "buffer_sizes", "published_buffer", "snippets", "snippet_frames"),
        ),
        COUNT,
    ),
    **dict.fromkeys(
        ("weight_factors", "learning_rate", "unitwise_learning_rate", "scales", "initial_scales"),
        POSITIVE,
    ),
    **dict.fromkeys(("lambdas", "lambda", "triple_deviation", "unit_spread"), NOT_NEGATIVE),
    "triple_mean": _ANY,
    "correlations": FRACTION,
}
"""By the name of the setting; a list must hold such values throughout."""
