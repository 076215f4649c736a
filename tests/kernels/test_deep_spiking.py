"""The compiled deep spiking network against its twin of modules, and against the equations."""

from itertools import product

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.kernels import deep_spiking, rectified_network
from plausible.kernels import deep_spiking_reference as reference
from plausible.kernels.deep_spiking_types import (
    ROUTINGS_AS_CODED,
    additions,
    initial_weights,
    make_network,
    make_rule,
    network_arrays,
    network_from_arrays,
    real_weights,
)
from plausible.kernels.spike_emission import input_trains
from plausible.neurons.quantizers import quantize_stream

from .deep_spiking_problems import WHITE, levels, problem, weights

EVERY_RULE = [
    {"update": a, "routing": b, "hold_error": c, "smooth": d, "regularisation": e}
    for a, b, c, d, e in product(
        ("sgd", "fsgd"), ROUTINGS_AS_CODED, (True, False), (True, False), (0.0, 0.05)
    )
]
RESETS = [{"update": "fsgd", "back_reset": reset} for reset in ("zero", "random")]
INTEGER = [
    {"update": update, "routing": routing, "arithmetic": arithmetic, "hold_error": hold}
    for update, routing, arithmetic, hold in product(
        ("sgd", "fsgd"), ROUTINGS_AS_CODED, ("integer", "integer_as_coded"), (True, False)
    )
]


def run(form, settings, sizes=(12, 9, 7, 4), steps=6, passes=3, rate=None):
    rate = rate or (0.36 if "arithmetic" in settings else 0.3)
    rule = make_rule(steps, rate, **settings)
    network, trains, labels = problem(rule, sizes=sizes)
    order = np.tile(np.arange(len(labels)), passes)
    training = form.train(network, rule, trains, labels, order, np.random.default_rng(1))
    return network, training, form.predict(network, rule, trains)


@pytest.mark.parametrize("settings", [*EVERY_RULE, *RESETS, *INTEGER], ids=str)
def test_kernel_equals_its_twin_bit_by_bit(settings):
    fast, slow = (run(form, settings) for form in (deep_spiking, reference))
    assert not fast[1].diverged and fast[1].passed[1:].min() > 20
    for name, array in network_arrays(slow[0]).items():
        assert np.array_equal(network_arrays(fast[0])[name], array), name
    for matrix, transposed in zip(fast[0].weights[1:], fast[0].transposed[1:], strict=True):
        assert np.array_equal(matrix.T, transposed)
    for a, b in zip([*fast[1], *fast[2]], [*slow[1], *slow[2]], strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(
    ("sizes", "settings"),
    [
        ((12, 76, 9, 67, 4), {"update": "fsgd"}),
        ((12, 76, 9, 67, 4), {"update": "sgd", "smooth": True}),
        ((12, 76, 9, 67, 4), {"update": "fsgd", "routing": "depth_first", "hold_error": False}),
        ((12, 76, 67, 4), {"update": "fsgd", "arithmetic": "integer"}),
    ],
    ids=str,
)
def test_hidden_layers_wider_than_a_word(sizes, settings):
    """Potentials are compared 64, 8 and 1 at a time; 76 and 67 units need all of these."""
    fast, slow = (run(form, settings, sizes, rate=0.036) for form in (deep_spiking, reference))
    assert not fast[1].diverged and fast[1].passed[1:].min() > 20
    for name, array in network_arrays(slow[0]).items():
        assert np.array_equal(network_arrays(fast[0])[name], array), name
    for a, b in zip([*fast[1], *fast[2]], [*slow[1], *slow[2]], strict=True):
        assert np.array_equal(a, b)


def test_loops_are_compiled_once_for_each_arithmetic():
    """Another number of layers, or spikes written by hand in other types, compiles nothing anew."""
    for settings in ({"update": "fsgd"}, {"update": "fsgd", "arithmetic": "integer"}):
        for sizes in ((12, 4), (12, 9, 4), (12, 9, 9, 9, 4)):
            run(deep_spiking, settings, sizes)
    rule = make_rule(6, 0.3)
    network, trains, labels = problem(rule)
    by_hand = trains._replace(
        code=trains.code.astype(np.int64), values=trains.values / WHITE, white=1.0
    )
    deep_spiking.train(network, rule, by_hand, labels, [0], np.random.default_rng(0))
    deep_spiking.predict(network, rule, by_hand)
    assert len(deep_spiking._predict.signatures) == 2


def test_a_single_matrix():
    fast, slow = (run(form, {"update": "fsgd"}, (5, 3)) for form in (deep_spiking, reference))
    for a, b in zip(fast[0].weights, slow[0].weights, strict=True):
        assert np.array_equal(a, b)
    assert fast[1].passed[-1] > 0


def test_held_errors_make_both_routings_equal():
    for update in ("sgd", "fsgd"):
        wide = run(deep_spiking, {"update": update})
        deep = run(deep_spiking, {"update": update, "routing": "depth_first"})
        for a, b in zip(wide[0].weights, deep[0].weights, strict=True):
            assert np.array_equal(a, b)
    loose = {"update": "sgd", "hold_error": False}
    wide = run(deep_spiking, loose)
    deep = run(deep_spiking, loose | {"routing": "depth_first"})
    assert not np.array_equal(wide[0].weights[0], deep[0].weights[0])


def one_spike_each(form, settings, rate, last):
    """Layers 1-1-1-2, one step: each hidden unit spikes once; the target is output 1.

    ``last`` are the weights to the outputs, all others 1. Returns the weights from the input up and
    the potentials of the quantizers of errors of both hidden units, after the step.
    """
    rule = make_rule(1, rate, **settings)
    network = make_network([[[1.0]], [[1.0]], [last]], rule)
    trains = input_trains(np.array([[WHITE]]), 1, WHITE)
    form.train(network, rule, trains, np.array([1]), [0], np.random.default_rng(0))
    after = [*real_weights(network, rule), network.back[1] / rule.unit, network.back[2] / rule.unit]
    return np.concatenate([array.ravel() for array in after]).tolist()


@pytest.mark.parametrize("form", [deep_spiking, reference])
@pytest.mark.parametrize(
    ("routing", "hold_error", "after"),
    [
        # Output 0 sends back 1, which spikes down to the input: every weight on the way falls.
        ("depth_first", True, [0.4, 0.4, 0.4, 0.6, 0, 0]),
        ("depth_first", False, [0.4, 0.4, 0.4, 0.6, 0, 0]),
        # It sends back 1 - 0.6 = 0.4, which is silent; output 1 adds -(0 + 0.6).
        ("depth_first_as_coded", True, [1, 1, 0.4, 0.6, 0, -0.2]),
        # No spike counts yet when output 0 spikes; output 1 sends back -0.6, then -(1 + 0.6).
        ("depth_first_as_coded", False, [2.2, 1.6, 1, 0.6, 0.4, 0.4]),
    ],
)
def test_error_spikes_are_sent_back_before_or_after_their_update(form, routing, hold_error, after):
    settings = {"update": "fsgd", "routing": routing, "hold_error": hold_error}
    assert one_spike_each(form, settings, 0.6, [1.0, 0.0]) == pytest.approx(after, abs=1e-12)


@pytest.mark.parametrize("form", [deep_spiking, reference])
@pytest.mark.parametrize(
    ("arithmetic", "after"),
    [
        # -1/2 is silent, or a spike that leaves 1/2 and adds 1/4 to every weight below.
        ("integer", [1, 1, 0, 0.75, 0, -0.5]),
        ("integer_as_coded", [1.25, 1.25, 0, 0.75, 0, 0.5]),
    ],
)
def test_exactly_minus_half_is_silent_or_a_spike(form, arithmetic, after):
    """Output 1 is silent at 1/2 in both; its target spike sends back -1/2."""
    settings = {"update": "fsgd", "arithmetic": arithmetic}
    assert one_spike_each(form, settings, 0.25, [0.0, 0.5]) == after


@pytest.mark.parametrize("hold_error", [True, False])
def test_the_order_of_the_author_matters_to_fsgd_alone(hold_error):
    for update, same in (("sgd", True), ("fsgd", False)):
        ours, coded = (
            run(deep_spiking, {"update": update, "routing": routing, "hold_error": hold_error})
            for routing in ("depth_first", "depth_first_as_coded")
        )
        assert ours[1].passed[1:].min() > 20
        for a, b in zip(ours[0].weights[:-1], coded[0].weights[:-1], strict=True):
            assert np.array_equal(a, b) is same


def test_integers_give_the_spikes_of_real_numbers():
    """Section 3.6. With T^2 / eta = 2^14, every number of the real form is exact in binary."""
    learning_rate = 64 / 2**14
    rules = [
        make_rule(8, learning_rate, update="fsgd", arithmetic=kind)
        for kind in ("float64", "integer")
    ]
    rounded = [np.rint(matrix * 2**14) / 2**14 for matrix in weights(3, (12, 9, 7, 4))]
    results = []
    for rule in rules:
        _, trains, labels = problem(rule, 3)
        network = make_network(rounded, rule)
        order = np.tile(np.arange(8), 20)
        training = deep_spiking.train(
            network, rule, trains, labels, order, np.random.default_rng(0)
        )
        results.append((network, training, deep_spiking.predict(network, rule, trains)))
    real, whole = results
    assert whole[0].weights[0].dtype == np.int64
    for a, b in zip(real[1], whole[1], strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(real[2].spikes, whole[2].spikes)
    assert np.array_equal(real[2].classes, whole[2].classes)
    for a, b in zip(real[0].weights, real_weights(whole[0], rules[1]), strict=True):
        assert np.array_equal(a, b)
    assert real[1].passed.sum() > 100


def test_first_layer_counts_follow_the_quantizer_and_the_output_the_rows():
    """Independent of the router: eq. 3.3 on the stream of single events, and plain sums."""
    rule = make_rule(20)
    network, trains, _ = problem(rule, 4)
    predictions = deep_spiking.predict(network, rule, trains)
    for sample in range(len(trains.start)):
        codes = [
            trains.code[slice(*trains.start[sample, t : t + 2])].astype(int) for t in range(20)
        ]
        codes.append(np.empty(0, int))
        for layer, matrix in enumerate(network.weights):
            events = np.concatenate(codes)
            rows = (
                np.where(events >= 0, 1, -1)[:, None]
                * matrix[np.where(events >= 0, events, -1 - events)]
            )
            ends = np.cumsum([len(step) for step in codes[:20]])
            if layer == 2:
                totals = np.cumsum(rows, axis=0)[ends - 1] * (ends > 0)[:, None]
                assert np.allclose(predictions.outputs[sample], totals, atol=1e-12)
                break
            spikes = quantize_stream(rows, rectified=True).spikes
            potential = np.cumsum(rows, axis=0) - np.cumsum(spikes, axis=0) + spikes
            order = [
                [j for _, j in sorted((k - p, j) for j, p in enumerate(phi) for k in range(n[j]))]
                for phi, n in zip(potential, spikes, strict=True)
            ]
            first = np.concatenate([[0], ends[:-1]])
            codes = [
                np.array([j for e in range(a, b) for j in order[e]], int)
                for a, b in zip(first, ends, strict=True)
            ] + [np.empty(0, int)]
            found = predictions.spikes[sample, :, layer + 1]
            assert found.tolist() == [len(step) for step in codes[:20]]


def test_output_approaches_the_rectified_network():
    """Algorithm 3: O(1 / T)."""
    matrices = weights(5, (12, 9, 7, 4))
    images = levels(5)
    hidden = images / WHITE
    for matrix in matrices[:-1]:
        hidden = np.maximum(hidden @ matrix, 0)
    expected = hidden @ matrices[-1]
    errors = []
    for steps in (30, 300, 3000):
        rule = make_rule(steps)
        predictions = deep_spiking.predict(
            make_network(matrices, rule), rule, input_trains(images, steps, WHITE)
        )
        errors.append(np.abs(predictions.outputs[:, -1] / steps - expected).mean())
    slope = np.polyfit(np.log([30, 300, 3000]), np.log(errors), 1)[0]
    assert -1.2 < slope < -0.7 and errors[-1] < 0.01


@pytest.mark.parametrize("update", ["sgd", "fsgd"])
def test_update_approaches_the_gradient_of_the_rectified_network(update):
    """Algorithm 13, eq. 3.6 and 3.7: for SGD the gradient of sum (y - target)^2 / 2.

    FSGD takes the counts so far: half of it.
    """
    matrices = weights(6, (12, 9, 7, 4))
    images = levels(6, samples=1)
    steps, label = 1000, 2
    rule = make_rule(steps, 1e-9, update=update)
    network = make_network(matrices, rule)
    deep_spiking.train(
        network, rule, input_trains(images, steps, WHITE), np.array([label]), np.array([0]),
        np.random.default_rng(0),
    )  # fmt: skip
    values = [images[0] / WHITE]
    for matrix in matrices:
        values.append(np.maximum(values[-1] @ matrix, 0))
    delta = (values[-1] - np.eye(4)[label]) * (values[-1] > 0)
    for layer in (2, 1, 0):
        gradient = np.outer(values[layer], delta)
        change = (matrices[layer] - network.weights[layer]) / 1e-9
        cosine = (gradient * change).sum() / np.linalg.norm(gradient) / np.linalg.norm(change)
        assert cosine > 0.95, layer
        ratio = np.linalg.norm(change) / np.linalg.norm(gradient)
        assert abs(ratio - (1.0 if update == "sgd" else 0.5)) < 0.1, layer
        delta = (delta @ matrices[layer].T) * (values[layer] > 0)


def test_zero_reset_never_changes_small_weights():
    """Table A.1: no error spike reaches the hidden layers, and h2 never spikes."""
    sizes = (12, 9, 7, 4)
    initial = initial_weights(sizes, np.random.RandomState(1234))
    for reset, learns in (("zero", False), ("none", True)):
        rule = make_rule(10, 0.01, update="sgd", back_reset=reset)
        network = make_network(initial, rule)
        _, trains, labels = problem(rule, 7, samples=200)
        training = deep_spiking.train(
            network, rule, trains, labels, np.tile(np.arange(200), 20), np.random.default_rng(0)
        )
        changed = any(
            not np.array_equal(a, b) for a, b in zip(initial, network.weights, strict=True)
        )
        assert changed is learns
        assert training.errors[-1] >= 10 * 4000 - 100
        assert bool(training.errors[-2] > 0) is learns


def test_training_in_stretches_is_training_at_once():
    rule = make_rule(6, 0.3, update="fsgd", back_reset="random")
    whole, trains, labels = problem(rule, 8)
    part, _, _ = problem(rule, 8)
    order = np.tile(np.arange(8), 4)
    deep_spiking.train(whole, rule, trains, labels, order, np.random.default_rng(2))
    generator = np.random.default_rng(2)
    deep_spiking.train(part, rule, trains, labels, order[:13], generator)
    again = np.random.default_rng()
    again.bit_generator.state = generator.bit_generator.state
    part = network_from_arrays(network_arrays(part), rule)
    deep_spiking.train(part, rule, trains, labels, order[13:], again)
    for name, array in network_arrays(whole).items():
        assert np.array_equal(network_arrays(part)[name], array)


@pytest.mark.parametrize("update", ["sgd", "fsgd"])
def test_divergence_is_recorded_and_ends(update):
    rule = make_rule(6, 1e6, update=update)
    network, trains, labels = problem(rule, 9)
    order = np.tile(np.arange(8), 200)
    training = deep_spiking.train(network, rule, trains, labels, order, np.random.default_rng(0))
    assert training.diverged and training.samples < len(order)
    huge = make_network([matrix * 1e300 for matrix in weights(9, (12, 9, 7, 4))], rule)
    predictions = deep_spiking.predict(huge, rule, trains)
    assert (predictions.classes[:, -1] == -1).all()


def test_operations_are_those_of_the_formula():
    """Section 3.2: sum over layers of spikes times fan-out."""
    rule = make_rule(6)
    network, trains, _ = problem(rule, 10)
    spikes = deep_spiking.predict(network, rule, trains).spikes
    by_hand = np.cumsum(9 * spikes[..., 0] + 7 * spikes[..., 1] + 4 * spikes[..., 2], axis=1)
    assert np.array_equal(additions(spikes, network.sizes), by_hand)
    hidden = np.cumsum(7 * spikes[..., 1] + 4 * spikes[..., 2], axis=1)
    assert np.array_equal(additions(spikes, network.sizes, first_layer=1), hidden)
    one_each = np.ones((1, 1, 3), int)
    assert additions(one_each, network.sizes).tolist() == [[9 + 7 + 4]]


def test_input_spikes_are_counts_in_the_right_order():
    images = levels(11)
    trains = input_trains(images, 7, WHITE)
    exact = images / WHITE  # multiples of 1/16
    for sample in range(len(images)):
        spikes = quantize_stream(np.tile(exact[sample], (7, 1))).spikes
        for step in range(7):
            codes = trains.code[slice(*trains.start[sample, step : step + 2])]
            assert np.array_equal(np.bincount(codes, minlength=12), spikes[step])
            phi = (step + 1) * exact[sample] - spikes[:step].sum(axis=0)
            assert codes.tolist() == sorted(codes, key=lambda i: (-phi[i], i))
    real = input_trains(exact, 7)
    assert np.array_equal(real.start, trains.start) and np.array_equal(real.code, trains.code)
    signed = input_trains(-exact, 7)
    assert np.array_equal(signed.code, -1 - trains.code)


def gradient_step(matrices, x, target, rate):
    values = [x]
    for matrix in matrices:
        values.append(np.maximum(values[-1] @ matrix, 0))
    delta = 2 * (values[-1] - target) * (values[-1] > 0)
    for layer in range(len(matrices) - 1, -1, -1):
        gradient = np.outer(values[layer], delta)
        delta = (matrices[layer] @ delta) * (values[layer] > 0)
        matrices[layer] = matrices[layer] - rate * gradient


@pytest.mark.parametrize("sizes", [(12, 4), (12, 9, 17, 4)], ids=str)
def test_rectified_network_is_plain_gradient_descent(sizes):
    images = levels(12)
    labels = np.random.default_rng(12).integers(0, 4, 8)
    fast, slow = weights(12, sizes), weights(12, sizes)
    order = np.tile(np.arange(8), 5)
    assert rectified_network.train(fast, 0.02, images, WHITE, labels, order) == 40
    for sample in order:
        gradient_step(slow, images[sample] / WHITE, np.eye(4)[labels[sample]], 0.02)
    for a, b in zip(fast, slow, strict=True):
        assert np.allclose(a, b, rtol=1e-11, atol=1e-13)
    outputs, nonzero = rectified_network.outputs(fast, images, WHITE)
    value = images / WHITE
    for layer, matrix in enumerate(fast):
        assert np.array_equal(nonzero[:, layer], np.count_nonzero(value, axis=1))
        value = np.maximum(value @ matrix, 0)
    assert np.allclose(outputs, value, atol=1e-13)
    huge = [1e200 * np.abs(matrix) for matrix in weights(12, (12, 9, 17, 4))]
    assert rectified_network.train(huge, 0.02, images, WHITE, labels, order) == 0  # diverged


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"update": "adam"}, "update is 'adam'; known are sgd, fsgd"),
        ({"steps": 0}, "steps at least 1"),
        ({"learning_rate": np.nan}, "learning rate = nan"),
        ({"routing": "both"}, "routing is 'both'"),
        ({"back_reset": "half"}, "back_reset is 'half'"),
        ({"arithmetic": "integer", "smooth": True}, "integer arithmetic knows no smooth"),
        ({"arithmetic": "integer", "learning_rate": 0.03}, "expected a whole number"),
    ],
)
def test_rules_that_cannot_be_are_said(settings, message):
    with pytest.raises(StudyError, match=message):
        make_rule(**settings)


def test_arrays_that_do_not_fit_are_said():
    rule = make_rule(6)
    network, trains, labels = problem(rule)
    generator = np.random.default_rng(0)
    with pytest.raises(StudyError, match="expected 12 and 7"):
        deep_spiking.predict(network, make_rule(7), trains)
    with pytest.raises(StudyError, match="labels lie between"):
        deep_spiking.train(network, rule, trains, labels + 9, [0], generator)
    negative = trains._replace(code=np.where(np.arange(len(trains.code)) == 3, -1, trains.code))
    for form in (deep_spiking, reference):
        with pytest.raises(StudyError, match="positive sign alone, found 1 negative"):
            form.train(network, rule, negative, labels, [0], generator)
    with pytest.raises(StudyError, match="labels are"):
        deep_spiking.train(network, rule, trains, labels[:-1], [0], generator)
    with pytest.raises(StudyError, match="names samples 0 to 8"):
        deep_spiking.train(network, rule, trains, labels, [0, 8], generator)
    with pytest.raises(StudyError, match="different arithmetic"):
        deep_spiking.predict(network, make_rule(6, arithmetic="integer"), trains)
    with pytest.raises(StudyError, match="expected 9 rows"):
        make_network([np.ones((12, 9)), np.ones((8, 4))], rule)
    with pytest.raises(StudyError, match="not finite"):
        make_network([np.full((12, 9), np.inf)], rule)
    with pytest.raises(StudyError, match="white is None"):
        input_trains(levels(0), 6)
    with pytest.raises(StudyError, match="not finite"):
        input_trains(np.full((1, 3), np.nan), 6)
    with pytest.raises(StudyError, match="expected float64"):
        network_from_arrays({"weights_0": np.ones((2, 2), int)}, rule)
    with pytest.raises(StudyError, match="rectified network: expected 8 labels"):
        rectified_network.train(weights(0, (12, 4)), 0.1, levels(0), WHITE, labels[:3], [0])
    with pytest.raises(StudyError, match="rectified network: an input is not finite"):
        rectified_network.outputs(weights(0, (12, 4)), np.full((8, 12), np.nan))
