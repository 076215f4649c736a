"""What the experiments of this study share: names of networks, random streams."""

import numpy as np
import torch

from plausible.reproduction.inputs import Settings, read, require
from plausible.seeds import numpy_generator, torch_seed

__all__ = ["STUDY", "Settings", "read", "require", "split_name", "stream", "torch_generator"]

STUDY = "thuesen2022"


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
