"""Song et al. 2020: one check for every statement, one comparison for every published number."""

from plausible.reproduction.evidence import Registry
from plausible.reproduction.song2020 import (
    conditions,
    detection,
    noise,
    numbers,
    run_time,
    structure,
    theorem_claims,
)
from plausible.reproduction.song2020.explanations import EXPLANATIONS

REGISTRY = Registry()
for _part in (conditions, noise, structure, detection, run_time, theorem_claims, numbers):
    REGISTRY.include(_part.REGISTRY)

__all__ = ["EXPLANATIONS", "REGISTRY"]
