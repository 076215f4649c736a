"""Four rules for two coded signals: one sum, of products and of pairs of spikes."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.learning.pd_updates import RULES, weight_updates
from plausible.neurons.pd_coding import decode, pair_kernel, pd_code, pd_code_of

RNG = np.random.default_rng(2)
CODES = {
    "equal": (pd_code(0.03, 2.0), None),
    "unequal": (pd_code_of(0.9, 0.7), pd_code_of(0.5, 0.2)),
    "one_without_leak": (pd_code(0.0, 1.0), pd_code(1.0, 1.0)),
}


def trains(steps=150, inputs=4, outputs=3):
    return (
        RNG.choice([-1, 0, 2], (steps, inputs), p=[0.1, 0.8, 0.1]),
        RNG.choice([-1, 0, 1], (steps, outputs), p=[0.05, 0.9, 0.05]),
    )


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("rule", RULES)
def test_total_is_the_sum_over_pairs(rule, codes):
    """Any half of a pair may be missing at the end: what is pending makes up for it."""
    (x, e), (pre, post) = trains(), CODES[codes]
    lags = np.arange(len(x))[None, :] - np.arange(len(x))[:, None]
    pairs = np.einsum("si,st,to->io", x, pair_kernel(pre, post or pre, lags), e)
    np.testing.assert_allclose(weight_updates(rule, x, e, pre, post).total, pairs, rtol=1e-10)


def test_reconstruction_is_the_product_of_what_is_decoded():
    x, e = trains()
    pre, post = CODES["unequal"]
    steps = weight_updates("reconstruction", x, e, pre, post).steps
    np.testing.assert_array_equal(
        steps[77], np.outer(decode(x.astype(float), pre)[77], decode(e.astype(float), post)[77])
    )


def test_future_and_stdp_agree_at_every_step_and_past_does_not():
    x, e = trains()
    found = {
        rule: np.cumsum(weight_updates(rule, x, e, *CODES["unequal"]).steps, axis=0)
        for rule in RULES
    }
    np.testing.assert_allclose(found["future"], found["stdp"], rtol=0, atol=1e-12)
    assert np.abs(found["past"] - found["future"]).max() > 0.01
    assert np.abs(found["reconstruction"] - found["past"]).max() > 0.01


def test_past_acts_at_spikes_alone():
    x, e = trains()
    steps = weight_updates("past", x, e, pd_code(0.1, 1.0)).steps
    silent = (x[:, :, None] == 0) & (e[:, None, :] == 0)
    assert (steps[silent] == 0).all() and (steps[~silent] != 0).any()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: weight_updates("hebb", *trains(), pd_code(1, 1)), "found the rule 'hebb'"),
        (lambda: weight_updates("past", *trains(), pd_code(0, 1)), "both keep all of their past"),
        (
            lambda: weight_updates("past", np.ones((4, 2)), np.ones((5, 2)), pd_code(1, 1)),
            "found spikes of the shapes",
        ),
        (lambda: weight_updates("past", np.ones(4), np.ones(4), pd_code(1, 1)), "expected"),
    ],
)
def test_what_does_not_fit_is_one_sentence(call, words):
    with pytest.raises(StudyError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
