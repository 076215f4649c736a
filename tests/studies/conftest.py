"""Data set, trained and converted network for the experiments, small enough to be quick."""

from pathlib import Path

import pytest
import torch
import yaml

from plausible.conversion.shadow import SpikingNetwork, convert
from plausible.data import Dataset, prepare
from plausible.learning.settings import TrainingSettings
from plausible.learning.training import train
from plausible.networks.mlp import Network, network_to_arrays
from plausible.networks.storage import load_networks, save_networks

torch.set_num_threads(1)

TRAINING = TrainingSettings(
    hidden_sizes=(40, 30),
    epochs=8,
    batch_size=32,
    optimizer="adam",
    learning_rate=3e-3,
    learning_rule="zil",
    dtype="float64",
)


@pytest.fixture(scope="session")
def published(project_root) -> dict[str, dict]:
    """Published entries of the thesis by id."""
    text = (project_root / "workflow" / "published" / "thuesen2022.yaml").read_text()
    return {entry["id"]: entry for entry in yaml.safe_load(text)["results"]}


@pytest.fixture(scope="session")
def declaration(project_root) -> dict:
    """The study file as it stands."""
    return yaml.safe_load((project_root / "workflow" / "studies" / "thuesen2022.yaml").read_text())


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The embedded digits."""
    return prepare("digits")


@pytest.fixture(scope="session")
def trained(digits) -> Network:
    """A soft-rate network that reads the digits."""
    return train(TRAINING, digits, "test", "experiments", 0).network


@pytest.fixture(scope="session")
def spiking(trained, tmp_path_factory) -> SpikingNetwork:
    """The same network, converted by way of its file."""
    path: Path = tmp_path_factory.mktemp("networks") / "network.npz"
    save_networks(path, {0: network_to_arrays(trained)}, TRAINING._asdict())
    return convert(load_networks(path)[0])
