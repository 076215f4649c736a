"""Inference learning and Z-IL: energy, dynamics, equality with backprop, the thesis's order."""

import numpy as np
import pytest
import torch
from torch.nn.functional import batch_norm

from plausible.learning.backprop import backward, collect, cross_entropy, gradients
from plausible.learning.optimizers import init_optimizer
from plausible.learning.predictive_coding import (
    advance,
    fazil_terms,
    free_energy,
    il_terms,
    local_terms,
    message,
    move,
    refresh,
    relax,
    stages,
    start,
    value_node_changes,
    zil_terms,
)
from plausible.learning.update import update
from plausible.networks.mlp import clone_network, forward, forward_pass, network_to_arrays

NETWORKS = {
    "plain": {},
    "relu": {"activation": "relu"},
    "batch_norm": {"batch_norm": True},
    "batch_norm_without_affine": {"batch_norm": True, "batch_norm_affine": False},
    "rate_output": {"batch_norm": True, "output": "rate"},
}


def relative(ours, theirs):
    """Largest difference relative to the largest entry."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


def compare(found, expected, tolerance):
    """Every gradient equals its counterpart relative to its own largest entry."""
    for name in expected._fields:
        for ours, theirs in zip(getattr(found, name), getattr(expected, name), strict=True):
            if theirs is None:
                assert ours is None
            elif not theirs.any():
                assert not ours.any(), name
            else:
                assert relative(ours, theirs) <= tolerance, name


def random_state(problem, plan, clamped=True):
    """State with every value node away from its prediction."""
    network, inputs, one_hot, _ = problem
    state = start(network, inputs, one_hot if clamped else None, plan)
    generator = torch.Generator().manual_seed(5)
    values = [
        value + 0.3 * torch.randn(value.shape, generator=generator, dtype=torch.float64)
        for value in state.values
    ]
    values[0] = inputs
    if clamped:
        values[-1] = one_hot
    return refresh(network, plan, state._replace(values=values))


# --- Z-IL equals backprop -------------------------------------------------------------------------


@pytest.mark.parametrize("case", NETWORKS)
@pytest.mark.parametrize("batch_statistics", [True, False])
def test_zil_equals_backprop_to_1e_12(make_problem, case, batch_statistics):
    network, inputs, one_hot, _ = make_problem(**NETWORKS[case])
    plan = stages(network)
    state = start(network, inputs, one_hot, plan, batch_statistics)
    found = collect(network, zil_terms(network, plan, state, batch_statistics))
    _, expected = gradients(network, inputs, one_hot, batch_statistics)
    compare(found, expected, 1e-12)


@pytest.mark.parametrize("case", NETWORKS)
def test_zil_equals_autograd_to_1e_10(make_problem, autograd, case):
    network, inputs, one_hot, _ = make_problem(**NETWORKS[case])
    plan = stages(network)
    found = collect(network, zil_terms(network, plan, start(network, inputs, one_hot, plan)))
    _, expected = autograd(network, inputs, one_hot)
    for layer in range(3):
        assert relative(found.weights[layer], expected["weights"][layer]) <= 1e-10
        if expected["gains"][layer] is not None:
            assert relative(found.gains[layer], expected["gains"][layer]) <= 1e-10
            assert relative(found.shifts[layer], expected["shifts"][layer]) <= 1e-10


@pytest.mark.parametrize("case", ["plain", "batch_norm"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_zil_training_follows_backprop(make_problem, case, optimizer):
    changes = {**NETWORKS[case], "optimizer": optimizer, "learning_rate": 0.01}
    networks = {}
    for rule in ("backprop", "zil"):
        network, inputs, one_hot, settings = make_problem(learning_rule=rule, **changes)
        state = init_optimizer(network, settings)
        for _ in range(20):
            state, loss = update(network, state, inputs, one_hot, settings)
        networks[rule] = network, float(loss)
    assert networks["zil"][1] == pytest.approx(networks["backprop"][1], rel=1e-11)
    ours, theirs = (network_to_arrays(networks[rule][0]) for rule in ("zil", "backprop"))
    for name, expected in theirs.items():
        np.testing.assert_allclose(ours[name], expected, rtol=1e-11, atol=1e-12, err_msg=name)


def test_zil_with_dropout_masks_equals_backprop(make_problem):
    network, inputs, one_hot, _ = make_problem(batch_norm=True)
    generator = torch.Generator().manual_seed(2)
    masks = tuple(
        (torch.rand(len(inputs), len(bias), generator=generator) < 0.6).double() / 0.6
        for bias in network.biases[:-1]
    )
    plan = stages(network)
    state = start(network, inputs, one_hot, plan, masks=masks)
    found = collect(network, zil_terms(network, plan, state, masks=masks))
    _, expected = gradients(network, inputs, one_hot, masks=masks)
    compare(found, expected, 1e-12)


def test_a_network_without_biases_that_activates_its_input(make_problem):
    network, inputs, one_hot, _ = make_problem(activation="sigmoid")
    network = network._replace(biases=None, activate_input=True)
    leaves = [weight.clone().requires_grad_() for weight in network.weights]
    logits = inputs
    for weight in leaves:
        logits = torch.sigmoid(logits) @ weight
    torch.testing.assert_close(forward(network, inputs), logits.detach(), rtol=1e-13, atol=0)
    loss = torch.nn.functional.cross_entropy(logits, one_hot)
    expected = torch.autograd.grad(loss, leaves)
    plan = stages(network)
    state = start(network, inputs, one_hot, plan)
    for found in (
        gradients(network, inputs, one_hot)[1],
        collect(network, zil_terms(network, plan, state)),
        collect(network, fazil_terms(network, plan, state, 4)),
    ):
        assert found.biases == (None, None, None)
        for ours, theirs in zip(found.weights, expected, strict=True):
            assert relative(ours, theirs) <= 1e-10
    # A mask belongs to a hidden layer, not to the input.
    masks = tuple(torch.full((len(inputs), units), 2.0).double() for units in (9, 8))
    masked = start(network, inputs, one_hot, plan, masks=masks)
    ours = collect(network, zil_terms(network, plan, masked, masks=masks))
    compare(ours, gradients(network, inputs, one_hot, masks=masks)[1], 1e-12)


def test_errors_reach_one_stage_further_per_step_and_only_then(make_problem):
    """Forward initialised, the error front moves down one stage a step; below it errors are 0."""
    problem = make_problem(batch_norm=True)
    record = relax(problem.network, problem.inputs, problem.one_hot, 5, 1.0)
    for step, errors in enumerate(record.error_nodes):
        silent = len(errors) - 1 - step
        assert all(not error.any() for error in errors[: max(silent, 0)])
        if silent >= 0:
            assert errors[silent].any()


# --- dynamics against the energy ------------------------------------------------------------------


@pytest.mark.parametrize("case", NETWORKS)
@pytest.mark.parametrize("node", ["softmax", "linear"])
def test_value_nodes_move_along_minus_the_gradient_of_the_free_energy(make_problem, case, node):
    if node == "linear" and case == "rate_output":
        case = "plain"
    problem = make_problem(**NETWORKS[case])
    network, plan = problem.network, stages(problem.network, node)
    state = random_state(problem, plan)
    values = [value.clone().requires_grad_() for value in state.values]
    energy = autograd_energy(network, plan, values)
    expected = torch.autograd.grad(energy, values[1:-1])
    assert float(energy.detach()) == pytest.approx(free_energy(plan, state), rel=1e-12)
    changes = value_node_changes(network, plan, state)
    assert len(changes) == len(expected)
    for change, gradient in zip(changes, expected, strict=True):
        torch.testing.assert_close(change, -gradient, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", NETWORKS)
def test_parameters_move_along_minus_the_gradient_of_the_free_energy(make_problem, case):
    problem = make_problem(**NETWORKS[case])
    network, plan = problem.network, stages(problem.network)
    state = random_state(problem, plan)
    found = collect(
        network,
        (local_terms(plan, state, k) for k in range(len(plan)) if plan[k].kind != "softmax"),
    )
    leaves = clone_network(network)
    parameters = [*leaves.weights, *leaves.biases]
    affine = [norm for norm in leaves.batch_norms if norm is not None and norm.affine]
    parameters += [norm.gain for norm in affine] + [norm.shift for norm in affine]
    for parameter in parameters:
        parameter.requires_grad_()
    expected = torch.autograd.grad(autograd_energy(leaves, plan, state.values), parameters)
    ours = [each for group in found for each in group if each is not None]
    for mine, theirs in zip(ours, expected, strict=True):
        # Updates are batch means, the energy is a sum over the batch.
        torch.testing.assert_close(mine * len(problem.inputs), theirs, rtol=1e-9, atol=1e-11)


def autograd_energy(network, plan, values):
    """Free energy from torch's own functions, differentiable in values and parameters."""
    energy = 0.0
    for k, stage in enumerate(plan):
        below = values[k]
        if stage.kind == "batch_norm":
            norm = network.batch_norms[stage.layer]
            gain, shift = (norm.gain, norm.shift) if norm.affine else (None, None)
            predicted = batch_norm(below, None, None, gain, shift, True, 0.1, norm.epsilon)
        else:
            if stage.active and network.activation.name == "relu":
                below = torch.relu(below)
            elif stage.active:
                rho = 0.05 * torch.nn.functional.softplus((below - 1.0) / 0.05, threshold=50.0)
                below = 0.05 / (0.004 + 0.02 * torch.log1p(1.0 / rho))
            if stage.kind == "softmax":
                energy = energy - (torch.log_softmax(below, 1) * values[-1]).sum()
                continue
            predicted = below @ network.weights[stage.layer] + network.biases[stage.layer]
        energy = energy + 0.5 * ((values[k + 1] - predicted) ** 2).sum()
    return energy


def test_free_energy_never_rises_for_a_small_step(make_problem):
    for changes in ({}, {"batch_norm": True}):
        problem = make_problem(**changes)
        energy = relax(problem.network, problem.inputs, problem.one_hot, 100, 0.02).free_energy
        assert all(b <= a + 1e-12 for a, b in zip(energy, energy[1:], strict=False))
        assert energy[-1] < 0.999 * energy[0]


def test_free_energy_can_rise_for_a_large_step(make_problem):
    """The monotony above is a property of the step size, not of the record."""
    problem = make_problem(activation="sigmoid")
    energy = relax(problem.network, problem.inputs, problem.one_hot, 60, 2.5).free_energy
    assert any(b > a for a, b in zip(energy, energy[1:], strict=False))


def test_start_has_the_cross_entropy_as_energy(make_problem):
    problem = make_problem()
    energy = relax(problem.network, problem.inputs, problem.one_hot, 0, 1.0).free_energy
    loss, _ = gradients(problem.network, problem.inputs, problem.one_hot)
    assert energy == [pytest.approx(float(loss) * len(problem.inputs), rel=1e-12)]


def test_prediction_is_the_forward_pass(make_problem):
    """With only the input clamped, value nodes started anywhere settle at the forward values."""
    network, inputs, _, _ = make_problem(activation="sigmoid")
    plan = stages(network, "linear")
    forward_values = start(network, inputs, None, plan).values[1:]
    generator = torch.Generator().manual_seed(5)
    noisy = tuple(
        value + torch.randn(value.shape, generator=generator, dtype=torch.float64)
        for value in forward_values
    )
    record = relax(network, inputs, None, 3000, 0.1, node="linear", values=noisy)
    assert record.free_energy[0] > 1.0
    for settled, expected in zip(record.value_nodes[-1][1:], forward_values, strict=True):
        torch.testing.assert_close(settled, expected, rtol=0, atol=1e-8)
    output = record.value_nodes[-1][-1]
    torch.testing.assert_close(output, forward(network, inputs), rtol=0, atol=1e-8)


def test_equilibrium_errors_follow_the_backprop_recursion(make_problem):
    """Eq. 47: e(l) = V^T e(l+1) with the Jacobian at the settled value nodes."""
    problem = make_problem(activation="sigmoid")
    network, plan = problem.network, stages(problem.network)
    record = relax(network, problem.inputs, problem.one_hot, 4000, 0.1)
    state = start(network, problem.inputs, problem.one_hot, plan)
    state = refresh(network, plan, state._replace(values=list(record.value_nodes[-1])))
    for k in range(1, len(plan)):
        sent = message(network, plan[k], state.locals[k], state.errors[k])
        torch.testing.assert_close(state.errors[k - 1], sent, rtol=0, atol=1e-9)
        assert float(sent.abs().max()) > 1e-4


def test_free_output_needs_the_linear_node(make_problem):
    network, inputs, _, _ = make_problem()
    with pytest.raises(ValueError, match="linear"):
        relax(network, inputs, None, 1, 0.1)


# --- inference learning ---------------------------------------------------------------------------


def test_il_relaxes_and_then_updates_everything_from_one_state(make_problem):
    network, inputs, one_hot, _ = make_problem(batch_norm=True)
    plan = stages(network)
    state = start(network, inputs, one_hot, plan)
    found = collect(network, il_terms(network, plan, state, 15, 0.1))
    record = relax(network, inputs, one_hot, 15, 0.1)
    settled = refresh(network, plan, state._replace(values=list(record.value_nodes[-1])))
    expected = collect(network, (local_terms(plan, settled, k) for k in range(len(plan) - 1)))
    compare(found, expected, 1e-13)


def test_il_without_inference_trains_the_last_layer_only(make_problem):
    network, inputs, one_hot, settings = make_problem(
        learning_rule="il", inference_steps=1, inference_step_size=0.5
    )
    before = clone_network(network)
    update(network, init_optimizer(network, settings), inputs, one_hot, settings)
    assert torch.equal(network.weights[0], before.weights[0])
    assert torch.equal(network.weights[1], before.weights[1])
    # After one step of 0.5 the logits' error node is half the residual: half a backprop step.
    _, expected = gradients(before, inputs, one_hot)
    torch.testing.assert_close(
        network.weights[2] - before.weights[2],
        -0.5 * settings.learning_rate * expected.weights[2],
        rtol=1e-10,
        atol=1e-15,
    )


def test_il_lowers_the_loss(make_problem):
    network, inputs, one_hot, settings = make_problem(learning_rule="il", learning_rate=0.1)
    state, losses = init_optimizer(network, settings), []
    for _ in range(100):
        state, loss = update(network, state, inputs, one_hot, settings)
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]


# --- the order of updates in the code behind the thesis -------------------------------------------


def soft(z):
    """0.05 times the soft rate with the author's floor, differentiable."""
    b = 0.05 * torch.nn.functional.softplus((z - 1.0) / 0.05, threshold=50.0) + 1e-12
    return 0.05 / (0.004 + 0.02 * torch.log(1.0 + 1.0 / b))


def slope(z):
    leaf = z.clone().requires_grad_()
    return torch.autograd.grad(soft(leaf).sum(), leaf)[0]


def normed(z):
    """The author's batch norm: biased variance, epsilon 1e-8, no learned parameters."""
    return (z - z.mean(0)) / torch.sqrt(z.var(0, correction=0) + 1e-8)


def normed_back(z, error):
    leaf = z.clone().requires_grad_()
    return torch.autograd.grad(normed(leaf), leaf, error)[0]


class LiteralSgd:
    """W <- W + lr * mean of per-sample outer products."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def __call__(self, name, parameter, per_sample, step):
        parameter += self.learning_rate * per_sample.mean(0)


class LiteralAdam:
    """The author's: second moment of per-sample gradients, epsilon inside the root."""

    def __init__(self, learning_rate):
        self.learning_rate, self.moments = learning_rate, {}

    def __call__(self, name, parameter, per_sample, step):
        m, v = self.moments.get(name, (0.0, 0.0))
        m = 0.9 * m + 0.1 * per_sample.mean(0)
        v = 0.999 * v + 0.001 * (per_sample**2).mean(0)
        self.moments[name] = m, v
        rate = self.learning_rate * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
        parameter += rate * m / torch.sqrt(v + 1e-8)


def outer(error, activity):
    return activity[:, :, None] * error[:, None, :]


def literal_without_batch_norm(w, b, x0, y, optimize, step):
    """Four steps; W3 learns at t = 1, W2 at t = 2, W1 at t = 3. Changes w and b in place."""
    w1, w2, w3 = w
    b1, b2, b3 = b
    x1 = x0 @ w1 + b1
    x2 = soft(x1) @ w2 + b2
    x3 = soft(x2) @ w3 + b3
    x4 = y
    for t in range(4):
        u1, u2, u3 = x0 @ w1 + b1, soft(x1) @ w2 + b2, soft(x2) @ w3 + b3
        u4 = torch.softmax(x3, 1)
        e4 = x4 - u4
        e3 = x3 - u3
        x3 = x3 + (-e3 + e4)
        if t == 1:
            optimize("w3", w3, outer(e3, soft(x2)), step)
            optimize("b3", b3, e3, step)
        e2 = x2 - u2
        before = soft(x1)
        x2 = x2 + (-e2 + slope(x2) * (e3 @ w3.T))
        if t == 2:
            optimize("w2", w2, outer(e2, before), step)
            optimize("b2", b2, e2, step)
        e1 = x1 - u1
        x1 = x1 + (-e1 + slope(x1) * (e2 @ w2.T))
        if t == 3:
            optimize("w1", w1, outer(e1, x0), step)
            optimize("b1", b1, e1, step)


def literal_with_batch_norm(w, b, x0, y, optimize, step):
    """Six steps; W3 at t = 1, (BN2 at 2), W2 at 3, (BN1 at 4), W1 at 5."""
    w1, w2, w3 = w
    b1, b2, b3 = b
    z1 = x0 @ w1 + b1
    n1 = normed(z1)
    z2 = soft(n1) @ w2 + b2
    n2 = normed(z2)
    z3 = soft(n2) @ w3 + b3
    for t in range(6):
        u_z1, u_n1, u_z2 = x0 @ w1 + b1, normed(z1), soft(n1) @ w2 + b2
        u_n2, u_z3, u4 = normed(z2), soft(n2) @ w3 + b3, torch.softmax(z3, 1)
        e4 = y - u4
        e_z3 = z3 - u_z3
        z3 = z3 + (-e_z3 + e4)
        if t == 1:
            optimize("w3", w3, outer(e_z3, soft(n2)), step)
            optimize("b3", b3, e_z3, step)
        e_n2 = n2 - u_n2
        n2 = n2 + (-e_n2 + slope(n2) * (e_z3 @ w3.T))
        e_z2 = z2 - u_z2
        z2_new = z2 + (-e_z2 + normed_back(z2, e_n2))
        if t == 3:
            optimize("w2", w2, outer(e_z2, soft(n1)), step)
            optimize("b2", b2, e_z2, step)
        z2 = z2_new
        e_n1 = n1 - u_n1
        n1 = n1 + (-e_n1 + slope(n1) * (e_z2 @ w2.T))
        e_z1 = z1 - u_z1
        z1 = z1 + (-e_z1 + normed_back(z1, e_n1))
        if t == 5:
            optimize("w1", w1, outer(e_z1, x0), step)
            optimize("b1", b1, e_z1, step)


@pytest.mark.parametrize("bn", [False, True])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_sequential_zil_is_the_literal_transcription(make_problem, bn, optimizer):
    network, inputs, one_hot, settings = make_problem(
        learning_rule="zil_sequential",
        batch_norm=bn,
        batch_norm_affine=False,
        batch_norm_epsilon=1e-8,
        rate_offset=1e-12,
        optimizer=optimizer,
        learning_rate=0.05,
        adam_second_moment="per_sample",
        adam_epsilon_inside_root=True,
    )
    weights = [weight.clone() for weight in network.weights]
    biases = [bias.clone() for bias in network.biases]
    literal = literal_with_batch_norm if bn else literal_without_batch_norm
    optimize = {"sgd": LiteralSgd, "adam": LiteralAdam}[optimizer](0.05)
    state = init_optimizer(network, settings)
    for step in range(1, 6):
        state, _ = update(network, state, inputs, one_hot, settings)
        literal(weights, biases, inputs, one_hot, optimize, step)
        for layer in range(3):
            assert relative(network.weights[layer], weights[layer]) <= 1e-11
            if not (bn and layer < 2):
                assert relative(network.biases[layer], biases[layer]) <= 1e-11


@pytest.mark.parametrize("case", NETWORKS)
def test_reduced_sequential_zil_equals_the_complete_dynamics(make_problem, case):
    """update() follows the one error node that matters; here every node relaxes at every step."""
    reduced, inputs, one_hot, settings = make_problem(
        learning_rule="zil_sequential", learning_rate=0.05, **NETWORKS[case]
    )
    complete = clone_network(reduced)
    plan = stages(complete)
    for _ in range(3):
        update(reduced, init_optimizer(reduced, settings), inputs, one_hot, settings)
        begin = start(complete, inputs, one_hot, plan, update_running=True)
        for term in zil_terms(complete, plan, begin, order="weights_first"):
            sgd_by_hand(complete, term, 0.05)
    for layer in range(3):
        assert relative(reduced.weights[layer], complete.weights[layer]) <= 1e-12
        norm = reduced.batch_norms[layer]
        if norm is not None:
            assert relative(norm.gain, complete.batch_norms[layer].gain) <= 1e-12
            assert relative(norm.shift + 1.0, complete.batch_norms[layer].shift + 1.0) <= 1e-12


def sgd_by_hand(network, term, learning_rate):
    batch = len(term.error)
    if term.kind == "linear":
        step = torch.einsum("bi,bo->io", term.activity, term.error) / batch
        network.weights[term.layer].sub_(learning_rate * step)
        network.biases[term.layer].sub_(learning_rate * term.error.sum(0) / batch)
    elif network.batch_norms[term.layer].affine:
        norm = network.batch_norms[term.layer]
        norm.gain.sub_(learning_rate * (term.error * term.activity).sum(0) / batch)
        norm.shift.sub_(learning_rate * term.error.sum(0) / batch)


def test_sequential_differs_from_backprop_in_proportion_to_the_learning_rate(make_problem):
    """The thesis blames numerical precision (section 4.1); it is the order, so it scales."""
    differences = []
    for learning_rate in (1e-2, 1e-3):
        change = {}
        for rule in ("backprop", "zil_sequential"):
            network, inputs, one_hot, settings = make_problem(
                learning_rule=rule, learning_rate=learning_rate
            )
            before = clone_network(network)
            update(network, init_optimizer(network, settings), inputs, one_hot, settings)
            change[rule] = [
                (new - old) / learning_rate
                for new, old in zip(network.weights, before.weights, strict=True)
            ]
        assert relative(change["zil_sequential"][2], change["backprop"][2]) < 1e-11
        differences.append(relative(change["zil_sequential"][0], change["backprop"][0]))
    assert differences[0] > 1e-5
    assert differences[0] / differences[1] == pytest.approx(10.0, rel=0.05)


def test_backward_with_weights_first_sends_errors_through_new_weights(make_problem):
    network, inputs, one_hot, _ = make_problem(activation="identity")
    record = forward_pass(network, inputs)
    _, error = cross_entropy(record.logits, one_hot)
    walk = backward(network, record, error, weights_first=True)
    assert next(walk).layer == 2
    network.weights[2].zero_()
    assert not next(walk).error.any()


def test_move_leaves_the_input_alone(make_problem):
    problem = make_problem()
    plan = stages(problem.network)
    state = random_state(problem, plan)
    moved = move(state, value_node_changes(problem.network, plan, state), 0.5)
    assert moved.values[0] is problem.inputs
    assert moved.values[-1] is problem.one_hot


@pytest.mark.parametrize("case", NETWORKS)
def test_advance_and_reuse_are_the_plain_dynamics_bit_for_bit(make_problem, case):
    """From the forward start, where most nodes rest, for as many steps as reach the input."""
    network, inputs, one_hot, _ = make_problem(**NETWORKS[case])
    plan = stages(network)
    plain = lean = start(network, inputs, one_hot, plan)
    for step in range(2 * len(plan)):
        assert sum(a is not b for a, b in zip(lean.values, plain.values, strict=True)) in (
            (0,) if step == 0 else range(1, len(plan))
        )
        for ours, theirs in zip(
            [*lean.values, *lean.errors], [*plain.values, *plain.errors], strict=True
        ):
            assert torch.equal(ours, theirs)
        plain = move(plain, value_node_changes(network, plan, plain), 0.3)
        plain = refresh(network, plan, plain)
        lean = refresh(network, plan, advance(network, plan, lean, 0.3), reuse=True)


def test_reuse_notices_changed_parameters(make_problem):
    problem = make_problem()
    network, plan = problem.network, stages(problem.network)
    state = start(network, problem.inputs, problem.one_hot, plan)
    network.weights[1].mul_(1.5)
    fresh = refresh(network, plan, state)
    reused = refresh(network, plan, state, reuse=True, changed={1})
    assert torch.equal(reused.errors[1], fresh.errors[1])
    assert fresh.errors[1].any()
