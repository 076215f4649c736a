"""A small trained model of each kind on the embedded digits."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

import plausible


@pytest.fixture(scope="session")
def digits():
    """Images [n, 64] from 0 to 1 and labels; the last 297 are for tests."""
    images, labels = load_digits(return_X_y=True)
    return images / 16, labels


def trained(activation, digits, norm=False):
    images, labels = digits
    torch.manual_seed(1)
    norms = [nn.BatchNorm1d(40)] if norm else []
    model = nn.Sequential(
        nn.Linear(64, 40), *norms, activation(), nn.Linear(40, 30), activation(), nn.Linear(30, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for step in range(500):
        rows = np.random.default_rng(step).integers(0, 1500, 64)
        optimizer.zero_grad()
        plausible.backprop(model, images[rows], labels[rows])
        optimizer.step()
    return model.double().eval().requires_grad_(False)


@pytest.fixture(scope="session")
def relu_model(digits):
    return trained(nn.ReLU, digits)


@pytest.fixture(scope="session")
def normed_model(digits):
    return trained(nn.ReLU, digits, norm=True)


@pytest.fixture(scope="session")
def rate_model(digits):
    return trained(plausible.SoftRate, digits)


@pytest.fixture
def sentence():
    """Checks that a caught error is one sentence with some words."""

    def check(caught, *words):
        message = str(caught.value)
        assert message.endswith(".") and "\n" not in message, message
        for word in words:
            assert word in message, message

    return check
