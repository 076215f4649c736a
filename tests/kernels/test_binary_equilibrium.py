"""The compiled binary network against its readable twin, in float64."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.kernels import binary_equilibrium as kernel
from plausible.learning.binary_propagation import BinaryRecipe, learn_binary
from plausible.networks.binary_equilibrium import Coding, at_rest, informed, settle_binary
from plausible.networks.equilibrium import make_equilibrium
from plausible.neurons.step_sizes import Adaptive, Kesten, Schedule

RNG = np.random.default_rng(2)
PIXELS, CLASSES, WHITE, BATCH = 30, 4, 16, 5
IMAGES = RNG.integers(0, WHITE + 1, (40, PIXELS)).astype(np.uint8) * (
    RNG.random((40, PIXELS)) < 0.6
)
IMAGES = IMAGES.astype(np.uint8)
LABELS = RNG.integers(0, CLASSES, 40)
ORDER = RNG.permutation(40).reshape(8, BATCH)
BETAS = 0.5 * RNG.choice([-1.0, 1.0], 8)
OSA = Coding(Adaptive(0.0346, 1e-15), Schedule(0.275))
CODINGS = {
    "adaptive": OSA,
    "adaptive_annealed": Coding(Adaptive(0.1, 1e-7), Schedule(0.39, 0.45)),
    "scheduled": Coding(Schedule(0.775, 0.313), Schedule(0.67, 0.578)),
    "plain": Coding(Schedule(1.0, 0.5)),
}


def made(hidden, dtype=np.float64):
    network = make_equilibrium((PIXELS, *hidden, CLASSES), np.random.default_rng(7))
    return network._replace(
        weights=tuple(weight.astype(dtype) for weight in network.weights),
        biases=tuple(bias.astype(dtype) for bias in network.biases),
    )


@pytest.mark.parametrize("hidden", [(13,), (9, 17, 11), (40, 36, 34), (35, 8)])
@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("checkpoint", [False, True])
def test_trains_as_the_readable_form(hidden, name, checkpoint):
    rates = (0.1, 0.05, 0.04, 0.03)[: len(hidden) + 1]
    recipe = BinaryRecipe(CODINGS[name], 25, 10, 0.5, rates, checkpoint)
    ours, theirs = made(hidden), made(hidden)
    assert kernel.train(ours, recipe, IMAGES, WHITE, LABELS, ORDER, BETAS) == 8
    onehot = np.eye(CLASSES)
    for chosen, beta in zip(ORDER, BETAS, strict=True):
        learn_binary(theirs, recipe, IMAGES[chosen] / WHITE, onehot[LABELS[chosen]], beta)
    for a, b in zip((*ours.weights, *ours.biases), (*theirs.weights, *theirs.biases), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    assert np.abs(ours.weights[0] - made(hidden).weights[0]).max() > 1e-3


@pytest.mark.parametrize("name", CODINGS)
def test_settles_as_the_readable_form(name):
    network = made((13, 8))
    states = kernel.settled(network, CODINGS[name], 40, IMAGES, WHITE)
    found = settle_binary(network, CODINGS[name], IMAGES / WHITE, at_rest(network, 40), 40)
    np.testing.assert_allclose(states, np.concatenate(found.states, axis=1), rtol=0, atol=1e-12)


def test_goes_on_from_the_states_of_each_sample():
    network, recipe = made((13,)), BinaryRecipe(OSA, 12, 6, 0.5, (0.1, 0.05))
    starts = np.zeros((40, 13 + CLASSES))
    kernel.train(network, recipe, IMAGES, WHITE, LABELS, ORDER[:3], BETAS[:3], starts)
    shown = np.zeros(40, bool)
    shown[ORDER[:3].ravel()] = True
    assert (starts[~shown] == 0).all() and (starts[shown] != 0).any(axis=1).all()
    before, twin = starts.copy(), made((13,))
    for weight, ours in zip(twin.weights, network.weights, strict=True):
        weight[...] = ours
    for bias, ours in zip(twin.biases, network.biases, strict=True):
        bias[...] = ours
    kernel.train(network, recipe, IMAGES, WHITE, LABELS, ORDER[:1], BETAS[:1], starts)
    chosen = ORDER[0]
    kept = before[chosen, :13], before[chosen, 13:]
    phases = learn_binary(
        twin, recipe, IMAGES[chosen] / WHITE, np.eye(CLASSES)[LABELS[chosen]], BETAS[0], kept
    )
    np.testing.assert_allclose(network.weights[0], twin.weights[0], rtol=0, atol=1e-12)
    minus = np.concatenate(phases.minus.states, axis=1)
    np.testing.assert_allclose(starts[chosen], minus, rtol=0, atol=1e-12)


def test_single_precision_is_single_and_near():
    """Bits that fall the other way make states differ by more than rounding, but not by much."""
    double, single = made((13,)), made((13,), np.float32)
    states = kernel.settled(single, OSA, 60, IMAGES, WHITE)
    exact = kernel.settled(double, OSA, 60, IMAGES, WHITE)
    assert states.dtype == np.float32
    assert np.median(np.abs(states - exact)) < 1e-5 and np.abs(states - exact).mean() < 5e-3
    recipe = BinaryRecipe(OSA, 25, 10, 0.5, (0.1, 0.05))
    kernel.train(single, recipe, IMAGES, WHITE, LABELS, ORDER, BETAS)
    assert single.weights[0].dtype == np.float32 and np.isfinite(single.weights[0]).all()


def test_predicts_the_largest_output():
    network, recipe = made((13,)), BinaryRecipe(OSA, 30, 10, 0.5, (0.1, 0.05))
    states = kernel.settled(network, OSA, 30, IMAGES, WHITE)
    np.testing.assert_array_equal(
        kernel.predict(network, recipe, IMAGES, WHITE), states[:, 13:].argmax(axis=1)
    )


@pytest.mark.parametrize(
    ("coding", "words"),
    [
        (OSA._replace(encoder="stochastic"), "encoders are sigma-delta"),
        (OSA._replace(matched=True), "decoders as the text prints"),
        (OSA._replace(step=Kesten(4.0, 5.0)), "a schedule or of OSA"),
    ],
)
def test_other_codings_are_refused(coding, words):
    with pytest.raises(StudyError, match=words):
        kernel.settled(made((13,)), coding, 5, IMAGES, WHITE)


def test_feedback_matrices_are_refused():
    network = make_equilibrium((PIXELS, 13, CLASSES), np.random.default_rng(0), untied=True)
    with pytest.raises(StudyError, match="expected a symmetric network"):
        kernel.settled(network, OSA, 5, IMAGES, WHITE)


def test_images_must_be_bytes():
    with pytest.raises(StudyError, match=r"expected uint8, \[images, 30\]"):
        kernel.settled(made((13,)), OSA, 5, IMAGES / WHITE, WHITE)


def test_what_does_not_fit_is_said():
    """The compiled loops would read beyond their arrays."""
    recipe = BinaryRecipe(OSA, 5, 3, 0.5, (0.1, 0.05))
    given = IMAGES, WHITE, LABELS, ORDER, BETAS

    def fails(words, *arguments, recipe=recipe, network=None):
        with pytest.raises(StudyError, match=words):
            kernel.train(network or made((13,)), recipe, *arguments)

    fails("finite rate for each of 2 layers", *given, recipe=recipe._replace(learning_rates=(0.1,)))
    fails("at least 1 step", *given, recipe=recipe._replace(positive_steps=0))
    fails("from 0 to 3 for each image", IMAGES, WHITE, LABELS + 1, ORDER, BETAS)
    fails("indices of images", IMAGES, WHITE, LABELS, ORDER + 1, BETAS)
    fails("a beta that is not 0", IMAGES, WHITE, LABELS, ORDER, 0.0 * BETAS)
    fails("white level is 300", IMAGES, 300, LABELS, ORDER, BETAS)
    mixed = made((13,))._replace(biases=made((13,), np.float32).biases)
    fails("all float32 or all float64", *given, network=mixed)
    fails(r"expected float64 \(40, 17\)", *given, np.zeros((40, 16)))
    fails(r"expected float64 \(40, 17\)", *given, np.zeros((40, 17), np.float32))


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_divergence_of_any_layer_is_a_result(layer):
    network, recipe = made((9, 8)), BinaryRecipe(OSA, 5, 3, 0.5, (0.1, 0.05, 0.02))
    assert kernel.train(network, recipe, IMAGES, WHITE, LABELS, ORDER, BETAS) == 8
    network.biases[layer][-1] = np.nan
    assert kernel.train(network, recipe, IMAGES, WHITE, LABELS, ORDER, BETAS) == 0


def test_infinite_weights_are_not_done():
    """Clipped states hide them from the biases."""
    network, recipe = made((9, 8)), BinaryRecipe(OSA, 5, 3, 0.5, (0.1, 0.05, 0.02))
    network.weights[2][0, 0] = np.inf
    assert kernel.train(network, recipe, IMAGES, WHITE, LABELS, ORDER, BETAS) < 8


STARTS = np.random.default_rng(11).uniform(-0.1, 1.1, (40, 100))
"""Guesses of all units, some outside of the limits of the states."""


def guesses(hidden):
    """Of the units of a network, as the kernel and as the readable form have them."""
    sizes = (*hidden, CLASSES)
    flat = STARTS[:, : sum(sizes)].copy()
    return flat, tuple(np.split(flat.copy(), np.cumsum(sizes)[:-1], axis=1))


@pytest.mark.parametrize("hidden", [(13,), (40, 36, 8)])
@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("pull", [0.0, 0.3])
def test_informed_units_are_those_of_the_readable_form(hidden, name, pull):
    network, (flat, layers) = made(hidden), guesses(hidden)
    inputs, coding = IMAGES / WHITE, CODINGS[name]
    expected = {
        known: settle_binary(
            network, coding, inputs, informed(network, inputs, layers), 25, anchors=layers,
            pull=pull,
        )
        if known
        else settle_binary(network, coding, inputs, at_rest(network, 40), 25)
        for known in (True, False)
    }  # fmt: skip
    states = kernel.settled(network, coding, 25, IMAGES, WHITE, flat, True, pull)
    wanted, other = (np.concatenate(expected[known].states, axis=1) for known in (True, False))
    np.testing.assert_allclose(states, wanted, rtol=0, atol=1e-12)
    assert np.abs(states - other).max() > 1e-3


def test_learning_from_guesses_is_that_of_the_readable_form():
    recipe = BinaryRecipe(OSA, 12, 6, 0.5, (0.1, 0.05), informed=True, pull=0.2)
    ours, theirs, (flat, layers) = made((13,)), made((13,)), guesses((13,))
    chosen, targets = ORDER[0], np.eye(CLASSES)[LABELS[ORDER[0]]]
    start = tuple(layer[chosen] for layer in layers)
    phases = learn_binary(theirs, recipe, IMAGES[chosen] / WHITE, targets, BETAS[0], start)
    kernel.train(ours, recipe, IMAGES, WHITE, LABELS, ORDER[:1], BETAS[:1], flat)
    for a, b in zip((*ours.weights, *ours.biases), (*theirs.weights, *theirs.biases), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    minus = np.concatenate(phases.minus.states, axis=1)
    np.testing.assert_allclose(flat[chosen], minus, rtol=0, atol=1e-12)


def test_a_start_that_neighbours_do_not_know_is_forgotten_at_once():
    """The first step of OSA is 1, so the state is what the unit hears, and that is nothing yet."""
    network, (flat, _) = made((13,)), guesses((13,))
    np.testing.assert_array_equal(
        kernel.settled(network, OSA, 9, IMAGES, WHITE, flat),
        kernel.settled(network, OSA, 9, IMAGES, WHITE),
    )
    told = kernel.settled(network, OSA, 9, IMAGES, WHITE, flat, True)
    assert np.abs(told - kernel.settled(network, OSA, 9, IMAGES, WHITE)).max() > 0.01
