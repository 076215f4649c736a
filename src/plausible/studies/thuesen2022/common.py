"""What the experiments of this study share: reading settings, names of networks, random streams."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from plausible.errors import StudyError
from plausible.seeds import numpy_generator, torch_seed

STUDY = "thuesen2022"

Settings = Mapping[str, Any]


def read(settings: Settings, experiment: str, *names: str) -> tuple[Any, ...]:
    """Values of the settings ``names``, all of which the study file must state.

    Raises
    ------
    StudyError
        If one of them is missing.
    """
    missing = [name for name in names if name not in settings]
    if missing:
        raise StudyError(
            f"sweep {experiment}: the setting {missing[0]!r} was not found, where "
            f"{', '.join(names)} are expected; add it to the sweep in the study file."
        )
    return tuple(settings[name] for name in names)


def require(value: Any, experiment: str, what: str) -> Any:
    """``value``, which an experiment cannot do without.

    Raises
    ------
    StudyError
        If it is None or empty.
    """
    if value is None or (isinstance(value, Mapping) and not value):
        raise StudyError(
            f"sweep {experiment}: no {what} was found, where {what} is needed; declare it in the "
            "sweep of the study file."
        )
    return value


def stream(experiment: str, seed: int, *keys: str | int) -> np.random.Generator:
    """Random generator of one experiment, one seed and one purpose."""
    return numpy_generator(STUDY, experiment, seed, *keys)


def torch_generator(experiment: str, seed: int, purpose: str) -> torch.Generator:
    """Torch generator of one experiment, one seed and one purpose."""
    return torch.Generator().manual_seed(torch_seed(STUDY, experiment, seed, purpose))


def split_name(name: str) -> tuple[str, str]:
    """``(network, protocol)`` of a name such as ``spcn_adam.as_coded``."""
    network, _, protocol = name.rpartition(".")
    return network, protocol
