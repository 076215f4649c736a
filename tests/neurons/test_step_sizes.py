"""Step sizes against loops from their equations, and what is refused."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.neurons.step_sizes import (
    FRESH,
    Adaptive,
    Kesten,
    Schedule,
    follow,
    log_weights,
    next_step,
    optimal_step,
)

RNG = np.random.default_rng(0)


def test_schedule_starts_at_one():
    np.testing.assert_allclose(Schedule(0.8, 0.5).at([1, 4, 16]), [0.8, 0.4, 0.2])
    assert Schedule(0.3).at(1000) == 0.3
    np.testing.assert_allclose(Schedule(0.1, -0.5).at([4, 25, 400]), [0.2, 0.5, 1.0])


def test_one_over_t_is_the_mean():
    signal = RNG.random((50, 3))
    found = follow(Schedule(1.0, 1.0), signal).estimates
    np.testing.assert_allclose(found[-1], signal.mean(axis=0), rtol=1e-13)


def test_adaptive_steps_by_a_loop_over_single_numbers():
    signal, target, constant = RNG.random((60, 4)), 0.07, 1e-7
    found = follow(Adaptive(target, constant), signal)
    for column in range(4):
        average = bias = square = spread = 0.0
        rate = 1.0
        for time, value in enumerate(signal[:, column]):
            rate = rate / (1 + rate - target)
            bias = (1 - rate) * bias + rate * (value - average)
            square = (1 - rate) * square + rate * (value - average) ** 2
            sigma2 = (square - bias * bias) / (1 + spread)
            step = 1.0 if time == 0 else 1 - (sigma2 + constant) / (square + constant)
            spread = (1 - step) ** 2 * spread + step**2
            average = (1 - step) * average + step * value
            assert found.steps[time, column] == pytest.approx(step, rel=1e-12)
            assert found.estimates[time, column] == pytest.approx(average, rel=1e-12)


def test_adaptive_step_is_the_optimal_one_for_what_it_estimates():
    memory = FRESH
    for value in RNG.random((30, 5)):
        before = memory.spread
        step, memory = next_step(Adaptive(0.1, 0.0), memory, value)
    noise = (memory.square - memory.bias**2) / (1 + before)
    np.testing.assert_allclose(step, optimal_step(noise, memory.bias, before), rtol=1e-12)


def test_nothing_heard_is_no_division_by_zero():
    found = follow(Adaptive(0.1), np.zeros((20, 2)))
    assert np.isfinite(found.steps).all() and (found.estimates == 0).all()


def test_kesten_counts_changes_of_sign():
    signal, rule = RNG.random((80, 3)), Kesten(4.0, 5.0)
    found = follow(rule, signal).steps
    for column in range(3):
        average, last, count = 0.0, None, 1
        for time, value in enumerate(signal[:, column]):
            error = value - average
            if count < 3:
                error, count = (None if count == 1 else error), count + 1
            else:
                count += last * error < 0
            step = rule.a / (rule.b + count)
            average, last = (1 - step) * average + step * value, error
            assert found[time, column] == pytest.approx(step, rel=1e-13)
    assert (np.diff(found, axis=0) <= 0).all() and found[-1].max() < found[2].min()


def test_weights_are_those_of_the_estimate():
    schedule, steps = Schedule(0.9, 0.6), 40
    weights = np.exp(log_weights(schedule, steps))
    impulses = np.eye(steps)
    found = follow(schedule, impulses).estimates[-1]
    np.testing.assert_allclose(weights, found, rtol=1e-12)
    np.testing.assert_allclose(np.exp(log_weights(Schedule(1.0, 1.0), 9)), 1 / 9, rtol=1e-13)


@pytest.mark.parametrize(
    "rule", [Schedule(1.2), Schedule(-0.5), Adaptive(1.5), Kesten(9.0, 1.0), Schedule(np.nan)]
)
def test_steps_beyond_the_range_are_refused(rule):
    with pytest.raises(StudyError, match="range from 0 to 1"):
        follow(rule, np.zeros((3, 1)))


def test_what_is_no_rule_is_refused():
    with pytest.raises(StudyError, match="expected a schedule"):
        follow(0.5, np.zeros((3, 1)))
