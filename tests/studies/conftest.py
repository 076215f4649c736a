"""The embedded digits, for the experiments of all studies."""

import pytest
import torch

from plausible.data.dataset import Dataset
from plausible.data.registry import prepare

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The embedded digits."""
    return prepare("digits")
