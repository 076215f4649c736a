"""Random streams of this document's experiments, and names of its networks."""

import numpy as np
import torch

from plausible.seeds import numpy_generator, torch_seed

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
