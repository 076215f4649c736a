"""Input spikes: quality of the random numbers, Poisson law, independence of everything else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from plausible.errors import StudyError
from plausible.kernels.events import (
    Events,
    count_events,
    events_of_counts,
    image_key,
    poisson_thresholds,
    random_words,
    sample_events,
    total_events,
)
from plausible.kernels.lif_network import input_spikes
from plausible.kernels.types import SimulationSettings


def thresholds_of(mean: float) -> np.ndarray:
    return poisson_thresholds(np.array([0.0, mean]))


def dense(events: Events, neurons: int) -> np.ndarray:
    """Counts ``[images, steps, neurons]``, slowly."""
    images, steps = events.start.shape[0], events.start.shape[1] - 1
    counts = np.zeros((images, steps, neurons), np.int64)
    for i in range(images):
        for t in range(steps):
            for e in range(events.start[i, t], events.start[i, t + 1]):
                counts[i, t, events.neuron[e]] += events.count[e]
    return counts


@pytest.mark.parametrize("mean", [np.nan, np.inf, -1.0, 501.0])
def test_means_that_no_step_can_have_are_said(mean: float) -> None:
    with pytest.raises(StudyError, match="lie between 0 and 500"):
        thresholds_of(mean)


def test_words_are_those_of_splitmix64() -> None:
    # First outputs of the reference implementation for the seed 1234567.
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert random_words(np.uint64(1234567), np.uint64(0), 5).tolist() == expected
    assert random_words(np.uint64(1234567), np.uint64(2), 3).tolist() == expected[2:]


def test_words_of_many_images_are_uniform() -> None:
    keys = [np.uint64(image_key(np.uint64(7), np.uint64(image))) for image in range(400)]
    words = np.concatenate([random_words(key, np.uint64(0), 500) for key in keys])
    for shift in (0, 24, 56):
        part = (words >> np.uint64(shift)) & np.uint64(255)
        observed = np.bincount(part.astype(np.int64), minlength=256)
        assert stats.chisquare(observed).pvalue > 1e-4


def test_keys_of_seeds_and_images_are_distinct() -> None:
    keys = {
        int(image_key(np.uint64(seed), np.uint64(image)))
        for seed in range(50)
        for image in range(400)
    }
    assert len(keys) == 50 * 400


@pytest.mark.parametrize("mean", [0.002, 0.25, 1.0, 5.0, 60.0])
def test_thresholds_are_the_cumulative_poisson_law(mean: float) -> None:
    thresholds = thresholds_of(mean)
    probability = np.diff(thresholds[1].astype(np.float64) / 2.0**64, prepend=0.0)
    expected = stats.poisson.pmf(np.arange(len(probability)), mean)
    expected[-1] = stats.poisson.sf(len(expected) - 2, mean)
    assert np.allclose(probability, expected, atol=2e-15, rtol=1e-11)
    assert stats.poisson.sf(thresholds.shape[1] - 1, mean) < 1e-15


def test_no_mean_counts_above_its_own_law_in_a_table_of_many() -> None:
    table = poisson_thresholds(np.arange(256) / 255 * 5)
    assert np.all(table[0] == np.iinfo(np.uint64).max)
    assert np.all(np.diff(table.astype(np.float64), axis=1) >= 0)


@pytest.mark.parametrize("mean", [0.002, 0.25, 1.0, 5.0, 60.0])
def test_counts_follow_the_poisson_law(mean: float) -> None:
    images = np.full((40, 50), 1, np.uint8)
    counts = dense(sample_events(images, thresholds_of(mean), 100, 11, 0), 50).ravel()
    number = counts.size
    assert abs(counts.mean() - mean) <= 4.5 * np.sqrt(mean / number)
    assert abs(counts.var() - mean) <= 4.5 * np.sqrt((mean + 2 * mean**2) / number)
    # Bins with an expectation of at least 20, the tails joined.
    edges = np.arange(0, counts.max() + 2)
    expected = number * stats.poisson.pmf(edges, mean)
    low, high = edges[expected >= 20][[0, -1]]
    observed = np.bincount(np.clip(counts, low, high) - low, minlength=high - low + 1)
    cumulative = stats.poisson.cdf(np.arange(low, high), mean)
    law = np.diff(np.concatenate([[0.0], cumulative, [1.0]])) * number
    if len(law) > 1:
        assert stats.chisquare(observed, law).pvalue > 1e-4


def test_pixels_steps_images_and_seeds_are_independent() -> None:
    images = np.full((60, 40), 1, np.uint8)
    thresholds = thresholds_of(0.5)
    first = dense(sample_events(images, thresholds, 200, 3, 0), 40) - 0.5
    other = dense(sample_events(images, thresholds, 200, 4, 0), 40) - 0.5
    pairs = {
        "pixels": (first[:, :, :-1], first[:, :, 1:]),
        "steps": (first[:, :-1], first[:, 1:]),
        "images": (first[:-1], first[1:]),
        "a pixel of one step and the next pixel of the next": (
            first[:, :-1, :-1],
            first[:, 1:, 1:],
        ),
        "seeds": (first, other),
    }
    for name, (a, b) in pairs.items():
        # Standard error of the mean product of independent counts of variance 0.5: 0.5 / sqrt n.
        assert abs((a * b).mean()) <= 4.5 * 0.5 / np.sqrt(a.size), name


def test_totals_over_a_window_are_poisson_too() -> None:
    # Correlations over long distances would show here: sums of 200 steps x 40 pixels.
    images = np.full((300, 40), 1, np.uint8)
    totals = dense(sample_events(images, thresholds_of(0.25), 200, 5, 0), 40).sum(axis=(1, 2))
    expected = 0.25 * 200 * 40
    assert abs(totals.mean() - expected) <= 4.5 * np.sqrt(expected / 300)
    ratio = totals.var(ddof=1) / expected * 299
    assert 1e-4 < stats.chi2.cdf(ratio, 299) < 1 - 1e-4


def test_rates_follow_the_grey_levels() -> None:
    images = np.tile(np.arange(17, dtype=np.uint8), (200, 1))
    simulation = SimulationSettings(simulation_time_ms=100, input_rate_hz=250.0)
    counts = input_spikes(images, 16, simulation, 1)
    expected = np.arange(17) / 16 * 0.25
    error = np.sqrt(expected / (200 * 100))
    assert np.all(np.abs(counts.mean(axis=(0, 1)) - expected) <= 4.5 * error)
    assert counts[:, :, 0].sum() == 0


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**63 - 1),
    first=st.integers(0, 4),
    steps=st.integers(1, 20),
    mean=st.floats(0.05, 6),
)
def test_spikes_depend_on_seed_image_step_and_pixel_only(
    seed: int, first: int, steps: int, mean: float
) -> None:
    images = np.random.default_rng(0).integers(0, 3, (6, 9)).astype(np.uint8)
    thresholds = poisson_thresholds(np.array([0.0, mean / 2, mean]))
    whole = dense(sample_events(images, thresholds, 20, seed, 0), 9)
    part = dense(sample_events(images[first:], thresholds, steps, seed, first), 9)
    assert np.array_equal(part, whole[first:, :steps])
    one_pixel = np.zeros_like(images)
    one_pixel[:, 4] = images[:, 4]
    alone = dense(sample_events(one_pixel, thresholds, 20, seed, 0), 9)
    assert np.array_equal(alone[:, :, 4], whole[:, :, 4])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 9), st.integers(1, 6))
def test_events_and_dense_counts_say_the_same(
    seed: int, images: int, steps: int, neurons: int
) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.4, (images, steps, neurons))
    events = events_of_counts(counts)
    assert np.array_equal(dense(events, neurons), counts)
    at = np.unique(rng.integers(1, steps + 1, 3))
    totals, first_step = count_events(events, at, neurons)
    for c, end in enumerate(at):
        assert np.array_equal(totals[:, c], counts[:, :end].sum(axis=1))
    assert np.array_equal(total_events(events, at), totals.sum(axis=2))
    seen = counts[:, : at[-1]] > 0
    expected = np.where(seen.any(axis=1), seen.argmax(axis=1), -1)
    assert np.array_equal(first_step, expected)


def test_too_high_a_rate_is_said() -> None:
    with pytest.raises(StudyError, match="choose input_rate_hz and dt_ms"):
        thresholds_of(501.0)
