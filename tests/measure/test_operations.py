"""Operations and integer energy against counting by hand and the thesis's numbers."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.measure.operations import (
    INT32_ADD_PJ,
    INT32_MULTIPLY_PJ,
    Operations,
    discretised_energy_nj,
    event_additions,
    layer_multiply_adds,
    nonzero_multiply_adds,
    original_energy_nj,
    original_operations,
)

SIZES = (784, 200, 200, 10)


def counted_products(values: np.ndarray, weight: np.ndarray, skip_zeros: bool) -> tuple[int, int]:
    """Multiplications and additions of x w, one scalar after the other."""
    multiplications = additions = 0
    for column in weight.T:
        terms = [w * x for w, x in zip(column, values, strict=True) if x != 0 or not skip_zeros]
        multiplications += len(terms)
        additions += max(len(terms) - 1, 0)
    return multiplications, additions


def test_the_thesis_network_has_the_published_counts():
    products = layer_multiply_adds(SIZES)
    assert products.tolist() == [784 * 200, 200 * 200, 200 * 10]
    assert original_operations(products, SIZES[1:], count_biases=True).total == 397_600  # eq. B.12
    assert original_operations(products, SIZES[1:]).total == 397_190  # table B.1: 397 k


def test_published_energy_of_the_dense_network_under_both_conventions():
    operations = original_operations(layer_multiply_adds(SIZES), SIZES[1:])
    assert original_energy_nj(operations) == pytest.approx(397_190 * 1.6e-3)
    exact = original_energy_nj(operations, "by_kind")
    assert exact == pytest.approx((198_800 * 3.1 + 198_390 * 0.1) * 1e-3)
    assert round(float(original_energy_nj(operations))) == round(float(exact)) == 636  # table B.1


@pytest.mark.parametrize("skip_zeros", [False, True])
def test_operations_are_those_of_a_product_done_by_hand(skip_zeros):
    rng = np.random.default_rng(2)
    values = np.maximum(rng.normal(size=(5, 7)), 0)
    values[3] = 0  # nothing to add up
    weight = rng.normal(size=(7, 4))
    products = nonzero_multiply_adds(values, 4) if skip_zeros else np.full(5, 7.0 * 4)
    found = original_operations(products[:, np.newaxis], (4,))
    expected = [counted_products(row, weight, skip_zeros) for row in values]
    assert np.stack([found.multiplications, found.additions], axis=1).tolist() == [
        list(pair) for pair in expected
    ]
    with_biases = original_operations(products[:, np.newaxis], (4,), count_biases=True)
    assert (with_biases.additions - found.additions).tolist() == [4] * 5


def test_events_cost_their_size_times_the_fan_out():
    messages = np.array([[2.0, -3.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, -1.0]])
    assert event_additions(messages, 10).tolist() == [50, 0, 20]
    assert nonzero_multiply_adds(messages, 10).tolist() == [20, 0, 20]
    fan_out = np.array([1, 2, 4])  # units at the border of an image reach fewer others
    assert event_additions(messages, fan_out).tolist() == [8, 0, 5]
    assert nonzero_multiply_adds(messages, fan_out).tolist() == [3, 0, 5]


def test_messages_of_any_shape_are_counted():
    messages = np.random.default_rng(0).integers(-3, 4, (6, 2, 5, 4)).astype(float)
    fan_out = np.random.default_rng(1).integers(1, 9, (2, 5, 4))
    expected = [int((np.abs(frame) * fan_out).sum()) for frame in messages]
    assert event_additions(messages, fan_out).tolist() == expected
    assert event_additions(messages, 9).tolist() == [9 * np.abs(frame).sum() for frame in messages]


def test_counts_of_a_diverged_network_are_not_finite():
    counts = event_additions(np.array([[1.0, np.inf], [1.0, 2.0]]), 5)
    assert np.isinf(counts[0]) and counts[1] == 15


def test_energies_are_horowitz_numbers_under_both_accounts():
    assert (INT32_ADD_PJ, INT32_MULTIPLY_PJ) == (0.1, 3.1)
    # Table B.1: 44.2 k additions are 4.42 nJ.
    assert discretised_energy_nj(44_200, 30_000) == pytest.approx(4.42)
    assert discretised_energy_nj(44_200, 30_000, "figure") == pytest.approx(6.0)
    assert original_energy_nj(Operations(1000, 0), "by_kind") == pytest.approx(3.1)
    assert original_energy_nj(Operations(1000, 0)) == pytest.approx(1.6)


def test_what_does_not_fit_is_said():
    with pytest.raises(StudyError, match=r"shape \(2,\), expected \(\.\.\., 3\)"):
        original_operations([1, 2], (4, 3, 2))
    with pytest.raises(StudyError, match=r"fan_out has shape \(3,\), expected .* \(4,\)"):
        event_additions(np.zeros((2, 4)), np.ones(3))
    with pytest.raises(StudyError, match="'thesis', expected one of mean_operation, by_kind"):
        original_energy_nj(Operations(1, 1), "thesis")
    with pytest.raises(StudyError, match="'thesis', expected one of table, figure"):
        discretised_energy_nj(1, 1, "thesis")
