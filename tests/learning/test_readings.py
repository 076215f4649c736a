"""Readings of Song et al. 2020: initial weights, inputs, rates."""

from typing import get_args

import numpy as np
import pytest
import torch

from plausible.learning.readings import (
    Init,
    Reading,
    initial_weights,
    input_table,
    update_rate,
)


@pytest.mark.parametrize(
    ("init", "scale"),
    [
        ("xavier_uniform", np.sqrt(6 / 700)),
        ("xavier_normal", np.sqrt(2 / 700)),
        ("uniform", 1.0),
        ("normal", 1.0),
        ("fan_in_uniform", 1 / np.sqrt(400)),
        ("fan_in_normal", 1 / np.sqrt(400)),
    ],
)
def test_distribution_of_initial_weights(init, scale):
    output, matrix = initial_weights(Reading(init=init, gain=1.5), (10, 300, 400), "test", 3)
    assert output.shape == (300, 10) and matrix.shape == (400, 300)
    drawn, number = matrix.reshape(-1) / (1.5 * scale), matrix.size
    assert abs(drawn.mean()) < 5 / np.sqrt(number)
    ordered = np.sort(drawn)
    if init.endswith("uniform"):
        assert np.abs(drawn).max() <= 1 and np.abs(drawn).max() > 0.999
        expected = (ordered + 1) / 2
    else:
        expected = 0.5 * (1 + torch.erf(torch.from_numpy(ordered) / np.sqrt(2))).numpy()
    # Kolmogorov-Smirnov at a level of 1e-6.
    assert np.abs(np.arange(number) / number - expected).max() < 2.7 / np.sqrt(number)


@pytest.mark.parametrize("sizes", [(10, 32, 64), (10, 32, 32, 20), (40, 8, 64)])
def test_orthogonal_weights(sizes):
    for matrix in initial_weights(Reading(init="orthogonal", gain=3.0), sizes, "test", 4):
        small = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
        assert np.allclose(small, 9 * np.eye(len(small)), atol=1e-12)


@pytest.mark.parametrize("init", get_args(Init))
def test_gains_scale_the_same_draw(init):
    sizes = (10, 12, 14, 16, 18)
    plain = initial_weights(Reading(init=init), sizes, "test", 5)
    chosen = Reading(init=init, gain=2.0, output_gain=3.0, hidden_gain=5.0, input_gain=7.0)
    scaled = initial_weights(chosen, sizes, "test", 5)
    for factor, ours, theirs in zip((6, 10, 10, 14), scaled, plain, strict=True):
        assert np.allclose(ours, factor * theirs, rtol=1e-14, atol=0)
    assert all(map(np.array_equal, plain, initial_weights(Reading(init=init), sizes, "test", 5)))
    assert not np.array_equal(plain[0], initial_weights(Reading(init=init), sizes, "test", 6)[0])


def test_input_tables():
    level = np.arange(256)
    assert np.array_equal(input_table(Reading(), 255), level / 255)
    assert input_table(Reading(), 16)[16] == 1.0
    sigmoid = input_table(Reading(inputs="sigmoid"), 16)
    assert sigmoid[0] == 0.5 and np.allclose(sigmoid[16], 1 / (1 + np.exp(-1)), rtol=1e-15)
    standard = input_table(Reading(inputs="standardised"), 255)
    assert np.allclose(standard, (level / 255 - 0.1307) / 0.3081, rtol=1e-13)


def test_update_rate_of_sums_and_means():
    assert update_rate(Reading(learning_rate=0.5), 20) == 0.5
    assert update_rate(Reading(learning_rate=0.5, reduction="mean"), 20) == 0.025
