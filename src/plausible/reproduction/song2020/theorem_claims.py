"""Claims that are checked exactly: their findings stand in the table of theorems."""

from functools import partial

from plausible.reproduction.evidence import Registry
from plausible.reproduction.theorems import theorem_outcomes

REGISTRY = Registry()
CLAIMS = (
    "claim.fixed_t_is_il",
    "claim.il_approximates_bp",
    "claim.prediction_equals_forward",
    "claim.symmetric_weights_stay_equal",
    "claim.c1_prediction_phase",
    "claim.a11_energy_comparison",
)

for _claim in CLAIMS:
    REGISTRY.check(_claim, 0)(partial(theorem_outcomes, index=0))
