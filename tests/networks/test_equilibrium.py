"""Networks that settle: energy by pairs, dynamics against autograd, limits, fixed points."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plausible.errors import StudyError
from plausible.networks.equilibrium import (
    Forces,
    descent,
    energy,
    fixed_point,
    input_drive,
    make_equilibrium,
    pull_of,
    settle,
    trajectory,
    zero_states,
)
from plausible.networks.initialiser import forward_pass, make_initialiser
from plausible.networks.leaky_clip import LEAKY_HARD_SIGMOID, LeakyClip

SIZES = (6, 8, 7, 4)


def problem(seed: int, untied: bool = False, batch: int = 5):
    """A network with middling biases, inputs, and states inside, outside and at the limits."""
    rng = np.random.default_rng(seed)
    network = make_equilibrium(SIZES, rng, untied)
    network = network._replace(
        weights=tuple(0.35 * each for each in network.weights),
        biases=tuple(rng.uniform(0.2, 0.7, size) for size in SIZES[1:]),
    )
    states = [rng.uniform(-0.4, 1.4, (batch, size)) for size in SIZES[1:]]
    states[0][0, :2] = 0.0, 1.0
    forces = Forces(
        anchors=tuple(rng.uniform(-0.1, 1.1, state.shape) for state in states),
        pull=0.3,
        target=np.eye(SIZES[-1])[rng.integers(SIZES[-1], size=batch)],
        beta=-0.7,
    )
    return network, rng.uniform(size=(batch, SIZES[0])), tuple(states), forces


def energy_by_pairs(network, inputs, states, forces) -> float:
    """Of one sample: a loop as slow as the definition."""
    rho = lambda value: min(max(value, 0.0), 1.0)  # noqa: E731
    layers = [inputs, *states]
    total = sum(0.5 * value**2 for layer in states for value in layer)
    for level, weight in enumerate(network.weights):
        for i, low in enumerate(layers[level]):
            for j, high in enumerate(layers[level + 1]):
                total -= weight[i, j] * rho(low) * rho(high)
        for j, high in enumerate(layers[level + 1]):
            total -= network.biases[level][j] * rho(high)
    for state, anchor in zip(states, forces.anchors, strict=True):
        total += sum(0.5 * forces.pull * (a - b) ** 2 for a, b in zip(state, anchor, strict=True))
    return total + sum(
        forces.beta * (a - b) ** 2 for a, b in zip(states[-1], forces.target, strict=True)
    )


def test_energy_counts_each_connection_once() -> None:
    network, inputs, states, forces = problem(0)
    found = energy(network, inputs, states, forces)
    for sample in range(len(inputs)):
        one = forces._replace(
            anchors=[each[sample] for each in forces.anchors], target=forces.target[sample]
        )
        expected = energy_by_pairs(network, inputs[sample], [s[sample] for s in states], one)
        assert found[sample] == pytest.approx(expected, abs=1e-12)


@given(seed=st.integers(0, 10_000))
def test_dynamics_descend_the_energy(seed) -> None:
    network, inputs, states, forces = problem(seed)
    leaves = [torch.from_numpy(state).requires_grad_() for state in states]
    weights, biases = ([torch.from_numpy(w) for w in each] for each in network[:2])
    rho = [torch.from_numpy(inputs), *(leaf.clamp(0, 1) for leaf in leaves)]
    total = sum(0.5 * (leaf**2).sum() for leaf in leaves)
    for level, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        total = total - ((rho[level] @ weight + bias) * rho[level + 1]).sum()
    for leaf, anchor in zip(leaves, forces.anchors, strict=True):
        total = total + 0.5 * forces.pull * ((leaf - torch.from_numpy(anchor)) ** 2).sum()
    total = total + forces.beta * ((leaves[-1] - torch.from_numpy(forces.target)) ** 2).sum()
    total.backward()
    found = descent(network, input_drive(network, inputs), states, forces)
    for move, leaf in zip(found, leaves, strict=True):
        np.testing.assert_allclose(move, -leaf.grad.numpy(), rtol=0, atol=1e-12)


def test_a_unit_at_a_limit_can_leave_it() -> None:
    network, inputs, _, _ = problem(1)
    one = settle(network, inputs, zero_states(network, 5), 1)
    assert (one[0] > 0).mean() > 0.5


def test_small_steps_never_raise_the_energy_and_end_at_a_fixed_point() -> None:
    network, inputs, _, _ = problem(2)
    start = zero_states(network, 5)
    passed = trajectory(network, inputs, start, 200, step_size=0.05)
    energies = [
        energy(network, inputs, tuple(layer[t] for layer in passed)) for t in range(len(passed[0]))
    ]
    assert (np.diff(energies, axis=0) <= 1e-12).all()
    settled = fixed_point(network, inputs, start)
    assert settled.change <= 1e-13 and (settled.steps > 0).all()
    moves = descent(network, input_drive(network, inputs), settled.states)
    for state, move in zip(settled.states, moves, strict=True):
        inside = (state > 0) & (state < 1)
        assert np.abs(move[inside]).max(initial=0) < 1e-12
        assert (move[state == 1] >= -1e-12).all() and (move[state == 0] <= 1e-12).all()


def test_too_long_a_step_does_not_settle() -> None:
    network, inputs, _, _ = problem(3)
    found = fixed_point(network, inputs, zero_states(network, 5), max_steps=300, step_size=2.5)
    assert found.change > 0.01 and (found.steps == -1).any()


def test_feedback_of_its_own_replaces_the_transposes() -> None:
    tied, inputs, states, forces = problem(4)
    transposed = tuple(weight.T.copy() for weight in tied.weights[1:])
    untied = tied._replace(feedback=transposed)
    drive = input_drive(tied, inputs)
    for one, other in zip(
        descent(tied, drive, states, forces), descent(untied, drive, states, forces), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-14)
    changed = untied._replace(feedback=(2 * transposed[0], transposed[1]))
    moves = [descent(network, drive, states) for network in (untied, changed)]
    assert np.abs(moves[0][0] - moves[1][0]).max() > 1e-3
    np.testing.assert_array_equal(moves[0][1], moves[1][1])
    with pytest.raises(StudyError, match="no energy"):
        energy(untied, inputs, states)


@pytest.mark.parametrize("start", ["zero", "anchors"])
def test_both_phases_with_transposes_of_their_own_are_those_of_the_symmetric_network(start) -> None:
    """And no longer where what comes down goes through other matrices."""
    tied, inputs, _, forces = problem(5)
    begin = zero_states(tied, 5) if start == "zero" else forces.anchors
    drawn = tuple(0.35 * each for each in problem(5, untied=True)[0].feedback)
    found = []
    for feedback in (None, tuple(weight.T.copy() for weight in tied.weights[1:]), drawn):
        network = tied._replace(feedback=feedback)
        minus = settle(network, inputs, begin, 20, forces._replace(beta=0.0))
        found.append([*minus, *settle(network, inputs, minus, 4, forces)])
    for one, same, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, same, rtol=0, atol=1e-12)
        assert np.abs(one - other).max() > 1e-3


def test_lambda_in_both_conventions() -> None:
    assert (pull_of(0.1, "as_coded"), pull_of(0.1, "as_published")) == (0.1, 0.2)
    with pytest.raises(StudyError, match="as_codd"):
        pull_of(0.1, "as_codd")


def test_initial_weights_are_glorot_uniform_and_separate() -> None:
    rng = np.random.default_rng(0)
    network = make_equilibrium((784, 500, 10), rng, untied=True)
    limit = np.sqrt(6 / 510)
    assert np.abs(network.weights[1]).max() == pytest.approx(limit, rel=0.01)
    assert network.weights[1].std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert abs(np.corrcoef(network.weights[1].ravel(), network.feedback[0].T.ravel())[0, 1]) < 0.1
    with pytest.raises(StudyError, match="at least two"):
        make_equilibrium((3,), rng)


def test_initialiser_is_a_feed_forward_pass() -> None:
    rng = np.random.default_rng(5)
    network = make_initialiser(SIZES, rng)
    inputs = rng.uniform(size=(3, SIZES[0]))
    found, state = forward_pass(network, inputs), inputs
    for level, weight in enumerate(network.weights):
        total = state @ weight
        state = np.clip(total, 0, 1) + 0.01 * total
        np.testing.assert_allclose(found.states[level], state, rtol=0, atol=1e-15)
        np.testing.assert_allclose(found.sums[level], total, rtol=0, atol=1e-15)


@given(x=st.floats(-3, 3), leak=st.sampled_from([0.0, 0.01]))
def test_slope_is_the_derivative_away_from_the_limits(x, leak) -> None:
    squash = LeakyClip(-0.5, 0.75, leak)
    if min(abs(x + 0.5), abs(x - 0.75)) > 1e-3:
        numerical = (squash.value(x + 1e-6) - squash.value(x - 1e-6)) / 2e-6
        assert squash.slope(x) == pytest.approx(numerical, abs=1e-8)


def test_levels_and_limits() -> None:
    assert LEAKY_HARD_SIGMOID.slope(np.array([-0.1, 0.0, 1.0, 1.1])).tolist() == [
        0.01, 1.01, 1.01, 0.01,
    ]  # fmt: skip
    bits = LeakyClip(levels=1).value(np.array([-1.0, 0.4, 0.6, 3.0]))
    assert bits.tolist() == [0.0, 0.0, 1.0, 1.0]
    assert LeakyClip(levels=4).value(0.3) == 0.25
