"""Integrate-and-fire neuron: events against the sum of kernels and against small time steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plausible.errors import StudyError
from plausible.neurons.integrate_and_fire import IntegrateAndFire, decay, kernel_sum, simulate

SHIFTED = IntegrateAndFire(0.01, rest=-70.0, reset=-72.0, threshold=-55.0)


def drive(seed: int, number: int = 200, scale: float = 1.0):
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, 0.4, number)), scale * rng.normal(0.25, 0.4, number)


def test_free_decay() -> None:
    time = np.linspace(0, 0.1, 50)
    expected = (-60.0 - -70.0) * np.exp(-time / 0.01) + -70.0
    np.testing.assert_allclose(decay(SHIFTED, -60.0, time), expected, rtol=0, atol=1e-10)
    twice = decay(SHIFTED, decay(SHIFTED, -60.0, 0.003), 0.004)
    assert twice == pytest.approx(float(decay(SHIFTED, -60.0, 0.007)), abs=1e-12)


@pytest.mark.parametrize("reset_mode", ["value", "subtract"])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("neuron", "scale"), [(IntegrateAndFire(), 1.0), (SHIFTED, 15.0)])
def test_kernel_sum_equals_the_events(neuron, scale, reset_mode, seed) -> None:
    neuron = neuron._replace(reset_mode=reset_mode)
    times, weights = drive(seed, scale=scale)
    trace = simulate(neuron, times, weights)
    assert len(trace.spike_times_s) > 10
    kernels = kernel_sum(neuron, times, times, weights, trace.spike_times_s, trace.drops)
    np.testing.assert_allclose(kernels, trace.event_potentials, rtol=0, atol=1e-8)
    # Between events too, where the potential decays freely from the last one.
    middle = (times[:-1] + times[1:]) / 2
    between = decay(neuron, trace.event_potentials[:-1], middle - times[:-1])
    kernels = kernel_sum(neuron, middle, times, weights, trace.spike_times_s, trace.drops)
    np.testing.assert_allclose(kernels, between, rtol=0, atol=1e-8)


@given(seed=st.integers(0, 10_000), mode=st.sampled_from(["value", "subtract"]))
def test_potential_stays_below_the_threshold(seed, mode) -> None:
    neuron = IntegrateAndFire(reset_mode=mode)
    trace = simulate(neuron, *drive(seed))
    assert (trace.event_potentials < neuron.threshold).all()
    if mode == "subtract":
        assert (trace.drops == 1.0).all()
    else:
        assert (trace.drops >= 1.0).all() and len(np.unique(trace.spike_times_s)) == len(
            trace.drops
        )


def test_spikes_by_hand() -> None:
    """0.6 + 0.6 fires once; 0.5 + 2.75 fires three times at once and leaves 0.25."""
    neuron = IntegrateAndFire(time_constant_s=1e9)
    trace = simulate(neuron, [0.0, 1.0, 2.0], [0.6, 0.6, 0.3])
    assert trace.spike_times_s.tolist() == [1.0] and trace.drops == pytest.approx([1.2])
    assert trace.event_potentials == pytest.approx([0.6, 0.0, 0.3])
    neuron = neuron._replace(reset_mode="subtract")
    trace = simulate(neuron, [0.0, 1.0, 2.0], [0.5, 2.75, -5.0])
    assert trace.spike_times_s.tolist() == [1.0] * 3
    assert trace.event_potentials == pytest.approx([0.5, 0.25, -4.75])
    # The threshold is reached, not exceeded.
    assert len(simulate(neuron, [0.0], [1.0]).spike_times_s) == 1


def test_events_equal_small_steps_of_the_membrane_equation() -> None:
    """Inputs on a grid of 0.1 ms, where stepping by the exact decay factor needs no events."""
    rng = np.random.default_rng(3)
    steps = np.sort(rng.choice(5000, 150, replace=False))
    weights = rng.uniform(0, 0.5, 150)
    current = np.zeros(5000)
    current[steps] = weights
    potential, fired = 0.0, []
    for step, jump in enumerate(current):
        potential = potential * np.exp(-1e-4 / 0.02) + jump
        if potential >= 1:
            potential = 0.0
            fired.append(step)
    trace = simulate(IntegrateAndFire(), steps * 1e-4, weights)
    assert len(fired) > 5 and trace.spike_times_s == pytest.approx(np.array(fired) * 1e-4)


def test_no_input_no_spike() -> None:
    trace = simulate(IntegrateAndFire(), [], [])
    assert all(len(part) == 0 for part in trace)


def test_impossible_neurons_and_inputs() -> None:
    with pytest.raises(StudyError, match="never stops firing"):
        simulate(IntegrateAndFire(reset=1.0), [0.0], [1.0])
    with pytest.raises(StudyError, match="time constant"):
        simulate(IntegrateAndFire(time_constant_s=0.0), [0.0], [1.0])
    with pytest.raises(StudyError, match="'half'"):
        simulate(IntegrateAndFire(reset_mode="half"), [0.0], [1.0])
    with pytest.raises(StudyError, match="ascending"):
        simulate(IntegrateAndFire(), [1.0, 0.0], [1.0, 1.0])
    with pytest.raises(StudyError, match="finite"):
        simulate(IntegrateAndFire(), [1.0], [np.inf])
    with pytest.raises(StudyError, match="use smaller weights"):
        simulate(IntegrateAndFire(reset_mode="subtract"), [1.0], [1e300])
