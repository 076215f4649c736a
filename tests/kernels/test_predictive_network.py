"""The compiled predictive coding networks against independent forms of the same rules."""

import numpy as np
import pytest
import torch

from plausible.errors import StudyError
from plausible.kernels.predictive_network import count_errors
from plausible.kernels.predictive_types import (
    make_rule,
    make_workspace,
    pack,
    sparse_images,
    unpack,
)
from plausible.studies.song2020.levels import forward, make_network

from .predictive_forms import (
    ALPHA,
    BATCH,
    IMAGES,
    TABLES,
    Problem,
    assert_same,
    make_problem,
    off,
    run_autograd,
    run_kernel,
    run_readable,
    run_slow,
)

RULES = [
    {"method": "backprop"},
    *({"method": "fixed_t", "steps": 3, "gamma": gamma} for gamma in (0.01, 0.5, 1.0)),
    *({"method": "fixed_t", "steps": steps, "gamma": 0.3} for steps in (4, 9)),
    *({"method": "t_equals_l", "gamma": gamma} for gamma in (0.01, 0.5, 1.0, 5.0)),
    {"method": "fazil", "steps": 5},
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: " ".join(map(str, rule.values())))
@pytest.mark.parametrize("hidden", [(13,), (37, 13), (5, 16, 37)])
def test_every_rule_equals_its_slow_and_its_readable_form(rule, hidden):
    assert_same(make_problem(hidden), **rule)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("inputs", TABLES)
@pytest.mark.parametrize(
    "rule",
    [
        RULES[0],
        {"method": "fixed_t", "steps": 4, "gamma": 0.4},
        {"method": "t_equals_l"},
        RULES[-1],
    ],
    ids=lambda rule: rule["method"],
)
def test_biases_tanh_inputs_and_targets(rule, inputs, biased):
    problem = make_problem(biased=biased, inputs=inputs, seed=1)
    choices = {"learning_rate": 0.01, **rule}
    assert_same(problem, activation="tanh", low=0.03, high=0.97, epochs=6, **choices)
    assert_same(problem, low=-0.2, high=1.5, epochs=3, **choices)


@pytest.mark.parametrize("detection_steps", [1, 2, 4])
def test_fazil_with_other_triggers(detection_steps):
    assert_same(make_problem(), method="fazil", steps=6, detection_steps=detection_steps)
    slow = {"method": "fazil", "steps": 6, "detection_steps": detection_steps, "gamma": 0.5}
    assert_same(make_problem(), **slow)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_fazil_predicts_a_silent_unit_with_its_new_weights(steps):
    """Layers 3-2-2 with one weight of 200, T = ``steps``.

    A hidden unit saturates in the first sample only, f' = 0 to the last bit: its error stays zero
    at t = 1. The second sample changes the unit's weights, so at t = 2 its prediction is another.
    """
    problem = make_problem((2,), outputs=2, pixels=3, images=4)
    problem.weights[1][0, 0] = 200.0
    images = np.array([[255, 100, 50], [0, 80, 200]], dtype=np.uint8)
    problem = problem._replace(images=images, labels=np.array([1, 0]))
    rule = {"method": "fazil", "steps": steps, "batch": 2}
    weights = run_kernel(problem, **rule)[0]
    assert off(weights, run_readable(problem, **rule)[0]) <= 1e-15
    # The unit fires late, at t = 2, if inference goes on for so long: this is not backprop.
    theirs = run_kernel(problem, method="backprop", batch=2)[0]
    assert (np.abs(weights[1] - theirs[1]).max() > 1e-5) == (steps >= 2)


@pytest.mark.parametrize("hidden", [(9,), (7, 11), (6, 9, 5)])
def test_fazil_on_random_networks_with_large_weights(hidden):
    """Some input weights are large enough for saturation to the last bit in every form alike."""
    choices = {"learning_rate": 1e-3}
    rule = {"method": "fazil", "steps": 8, "detection_steps": 2, "gamma": 0.5, **choices}
    rates = tuple(0.5**layer for layer in range(len(hidden) + 1))
    late = 0
    for seed in range(20):
        problem = make_problem(hidden, pixels=12, seed=seed)
        chosen = np.random.default_rng(seed).random(problem.weights[-1].shape) < 0.3
        problem.weights[-1][chosen] *= 200
        for weight in problem.weights[:-1]:
            weight *= 3
        weights = run_kernel(problem, **rule)[0]
        assert off(weights, run_slow(problem, **rule)[0]) <= 1e-11, seed
        assert off(weights, run_readable(problem, **rule)[0]) <= 1e-11, seed
        # What the errors teach if each fires at t = l alone.
        theirs = run_kernel(problem, method="backprop", layer_rates=rates, **choices)[0]
        late += off(weights, theirs) > 1e-10
    assert late >= 5


def test_layer_rates():
    for method, rates in (("backprop", (0.5, 1.0, 2.0)), ("t_equals_l", (1.5, 0.1, 1.0))):
        assert_same(make_problem(), method=method, layer_rates=rates, readable=False)


def test_a_single_matrix_is_the_delta_rule():
    problem = make_problem(())
    for rule in ({"method": "backprop"}, {"method": "t_equals_l"}, {"method": "fixed_t"}):
        assert_same(problem, **rule)


@pytest.mark.parametrize(
    "rule", [{"method": "backprop"}, {"method": "fixed_t", "steps": 5, "gamma": 0.3}]
)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_optimizer_against_autograd_and_torch(rule, optimizer):
    problem = make_problem(biased=True, inputs="sigmoid")
    rate = {"sgd": ALPHA, "adam": 1e-2}[optimizer]
    chosen = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
    theirs = run_autograd(problem, 10, lambda p: chosen(p, lr=rate), **rule)
    weights, biases, _ = run_kernel(
        problem, 10, optimizer=optimizer, learning_rate=rate, **rule
    )  # fmt: skip
    assert off(weights, theirs[0]) <= 1e-12 and off(biases, theirs[1]) <= 1e-12


@pytest.mark.parametrize("method", ["t_equals_l", "fazil"])
def test_adam_of_zil_is_adam_of_backprop(method):
    problem = make_problem(biased=True)
    choices = {"optimizer": "adam", "learning_rate": 1e-3, "epochs": 10}
    weights, biases, _ = run_kernel(problem, method=method, steps=6, **choices)
    theirs = run_kernel(problem, method="backprop", **choices)
    # Adam divides by the size of a gradient, so rounding of tiny ones counts for more.
    assert off(weights, theirs[0]) <= 1e-10 and off(biases, theirs[1]) <= 1e-10


def test_strong_inference_stays_with_the_readable_form():
    problem = make_problem((13, 11))
    choices = {"method": "fixed_t", "steps": 16, "gamma": 10.0}
    first = problem._replace(images=problem.images[:BATCH], labels=problem.labels[:BATCH])
    weights, _, work = run_kernel(first, 1, **choices)
    assert np.abs(work.x).max() > 1e10
    assert off(weights, run_readable(first, 1, **choices)[0]) <= 1e-9
    # The weights of several batches, where inference lets them grow beyond all bounds.
    weights, _, _ = run_kernel(problem, 1, **choices)
    assert off(weights, run_readable(problem, 1, **choices)[0]) <= 1e-9


@pytest.mark.parametrize("gamma", [0.1, 1.0, 10.0])
def test_error_nodes_are_silent_until_their_time(gamma):
    """C1 and lemma A.3, bit by bit, also after training: eps^l_t = 0 for t < l."""
    problem = make_problem((13, 37, 9), biased=True, inputs="standardised")
    trained = run_kernel(problem, 5, method="backprop")
    problem = problem._replace(weights=trained[0], biases=trained[1])
    one = problem._replace(images=problem.images[:BATCH], labels=problem.labels[:BATCH])
    for t in range(5):
        weights, biases, work = run_kernel(one, method="fixed_t", steps=t, gamma=gamma)
        for layer in range(4):
            silent = t < layer
            assert (work.error[layer] == 0).all() == silent
            assert np.array_equal(weights[layer], one.weights[layer]) == silent
            assert np.array_equal(biases[layer], one.biases[layer]) == silent


@pytest.mark.parametrize("hidden", [(32,), (32, 32), (32, 32, 32)])
def test_zil_is_backprop_after_a_full_training(hidden):
    problem = make_problem(hidden, outputs=10, pixels=64, images=200)
    choices = {"epochs": 30, "batch": 20, "learning_rate": 0.02}
    backprop = run_kernel(problem, method="backprop", **choices)[0]
    assert np.abs(backprop[-1] - problem.weights[-1]).max() > 0.02
    for rule in ({"method": "t_equals_l"}, {"method": "fazil", "steps": 8}):
        distance = sum(
            np.linalg.norm(ours - theirs)
            for ours, theirs in zip(
                run_kernel(problem, **rule, **choices)[0], backprop, strict=True
            )
        )
        assert distance <= 1e-12 * sum(map(np.linalg.norm, backprop))
    fixed = run_kernel(problem, method="fixed_t", steps=2, **choices)[0]
    assert off(fixed, backprop) > 1e-3


@pytest.mark.parametrize("gamma", [0.1, 0.5, 3.0])
def test_gamma_at_t_equals_l_is_a_power_of_the_learning_rate(gamma):
    """eps^l_l = gamma^l delta^l (supplement, A.5)."""
    problem = make_problem((13, 37, 9), biased=True)
    ours = run_kernel(problem, 10, method="t_equals_l", gamma=gamma)
    rates = tuple(gamma**layer for layer in range(4))
    theirs = run_kernel(problem, 10, method="backprop", layer_rates=rates)
    assert off(ours[0], theirs[0]) <= 1e-12 and off(ours[1], theirs[1]) <= 1e-12
    plain = run_kernel(problem, 10, method="backprop")
    assert off(ours[0], plain[0]) > 1e-4


@pytest.mark.parametrize("noise", ["initial", "persistent"])
@pytest.mark.parametrize("rule", RULES[1:], ids=lambda rule: " ".join(map(str, rule.values())))
def test_noise_equals_that_of_the_slow_form(rule, noise):
    choices = {"noise": noise, "sigma": 0.3, **rule}
    assert_same(make_problem((13, 9)), epochs=3, readable=False, **choices)


@pytest.mark.parametrize("noise", ["initial", "persistent"])
def test_no_noise_where_sigma_is_zero(noise):
    problem = make_problem()
    for rule in ({"method": "t_equals_l"}, {"method": "fixed_t", "steps": 3, "gamma": 0.5}):
        ours = run_kernel(problem, 3, noise=noise, sigma=0.0, **rule)[0]
        theirs = run_kernel(problem, 3, **rule)[0]
        assert all(map(np.array_equal, ours, theirs))


def without_message(hidden=(400,), images=40) -> Problem:
    """No target and no output weights: the noise alone moves anything."""
    problem = make_problem(hidden, images=images)
    return problem._replace(weights=[0 * problem.weights[0], *problem.weights[1:]])


def test_initial_noise_is_normal_around_the_prediction_from_the_noisy_layer_above():
    problem = without_message((300, 300))
    one = problem._replace(images=problem.images[:BATCH], labels=problem.labels[:BATCH])
    _, _, work = run_kernel(one, method="fixed_t", noise="initial", sigma=0.7, low=0.0, high=0.0)
    numbers = BATCH * 300
    for layer in (1, 2):
        noise = work.x[layer, :BATCH, :300] - work.mu[layer, :BATCH, :300]
        assert abs(noise.mean()) < 4 * 0.7 / np.sqrt(numbers)
        assert abs(noise.std() / 0.7 - 1) < 4 / np.sqrt(2 * numbers)
        assert abs(((noise / 0.7) ** 4).mean() - 3) < 4 * np.sqrt(96 / numbers)
    clean = one.inputs @ one.weights[2]
    assert np.allclose(work.mu[2, :BATCH, :300], clean, rtol=0, atol=1e-13)
    noisy = 1 / (1 + np.exp(-work.x[2, :BATCH, :300])) @ one.weights[1]
    assert np.allclose(work.mu[1, :BATCH, :300], noisy, rtol=0, atol=1e-13)
    assert np.abs(noisy - 1 / (1 + np.exp(-clean)) @ one.weights[1]).max() > 0.5


def test_initial_noise_is_gone_from_the_input_matrix_after_a_full_step():
    """At gamma = 1 the first step ends at mu + message, wherever it began."""
    problem = without_message()
    choices = {"method": "t_equals_l", "low": 0.0, "high": 0.0, "sigma": 1.0}
    ours = run_kernel(problem, 5, noise="initial", **choices)[0]
    assert np.abs(ours[1] - problem.weights[1]).max() < 1e-13
    partly = run_kernel(problem, 5, noise="initial", gamma=0.9, **choices)[0]
    assert np.abs(partly[1] - problem.weights[1]).max() > 1e-3


@pytest.mark.parametrize("gamma", [1.0, 0.4])
def test_persistent_noise_lets_the_input_matrix_walk(gamma):
    """At gamma = 1: variance alpha^2 sigma^2 sum s^2 of each weight, sums over all updates.

    With other gamma the noise of t = 0 remains by a factor 1 - gamma.
    """
    problem, epochs, sigma = without_message(), 10, 0.5
    weights, _, _ = run_kernel(
        problem, epochs, method="t_equals_l", noise="persistent", sigma=sigma,
        low=0.0, high=0.0, gamma=gamma,
    )  # fmt: skip
    assert (weights[0] == 0).all()
    walked = weights[1] - problem.weights[1]
    squares = epochs * (problem.inputs**2).sum(axis=0)
    used = squares > 0
    expected = ALPHA**2 * sigma**2 * squares * (1 + (1 - gamma) ** 2)
    assert used.sum() > 40 and (walked[~used] == 0).all()
    ratio = (walked[used] ** 2).mean(axis=1) / expected[used]
    assert np.abs(ratio - 1).max() < 5 * np.sqrt(2 / 400)
    assert abs(ratio.mean() - 1) < 0.05


def test_noise_follows_its_generator_only():
    problem, choices = make_problem(), {"method": "t_equals_l", "noise": "persistent", "sigma": 0.1}
    first, again, other = (run_kernel(problem, noise_seed=seed, **choices)[0] for seed in (1, 1, 2))
    assert all(map(np.array_equal, first, again))
    assert off(first, other) > 1e-5


def test_larger_batches_before_leave_no_trace():
    """The nodes of a batch of 6 stand beside nothing that a batch of 2 uses."""
    problem = make_problem(biased=True)
    choices = {"method": "fixed_t", "steps": 3, "gamma": 0.5}
    order = np.array([7, 2, 9, 4, 0, 1, 8, 3])
    weights, biases, _ = run_kernel(problem, order=order, **choices)
    after = run_kernel(problem, order=order[:6], **choices)
    rest = problem._replace(weights=after[0], biases=after[1])
    theirs = run_kernel(rest, batch=2, order=order[6:], **choices)
    assert all(map(np.array_equal, weights, theirs[0]))
    assert all(map(np.array_equal, biases, theirs[1]))


def errors_counted(problem: Problem, batch: int = BATCH) -> int:
    parameters = pack(problem.weights, problem.biases)
    rule = make_rule("backprop", len(problem.weights), ALPHA, biased=problem.biases is not None)
    return count_errors(
        parameters, rule, make_workspace(parameters, batch), sparse_images(problem.images),
        problem.table, problem.labels, batch, np.random.default_rng(0),
    )  # fmt: skip


@pytest.mark.parametrize("batch", [1, 6, 20, 64])
def test_errors_are_counted_as_by_argmax(batch):
    problem = make_problem(biased=True, inputs="standardised", images=50)
    network = make_network(
        [torch.from_numpy(w) for w in problem.weights],
        [torch.from_numpy(b) for b in problem.biases],
    )
    chosen = forward(network, torch.from_numpy(problem.inputs))[0].argmax(dim=1).numpy()
    expected = int((chosen != problem.labels).sum())
    assert 0 < expected < 50
    assert errors_counted(problem, batch) == expected


def test_outputs_that_are_no_numbers_are_errors():
    problem = make_problem()
    problem.weights[0][:] = np.nan
    assert errors_counted(problem) == IMAGES
    problem = make_problem(biased=True)
    for label in range(5):
        problem.biases[0][:] = -1e9
        problem.biases[0][label] = 1e9
        assert errors_counted(problem) == (problem.labels != label).sum()


def test_pack_and_unpack_are_inverse():
    problem = make_problem((13, 37, 9), biased=True)
    parameters = pack(problem.weights, problem.biases)
    weights, biases = unpack(parameters)
    assert all(map(np.array_equal, weights, problem.weights))
    assert all(map(np.array_equal, biases, problem.biases))
    assert parameters.input_weights.shape == (45, 40)
    assert all((bias == 0).all() for bias in unpack(pack(problem.weights))[1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "zil"}, "method is 'zil'; known are backprop, fixed_t"),
        ({"activation": "relu"}, "activation is 'relu'"),
        ({"noise": "both"}, "noise is 'both'"),
        ({"optimizer": "rmsprop"}, "optimizer is 'rmsprop'"),
        ({"gamma": 0.0}, "gamma = 0.0"),
        ({"gamma": float("nan")}, "gamma = nan"),
        ({"gamma": float("inf")}, "gamma = inf"),
        ({"steps": -1}, "steps = -1"),
        ({"sigma": -0.1}, "sigma = -0.1"),
        ({"sigma": float("nan")}, "sigma = nan"),
        ({"learning_rate": 0.0}, "learning rate = 0.0"),
        ({"detection_steps": 0}, "detection steps = 0"),
        ({"high": float("nan")}, "targets = 0.0 and nan"),
        ({"layer_rates": (1.0,)}, "1 layer rates were given for 2 weight matrices"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(change, words):
    with pytest.raises(StudyError, match=words):
        make_rule(**{"method": "fixed_t", "layers": 2, "learning_rate": ALPHA, **change})
