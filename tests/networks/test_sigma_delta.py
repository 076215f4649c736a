"""Chapter 4's modules and networks against loops, each other, integers and convolutions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate2d

from plausible.errors import StudyError
from plausible.measure.operations import event_additions
from plausible.networks.sigma_delta import (
    KINDS,
    Layer,
    bake_scales,
    delta_herding,
    dense_network,
    evaluate,
    herding,
    run,
    sparse_product,
    temporal_difference,
    temporal_integration,
)

SIZES = (12, 9, 8, 5)
SEEDS = st.integers(0, 2**32 - 1)
SCALES = (3.0, 1.7, 0.8)


def parameters(seed: int, sizes=SIZES):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, 0.6, (b, a)).T for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
    return weights, [rng.normal(0, 0.3, b) for b in sizes[1:]]


def sequence(seed: int, length: int = 30, features: int = SIZES[0]) -> np.ndarray:
    """A random walk: neighbouring frames resemble each other."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(0, 0.4, (length, features)), axis=0)


def network(seed: int, **options):
    return dense_network(*parameters(seed), **options)


def frame_by_frame(weights, biases, frames, scales, literal_step):
    """A readable network that sees one frame after the other; ``literal_step`` is its encoder."""
    memories = [{} for _ in weights]
    outputs = []
    for frame in frames:
        x = frame
        for index, (weight, bias, k) in enumerate(zip(weights, biases, scales, strict=True)):
            z = literal_step(x * k, weight / k, memories[index]) + bias
            x = np.maximum(z, 0) if index < len(weights) - 1 else z
        outputs.append(x)
    return np.array(outputs)


def step_rounding(u, weight, memory):
    return np.round(u) @ weight


def step_sigma_delta(u, weight, memory):
    """Figure 4.1 D: temporal difference, herding, product, temporal integration."""
    difference = u - memory.get("last", 0.0)
    memory["last"] = u
    phi = memory.get("phi", 0.0) + difference
    s = np.round(phi)
    memory["phi"] = phi - s
    memory["sum"] = memory.get("sum", 0.0) + s @ weight
    return memory["sum"]


# --- modules --------------------------------------------------------------------------------------


def test_first_difference_is_the_first_frame():
    frames = sequence(0)
    differences, last = temporal_difference(frames)
    assert np.array_equal(differences[0], frames[0])
    assert np.array_equal(differences[1:], frames[1:] - frames[:-1])
    assert np.array_equal(last, frames[-1])


@given(SEEDS)
def test_integration_undoes_the_difference(seed):
    frames = sequence(seed)
    restored, total = temporal_integration(temporal_difference(frames)[0])
    assert np.allclose(restored, frames, rtol=0, atol=1e-12)
    assert np.array_equal(total, restored[-1])


@given(SEEDS)
def test_difference_linear_map_and_integration_commute(seed):
    frames, weight = sequence(seed), np.random.default_rng(seed).normal(size=(SIZES[0], 7))
    through = temporal_difference(temporal_integration(frames)[0] @ weight)[0]
    assert np.allclose(through, frames @ weight, rtol=0, atol=1e-10)


@given(SEEDS)
def test_herding_is_algorithm_14_and_keeps_its_potential_below_half(seed):
    inputs = np.random.default_rng(seed).normal(0, 3, (40, 4))
    messages, potential = herding(inputs)
    assert np.abs(potential).max() <= 0.5
    phi = [0.0] * 4
    for time in range(40):
        for unit in range(4):
            phi[unit] += inputs[time, unit]
            assert messages[time, unit] == round(phi[unit])
            phi[unit] -= messages[time, unit]
            assert abs(phi[unit]) <= 0.5
    assert np.array_equal(potential, phi)
    # What has been sent differs from what came in by the potential alone.
    assert np.allclose(inputs.sum(axis=0) - messages.sum(axis=0), potential, atol=1e-12)


@given(SEEDS, st.sampled_from([np.float64, np.float32]))
def test_herding_of_differences_is_the_difference_of_rounded_values(seed, dtype):
    values = (sequence(seed, 200, 20) * 3).astype(dtype)
    tolerance = 1e-9 if dtype is np.float64 else 1e-3
    near_a_tie = np.abs(np.abs(values - np.rint(values)) - 0.5) < tolerance
    values[near_a_tie] = np.rint(values[near_a_tie])
    herded, _ = herding(temporal_difference(values)[0])
    assert np.array_equal(herded, delta_herding(values)[0])


def test_at_exact_halves_the_equivalence_is_off_by_one_at_most_and_recovers():
    values = np.array([[1.0], [1.5], [1.6], [3.0], [2.5], [2.4]])
    herded, delta = herding(temporal_difference(values)[0])[0], delta_herding(values)[0]
    # Halves go to the even neighbour: of phi = 0.5 to 0, of x = 1.5 to 2.
    assert np.cumsum(herded).tolist() == [1, 1, 2, 3, 3, 2]
    assert np.cumsum(delta).tolist() == [1, 2, 2, 3, 2, 2]


@pytest.mark.parametrize("module", [temporal_difference, delta_herding, herding])
def test_a_module_goes_on_where_it_stopped(module):
    values = sequence(4, 25, 3) * 2
    whole, memory = module(values)
    first, half = module(values[:10])
    none, same = module(values[:0], half)
    second, end = module(values[10:], same)
    assert len(none) == 0
    assert np.array_equal(np.concatenate([first, second]), whole)
    assert np.array_equal(end, memory)


# --- networks -------------------------------------------------------------------------------------


@given(SEEDS)
def test_original_network_is_a_multilayer_perceptron(seed):
    weights, biases = parameters(seed)
    frames = sequence(seed)
    hidden = np.maximum(frames @ weights[0] + biases[0], 0)
    hidden = np.maximum(hidden @ weights[1] + biases[1], 0)
    logits = hidden @ weights[2] + biases[2]
    found = run(dense_network(weights, biases, output="identity"), frames, "original")
    assert np.allclose(found.outputs, logits, rtol=0, atol=1e-12)
    probabilities = run(dense_network(weights, biases), frames, "original").outputs
    assert np.allclose(probabilities.sum(axis=1), 1)
    ratio = np.log(probabilities[:, 1:] / probabilities[:, :1])
    assert np.allclose(ratio, logits[:, 1:] - logits[:, :1])


@given(SEEDS)
def test_temporal_difference_network_equals_the_original(seed):
    layers, frames = network(seed), sequence(seed)
    original = run(layers, frames, "original").outputs
    found = run(layers, frames, "temporal_difference", SCALES).outputs
    assert np.allclose(found, original, rtol=0, atol=1e-10)


@given(SEEDS, st.sampled_from(["sigma_delta", "sigma_delta_herding"]))
def test_sigma_delta_network_equals_the_rounding_network_in_any_order(seed, kind):
    layers, frames = network(seed), sequence(seed)
    order = np.random.default_rng(seed).permutation(len(frames))
    rounded = run(layers, frames, "rounding", SCALES).outputs
    assert np.allclose(run(layers, frames, kind, SCALES).outputs, rounded, rtol=0, atol=1e-10)
    shuffled = run(layers, frames[order], kind, SCALES).outputs
    assert np.allclose(shuffled, rounded[order], rtol=0, atol=1e-10)


def test_integer_networks_are_equal_to_the_last_bit():
    rng = np.random.default_rng(3)
    weights = [rng.integers(-9, 10, pair) * 1.0 for pair in zip(SIZES, SIZES[1:], strict=False)]
    layers = dense_network(weights, [rng.integers(-9, 10, b) * 1.0 for b in SIZES[1:]])
    frames = sequence(3, 300)
    rounded = run(layers, frames, "rounding")
    for kind in ("sigma_delta", "sigma_delta_herding"):
        found = run(layers, frames, kind)
        assert np.array_equal(found.outputs, rounded.outputs)
        for events, values in zip(found.messages, rounded.messages, strict=True):
            assert np.array_equal(np.cumsum(events, axis=0), values)


def test_networks_equal_readable_ones_that_see_frame_after_frame():
    weights, biases = parameters(8)
    frames = sequence(8, 50)
    layers = dense_network(weights, biases, output="identity")
    for kind, literal in (
        ("rounding", step_rounding),
        ("sigma_delta", step_sigma_delta),
        ("sigma_delta_herding", step_sigma_delta),
    ):
        expected = frame_by_frame(weights, biases, frames, SCALES, literal)
        found = run(layers, frames, kind, SCALES).outputs
        assert np.allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_may_be_given_in_pieces(kind):
    layers, frames = network(5), sequence(5)
    whole = run(layers, frames, kind, SCALES)
    state, outputs, messages = None, [], []
    for begin, end in ((0, 1), (1, 2), (2, 2), (2, 17), (17, 30)):
        part = run(layers, frames[begin:end], kind, SCALES, state)
        state = part.state
        outputs.append(part.outputs)
        messages.append(part.messages)
    assert np.allclose(np.concatenate(outputs), whole.outputs, rtol=0, atol=1e-12)
    for layer, expected in enumerate(whole.messages):
        pieces = np.concatenate([message[layer] for message in messages])
        assert np.allclose(pieces, expected, rtol=0, atol=1e-12)


def test_rounding_after_the_difference_forgets_what_it_does_not_send():
    """Eq. 4.6 as printed: an input that rises slowly is never sent; herding keeps it."""
    frames = np.linspace(0.0, 3.1, 33)[:, np.newaxis]
    layers = dense_network([np.eye(1)], output="identity")
    printed, herded = (
        run(layers, frames, f"sigma_delta_{kind}").outputs for kind in ("as_printed", "herding")
    )
    assert not printed.any()
    assert np.array_equal(herded, np.rint(frames))


def test_larger_scales_lower_the_error_and_raise_the_computation():
    layers, frames = network(6, output="identity"), sequence(6, 400)
    original = run(layers, frames, "original").outputs
    errors, costs = [], []
    for scale in (1.0, 4.0, 16.0, 64.0, 256.0):
        found = run(layers, frames, "rounding", [scale] * 3)
        errors.append(np.abs(found.outputs - original).mean())
        costs.append(sum(np.abs(message).sum() for message in found.messages))
    assert np.all(np.diff(errors) < 0) and np.all(np.diff(costs) > 0)
    # A step of rounding is 1/k.
    assert errors[0] / errors[-1] == pytest.approx(256, rel=0.5)


def test_a_still_picture_costs_nothing_after_the_first_frame():
    frames = np.repeat(sequence(1, 1), 20, axis=0)
    found = evaluate(network(1), frames, "sigma_delta", SCALES)
    assert found.event_additions[0].sum() > 0
    assert not found.event_additions[1:].any()
    rounding = evaluate(network(1), frames, "rounding", SCALES)
    assert np.array_equal(rounding.event_additions[0], found.event_additions[0])
    assert (rounding.event_additions == rounding.event_additions[0]).all()


# --- products, scales, operations -----------------------------------------------------------------


@given(SEEDS)
def test_sparse_product_equals_the_dense_one_and_counts_its_additions(seed):
    rng = np.random.default_rng(seed)
    events = rng.integers(-3, 4, 11)
    weight = rng.integers(-50, 50, (11, 6)).astype(float)
    product, additions = sparse_product(events, weight)
    assert np.array_equal(product, events @ weight)
    assert additions == np.abs(events).sum() * 6
    assert additions == event_additions(events[np.newaxis].astype(float), 6)[0]


def test_sparse_product_refuses_what_is_not_whole():
    with pytest.raises(StudyError, match="not a whole number"):
        sparse_product(np.array([1.0, 0.5]), np.ones((2, 2)))


@given(SEEDS, st.booleans(), st.sampled_from(KINDS))
def test_baked_scales_give_the_same_outputs_and_messages(seed, unitwise, kind):
    weights, biases = parameters(seed)
    rng = np.random.default_rng(seed)
    scales = [np.exp(rng.normal(size=n if unitwise else ())) for n in SIZES[:-1]]
    frames = sequence(seed)
    scaled = run(dense_network(weights, biases), frames, kind, scales)
    baked = run(dense_network(*bake_scales(weights, biases, scales)), frames * scales[0], kind)
    assert np.allclose(baked.outputs, scaled.outputs, rtol=0, atol=1e-10)
    for ours, theirs in zip(baked.messages, scaled.messages, strict=True):
        assert np.allclose(ours, theirs, rtol=0, atol=1e-9)


def convolution(kernels: np.ndarray, bias: np.ndarray, fan_out) -> Layer:
    """Convolutional layer, borders cut, from [maps, channels, height, width]."""

    def linear(frames):
        return np.array(
            [
                [
                    sum(
                        correlate2d(image, kernel, "valid")
                        for image, kernel in zip(frame, kernel_of_map, strict=True)
                    )
                    for kernel_of_map in kernels
                ]
                for frame in frames
            ]
        )

    return Layer(linear, bias[:, np.newaxis, np.newaxis], "relu", fan_out)


def test_convolutional_layers_need_nothing_new():
    rng = np.random.default_rng(9)
    kernels, bias = rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3)
    upper, upper_bias = rng.normal(size=(2, 3, 2, 2)), rng.normal(size=2)
    reached = 3 * correlate2d(np.ones((3, 4)), np.ones((3, 3)), "full")  # by each input pixel
    layers = (
        convolution(kernels, bias, np.stack([reached] * 2)),
        convolution(upper, upper_bias, 8),
    )
    frames = np.cumsum(rng.normal(0, 0.5, (12, 2, 5, 6)), axis=0)
    scales = (2.0, np.array([1.0, 0.5, 3.0])[:, np.newaxis, np.newaxis])
    rounding = run(layers, frames, "rounding", scales)
    found = run(layers, frames, "sigma_delta", scales)
    assert found.outputs.shape == (12, 2, 2, 3)
    assert np.allclose(found.outputs, rounding.outputs, rtol=0, atol=1e-10)
    # A unit event at every input pixel touches every kernel weight at every output position.
    ones = np.ones((1, 2, 5, 6))
    assert event_additions(ones, layers[0].fan_out)[0] == (3 * 2 * 9) * (3 * 4)
    maps = [np.array([2.0, 2.0]), np.array([1.0, 0.5, 3.0])]
    # [height, width, channels, maps], as `bake_scales` has it.
    turned = [np.transpose(each, (2, 3, 1, 0)) for each in (kernels, upper)]
    turned, biases = bake_scales(turned, [bias, upper_bias], maps)
    first, second = (np.transpose(each, (3, 2, 0, 1)) for each in turned)
    baked = (convolution(first, biases[0], 1), convolution(second, biases[1], 8))
    assert np.allclose(run(baked, frames * 2.0, "rounding").outputs, rounding.outputs, atol=1e-10)


@pytest.mark.parametrize("kind", ["original", "rounding", "sigma_delta"])
def test_evaluation_equals_one_long_run_whatever_the_block(kind):
    layers = network(7)
    frames = np.random.default_rng(7).integers(0, 256, (50, SIZES[0])).astype(np.uint8)
    whole = run(layers, frames / 255.0, kind, SCALES)
    for block in (1, 7, 1000):
        found = evaluate(layers, frames, kind, SCALES, white=255.0, block=block)
        assert np.array_equal(found.predictions, whole.outputs.argmax(axis=1))
        for layer, message in enumerate(whole.messages):
            fan_out = SIZES[layer + 1]
            if kind != "original":
                sizes = np.abs(message).sum(axis=1) * fan_out
                assert np.array_equal(found.event_additions[:, layer], sizes)
            nonzero = np.count_nonzero(message, axis=1) * fan_out
            assert np.array_equal(found.nonzero_multiply_adds[:, layer], nonzero)


def test_no_frames_and_overflow_are_no_crash():
    layers = network(7)
    assert evaluate(layers, np.zeros((0, SIZES[0])), "sigma_delta").event_additions.shape == (0, 3)
    frames = np.ones((2, SIZES[0]))
    huge = dense_network([weight * 1e200 for weight in parameters(7)[0]])
    with np.errstate(over="ignore", invalid="ignore"):
        assert evaluate(huge, frames, "original").predictions.tolist() == [-1, -1]


def test_what_does_not_fit_is_said():
    layers, frames = network(0), sequence(0)
    with pytest.raises(StudyError, match="kind 'delta', expected one of original, "):
        run(layers, frames, "delta")
    with pytest.raises(StudyError, match="found 2 scales, expected one .* of the 3 layers"):
        run(layers, frames, "rounding", (1.0, 1.0))
    for bad in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(StudyError, match="scale of layer 1 is not a positive finite"):
            run(layers, frames, "rounding", (1.0, bad, 1.0))
    with pytest.raises(StudyError, match="nonlinearity 'sigmoid', expected one of relu, "):
        network(0, output="sigmoid")
