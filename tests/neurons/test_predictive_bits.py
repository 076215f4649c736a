"""Open-loop predictive coding and bisection: what is refused; equations are theorems."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.neurons.predictive_bits import bisect, decode_bisection, pre_code, reconstruct

RNG = np.random.default_rng(0)


def test_columns_are_coded_independently():
    signal, decay = RNG.random((30, 2, 3)), 1.0 / np.arange(1, 31) ** 0.5
    whole = pre_code(signal, decay)
    np.testing.assert_array_equal(whole[:, 1, 2], pre_code(signal[:, 1, 2], decay))
    np.testing.assert_allclose(reconstruct(whole, decay), signal, atol=1e-14)


def test_by_a_loop_from_the_equation():
    signal, before, decoded = RNG.random(25), 0.0, 0.0
    code, received = pre_code(signal, 0.3), RNG.random(25)
    found = reconstruct(received, 0.3)
    for time, value in enumerate(signal):
        assert code[time] == pytest.approx((value - 0.7 * before) / 0.3)
        before, decoded = value, 0.7 * decoded + 0.3 * received[time]
        assert found[time] == pytest.approx(decoded)


def test_bisection_of_the_example():
    found = bisect(0.4257, 5)
    assert found.bits.tolist() == [0, 1, 1, 0, 1]
    assert found.estimates.tolist() == [0.25, 0.375, 0.4375, 0.40625, 0.421875]


def test_either_meaning_of_a_bit_is_decoded_by_its_own():
    values = RNG.random((4, 5))
    above, below = (bisect(values, 8, sense) for sense in ("above", "below"))
    np.testing.assert_array_equal(above.bits, 1 - below.bits)
    np.testing.assert_array_equal(above.estimates, below.estimates)
    assert (
        decode_bisection(above.bits, "below")[..., 0].tolist() != above.estimates[..., 0].tolist()
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pre_code([0.5, 0.5], 0.0), "lambda must be above 0"),
        (lambda: reconstruct([0.5, 0.5], [1.0, 1.5]), "at most 1 at every step"),
        (lambda: bisect(1.5, 3), "between 0 and 1"),
        (lambda: bisect(0.5, 3, "beside"), "a bit says 'beside', expected one of above, below"),
    ],
)
def test_what_does_not_fit_is_one_sentence(call, words):
    with pytest.raises(StudyError, match=words):
        call()
