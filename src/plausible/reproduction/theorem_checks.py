"""What the checks of theorems share: their record, their table, random tensors, deviations."""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from plausible.data.dataset import Dataset
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_rows import COMPARISONS, THEOREM_COLUMNS


class Check(NamedTuple):
    """One measured deviation of a statement; ``deviation comparison bound`` is to hold."""

    check: str
    """Id of the statement among those that the published file expects."""
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


def checks(
    check: str,
    bound: float,
    deviations: Mapping[str, float],
    comparison: str = "<=",
    protocol: str = "corrected",
) -> list[Check]:
    """Measured deviations of a statement that share a bound, by what was measured, in words."""
    return [
        Check(check, statement, deviation, bound, comparison, protocol)
        for statement, deviation in deviations.items()
    ]


def holds(deviation: float, comparison: str, bound: float) -> bool:
    """Whether ``deviation comparison bound`` is true; a comparison with NaN is never true."""
    return COMPARISONS[comparison](deviation, bound)


def theorem_table(
    theorems: Mapping[str, Callable[..., list[Check]]],
    settings: ExperimentSettings,
    seeds: Sequence[int],
    dataset: Dataset | None = None,
) -> pd.DataFrame:
    """One row for each theorem, seed and check, in that order.

    A theorem is a function of the settings and a seed, and of the data set where it has a parameter
    ``dataset``; ``theorems`` holds it by the id of its published entry.
    """
    torch.set_num_threads(1)
    rows = []
    for name, function in theorems.items():
        data = {"dataset": dataset} if "dataset" in signature(function).parameters else {}
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
                for check in function(settings, seed, **data)
            ]
    return pd.DataFrame(rows, columns=list(THEOREM_COLUMNS))


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
