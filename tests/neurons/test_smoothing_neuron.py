"""The neuron that smooths twice, against numerical integration of its differential equations."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from plausible.errors import StudyError
from plausible.neurons.smoothing_neuron import (
    Rates,
    continuous_neuron,
    discrete_neuron,
)

RATES = Rates(0.8, 0.3, 0.1)
ARRIVALS, WEIGHTS = np.array([0.5, 1.2, 1.25, 3.0, 4.4]), np.array([0.5, 0.4, 0.6, -0.3, 0.9])
TIMES = np.linspace(0.1, 8.0, 80)


def integrated():
    """v, s and times of spikes by an integrator of high order, from event to event."""
    v = s = phi = now = 0.0
    states, sent = [], []
    stops = [*zip(ARRIVALS, WEIGHTS, strict=True), (TIMES[-1], 0.0)]
    for end, weight in stops:

        def rates(_, y):
            dv, ds = -RATES.decoding * y[0], RATES.averaging * (y[0] + RATES.bias - y[1])
            return [dv, ds, ds / RATES.decoding + y[1]]

        while now < end:
            reached = lambda _, y: y[2] - 0.5  # noqa: E731
            reached.terminal, reached.direction = True, 1
            grid = TIMES[(TIMES > now) & (TIMES <= end)]
            found = solve_ivp(
                rates, (now, end), [v, s, phi], events=reached, rtol=1e-11, atol=1e-13,
                dense_output=True,
            )  # fmt: skip
            last = found.t[-1]
            states += [found.sol(time)[:2] for time in grid if time <= last]
            (v, s, phi), now = found.y[:, -1], last
            if found.t_events[0].size:
                sent.append(last)
                phi -= 1.0
        v += RATES.decoding * weight
    return np.array(states), np.array(sent)


def test_from_event_to_event_is_the_integral():
    states, sent = integrated()
    found = continuous_neuron(ARRIVALS, WEIGHTS, RATES, TIMES)
    np.testing.assert_allclose(np.stack([found.decoded, found.states], 1), states, atol=1e-9)
    np.testing.assert_allclose(found.sent, sent, atol=1e-8)
    assert len(sent) == 2


def test_short_steps_come_near():
    exact = continuous_neuron(ARRIVALS, WEIGHTS, RATES, TIMES)
    fine = discrete_neuron(ARRIVALS, WEIGHTS, RATES, 8.0, 0.001)
    np.testing.assert_allclose(fine.states[99::100], exact.states, atol=2e-3)
    assert len(fine.sent) == len(exact.sent)
    np.testing.assert_allclose(fine.sent, exact.sent, atol=0.02)


def test_one_spike_is_smoothed_twice():
    found = continuous_neuron([1.0], [1.0], Rates(0.8, 0.3), TIMES)
    after = np.clip(TIMES - 1.0, 0.0, None)
    # A difference of exponentials: lambda eps / (eps - lambda) (exp(-lambda t) - exp(-eps t)).
    response = 0.8 * 0.3 / (0.3 - 0.8) * (np.exp(-0.8 * after) - np.exp(-0.3 * after))
    np.testing.assert_allclose(found.states, response, atol=1e-14)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: continuous_neuron([2.0, 1.0], [1.0, 1.0], RATES, TIMES), "ascending times"),
        (lambda: continuous_neuron([1.0], [9.0], RATES, TIMES), r"s leaves \[0, 1\]"),
        (lambda: discrete_neuron([1.0], [1.0], RATES, 5.0, 2.0), "rate times dt exceeds 1"),
        (lambda: discrete_neuron([1.0], [1.0], Rates(0.5, 0.5), 5.0, 0.1), "different"),
    ],
)
def test_what_does_not_fit_is_one_sentence(call, words):
    with pytest.raises(StudyError, match=words):
        call()


def test_at_time_0_it_is_at_rest():
    found = continuous_neuron(ARRIVALS, WEIGHTS, RATES, np.array([0.0, 1.0]))
    assert found.decoded[0] == found.states[0] == 0.0 < found.decoded[1]
