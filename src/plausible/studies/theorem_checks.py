"""What the checks of theorems share: their record, their table, random tensors, deviations."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from plausible.studies.inputs import Settings

COLUMNS = ["id", "check", "statement", "protocol", "seed", "deviation", "bound", "comparison"]


class Check(NamedTuple):
    """One measured deviation of a statement; ``deviation comparison bound`` is to hold."""

    check: int
    """Index (from 0) of the statement among the ``expect`` entries of the published file."""
    statement: str
    """What was measured, in words."""
    deviation: float
    bound: float
    comparison: str = "<="
    protocol: str = "corrected"
    """``as_published`` or ``as_coded`` where the row shows what a misprint or the author's code
    gives; those rows need not hold."""

    def holds(self) -> bool:
        """Whether the deviation satisfies the comparison; False if it is not a number."""
        return holds(self.deviation, self.comparison, self.bound)


def holds(deviation: float, comparison: str, bound: float) -> bool:
    """Whether ``deviation comparison bound`` is true; a comparison with NaN is never true."""
    return {
        "<=": deviation <= bound,
        "<": deviation < bound,
        ">=": deviation >= bound,
        ">": deviation > bound,
        "==": deviation == bound,
    }[comparison]


def theorem_table(
    theorems: Mapping[str, Callable[[Settings, int], list[Check]]],
    settings: Settings,
    seeds: list[int],
) -> pd.DataFrame:
    """One row per theorem, seed and check, in that order."""
    rows = []
    for name, function in theorems.items():
        for seed in seeds:
            rows += [
                (
                    name,
                    check.check,
                    check.statement,
                    check.protocol,
                    seed,
                    float(check.deviation),
                    float(check.bound),
                    check.comparison,
                )
                for check in function(settings, seed)
            ]
    return pd.DataFrame(rows, columns=COLUMNS)


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Standard normal float64 tensor."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def one_hot(generator: torch.Generator, batch: int, classes: int) -> Tensor:
    """Random labels, one-hot in float64, [batch, classes]."""
    labels = torch.randint(classes, (batch,), generator=generator)
    return functional.one_hot(labels, classes).to(torch.float64)


def relative_difference(found: list[Tensor], expected: list[Tensor]) -> float:
    """Largest over the tensors of ``max |found - expected| / max |expected|``.

    A tensor that is zero but for rounding (the gradient of a bias below batch norm) is compared
    to the largest of all instead.
    """
    overall = max(float(tensor.abs().max()) for tensor in expected)
    ratios = []
    for a, b in zip(found, expected, strict=True):
        size = float(b.abs().max())
        ratios.append(float((a - b).abs().max()) / (size if size > 1e-9 * overall else overall))
    return max(ratios)
