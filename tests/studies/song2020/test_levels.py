"""Networks of Song et al. 2020: backprop, IL, Z-IL and Fa-Z-IL against independent oracles.

The rules are those of ``plausible.learning.predictive_coding``, in the numbering of the paper.
"""

import numpy as np
import pytest
import torch

from plausible.errors import ConfigError
from plausible.learning import predictive_coding
from plausible.learning.trigger import phi, silent_start
from plausible.studies.song2020.levels import (
    Event,
    activity,
    apply,
    backprop_updates,
    fazil_updates,
    forward,
    il_updates,
    local_update,
    look,
    make_network,
    move,
    offsets,
    predict,
    relax,
    send_back,
    start,
    thetas,
    value_node_changes,
    zil_updates,
)

torch.set_num_threads(1)

DEPTHS = (2, 3, 4)
FUNCTIONS = {
    "sigmoid": lambda z: 1.0 / (1.0 + torch.exp(-z)),
    "tanh": lambda z: 2.0 / (1.0 + torch.exp(-2.0 * z)) - 1.0,
    "relu": lambda z: torch.where(z > 0.0, z, 0.0),  # slope 0 at 0, which silent layers produce
}


def problem(l_max, biases=False, activate_input=False, activation="sigmoid", inputs=30, hidden=12):
    """Network, inputs (four fifths of them zero, as in MNIST) and one-hot targets."""
    generator = torch.Generator().manual_seed(7 + l_max)
    sizes = [10, *[hidden] * (l_max - 1), inputs]

    def uniform(*shape):
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    weights = [
        (2.0 * uniform(above, below) - 1.0) * (6.0 / (above + below)) ** 0.5
        for below, above in zip(sizes, sizes[1:], strict=False)
    ]
    offsets = [uniform(n) - 0.5 for n in sizes[:-1]] if biases else None
    images = uniform(20, inputs) * (uniform(20, inputs) < 0.2)
    labels = torch.randint(10, (20,), generator=generator)
    targets = torch.nn.functional.one_hot(labels, 10).double()
    return make_network(weights, offsets, activation, activate_input), images, targets


def autograd(network, inputs, targets):
    """Minus the gradients of half the squared error by y^l, weights and biases."""
    function = FUNCTIONS[network.activation.name]
    weights = [weight.clone().requires_grad_() for weight in thetas(network)]
    biases = [bias.clone().requires_grad_() for bias in offsets(network) or ()]
    nodes, value = [], inputs
    for level in reversed(range(len(weights))):
        if level < len(weights) - 1 or network.activate_input:
            value = function(value)
        value = value @ weights[level] + (biases[level] if biases else 0.0)
        nodes.insert(0, value)
    loss = 0.5 * ((value - targets) ** 2).sum()
    found = [-g for g in torch.autograd.grad(loss, [*nodes, *weights, *biases])]
    count = len(weights)
    return found[:count], found[count : 2 * count], found[2 * count :]


def assert_updates(updates, weights, biases, rtol=1e-12):
    for found, expected in zip(updates.weights, weights, strict=True):
        torch.testing.assert_close(found, expected, rtol=rtol, atol=1e-14)
    for found, expected in zip(updates.biases or (), biases, strict=True):
        torch.testing.assert_close(found, expected, rtol=rtol, atol=1e-14)


def relative(updates, reference) -> list[float]:
    pairs = zip(updates.weights, reference.weights, strict=True)
    return [float((a - b).norm() / b.norm()) for a, b in pairs]


@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("activate_input", [False, True])
@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("l_max", DEPTHS)
def test_backprop_zil_and_fazil_are_the_gradient(l_max, biases, activate_input, activation):
    case = problem(l_max, biases, activate_input, activation)
    deltas, weights, offsets = autograd(*case)
    assert_updates(backprop_updates(*case), weights, offsets)
    assert_updates(zil_updates(*case), weights, offsets)
    # Not so with ReLU, where a node silent at t = l may fire later (see below).
    if activation != "relu":
        for detection_steps, tolerance in ((1, 0.0), (4, 0.0), (4, 1e-12)):
            updates, _ = fazil_updates(*case, detection_steps, tolerance, 16)
            assert_updates(updates, weights, offsets)
    record = relax(*case, l_max - 1, 1.0)
    for level, delta in enumerate(deltas):  # Theorem 3.1
        torch.testing.assert_close(record.errors[level][level], delta, rtol=1e-12, atol=1e-14)


def test_forward_values_in_closed_form():
    theta1, theta2 = torch.tensor([[2.0], [-1.0]]), torch.tensor([[1.0, 3.0]])
    network = make_network([theta1, theta2], [torch.tensor([0.5]), torch.zeros(2)], "relu")
    values = forward(network, torch.tensor([[-2.0], [1.0]]))
    assert values[2].tolist() == [[-2.0], [1.0]]
    assert values[1].tolist() == [[-2.0, -6.0], [1.0, 3.0]]
    assert values[0].tolist() == [[0.5], [-0.5]]
    assert forward(network._replace(activate_input=True), torch.tensor([[-2.0]]))[1].sum() == 0.0


@pytest.mark.parametrize("l_max", DEPTHS)
def test_training_by_zil_ends_in_the_weights_of_backprop(l_max):
    network, _, _ = problem(l_max, inputs=784, hidden=32)
    generator = torch.Generator().manual_seed(0)
    networks = [network, network]
    for _ in range(150):
        inputs = torch.rand(20, 784, generator=generator, dtype=torch.float64)
        inputs *= torch.rand(20, 784, generator=generator) < 0.2
        targets = torch.eye(10, dtype=torch.float64)[torch.randint(10, (20,), generator=generator)]
        updates = [
            rule(each, inputs, targets)
            for rule, each in zip((zil_updates, backprop_updates), networks, strict=True)
        ]
        networks = [apply(*pair, 1e-3) for pair in zip(networks, updates, strict=True)]
    pairs = list(zip(networks[0].weights, networks[1].weights, strict=True))
    assert sum(float((a - b).norm()) for a, b in pairs) < 1e-12
    assert float((thetas(networks[1])[0] - thetas(network)[0]).norm()) > 0.1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("gamma", [0.01, 0.5, 1.0, 10.0])
def test_layers_rest_to_the_last_bit_until_t_l(gamma, biases, dtype):
    network, inputs, targets = problem(4, biases, inputs=784, hidden=32)
    network = network._replace(
        weights=tuple(w.to(dtype) for w in network.weights),
        biases=tuple(b.to(dtype) for b in network.biases) if biases else None,
    )
    record = relax(network, inputs.to(dtype), targets.to(dtype), 4, gamma)
    for level in range(1, 4):
        for t in range(level):
            assert torch.equal(record.values[t][level], record.values[0][level])
            assert torch.equal(record.predictions[t][level - 1], record.predictions[0][level - 1])
            assert not record.errors[t][level].any()
        # In float32 the smallest errors of deep layers round to zero beside x.
        woken = record.errors[level][level] != 0
        assert woken.all() if dtype == torch.float64 else woken.any()


def long_double_training(network, batches, steps, gamma, alpha):
    """IL by plain loops in extended precision: final weights."""
    weights = [w.numpy().astype(np.longdouble) for w in thetas(network)]
    last = len(weights)

    def sigmoid(z):
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-z))

    def activity(level, value):
        return value if level == last and not network.activate_input else sigmoid(value)

    for inputs, targets in batches:
        nodes = [None] * last + [inputs.numpy().astype(np.longdouble)]
        for level in reversed(range(last)):
            nodes[level] = activity(level + 1, nodes[level + 1]) @ weights[level]
        nodes[0] = targets.numpy().astype(np.longdouble)
        for t in range(steps + 1):
            errors = [
                nodes[level] - activity(level + 1, nodes[level + 1]) @ weights[level]
                for level in range(last)
            ]
            if t == steps:
                break
            for level in range(1, last):
                slope = sigmoid(nodes[level]) * (1 - sigmoid(nodes[level]))
                sent = errors[level - 1] @ weights[level - 1].T
                nodes[level] = nodes[level] + np.longdouble(gamma) * (slope * sent - errors[level])
        for level in range(last):
            change = activity(level + 1, nodes[level + 1]).T @ errors[level]
            weights[level] = weights[level] + np.longdouble(alpha) * change
    return weights


REFRESH = predictive_coding.refresh


def fused_refresh(network, plan, state, *rest, **more):
    """Errors by one fused operation, whose rounding is not that of the prediction."""
    views = REFRESH(network, plan, state).locals
    errors = [
        torch.addmm(value, view.activity, weight, alpha=-1.0)
        for value, view, weight in zip(state.values[1:], views, network.weights, strict=True)
    ]
    return predictive_coding.State(state.values, views, errors)


@pytest.mark.parametrize("t", [0, 1, 4, 16])
@pytest.mark.parametrize("gamma", [0.5, 10.0])
@pytest.mark.parametrize("l_max", DEPTHS)
def test_il_against_extended_precision(l_max, gamma, t):
    network, inputs, targets = problem(l_max, activate_input=True)
    batches = [(inputs.roll(shift, 1), targets.roll(shift, 0)) for shift in range(5)]
    expected = long_double_training(network, batches, t, gamma, 0.01)
    for each in batches:
        network = apply(network, il_updates(network, *each, t, gamma), 0.01)
    for found, wanted in zip(thetas(network), expected, strict=True):
        distance = np.linalg.norm((found.numpy() - wanted).astype(float))
        assert distance < 1e-13 * np.linalg.norm(wanted.astype(float))


def test_growing_dynamics_need_c1_to_the_last_bit(monkeypatch):
    """gamma = 10, t = 16, l_max = 3: an error of 1e-17 at t = 0 grows like 9^t and ends in 1."""
    network, _, _ = problem(3, inputs=784, hidden=32)
    generator = torch.Generator().manual_seed(0)
    batches = [
        (
            torch.rand(20, 784, generator=generator, dtype=torch.float64),
            torch.eye(10, dtype=torch.float64)[torch.randint(10, (20,), generator=generator)],
        )
        for _ in range(6)
    ]
    expected = long_double_training(network, batches, 16, 10.0, 1e-3)

    def distances():
        trained = network
        for batch in batches:
            trained = apply(trained, il_updates(trained, *batch, 16, 10.0), 1e-3)
        pairs = zip(thetas(trained), expected, strict=True)
        return [float(np.linalg.norm(a.numpy() - b) / np.linalg.norm(b)) for a, b in pairs]

    assert max(distances()) < 1e-13
    monkeypatch.setattr(predictive_coding, "refresh", fused_refresh)
    assert max(distances()) > 1e-6


@pytest.mark.parametrize("gamma", [0.1, 0.5, 5.0])
@pytest.mark.parametrize("l_max", DEPTHS)
def test_without_c3_layers_learn_at_rates_gamma_to_the_l(l_max, gamma):
    case = problem(l_max)
    reference = backprop_updates(*case)
    updates = zil_updates(*case, gamma=gamma)
    for level, (found, expected) in enumerate(zip(updates.weights, reference.weights, strict=True)):
        torch.testing.assert_close(found, gamma**level * expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("l_max", DEPTHS)
def test_dropping_any_condition_breaks_exactness(l_max):
    case = problem(l_max)
    reference = backprop_updates(*case)
    generator = torch.Generator().manual_seed(1)
    noise = [
        1e-4 * torch.randn(20, 12, generator=generator, dtype=torch.float64)
        for _ in range(l_max - 1)
    ]
    assert max(relative(zil_updates(*case), reference)) < 1e-13
    assert max(relative(zil_updates(*case, start_noise=noise), reference)) > 1e-6
    assert max(relative(zil_updates(*case, gamma=1.0 + 1e-6), reference)) > 1e-7
    for moment in (l_max - 1, 16):
        updates = zil_updates(*case, moments=[moment] * l_max)
        assert max(relative(updates, reference)) > 1e-3


@pytest.mark.parametrize("l_max", DEPTHS)
def test_order_of_the_listings_is_far_from_backprop(l_max):
    """Relative differences per matrix at the published sizes: 0.1 to 0.7 and 0.02 to 0.12."""
    case = problem(l_max, inputs=784, hidden=32)
    reference = backprop_updates(*case)

    def distances(order, rate):
        return relative(zil_updates(*case, order=order, learning_rate=rate), reference)

    assert max(distances("simultaneous", 1e-3)) < 1e-13
    listing = distances("listing", 1e-3)
    assert all(0.05 < each < 0.8 for each in listing) and max(listing) > 0.2
    first = distances("weights_first", 1e-3)
    assert first[0] == 0.0 and all(0.01 < each < 0.15 for each in first[1:])
    # What the new weights send down differs by the step of the weights: linear in the rate.
    tenth = distances("weights_first", 1e-4)
    assert first[1] == pytest.approx(10.0 * tenth[1], rel=1e-6)
    assert max(distances("weights_first", 0.0)) < 1e-13


@pytest.mark.parametrize("l_max", DEPTHS)
def test_fixed_moment_is_il(l_max):
    case = problem(l_max, biases=True)
    for t in (0, 1, 3, 16):
        fixed = zil_updates(*case, gamma=0.5, moments=[t] * l_max)
        il = il_updates(*case, t, 0.5)
        assert all(map(torch.equal, fixed.weights + fixed.biases, il.weights + il.biases))


def test_il_after_few_steps_teaches_only_the_layers_that_were_reached():
    case = problem(4)
    for t in range(4):
        learned = [bool(weight.any()) for weight in il_updates(*case, t, 0.5).weights]
        assert learned == [t >= level for level in range(4)]


@pytest.mark.parametrize("l_max", DEPTHS)
def test_phi_fires_once_per_neuron_and_sample_at_t_l(l_max):
    _, found = fazil_updates(*problem(l_max), 4, 0.0, 16)
    for level, fired in enumerate(found.fired):
        assert fired.dtype == torch.bool and fired.shape[:2] == (17, 20)
        expected = torch.zeros(17, dtype=torch.bool)
        expected[level] = True
        assert torch.equal(fired, expected[:, None, None].expand_as(fired))


def test_phi_waits_for_a_late_error_of_a_silent_node():
    """Nodes silent at t = l learn nothing there, but fire when an error reaches them later."""
    case = problem(4, activation="relu")
    _, weights, _ = autograd(*case)
    updates, found = fazil_updates(*case, 4, 0.0, 3)
    whole, later = fazil_updates(*case, 4, 0.0, 16)
    errors = relax(*case, 3, 1.0).errors
    for level in range(4):
        due = errors[level][level] != 0
        assert torch.equal(found.fired[level][level], due)
        assert not later.fired[level][level + 1 :][:, due].any()
    assert any(later.fired[level][level + 1 :].any() for level in range(4))
    assert any(
        not torch.allclose(a, b, rtol=1e-6) for a, b in zip(whole.weights, weights, strict=True)
    )


def test_phi_on_a_short_sequence():
    """Two silent steps are needed; the time before t = 0 is silent; NaN counts as an error."""
    sequence = [0.0, 2.0, 0.0, 3.0, 0.0, 0.0, -1.0, 1.0, 1e-3, 0.0, float("nan")]
    expected = {
        0.0: [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        1e-3: [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1],
    }
    for tolerance, wanted in expected.items():
        silent, fired = silent_start(torch.zeros(1), 2), []
        for value in sequence:
            fires, silent = phi(torch.tensor([value]), silent, 2, tolerance)
            fired.append(int(fires))
        assert fired == wanted
    assert bool(phi(torch.ones(1), silent_start(torch.ones(1), 5), 5)[0])


def test_in_place_weights_change_nothing_in_simultaneous_steps():
    case = problem(4, biases=True)
    for rule in (zil_updates, lambda *a, **k: fazil_updates(*a, 4, 0.0, 16, **k)[0]):
        waiting, moving = rule(*case), rule(*case, learning_rate=0.1)
        for a, b in zip(waiting.weights, moving.weights, strict=True):
            assert torch.equal(a, b)


def test_start_noise_reaches_the_layers_below():
    network, inputs, targets = problem(3)
    noise = [torch.full((20, 12), 0.5).double(), torch.full((20, 12), -0.25).double()]
    state = relax(network, inputs, targets, 0, 1.0, start_noise=noise)
    upper = inputs @ thetas(network)[2] - 0.25
    lower = torch.sigmoid(upper) @ thetas(network)[1] + 0.5
    torch.testing.assert_close(state.values[0][2], upper)
    torch.testing.assert_close(state.values[0][1], lower)
    torch.testing.assert_close(state.errors[0][1], noise[0])
    energy = sum(0.5 * float((error**2).sum()) for error in state.errors[0])
    assert state.energy == [pytest.approx(energy, rel=1e-12)]


def test_free_output_settles_at_the_forward_pass():
    network, inputs, _ = problem(4, biases=True)
    away = [value + 1.0 for value in forward(network, inputs)[:-1]]
    record = relax(network, inputs, None, 400, 0.2, values=away)
    assert record.energy[0] > 1.0 and record.energy[-1] < 1e-20
    for found, expected in zip(record.values[-1], forward(network, inputs), strict=True):
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-9)


def test_nothing_is_changed_in_place():
    case = problem(3, biases=True)
    network, inputs, targets = case
    before = [t.clone() for t in (*network.weights, *network.biases, inputs, targets)]
    updates = backprop_updates(*case)
    il_updates(*case, 5, 0.5)
    zil_updates(*case, order="listing", learning_rate=0.1)
    fazil_updates(*case, 4, 0.0, 8, learning_rate=0.1)
    moved = apply(network, updates, 0.1)
    after = [*network.weights, *network.biases, inputs, targets]
    assert all(map(torch.equal, before, after))
    wanted = offsets(network)[1] + 0.1 * updates.biases[1]
    torch.testing.assert_close(offsets(moved)[1], wanted)


def test_steps_by_hand_are_those_of_the_record():
    """``look``, ``move`` and the pieces that they consist of, against ``relax``."""
    for targets in (problem(3)[2], None):
        network, inputs, _ = problem(3, biases=True)
        noise = [torch.full((20, 12), 0.5).double(), torch.full((20, 12), -0.25).double()]
        record = relax(network, inputs, targets, 3, 0.3, noise)
        clamped, state = targets is not None, start(network, inputs, targets, noise)
        for t in range(4):
            kinds = (record.values[t], record.predictions[t], record.errors[t])
            for found, expected in zip(state, kinds, strict=True):
                assert all(map(torch.equal, found, expected))
            changes = value_node_changes(network, state, clamped)
            # A free output is where it is predicted at first.
            assert not changes[3].any() and changes[0].any() == (not clamped and t > 0)
            for level in (0, 1, 2):
                mu = predict(network, level, state.values[level + 1])
                assert torch.equal(mu, state.predictions[level])
                weight, bias = local_update(
                    network, level, state.values[level + 1], state.errors[level]
                )
                source = activity(network, level + 1, state.values[level + 1])
                torch.testing.assert_close(weight, source.t() @ state.errors[level])
                torch.testing.assert_close(bias, state.errors[level].sum(0))
            for level in (1, 2):
                sent = send_back(network, level, state.errors[level - 1], state.values[level])
                torch.testing.assert_close(changes[level], sent - state.errors[level])
            values = move(network, state, 0.3, clamped)
            for after, before, change in zip(values, state.values, changes, strict=True):
                torch.testing.assert_close(after, before + 0.3 * change)
            state = look(network, values)


def events(log, event):
    return [(each.t, each.layer) for each in log if each.event == event]


def test_logs_say_what_happens_when():
    case, logs = problem(3), {}
    for name, rule in {
        "bp": backprop_updates,
        "il": lambda *a, log: il_updates(*a, 2, 0.5, log=log),
        "zil": zil_updates,
        "fazil": lambda *a, log: fazil_updates(*a, 4, 0.0, 4, log=log),
    }.items():
        logs[name] = []
        rule(*case, log=logs[name])
    assert {each.event for each in logs["bp"]} == {"forward", "backward", "weight_update"}
    assert events(logs["bp"], "forward") == [(-1, 2), (-1, 1), (-1, 0)]
    assert events(logs["bp"], "backward") == [(0, 0), (1, 1), (2, 2)]
    for name, last, learned in (
        ("il", 2, [(2, 1), (2, 2), (2, 3)]),
        ("zil", 2, [(0, 1), (1, 2), (2, 3)]),
        ("fazil", 4, [(0, 1), (1, 2), (2, 3)]),
    ):
        log = logs[name]
        assert events(log, "prediction") == [(-1, 2), (-1, 1), (-1, 0)]
        assert events(log, "inference") == [(t, layer) for t in range(last) for layer in (1, 2)]
        assert events(log, "weight_update") == learned
    assert logs["zil"][3] == Event(0, "weights", 1, "weight_update")


BAD = {
    "gamma": (lambda case: il_updates(*case, 3, 0.0), "gamma: found 0.0, .* above 0"),
    "gamma of zil": (lambda case: zil_updates(*case, gamma=-1.0), "gamma: found -1.0"),
    "gamma nan": (lambda case: relax(*case, 3, float("nan")), "gamma: found nan"),
    "negative steps": (lambda case: il_updates(*case, -1, 0.5), "t_c: found -1"),
    "order": (lambda case: zil_updates(*case, order="random"), "order: found 'random', .* listing"),
    "t_d": (lambda case: fazil_updates(*case, 0, 0.0, 8), "t_d: found 0"),
    "tolerance": (lambda case: fazil_updates(*case, 4, -1e-3, 8), "tolerance: found -0.001"),
    "activation": (
        lambda case: make_network(thetas(case[0]), None, "step"),
        "activation: found 'step', expected one of .*sigmoid",
    ),
    "shapes": (lambda case: make_network(thetas(case[0])[::-1]), "weights: theta.2 leads to"),
    "biases": (
        lambda case: make_network(thetas(case[0]), [torch.zeros(3)]),
        r"biases: found lengths \[3\], expected \[10, 12\]",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_sentence(name):
    call, words = BAD[name]
    with pytest.raises(ConfigError, match=words) as caught:
        call(problem(2))
    assert "\n" not in str(caught.value)
