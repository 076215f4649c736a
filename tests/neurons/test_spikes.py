"""Poisson coding, synapse filters and readouts against closed forms and other implementations."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plausible.errors import StudyError
from plausible.neurons.spikes import (
    alpha_kernel,
    alpha_kernel_steps,
    apply_kernel,
    author_kernel,
    first_spike_readout,
    kernel_taps,
    poisson_spike_counts,
    spike_count_readout,
)

CURVES = Path(__file__).parents[2] / "workflow" / "published" / "curves"


def published_kernel() -> np.ndarray:
    with open(CURVES / "thuesen2022.alpha_filter.csv", newline="") as stream:
        return np.array([float(row["value"]) for row in csv.DictReader(stream)])


@pytest.mark.parametrize("rate", [np.nan, np.inf, -1.0])
def test_rates_that_are_none_are_said(rate: float) -> None:
    with pytest.raises(StudyError, match="a rate is negative or not finite"):
        poisson_spike_counts(np.array([100.0, rate]), 10, 0.001, np.random.default_rng(0))


def test_poisson_counts_have_the_mean_and_variance_of_eq_39() -> None:
    rate = np.array([0.0, 50.0, 250.0, 5000.0])
    counts = poisson_spike_counts(rate, 40_000, 0.001, np.random.default_rng(1))
    assert counts.shape == (40_000, 4)
    expected = rate * 0.001
    error = np.sqrt(expected / 40_000)
    assert np.all(np.abs(counts.mean(axis=0) - expected) <= 5 * error)
    # The variance of the sample variance of Poisson counts is (m + 2 m^2) / n.
    spread = np.sqrt((expected + 2 * expected**2) / 40_000)
    assert np.all(np.abs(counts.var(axis=0) - expected) <= 5 * spread)
    assert counts[:, 3].max() > 5


@given(st.floats(0.0005, 0.02), st.floats(0.02, 2.0))
def test_unit_area_kernel_sums_to_one_and_keeps_its_shape(tau_s: float, ratio: float) -> None:
    kernel = alpha_kernel(tau_s, ratio * tau_s)
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    assert np.all(kernel >= 0)
    assert kernel[0] == 0
    time = np.arange(1, len(kernel)) * ratio
    assert np.allclose(kernel[1:] / kernel[1], time / ratio * np.exp(ratio - time), rtol=1e-9)


@given(st.floats(0.0005, 0.02), st.floats(0.02, 2.0))
def test_printed_kernel_sums_to_the_geometric_series(tau_s: float, ratio: float) -> None:
    # sum_k k x^k = x / (1 - x)^2 with x = exp(-dt / tau).
    x = np.exp(-ratio)
    kernel = alpha_kernel(tau_s, ratio * tau_s, normalise="printed")
    assert kernel.sum() == pytest.approx(ratio * x / (1 - x) ** 2, rel=2e-5)


def test_printed_kernel_overestimates_rates_by_11_percent_at_1_ms() -> None:
    assert alpha_kernel(normalise="printed").sum() == pytest.approx(1.112, abs=5e-4)


def test_little_is_left_after_the_default_number_of_samples() -> None:
    steps = alpha_kernel_steps(0.00118, 0.001)
    longer = alpha_kernel(steps=10 * steps, normalise="printed")
    assert longer[steps:].sum() < 1e-5 * longer.sum()


def test_author_kernel_is_the_published_curve() -> None:
    assert np.allclose(author_kernel(), published_kernel(), atol=6e-8)
    assert author_kernel().sum() == pytest.approx(0.9977, abs=5e-5)


def test_causal_filter_is_a_convolution() -> None:
    spikes = np.random.default_rng(2).poisson(0.3, (60, 4))
    filtered = apply_kernel(spikes, alpha_kernel())
    for neuron in range(4):
        whole = np.convolve(spikes[:, neuron], alpha_kernel())
        assert np.allclose(filtered[:, neuron], whole[:60], atol=1e-14)


def test_author_order_is_the_cross_correlation_of_conv1d() -> None:
    spikes = np.random.default_rng(3).poisson(0.3, (60, 4))
    correlated = torch.nn.functional.conv1d(
        torch.from_numpy(spikes.T[:, None].astype(np.float64)),
        torch.from_numpy(author_kernel())[None, None],
        padding=5,
    )
    expected = correlated[:, 0].numpy().T
    assert np.allclose(apply_kernel(spikes, author_kernel(), "author"), expected, atol=1e-14)


def test_author_order_answers_before_the_spike_and_most_4_steps_after() -> None:
    spikes = np.zeros(31)
    spikes[15] = 1
    filtered = apply_kernel(spikes, author_kernel(), "author")
    assert np.flatnonzero(filtered).tolist() == list(range(10, 20))
    assert filtered[19] == filtered.max() == pytest.approx(0.36699, abs=5e-6)


@given(st.integers(0, 29), st.sampled_from(["causal", "author"]), st.integers(1, 30))
def test_filter_places_taps_at_their_lags(at: int, order: str, taps: int) -> None:
    kernel = np.arange(1.0, 2 * taps)
    spikes = np.zeros(30)
    spikes[at] = 3
    placed, first_lag = kernel_taps(kernel, order)
    expected = np.zeros(30)
    for k, tap in enumerate(placed):
        if 0 <= at + first_lag + k < 30:
            expected[at + first_lag + k] = 3 * tap
    assert np.array_equal(apply_kernel(spikes, kernel, order), expected)


def test_unit_area_filter_keeps_the_number_of_spikes() -> None:
    spikes = np.zeros((100, 3))
    spikes[10:60] = np.random.default_rng(4).poisson(0.5, (50, 3))
    filtered = apply_kernel(spikes, alpha_kernel())
    assert np.allclose(filtered.sum(axis=0), spikes.sum(axis=0), rtol=1e-12)


def test_spike_count_readout_gives_ties_to_the_first() -> None:
    counts = np.array([[0, 3, 3], [5, 1, 2], [0, 0, 0]])
    assert spike_count_readout(counts).tolist() == [1, 0, 0]


def test_first_spike_readout_ignores_silent_neurons() -> None:
    steps = np.array([[-1, 7, 3], [4, -1, 4], [-1, -1, -1]], dtype=np.int32)
    assert first_spike_readout(steps).tolist() == [2, 0, 0]


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(StudyError, match="both be positive"):
        alpha_kernel(0.0)
    with pytest.raises(StudyError, match="'unit_area' or 'printed'"):
        alpha_kernel(normalise="sum")
    with pytest.raises(StudyError, match="hold nothing"):
        alpha_kernel(steps=1)
    with pytest.raises(StudyError, match="expected one of causal, author"):
        kernel_taps(author_kernel(), "reversed")
    with pytest.raises(StudyError, match="odd number of taps, found 4"):
        kernel_taps(np.ones(4), "author")
