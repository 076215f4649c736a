"""Synthetic gradients: targets against autograd, what is learned against least squares."""

import pytest
import torch

from plausible.errors import ConfigError
from plausible.learning.synthetic_gradients import (
    bootstrap_targets,
    learned,
    predict,
    with_one,
)


def layers():
    own = torch.Generator().manual_seed(7)
    weights = [torch.randn(4, 4, generator=own, dtype=torch.float64) for _ in range(3)]
    found, slopes = [torch.randn(30, 4, generator=own, dtype=torch.float64)], []
    for matrix in weights:
        found.append(torch.tanh(found[-1] @ matrix))
        slopes.append(1.0 - found[-1] ** 2)
    return weights, found[1:], slopes


def test_targets_of_true_gradients_are_true_gradients():
    weights, found, slopes = layers()
    first = found[0].clone().requires_grad_()
    second = torch.tanh(first @ weights[1])
    third = torch.tanh(second @ weights[2])
    true = torch.autograd.grad((third**3).sum(), [first, second, third])
    bootstrapped = bootstrap_targets(true, weights, slopes, true[-1])
    for one, expected in zip(bootstrapped, true, strict=True):
        torch.testing.assert_close(one, expected)


def test_predictors_find_the_least_squares():
    _, found, _ = layers()
    own = torch.Generator().manual_seed(8)
    goal = torch.randn(30, 4, generator=own, dtype=torch.float64)
    predictors = [torch.zeros(5, 4, dtype=torch.float64)]
    for _ in range(4000):
        predictors = learned(predictors, found[:1], [goal], 0.5)
    expected = torch.linalg.lstsq(with_one(found[0]), goal).solution
    torch.testing.assert_close(predictors[0], expected, rtol=0, atol=1e-8)
    torch.testing.assert_close(predict(predictors, found[:1])[0], with_one(found[0]) @ expected)


def test_layers_must_be_equally_many():
    weights, found, slopes = layers()
    with pytest.raises(ConfigError, match="2 weights"):
        bootstrap_targets(found, weights[1:], slopes, found[-1])
