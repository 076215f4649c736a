"""Theorems on update rules: every statement is measured, holds, and can fail."""

from plausible.learning import pd_updates
from plausible.neurons import pd_coding
from plausible.studies.oconnor2020.ch5_updates import theorems

from ...theorem_harness import Falsified, TheoremTests

UPDATES, KERNEL = pd_updates.weight_updates, pd_coding.pair_kernel


def _lossy(rule, *given):
    """The past rule forgets what is pending, the future one a part of each step."""
    found = UPDATES(rule, *given)
    return found._replace(steps=0.99 * found.steps) if rule == "future" else found


def _without_pending(rule, *given):
    found = UPDATES(rule, *given)
    return found._replace(pending=0 * found.pending) if rule == "past" else found


def _doubled(rule, *given):
    found = UPDATES(rule, *given)
    return found._replace(steps=2 * found.steps) if rule == "stdp" else found


class TestTheorems(TheoremTests):
    """Four rules, their kernel, their means."""

    document, part = "oconnor2020", "ch5_updates"
    seeds = (0, 7)
    deviating = {
        # Eq. C.6, C.7 and 5.13 as printed.
        ("ch5.update_rules", "cumulative_updates_coincide", "as_published"),
        ("ch5.eq5.13.stdp_form", "autocorrelation_of_kernel", "as_published"),
        ("ch5.future_is_online_stdp", "equal_at_every_time", "as_published"),
    }
    falsified = (
        *(
            Falsified(
                "ch5.update_rules", "cumulative_updates_coincide", theorems, "weight_updates", wrong
            )
            for wrong in (_lossy, _without_pending, _doubled)
        ),
        Falsified(
            "ch5.future_is_online_stdp", "equal_at_every_time", theorems, "weight_updates", _lossy
        ),
        Falsified(
            "appC.mean_updates_equal", "sums_differ_by_an_open_area", theorems, "weight_updates",
            _doubled,
        ),
        Falsified(
            "ch5.eq5.13.stdp_form", "autocorrelation_of_kernel", theorems, "pair_kernel",
            lambda pre, post, lags: 1.01 * KERNEL(pre, post, lags),
        ),
    )  # fmt: skip
