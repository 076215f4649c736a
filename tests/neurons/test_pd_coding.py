"""PD coding: shapes, tuning, and what is refused; its equations are theorems of chapter 5."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.neurons.pd_coding import (
    PDCode,
    Tuning,
    pair_kernel,
    pd_code,
    pd_code_of,
    transmit,
    transmit_tuned,
    tuned_scales,
)

RNG = np.random.default_rng(0)


def test_memory_and_step_are_another_form_of_the_coefficients():
    code = pd_code(0.3, 1.7)
    again = pd_code_of(code.k_alpha, code.k_beta)
    assert again.k_p == pytest.approx(0.3) and again.k_d == pytest.approx(1.7)


def test_columns_are_coded_independently():
    signal = RNG.standard_normal((50, 2, 3))
    whole = transmit(signal, pd_code(0.5, 1.0))
    alone = transmit(signal[:, 1, 2], pd_code(0.5, 1.0))
    np.testing.assert_array_equal(whole.spikes[:, 1, 2], alone.spikes)


def test_scales_by_a_loop_from_the_equation():
    signal, tuning = RNG.standard_normal((40, 5)), Tuning(0.9, 0.8, 0.05)
    k_beta, mu, found = 0.8, 1.0, []
    for value in signal:
        found.append(k_beta)
        k_beta, mu = (
            k_beta + 0.05 * (0.8 * mu - k_beta),
            mu + 0.05 * (np.abs(value).mean() - mu),
        )
    np.testing.assert_allclose(tuned_scales(signal, tuning), found, rtol=1e-14)


def test_a_tuned_code_that_is_not_tuned_is_the_code():
    signal, code = RNG.standard_normal((200, 4)), pd_code_of(0.75, 0.5)
    fixed = transmit_tuned(signal, Tuning(0.75, 0.5, 0.0))
    np.testing.assert_array_equal(fixed.spikes, transmit(signal, code).spikes)
    np.testing.assert_allclose(fixed.reconstruction, transmit(signal, code).reconstruction)


def test_a_tuned_code_follows_a_signal_that_shrinks():
    signal = 1e-3 * RNG.standard_normal((20000, 3))
    still = transmit_tuned(signal, Tuning(0.9, 0.9, 0.0)).spikes[-5000:]
    tuned = transmit_tuned(signal, Tuning(0.9, 0.9, 0.001)).spikes[-5000:]
    assert np.abs(still).mean() < 0.01 < np.abs(tuned).mean()


def test_pair_kernel_of_unequal_codes_by_summation():
    pre, post = PDCode(0.2, 1.0), PDCode(0.5, 0.5)
    for lag in (-4, 0, 3):
        time = np.arange(-10, 400)
        one = np.where(time >= 0, pre.k_beta * pre.k_alpha ** np.maximum(time, 0.0), 0)
        shifted = np.maximum(time - lag, 0.0)
        other = np.where(time >= lag, post.k_beta * post.k_alpha**shifted, 0)
        assert pair_kernel(pre, post, lag) == pytest.approx(one @ other, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pd_code(0, 0), "one of them above"),
        (lambda: pd_code(-1, 2), "found k_p = -1, k_d = 2"),
        (lambda: pd_code(np.inf, 2), "expected are finite numbers"),
        (lambda: pd_code_of(1.5, 1.0), "k_alpha from 0 to 1"),
        (lambda: pd_code_of(0.5, 0.0), "finite k_beta above 0"),
        (lambda: transmit([np.nan], pd_code(1, 1)), "not finite"),
    ],
)
def test_what_does_not_fit_is_one_sentence(call, words):
    with pytest.raises(StudyError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
