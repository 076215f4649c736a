"""The compiled equilibrium propagation against the equations, written down plainly."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.kernels import equilibrium
from plausible.learning import equilibrium_training
from plausible.learning.equilibrium_propagation import Recipe
from plausible.networks.equilibrium import Equilibrium
from plausible.networks.initialiser import Initialiser
from plausible.networks.leaky_clip import LeakyClip

WHITE = 16.0
LEAK = 0.01


def draw(kind, sizes, rng, dtype=np.float64):
    """Wide weights and biases, so that states stand at both ends."""
    pairs = list(zip(sizes, sizes[1:], strict=False))
    scale = [4.0 / np.sqrt(below + above) for below, above in pairs]
    weights = [s * rng.uniform(-1, 1, pair) for s, pair in zip(scale, pairs, strict=True)]
    biases = [rng.uniform(-0.5, 1.0, size) for size in sizes[1:]]
    return kind(tuple(w.astype(dtype) for w in weights), tuple(b.astype(dtype) for b in biases))


def problem(sizes, batches=6, batch=5, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 17, (23, sizes[0])).astype(np.uint8)
    images[rng.random(images.shape) < 0.5] = 0
    labels = rng.integers(0, sizes[-1], len(images))
    order = (np.arange(batches * batch) % len(images)).reshape(batches, batch)
    betas = 0.5 * np.where(np.arange(batches) % 3 == 1, -1.0, 1.0)
    nets = draw(Equilibrium, sizes, rng, dtype), draw(Initialiser, sizes, rng, dtype)
    return nets, (images, WHITE, labels, order, betas)


def rho(s):
    return np.clip(s, 0.0, 1.0)


def inside(s):
    return ((s >= 0.0) & (s <= 1.0)).astype(float)


def forward(net, x):
    sums, states = [], [x]
    for weight, bias in zip(net.weights, net.biases, strict=True):
        sums.append(states[-1] @ weight + bias)
        states.append(rho(sums[-1]) + LEAK * sums[-1])
    return sums, states[1:]


def moved(net, x, states, recipe, anchors, y=None, beta=0.0):
    """One step of all layers from the gradient of the energy."""
    top, new = len(states) - 1, []
    for layer, s in enumerate(states):
        below = x if layer == 0 else rho(states[layer - 1])
        pressure = below @ net.weights[layer] + net.biases[layer]
        if layer < top:
            pressure = pressure + rho(states[layer + 1]) @ net.weights[layer + 1].T
        force = inside(s) * pressure - s
        if anchors is not None:
            force = force + recipe.pull * (anchors[layer] - s)
        if layer == top:
            force = force + 2.0 * beta * ((0.0 if y is None else y) - s)
        new.append(np.clip(s + recipe.step_size * force, 0.0, 1.0))
    return new


def free(net, initialiser, recipe, x):
    anchors = None if initialiser is None else forward(initialiser, x)[1]
    states = anchors or [np.zeros((len(x), len(bias))) for bias in net.biases]
    for _ in range(recipe.negative_steps):
        states = moved(net, x, states, recipe, anchors)
    return states, anchors


def learn(net, initialiser, recipe, x, y, beta):
    """A minibatch; new networks, and all states that it came by at the end of its phases."""
    minus, anchors = free(net, initialiser, recipe, x)
    plus = minus
    for _ in range(recipe.positive_steps):
        plus = moved(net, x, plus, recipe, anchors, y, beta)
    rates, weights, biases = recipe.learning_rates, [], []
    for layer, rate in enumerate(rates):
        a, b = (x, x) if layer == 0 else (minus[layer - 1], plus[layer - 1])
        change = b.T @ plus[layer] - a.T @ minus[layer]
        if recipe.contrast == "linearised":
            change = a.T @ (plus[layer] - minus[layer]) + (b - a).T @ minus[layer]
        factor = rate / (beta * len(x))
        weights.append(net.weights[layer] + factor * change)
        biases.append(net.biases[layer] + factor * (plus[layer] - minus[layer]).sum(axis=0))
    net = Equilibrium(tuple(weights), tuple(biases))
    if initialiser is None:
        return net, None
    sums, states = forward(initialiser, x)
    goal = minus if recipe.forward_target == "s_minus" else plus
    weights, biases, back = [], [], 0.0
    for layer in reversed(range(len(rates))):
        error = (states[layer] - goal[layer] + back) * (inside(sums[layer]) + LEAK)
        if recipe.forward_loss == "global":
            back = error @ initialiser.weights[layer].T
        below = x if layer == 0 else states[layer - 1]
        rate = rates[layer] / len(x)
        weights.insert(0, initialiser.weights[layer] - rate * below.T @ error)
        biases.insert(0, initialiser.biases[layer] - rate * error.sum(axis=0))
    return net, Initialiser(tuple(weights), tuple(biases))


def learn_all(net, initialiser, recipe, given):
    images, white, labels, order, betas = given
    for batch, beta in zip(order, betas, strict=True):
        y = np.eye(len(net.biases[-1]))[labels[batch]]
        net, initialiser = learn(net, initialiser, recipe, images[batch] / white, y, beta)
    return net, initialiser


def distance(one, other):
    pairs = zip((*one.weights, *one.biases), (*other.weights, *other.biases), strict=True)
    return max(np.abs(a - b).max() for a, b in pairs)


SHALLOW, DEEP = (30, 41, 7), (30, 53, 35, 24, 10)
PLAIN, PULLED = {}, {"pull": 0.7}
CASES = [
    (SHALLOW, False, PLAIN),
    (DEEP, False, PLAIN),
    (DEEP, False, {"contrast": "linearised"}),
    (SHALLOW, True, PLAIN),
    (SHALLOW, True, PULLED),
    (DEEP, True, PULLED),
    (DEEP, True, {"pull": 0.1, "forward_loss": "global", "forward_target": "s_plus"}),
    (DEEP, True, {"negative_steps": 1, "positive_steps": 1, "contrast": "linearised"}),
]


def recipe_for(sizes, fields):
    steps = {"negative_steps": 7, "positive_steps": 3, **fields}
    return Recipe(beta=0.5, learning_rates=(0.3, 0.2, 0.15, 0.1)[: len(sizes) - 1], **steps)


@pytest.mark.parametrize(("sizes", "initialised", "fields"), CASES)
def test_equals_the_equations(sizes, initialised, fields):
    (net, initialiser), given = problem(sizes)
    initialiser = initialiser if initialised else None
    recipe = recipe_for(sizes, fields)
    expected = learn_all(net, initialiser, recipe, given)
    states = free(net, initialiser, recipe, given[0] / WHITE)[0]
    for end in (0.0, 1.0):  # states that stand at the ends, and go on to leave them
        assert any((layer == end).any() for layer in states)
    assert equilibrium.train(net, initialiser, recipe, *given) == len(given[3])
    start = problem(sizes)[0]
    for mine, theirs, before in zip((net, initialiser), expected, start, strict=True):
        if theirs is not None:
            assert distance(theirs, before) > 1e-2
            assert distance(mine, theirs) < 1e-12


@pytest.mark.parametrize("initialised", [True, False])
def test_equals_the_readable_form(initialised):
    """The loops of `plausible.learning`, a minibatch at a time in numpy."""
    results = []
    for form in (equilibrium, equilibrium_training):
        (net, initialiser), (images, white, labels, order, betas) = problem(DEEP)
        nets = equilibrium_training.Networks(net, initialiser if initialised else None)
        recipe = recipe_for(DEEP, PULLED if initialised else PLAIN)
        if form is equilibrium:
            form.train(*nets, recipe, images, white, labels, order, betas)
            found = form.predict(*nets, recipe, images, white)
        else:
            data = equilibrium_training.Images(images, labels, white)
            form.train_batches(nets, recipe, data, order, betas)
            found = form.predict(nets, recipe, data)
        results.append((nets, found))
    (mine, classes), (theirs, expected) = results
    assert distance(mine[0], theirs[0]) < 1e-12
    np.testing.assert_array_equal(classes[0], expected[0])
    if initialised:
        assert distance(mine[1], theirs[1]) < 1e-12
        np.testing.assert_array_equal(classes[1], expected[1])


@pytest.mark.parametrize(
    "other",
    [
        {"contrast": "linearised"},
        {"pull": 0.2},
        {"forward_loss": "global"},
        {"forward_target": "s_plus"},
        {"step_size": 0.4},
        {"negative_steps": 8},
        {"positive_steps": 4},
        {"sign": -1.0},
    ],
)
def test_every_part_of_the_recipe_matters(other):
    """What the test above would not notice if the plain form ignored it as well."""
    sign = other.pop("sign", 1.0)
    (net, initialiser), given = problem(DEEP)
    recipe = recipe_for(DEEP, {"pull": 0.1})
    expected = learn_all(net, initialiser, recipe, given)
    equilibrium.train(net, initialiser, recipe._replace(**other), *given[:-1], sign * given[-1])
    both = zip((net, initialiser), expected, strict=True)
    assert max(distance(mine, theirs) for mine, theirs in both) > 1e-6


@pytest.mark.parametrize("sizes", [SHALLOW, DEEP])
def test_single_precision(sizes):
    (net, initialiser), given = problem(sizes)
    recipe = recipe_for(sizes, PULLED)
    expected = learn_all(net, initialiser, recipe, given)
    (net, initialiser), given = problem(sizes, dtype=np.float32)
    equilibrium.train(net, initialiser, recipe, *given)
    for mine, theirs in zip((net, initialiser), expected, strict=True):
        assert {array.dtype for array in mine.weights} == {np.dtype(np.float32)}
        assert 1e-9 < distance(mine, theirs) < 1e-4


@pytest.mark.parametrize("initialised", [True, False])
def test_classes(initialised):
    (net, initialiser), (images, *_) = problem(SHALLOW)
    for weight, bias in zip(net.weights, net.biases, strict=True):
        weight *= 0.6
        bias *= 0.1
    initialiser = initialiser if initialised else None
    recipe = recipe_for(SHALLOW, PULLED)
    states, anchors = free(net, initialiser, recipe, images / WHITE)
    settled, passed = equilibrium.predict(net, initialiser, recipe, images, WHITE)
    np.testing.assert_array_equal(settled, states[-1].argmax(axis=1))
    assert len(set(settled)) > 1
    if initialised:
        np.testing.assert_array_equal(passed, anchors[-1].argmax(axis=1))
        assert len(set(passed)) > 1 and (passed != settled).any()
    else:
        assert passed is None


def test_in_pieces_it_is_the_same():
    recipe = recipe_for(DEEP, PULLED)
    whole, (images, white, labels, order, betas) = problem(DEEP)
    equilibrium.train(*whole, recipe, images, white, labels, order, betas)
    pieces = problem(DEEP)[0]
    for part in (slice(0, 2), slice(2, None)):
        equilibrium.train(*pieces, recipe, images, white, labels, order[part], betas[part])
    assert distance(whole[0], pieces[0]) == distance(whole[1], pieces[1]) == 0.0


def test_divergence_is_a_result():
    nets, given = problem(SHALLOW, batches=40)
    recipe = recipe_for(SHALLOW, PULLED)._replace(learning_rates=(1e200, 1e200))
    assert equilibrium.train(*nets, recipe, *given) < 40


def test_what_does_not_fit_is_said():
    (net, initialiser), (images, white, labels, order, betas) = problem(SHALLOW)
    recipe = recipe_for(SHALLOW, PLAIN)
    given = images, white, labels, order, betas

    def fails(words, *arguments):
        with pytest.raises(StudyError, match=words):
            equilibrium.train(*arguments)

    for wrong in (
        {"contrast": "square"},
        {"forward_loss": "none"},
        {"forward_target": "s"},
    ):
        fails("expected .* or", net, None, recipe._replace(**wrong), *given)
    fails("at least 1 step", net, None, recipe._replace(negative_steps=0), *given)
    fails("finite rate", net, None, recipe._replace(learning_rates=(0.1,)), *given)
    fails("hard sigmoids", net, initialiser._replace(squash=LeakyClip(-0.5)), recipe, *given)
    narrow = Equilibrium(net.weights, tuple(bias[:-1] for bias in net.biases))
    fails("in a chain", narrow, None, recipe, *given)
    single = problem(SHALLOW, dtype=np.float32)[0][1]
    fails("all float32 or all float64", net, single, recipe, *given)
    fails("expected uint8", net, None, recipe, images.astype(float), *given[1:])
    fails("positive number", net, None, recipe, images, 0.0, *given[2:])
    fails("a whole number from 0 to 6", net, None, recipe, images, white, labels + 1, order, betas)
    fails("indices of images", net, None, recipe, images, white, labels, order + 10, betas)
    fails("not 0", net, None, recipe, images, white, labels, order, 0.0 * betas)
