"""O'Connor 2020: one check for every statement, one comparison for every published number."""

from types import ModuleType

from plausible.reproduction.evidence import Registry
from plausible.reproduction.explanations import Explanation
from plausible.reproduction.oconnor2020 import (
    chapter1,
    early_guesses,
    hyperparameters,
    newsgroups,
    principles,
    quantization,
    scales,
    spiking_training,
)

PARTS: tuple[ModuleType, ...] = (
    chapter1,
    early_guesses,
    hyperparameters,
    newsgroups,
    principles,
    quantization,
    scales,
    spiking_training,
)
"""Modules with a REGISTRY of checks and numbers, and EXPLANATIONS of differences."""

REGISTRY = Registry()
for _part in PARTS:
    REGISTRY.include(_part.REGISTRY)
EXPLANATIONS: tuple[Explanation, ...] = tuple(
    explanation for part in PARTS for explanation in part.EXPLANATIONS
)

__all__ = ["EXPLANATIONS", "REGISTRY"]
