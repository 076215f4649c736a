"""Thuesen 2022: one check for every statement, one comparison for every published number."""

from plausible.reproduction.evidence import Registry
from plausible.reproduction.thuesen2022 import claims, neurons, numbers, structure, training
from plausible.reproduction.thuesen2022.explanations import EXPLANATIONS

REGISTRY = Registry()
for _part in (neurons, structure, training, claims, numbers):
    REGISTRY.include(_part.REGISTRY)

__all__ = ["EXPLANATIONS", "REGISTRY"]
