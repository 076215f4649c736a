"""What the checks of theorems share: their record, their table, random tensors, deviations."""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from plausible.data.dataset import Dataset
from plausible.errors import StudyError
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_rows import THEOREM_COLUMNS


class Check(NamedTuple):
    """One measured deviation; the published file has the statement's bound, and the control's."""

    check: str
    """Id of the statement among those that the published file expects."""
    statement: str
    """What was measured, in words."""
    deviation: float
    variant: str = ""
    """Id of this deviation, where a statement has several."""
    protocol: str = "corrected"
    """``as_published`` or ``as_coded`` where the row shows what a misprint or the author's code
    gives; those rows need not hold. Without a row ``as_published`` the printed form is the right
    one (see `theorems`)."""
    control: str = ""
    """Id of the control, of a deviation with a condition broken; it must reach its bound."""


def checks(
    check: str, deviations: Mapping[str, tuple[str, float]], protocol: str = "corrected"
) -> list[Check]:
    """Measured deviations of a statement, in words and as a number, by the id of each."""
    return [
        Check(check, text, deviation, variant, protocol)
        for variant, (text, deviation) in deviations.items()
    ]


def controls(check: str, deviations: Mapping[str, float]) -> list[Check]:
    """Deviations of a statement with a condition broken, by the id of each published control."""
    return [
        Check(check, "control", deviation, control=control)
        for control, deviation in deviations.items()
    ]


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
                    check.variant,
                    check.control,
                    check.statement,
                    check.protocol,
                    seed,
                    float(check.deviation),
                )
                for check in function(settings, seed, **data)
            ]
    table = pd.DataFrame(rows, columns=list(THEOREM_COLUMNS))
    known = ["id", "check", "variant", "control", "protocol", "seed"]
    if table.duplicated(known).any():
        twice = table[table.duplicated(known)].iloc[0]
        raise StudyError(
            f"{twice['id']}: the statement '{twice['check']}' has two deviations with the variant "
            f"'{twice['variant']}' and the control '{twice['control']}'; give each its own id."
        )
    return table


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
