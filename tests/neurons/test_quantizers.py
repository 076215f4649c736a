"""Quantizers against the loops of the thesis, their closed forms and their bounds."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plausible.errors import StudyError
from plausible.neurons import quantizers as q

# Multiples of 1/8 are exact in binary, so that ties at 1/2 do occur.
EIGHTHS = st.integers(-40, 40).map(lambda k: k / 8)
FINE = st.floats(-3, 3, allow_subnormal=False)


def streams(elements):
    shape = st.tuples(st.integers(1, 30), st.integers(1, 6))
    return shape.flatmap(lambda size: arrays(np.float64, size, elements=elements))


def loop(values, rectified):
    """Algorithms 2, 11 and 12 as printed: the arg max is looked for again after each spike."""
    phi = np.zeros(values.shape[1])
    events = []
    for value in values:
        phi = phi + value
        events.append([])
        while np.max(phi if rectified else np.abs(phi)) > 0.5:
            i = int(np.argmax(phi if rectified else np.abs(phi)))
            sign = 1 if phi[i] > 0 else -1
            phi[i] -= sign
            events[-1].append(i if sign > 0 else -1 - i)
    return events, phi


@pytest.mark.parametrize("rectified", [False, True])
@given(values=st.one_of(streams(EIGHTHS), streams(FINE)))
def test_spikes_and_their_order_are_those_of_the_loop(rectified, values):
    expected, phi = loop(values, rectified)
    potential = np.zeros(values.shape[1])
    for value, codes in zip(values, expected, strict=True):
        potential += value
        assert q.spike_codes(potential, rectified).tolist() == codes
    assert np.array_equal(potential, phi)
    quantized = q.quantize_stream(values, rectified)
    assert np.array_equal(quantized.potential, phi)
    for step, codes in zip(quantized.spikes, expected, strict=True):
        counts = np.zeros(values.shape[1], int)
        for code in codes:
            counts[code if code >= 0 else -1 - code] += 1 if code >= 0 else -1
        assert np.array_equal(step, counts)


@given(values=streams(st.integers(-900, 900)), unit=st.integers(2, 300))
def test_integer_quantizer_that_spikes_at_exactly_minus_half(values, unit):
    half = unit // 2
    for value in values.astype(np.int64):
        numbers = q.spike_numbers(value, unit=unit, half=half, half_below=unit - half - 1)
        for start, number in zip(value, numbers, strict=True):
            phi, expected = Fraction(int(start), unit), 0
            while phi > Fraction(1, 2) or phi <= -Fraction(1, 2):
                sign = 1 if phi > 0 else -1
                phi, expected = phi - sign, expected + sign
            assert number == expected


@given(values=streams(st.integers(-900, 900)), unit=st.integers(2, 300))
def test_integer_quantizer_is_that_of_fractions(values, unit):
    potential = np.zeros(values.shape[1], np.int64)
    exact = [Fraction(0)] * values.shape[1]
    for value in values.astype(np.int64):
        potential += value
        numbers = q.spike_numbers(potential, unit=unit, half=unit // 2)
        potential -= numbers * unit
        for i, number in enumerate(numbers):
            exact[i] += Fraction(int(value[i]), unit)
            while abs(exact[i]) > Fraction(1, 2):
                sign = 1 if exact[i] > 0 else -1
                exact[i] -= sign
                number -= sign
            assert number == 0
            assert exact[i] == Fraction(int(potential[i]), unit)


@given(values=st.one_of(streams(EIGHTHS), streams(FINE)))
def test_residual_stays_within_its_bounds(values):
    phi = np.zeros(values.shape[1])
    for value in values:
        q.herd(value, phi)
        assert np.abs(phi).max() <= 0.5
        assert np.abs(phi).sum() <= q.residual_bound(len(phi))
    spikes = q.quantize_stream(values).spikes
    steps = np.arange(1, len(values) + 1)[:, None]
    difference = np.abs(np.cumsum(spikes, axis=0) - np.cumsum(values, axis=0)) / steps
    assert np.all(difference <= 0.5 / steps + 1e-12)  # eq. 3.1 and 3.2
    assert q.quantize_stream(values, rectified=True).potential.max() <= 0.5


@given(values=streams(EIGHTHS))
def test_it_is_the_difference_of_the_rounded_sum_but_for_ties(values):
    """Q = delta after round after sum; at a half either neighbour, and right again after it."""
    counts = np.cumsum(q.quantize_stream(values).spikes, axis=0)
    sums = np.cumsum(values, axis=0)  # exact, as multiples of 1/8 are
    ties = np.abs(sums - np.floor(sums)) == 0.5
    assert np.array_equal(counts[~ties], np.round(sums)[~ties])
    assert np.array_equal(np.abs(counts - sums)[ties], np.full(ties.sum(), 0.5))


@given(vector=arrays(np.float64, 5, elements=EIGHTHS), steps=st.integers(1, 60))
def test_closed_form_of_a_constant_vector_with_ties(vector, steps):
    counts = np.cumsum(q.quantize_vector(vector, steps).spikes, axis=0)
    assert np.array_equal(counts, q.vector_counts(vector, np.arange(1, steps + 1)))


def test_closed_form_of_a_constant_vector_is_rounding():
    vector = np.random.default_rng(0).uniform(-2, 2, 200)
    steps = np.arange(1, 101)
    counts = np.cumsum(q.quantize_vector(vector, 100).spikes, axis=0)
    assert np.array_equal(counts, np.round(np.outer(steps, vector)))
    assert np.array_equal(counts, q.vector_counts(vector, steps))


@given(values=streams(EIGHTHS))
def test_rectified_count_is_the_closed_form_with_ties(values):
    counts = np.cumsum(q.quantize_stream(values, rectified=True).spikes, axis=0)
    assert np.array_equal(counts, q.rectified_counts(values))


def test_printed_floor_of_eq_a5_is_wrong_at_ties_only():
    rng = np.random.default_rng(1)

    def printed(values):
        highest = np.maximum.accumulate(np.cumsum(values, axis=0), axis=0)
        return np.maximum(0, np.floor(highest + 0.5))

    generic = rng.normal(0, 0.3, (50, 300))
    assert np.array_equal(printed(generic), q.rectified_counts(generic))
    quarters = np.full((40, 1), 0.25)
    assert np.mean(printed(quarters) != q.rectified_counts(quarters)) == 0.25


def test_rectified_rate_approaches_the_rectified_mean():
    means = np.array([-0.4, -0.05, 0.0, 0.1, 0.7])
    values = np.random.default_rng(2).normal(means, 0.5, (10_000, 5))
    rate = q.quantize_stream(values, rectified=True).spikes.mean(axis=0)
    assert np.abs(rate - np.maximum(values.mean(axis=0), 0)).max() < 0.05


def test_sampling_is_unbiased_and_signed():
    vector = np.array([0.5, -1.0, 0.0, 0.1])
    events = q.sampled_events(vector, 20_000, np.random.default_rng(3))
    error = np.abs(events.mean(axis=0) - vector)
    assert np.all(error <= 4 * np.sqrt(np.abs(vector) / 20_000))  # Poisson variance |v|
    assert np.all(events[:, 1] <= 0) and not events[:, 2].any()
    assert not q.sampled_events(np.zeros(3), 5, np.random.default_rng(0)).any()


def test_errors_fall_as_published():
    rng = np.random.default_rng(4)
    vector = rng.uniform(-1, 1, 100)
    steps = np.unique(np.logspace(0, 4, 40).astype(int))
    quantized = np.cumsum(q.quantize_vector(vector, 10_000).spikes, axis=0)[steps - 1]
    sampled = np.cumsum(q.sampled_events(vector, 10_000, rng), axis=0)[steps - 1]
    slopes = [
        np.polyfit(np.log(steps), np.log(np.linalg.norm(c / steps[:, None] - vector, axis=1)), 1)[0]
        for c in (quantized, sampled)
    ]
    assert abs(slopes[0] + 1) < 0.15 and abs(slopes[1] + 0.5) < 0.15


def test_running_product_is_the_product_of_the_mean():
    rng = np.random.default_rng(5)
    vector, weights = rng.uniform(-1, 1, 20), rng.normal(size=(20, 7))
    products = q.running_product(q.quantize_vector(vector, 1000).spikes, weights)
    bound = np.abs(weights).sum(axis=0) / 2  # eq. 3.4: each element of the mean is off by 1 / (2 T)
    for step in (1, 10, 1000):
        assert np.all(np.abs(products[step - 1] - vector @ weights) <= bound / step + 1e-12)


def test_what_cannot_be_quantized_is_refused_and_does_not_hang():
    with pytest.raises(StudyError, match="not finite"):
        q.quantize_stream([[np.nan]])
    with pytest.raises(StudyError, match="not finite"):
        q.vector_counts([np.inf], [1])
    with pytest.raises(StudyError, match="0 steps"):
        q.quantize_vector([1.0], 0)
    # 1e17 does not change by 1, so that a loop would not end.
    assert q.spike_numbers(np.array([1e17])).tolist() == [10**17]
