"""LIF dynamics against the closed-form rate, a finer integration, and the thesis's own order."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plausible.errors import StudyError
from plausible.neurons.lif_dynamics import LIF, firing_rate_hz, simulate_lif
from plausible.neurons.rates import lif_rate, soft_rate


def closed_form_rate(current: float, lif: LIF) -> float:
    """Eq. 37 of Thuesen 2022, as printed."""
    if current <= lif.threshold:
        return 0.0
    charging = -lif.membrane_time_constant_s * np.log(1 - lif.threshold / current)
    return 1 / (lif.refractory_period_s + charging)


def constant(current: float | np.ndarray, steps: int) -> np.ndarray:
    current = np.atleast_1d(current)
    return np.broadcast_to(current, (steps, len(current)))


@settings(max_examples=60, deadline=None)
@given(
    current=st.floats(-5, 40),
    tau_s=st.floats(0.002, 0.1),
    refractory_steps=st.floats(1, 8),
    threshold=st.floats(0.2, 3),
    dt_s=st.sampled_from([0.0003, 0.001]),
)
def test_exact_integration_fires_at_the_closed_form_rate(
    current: float, tau_s: float, refractory_steps: float, threshold: float, dt_s: float
) -> None:
    lif = LIF(tau_s, refractory_steps * dt_s, threshold)
    steps = 3000
    spikes = simulate_lif(constant(current, steps), dt_s, lif, "exact")
    rate = spikes.sum() / (steps * dt_s)
    # The first interval lacks the refractory period, the last one is cut.
    assert abs(rate - closed_form_rate(current, lif)) <= (1 + 1e-6) / (steps * dt_s)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_exact_integration_agrees_with_fine_euler_steps(seed: int) -> None:
    # A current that changes every millisecond, integrated in steps of 1 ms and of 1 us.
    fine = 1000
    current = np.random.default_rng(seed).uniform(-1, 12, (40, 3))
    exact = simulate_lif(current, 0.001, integration="exact").sum(axis=0)
    euler = simulate_lif(
        np.repeat(current, fine, axis=0), 0.001 / fine, integration="euler", idle_steps=4 * fine - 1
    ).sum(axis=0)
    # A spike at the very end of the window may fall to either side.
    assert np.abs(exact - euler).max() <= 1


@pytest.mark.parametrize("idle_steps", [3, 4])
def test_euler_error_is_of_the_order_of_the_step(idle_steps: int) -> None:
    current, window_s = 2.0, 8.0
    errors = []
    for dt_s in (0.0005, 0.00025, 0.000125):
        # The whole refractory period is idle, so only the integration errs.
        spikes = simulate_lif(
            constant(current, round(window_s / dt_s)),
            dt_s,
            integration="euler",
            idle_steps=round(0.004 / dt_s) + idle_steps - 4,
        )
        errors.append(abs(spikes.sum() / window_s - closed_form_rate(current, LIF())))
    assert errors[0] < 2.0
    assert errors[2] <= 0.6 * errors[0] + 2 / window_s


def test_euler_at_1_ms_overestimates_as_in_the_thesis() -> None:
    # Rates of the thesis's simulator, known from running it.
    currents = np.array([1.1, 1.5, 2.0, 5.0, 10.0])
    spikes = simulate_lif(constant(currents, 20_000), 0.001, integration="euler", idle_steps=3)
    assert np.allclose(spikes.sum(axis=0) / 20.0, [20.0, 40.0, 58.5, 125.0, 166.5], atol=0.4)


def test_euler_with_3_idle_steps_is_the_countdown_of_the_thesis() -> None:
    # The thesis counts the refractory period down in float32 seconds, which ends one step early.
    current = np.random.default_rng(5).uniform(0, 12, (400, 30))
    potential = torch.zeros(30, dtype=torch.float64)
    countdown = torch.zeros(30, dtype=torch.float32)
    expected = []
    for drive in torch.from_numpy(current):
        countdown[countdown > 0] -= 0.001
        free = countdown <= 0
        potential[free] += 0.001 * (drive - potential)[free] / 0.02
        fired = potential > 1
        potential[fired] = 0
        countdown[fired] = 0.004
        expected.append(fired.numpy())
    spikes = simulate_lif(current, 0.001, integration="euler", idle_steps=3)
    assert np.array_equal(spikes, np.array(expected))
    assert spikes.sum() > 1000


@pytest.mark.parametrize("integration", ["euler", "exact"])
def test_silent_at_the_threshold_and_never_faster_than_the_refractory_period(
    integration: str,
) -> None:
    currents = np.array([-1e6, 0.0, 1.0, 1e6])
    spikes = simulate_lif(constant(currents, 2000), 0.001, integration=integration)
    assert spikes[:, :3].sum() == 0
    times = np.flatnonzero(spikes[:, 3])
    assert np.diff(times).min() >= 4
    assert len(times) <= 2000 / 4


def test_shape_of_the_neurons_is_kept() -> None:
    current = np.random.default_rng(6).uniform(0, 5, (50, 2, 3))
    spikes = simulate_lif(current, 0.001)
    assert spikes.shape == (50, 2, 3)
    assert np.array_equal(spikes.reshape(50, 6), simulate_lif(current.reshape(50, 6), 0.001))


@given(st.floats(-50, 200), st.sampled_from([0.0, 0.001, 0.02, 0.05]))
def test_firing_rate_agrees_with_the_torch_form(current: float, gamma: float) -> None:
    tensor = torch.tensor([current], dtype=torch.float64)
    for offset in (0.0, 1e-12):
        expected = (
            soft_rate(tensor, gamma, offset=offset) if gamma else lif_rate(tensor, offset=offset)
        )
        rate = firing_rate_hz(np.array([current]), gamma, offset)
        assert np.allclose(rate, expected.numpy(), rtol=1e-8, atol=1e-300)


def test_firing_rate_is_the_closed_form() -> None:
    currents = np.linspace(-1, 10, 56)
    expected = [closed_form_rate(current, LIF()) for current in currents]
    assert np.allclose(firing_rate_hz(currents), expected, rtol=1e-9, atol=0)
    assert np.all(firing_rate_hz(currents[currents <= 1]) == 0)


@pytest.mark.parametrize("integration", ["euler", "exact"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_currents_that_are_not_finite_are_refused(value: float, integration: str) -> None:
    current = np.full((5, 2), 3.0)
    current[4, 1] = value
    with pytest.raises(StudyError, match=r"1 of 10 input currents .* first at \[4, 1\]"):
        simulate_lif(current, 0.001, integration=integration)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dt_s": 0.001, "integration": "midpoint"}, "expected one of euler, exact"),
        ({"dt_s": 0.0}, "time step is 0.0 s"),
        ({"dt_s": 0.001, "integration": "euler", "idle_steps": -1}, "idle_steps is -1"),
        ({"dt_s": 0.03, "integration": "euler"}, "overshoot a membrane time constant"),
        ({"dt_s": 0.005}, "must not exceed the refractory period of 0.004 s"),
        ({"dt_s": 0.001, "lif": LIF(threshold=0.0)}, "positive numbers only"),
        ({"dt_s": 0.001, "lif": LIF(threshold=np.inf)}, "finite positive numbers only"),
        ({"dt_s": 0.001, "lif": LIF(refractory_period_s=np.nan)}, "finite positive numbers"),
        ({"dt_s": np.inf}, "time step is inf s"),
    ],
)
def test_what_cannot_be_integrated_is_said(arguments: dict, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        simulate_lif(np.zeros((3, 1)), **arguments)
