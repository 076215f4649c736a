"""Predictive coding by bits: shapes, and what it refuses; its equations are theorems."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.neurons.bit_coding import QUANTIZERS, decode, encode, quantize

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("how", QUANTIZERS)
def test_columns_are_coded_independently(how):
    signals = RNG.uniform(0, 5, (50, 2, 3))
    whole = encode(signals, 0.8, how, np.random.default_rng(1))
    assert whole.sent.shape == signals.shape
    predicted = 0.8 * _late(whole.reconstruction)
    np.testing.assert_allclose(whole.encoded + predicted, signals, rtol=0, atol=1e-14)
    if how != "random":
        alone = encode(signals[:, 1, 2], 0.8, how)
        np.testing.assert_array_equal(alone.sent, whole.sent[:, 1, 2])
    assert how == "whole" or set(np.unique(whole.sent)) <= {0.0, 1.0}


def _late(values):
    return np.concatenate([np.zeros_like(values[:1]), values[:-1]])


def test_whole_numbers_follow_signals_beyond_the_range_of_bits():
    signal = 40 + 10 * np.sin(np.arange(200) / 20)
    found = encode(signal, 0.9, "whole")
    assert np.abs(found.reconstruction - signal)[1:].max() < 6
    assert found.sent.max() > 1


def test_a_constant_is_met_on_average():
    found = encode(np.full(4000, 6.3), 0.9).reconstruction[200:]
    assert found.mean() == pytest.approx(6.3, abs=0.02)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: quantize([0.5], "median"), "found the quantizer 'median', expected one of thresh"),
        (lambda: quantize([0.5], "random"), "needs a generator"),
        (lambda: encode([0.5], []), "found the coefficients \\[\\], expected one finite number"),
        (lambda: decode([0.5], np.nan), "found the coefficients nan"),
        (lambda: decode([0.5], np.ones((2, 2))), "expected one finite number or a sequence"),
    ],
)
def test_what_does_not_fit_is_one_sentence(call, words):
    with pytest.raises(StudyError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value).replace("\n [", " [") and str(caught.value).endswith(".")
