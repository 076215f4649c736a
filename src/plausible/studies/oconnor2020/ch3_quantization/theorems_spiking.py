"""The spiking network of O'Connor 2020, sections 3.2 and 3.4.5 to 3.6, as measured deviations.

The ReLU network and its gradient are written out in numpy (`spiking_limit`, `spiking_gradient`).
Protocol ``corrected`` has the step eta / T^2, which is also that of the author's code;
``as_published`` that of the printed formula.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from plausible.data.dataset import Dataset
from plausible.kernels import deep_spiking
from plausible.kernels.compiled_code import float_operations
from plausible.kernels.deep_spiking_counts import layer_counts
from plausible.kernels.deep_spiking_reference import numbers_added
from plausible.kernels.deep_spiking_types import (
    UPDATES,
    Rule,
    SpikeTrains,
    additions,
    initial_weights,
    make_network,
    make_rule,
    real_weights,
)
from plausible.kernels.spike_emission import input_trains
from plausible.kernels.spike_loops import (
    change_rows,
    change_transposed,
    filter_errors,
    note_spikes,
    sum_rows,
)
from plausible.measure.angles import cosine
from plausible.measure.operations import layer_multiply_adds
from plausible.measure.slopes import log_slope, log_spaced
from plausible.reproduction.inputs import require
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch3_quantization.experiment_gradient import (
    flat,
    layer_sizes,
    random_weights,
    spiking_steps,
)
from plausible.studies.oconnor2020.ch3_quantization.experiment_limit import rectified_values
from plausible.studies.oconnor2020.ch3_quantization.settings import Theorems
from plausible.studies.oconnor2020.ch3_quantization.theorems_quantizers import (
    stream,
)

SIZES = (100, 80, 60, 10)
WHITE = 16
INTEGER_STEPS = 10
"""T of the thesis, at which integers are compared with real numbers."""
STEPS, LONG = 10_000, 100_000
TIMES = (100, 300, 1000, 3000, STEPS)
"""Values of T over which an update approaches the gradient."""
STRETCH = 100
"""Samples of training after which spikes are compared."""


def problem(name: str, seed: int) -> tuple[list[np.ndarray], np.ndarray, int]:
    """Random weights, grey levels of one image, and its label.

    The label is a unit that is active, so that a gradient exists.
    """
    rng = stream(name, seed)
    weights = random_weights(SIZES, rng)
    levels = (rng.integers(0, WHITE + 1, SIZES[0]) * rng.integers(0, 2, SIZES[0])).astype(np.uint8)
    return weights, levels, int(rectified_values(weights, levels / WHITE)[-1].argmax())


def forward_pass(settings: Theorems, seed: int) -> list[Check]:
    """Algorithm 3: the output after T steps, over T; it is not rectified."""
    weights, levels, _ = problem("algorithm3", seed)
    rule = make_rule(LONG)
    trains = input_trains(levels[None], LONG, WHITE)
    times = np.array([t for t in log_spaced(LONG, 41) if t >= 100])
    wanted = rectified_values(weights[:-1], levels / WHITE)[-1] @ weights[-1]
    outputs = deep_spiking.predict(make_network(weights, rule), rule, trains).outputs[0]
    linear = np.linalg.multi_dot([levels / WHITE, *weights])

    def errors(wanted: np.ndarray) -> np.ndarray:
        return np.abs(outputs[times - 1] / times[:, None] - wanted).max(axis=1)

    slope, plateau = "output_converges", "no_plateau"
    found = errors(wanted)
    broken = {
        "hidden_units_of_both_signs": errors(linear),
        "output_units_permuted": errors(np.roll(wanted, 1)),
    }
    flat = {control: log_slope(times, values) for control, values in broken.items()}
    kept = {control: values[-1] / values[0] for control, values in broken.items()}
    falls = f"exponent of T with which the largest error of output / T falls, T = 100 to {LONG}"
    return [
        Check(slope, falls, log_slope(times, found)),
        *controls(slope, flat),
        Check(plateau, f"largest error at T = {LONG} over that at T = 100", found[-1] / found[0]),
        *controls(plateau, kept),
    ]


def filters(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.5: the filter lets an error pass where the summed input is not negative."""
    rng, name, steps = stream("eq3.5", seed), "filter_is_relu_derivative", TIMES[2]
    weights = random_weights((100, 500, 10), rng)
    vector, other = rng.standard_normal((2, 100))
    rule = make_rule(steps)
    network = make_network(weights, rule)
    trains, others = (input_trains(values[None], steps) for values in (vector, other))
    unsigned = trains._replace(code=np.where(trains.code >= 0, trains.code, -1 - trains.code))
    summed = vector @ weights[0]
    certain = np.abs(summed) > np.abs(weights[0]).sum(axis=0) / (2 * steps)

    def wrong(trains: SpikeTrains) -> np.ndarray:
        received = layer_counts(network, rule, trains, 0, [steps]).inputs[0][0]
        return ((received >= 0) != (summed > 0))[certain]

    text = f"units of {certain.sum()} whose filter is not the ReLU derivative after T = {steps}"
    broken = {"signs_left_out": wrong(unsigned).mean(), "spikes_of_another": wrong(others).mean()}
    return [
        Check(name, text, wrong(trains).sum()),
        *controls(name, broken),
        *_kept_potentials(rng),
    ]


def _kept_potentials(rng: np.random.Generator) -> list[Check]:
    """What the quantizers of errors begin the next sample with: what the last one left."""
    name, samples = "errors_are_kept", 20
    weights = random_weights(SIZES, rng)
    images = rng.integers(0, WHITE + 1, (samples, SIZES[0])).astype(np.uint8)
    labels = rng.integers(0, SIZES[-1], samples)
    rule = make_rule(INTEGER_STEPS, 2.0**-30)

    def largest(rule: Rule) -> float:
        network = make_network([matrix.copy() for matrix in weights], rule)
        trains = input_trains(images, INTEGER_STEPS, WHITE)
        found = []
        for sample in range(samples):
            order = np.array([sample])
            deep_spiking.train(network, rule, trains, labels, order, np.random.default_rng(0))
            found += [np.abs(back).max() for back in network.back[1:-1]]
        return max(found)

    text = f"largest |phi| of the quantizers of errors at the start of {samples} samples"
    high = rule._replace(half_below=2 * rule.half)
    return [Check(name, text, largest(rule)), *controls(name, {"threshold_of_one": largest(high)})]


def _update(name: str, update: str, seed: int, steps: int = STEPS):
    """Update of one sample with the step eta / T^2, and the gradient, per layer."""
    weights, levels, label = problem(name, seed)
    (step,) = spiking_steps(weights, levels[None], WHITE, np.array([label]), steps, update)
    return step


def _apart(step, gradient: list[np.ndarray] | None = None) -> list[float]:
    """1 - cosine of the update to the gradient, of each layer."""
    changes, exact = step
    pairs = zip(changes, gradient or exact, strict=True)
    return [1.0 - cosine(change, one) for change, one in pairs]


def _direction(name: str, update: str, seed: int, broken: Mapping[str, Callable]) -> list[Check]:
    """The angle to the gradient at T = `STEPS`, and how it closes; controls from other gradients.

    ``broken`` makes the gradient of a control out of the right one.
    """
    steps = {t: _update(name, update, seed, t) for t in TIMES}
    angle, closes = "update_is_gradient_step", "direction_still_improves"
    shown = f"1 - cosine of the {update.upper()} update of one sample to the gradient, worst layer"

    def exponent(of: Callable | None = None) -> float:
        return log_slope(TIMES, [max(_apart(step, of and of(step[1]))) for step in steps.values()])

    last = steps[STEPS]
    wrong = {control: max(_apart(last, of(last[1]))) for control, of in broken.items()}
    return [
        Check(angle, f"{shown}, T = {STEPS}", max(_apart(last))),
        *controls(angle, wrong),
        Check(closes, f"exponent of T of {shown}, T = {TIMES[0]} to {STEPS}", exponent()),
        *controls(closes, {control: exponent(of) for control, of in broken.items()}),
    ]


def _size(name: str, text: str, ratio: float, printed: float, broken: Mapping) -> list[Check]:
    return [
        Check(name, text, ratio),
        Check(name, f"{text}; step as printed", printed, protocol="as_published"),
        *controls(name, broken),
    ]


def _length(arrays: Sequence[np.ndarray]) -> float:
    return float(np.linalg.norm(flat(arrays)))


def training_iteration(settings: Theorems, seed: int) -> list[Check]:
    """Algorithm 13, with FSGD; the listing prints the step eta, and filters that block at zero."""
    weights, levels, label = problem("algorithm13", seed)
    others = rectified_values(weights, levels[::-1] / WHITE)

    def another(gradient: list[np.ndarray]) -> list[np.ndarray]:
        pairs = zip(others, gradient, strict=False)
        return [np.outer(below, one.sum(axis=0)) for below, one in pairs]

    broken = {
        "inputs_of_another_sample": another,
        "filter_left_out": lambda _: _unfiltered(weights, levels / WHITE, label),
    }
    lengths = {kind: _length(_update("algorithm13", kind, seed)[0]) for kind in UPDATES}
    half = lengths["fsgd"] / lengths["sgd"]
    text = f"length of the FSGD update over that of the SGD update of eq. 3.6, T = {STEPS}"
    # SGD counts all input spikes for every error spike.
    end = {"all_counts_at_the_end": lengths["sgd"] / lengths["sgd"]}
    return [
        *_direction("algorithm13", "fsgd", seed, broken),
        *_size("step_is_half_of_sgd", text, half, STEPS * half, end),
        *_first_filters(seed),
    ]


def _unfiltered(weights: list[np.ndarray], x: np.ndarray, label: int) -> list[np.ndarray]:
    """Broken gradient: errors pass all hidden units, active or not."""
    values = rectified_values(weights, x)
    delta = (values[-1] - (np.arange(SIZES[-1]) == label)) * (values[-1] > 0)
    gradients = []
    for matrix, below in zip(weights[::-1], values[-2::-1], strict=True):
        gradients.append(np.outer(below, delta))
        delta = matrix @ delta
    return gradients[::-1]


def _first_filters(seed: int) -> list[Check]:
    """Output filters with the initial weights of the thesis: nothing has reached them yet.

    The text draws from normal(0, 0.01). The author's code takes 0.01 as the standard deviation; the
    text can as well mean the variance, so both are tried.
    """
    levels_of, name = stream("first filters", seed), "first_errors_pass"
    levels = levels_of.integers(0, WHITE + 1, 784) * (levels_of.random(784) < 0.2)
    rule = make_rule(INTEGER_STEPS)
    trains = input_trains(levels.astype(np.uint8)[None], INTEGER_STEPS, WHITE)
    rows, closed = [], {}
    for variant, deviation in (("standard_deviation", 0.01), ("variance", 0.1)):
        drawn = initial_weights((784, 200, 200, 10), stream("first weights", seed), deviation)
        counts = layer_counts(make_network(drawn, rule), rule, trains, 0, [INTEGER_STEPS])
        received = counts.inputs[-1]
        text = (
            f"share of output units that let errors pass, T = {INTEGER_STEPS}, weights normal(0, "
            f"0.01) with 0.01 the {variant.replace('_', ' ')}; filter closed"
        )
        for protocol, where, passes in (
            ("corrected", "below 0", received >= 0),
            ("as_published", "at and below 0", received > 0),
        ):
            rows.append(Check(name, f"{text} {where}", passes.mean(), variant, protocol))
        closed[variant] = (received > 0).mean()
    return [*rows, *controls(name, {"closed_at_zero": closed["standard_deviation"]})]


def sgd(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.6 prints the step eta / T."""
    broken = {
        "errors_permuted": lambda gradient: [np.roll(one, 1, axis=1) for one in gradient],
        "inputs_shifted": lambda gradient: [np.roll(one, 1, axis=0) for one in gradient],
    }
    changes, gradient = _update("eq3.6", "sgd", seed)
    share = _length(changes) / _length(gradient)
    text = f"length of the SGD update over that of the gradient step, T = {STEPS}"
    larger = {"eta_over_t": STEPS * share}
    return [
        *_direction("eq3.6", "sgd", seed, broken),
        *_size("step_is_that_of_the_gradient", text, share, STEPS * share, larger),
    ]


def fsgd(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 3.7 prints the step eta / T, as eq. 3.6 does."""
    changes, gradient = _update("eq3.7", "fsgd", seed)
    share = _length(changes) / _length(gradient)
    end = {"all_counts_at_the_end": _length(_update("eq3.7", "sgd", seed)[0]) / _length(gradient)}
    text = f"length of the FSGD update over that of the gradient step, T = {STEPS}"
    return [
        *_counted(seed),
        *_double_sum(seed),
        *_size("step_is_half_of_the_gradient", text, share, STEPS * share, end),
    ]


EXACT_RATE = 2.0**-40
"""Of weight changes that are read exactly, in updates."""


def _changes(
    weights: np.ndarray, trains: SpikeTrains, steps: int, label: int, update: str
) -> np.ndarray:
    """Change of the weights of a network of one layer by one sample, in steps of eta / T^2."""
    rule = make_rule(steps, steps**2 * EXACT_RATE, update=update)
    network = make_network([weights.copy()], rule)
    deep_spiking.train(
        network, rule, trains, np.array([label]), np.array([0]), np.random.default_rng(0)
    )
    return (network.weights[0] - weights) / EXACT_RATE


def _counted(seed: int) -> list[Check]:
    """Input units spike once each, the silent output sends one error spike back in each step.

    The change of a weight counts the updates in which the spike of its unit takes part.
    """
    rng, name, steps, iterations = stream("eq3.7 order", seed), "earlier_inputs_count_more", 20, 20

    def violations(update: str, backwards: bool = False) -> list[int]:
        found = []
        for _ in range(iterations):
            times = np.sort(rng.integers(0, steps, steps))
            start = np.searchsorted(times, np.arange(steps + 1))
            trains = SpikeTrains(start[None], np.arange(steps), np.zeros((1, steps)), 1.0)
            counts = _changes(np.zeros((steps, 2)), trains, steps, 1, update)[:, 1]
            counts = counts[::-1] if backwards else counts
            fewer = np.triu(counts[:, None] < counts[None, :], 1)
            found.append(int(fewer.sum()) + (not (counts[0] > counts[-1])))
        return found

    text = (
        f"pairs of {steps} input spikes of which the earlier takes part in fewer updates, and "
        f"iterations of {iterations} in which none takes part in more"
    )
    broken = {
        "all_counts_at_the_end": np.mean(np.array(violations("sgd")) > 0),
        "counted_backwards": np.mean(np.array(violations("fsgd", backwards=True)) > 0),
    }
    return [Check(name, text, sum(violations("fsgd"))), *controls(name, broken)]


def _double_sum(seed: int) -> list[Check]:
    """The change of all weights, and the sum over error spikes of the counts so far."""
    rng, name, steps, label = stream("eq3.7 sum", seed), "update_is_the_double_sum", 50, 2
    # Multiples of 2^-10, so that weights and their changes are exact.
    weights = np.rint(rng.normal(0.0, 0.5, (30, 5)) * 2**10) / 2**10
    levels = rng.integers(0, WHITE + 1, (1, 30)).astype(np.uint8)
    trains, rule = input_trains(levels, steps, WHITE), make_rule(steps)
    after = layer_counts(
        make_network([weights.copy()], rule), rule, trains, 0, list(range(1, steps + 1))
    )
    errors = np.diff(after.spikes[0], axis=0, prepend=0) - (np.arange(5) == label)
    errors = errors * (after.inputs[0] >= 0)
    so_far = np.array([np.bincount(trains.code[:end], minlength=30) for end in trains.start[0, 1:]])
    summed = -so_far.T @ errors

    def off(update: str) -> float:
        apart = _changes(weights, trains, steps, label, update) - summed
        return np.abs(apart).max() / np.abs(summed).max()

    text = "summed update against - sum over error spikes of s times the counts so far: relative"
    return [
        Check(name, text, off("fsgd")),
        *controls(name, {"all_counts_at_the_end": off("sgd")}),
    ]


def addition_cost(settings: Theorems, seed: int) -> list[Check]:
    """Section 3.2: additions per input spike sum N_l, multiply-adds of a dense pass."""
    rng, name = stream("addition_cost", seed), "counts_agree"
    sizes = tuple(int(n) for n in rng.integers(5, 30, 5))
    # Weight 1 from unit i to unit i modulo the next layer: every spike causes one spike per layer.
    chains = [np.eye(b)[np.arange(a) % b] for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
    trains = input_trains(rng.integers(0, WHITE + 1, (1, sizes[0])).astype(np.uint8), 10, WHITE)
    rule = make_rule(10)

    def counted(weights: list[np.ndarray]) -> int:
        found = deep_spiking.predict(make_network(weights, rule), rule, trains)
        return int(additions(found.spikes, sizes)[0, -1])

    formula, twice = len(trains.code) * sum(sizes[1:]), [2.0 * matrix for matrix in chains]
    dense = int(layer_multiply_adds(sizes).sum())
    loose = [rng.normal(0.1, 1, shape) for shape in zip(sizes[:-1], sizes[1:], strict=True)]
    multiplied = sum(len(row) for matrix in loose for row in matrix)
    deviations = {
        "additions": (
            "additions counted - input spikes x sum of N_l, one spike per layer and input spike",
            counted(chains) - formula,
        ),
        "multiply_adds": (
            "sum of N_(l-1) N_l - products of a dense pass, counted one by one",
            dense - multiplied,
        ),
        "any_weights": (
            "additions counted - numbers that the modules of the network added, any weights",
            counted(loose) - numbers_added(make_network(loose, rule), rule, trains, 0),
        ),
    }
    broken = {"two_spikes_per_layer": counted(twice) - formula}
    return [*checks(name, deviations), *controls(name, broken)]


def integer_only(settings: Theorems, seed: int, dataset: Dataset | None) -> list[Check]:
    """Section 3.6: everything times T^2 / eta, which leaves additions of integers.

    Both networks start from weights that are multiples of eta / T^2, train with FSGD on the first
    ``integer_samples`` training images, and classify the test images. With eta / T^2 a power of two
    every number of the real-valued network is exact; with eta = 0.01 and T = 10 it is rounded.
    """
    samples, number = settings.integer_samples, settings.integer_images
    dataset = require(dataset, "theorems_ch3_quantization", "data set")
    sizes = layer_sizes(dataset, settings.hidden_sizes)
    drawn = initial_weights(sizes, stream("integer_only", seed), settings.weight_std)
    used = min(samples, len(dataset.train_images))
    images, labels = dataset.train_images[:used], dataset.train_labels[:used]
    train, test = (
        input_trains(levels, INTEGER_STEPS, dataset.white)
        for levels in (images, dataset.test_images[:number])
    )
    order, rows = np.arange(samples) % used, []

    def run(rate: float, arithmetic: str, rounded: bool = True) -> _Run:
        rule = make_rule(INTEGER_STEPS, rate, arithmetic=arithmetic)
        unit = make_rule(INTEGER_STEPS, rate, arithmetic="integer").unit
        start = [np.rint(matrix * unit) / unit for matrix in drawn] if rounded else drawn
        network, spikes = make_network(start, rule), []
        for first in range(0, samples, STRETCH):
            stretch = order[first : first + STRETCH]
            generator = np.random.default_rng(0)
            found = deep_spiking.train(network, rule, train, labels, stretch, generator)
            spikes.append((found.spikes, found.errors))
        weights = [unit * matrix for matrix in real_weights(network, rule)]
        predicted = deep_spiking.predict(network, rule, test)
        return _Run(np.array(spikes), weights, predicted.spikes, predicted.classes[:, -1])

    for protocol, rate in settings.learning_rates.items():
        whole, real = (run(rate, arithmetic) for arithmetic in ("integer", "float64"))
        rows += _same(protocol, rate, samples, whole, real)
    unrounded = run(settings.learning_rates["corrected"], "float64", rounded=False)
    training, _, weights = (one.deviation for one in _same("", rate, samples, whole, unrounded))
    return [
        *rows,
        *controls("integers_give_same_spikes", {"start_not_rounded": training}),
        *controls("weights_agree", {"start_not_rounded": weights}),
        *_no_floats(),
    ]


class _Run(NamedTuple):
    """A training: spikes and error spikes of stretches, final weights, and test images."""

    spikes: np.ndarray
    weights: list[np.ndarray]
    """In units of eta / T^2."""
    test_spikes: np.ndarray
    classes: np.ndarray


def _same(protocol: str, rate: float, samples: int, whole: _Run, real: _Run) -> list[Check]:
    """Whether integers and real numbers give the same spikes and weights."""
    where = (
        f"integers against real numbers, eta = {rate:g}, T = {INTEGER_STEPS}, after {samples} "
        "samples: "
    )
    tested = (whole.test_spikes != real.test_spikes).sum() + (whole.classes != real.classes).sum()
    spikes = {
        "training": (
            f"{where}spikes and error spikes of training, layer by layer in stretches of "
            f"{STRETCH} samples: difference of the numbers",
            np.abs(whole.spikes - real.spikes).sum(),
        ),
        "test_images": (f"{where}spike numbers and classes of test images that differ", tested),
    }
    text = f"{where}weights that differ, by more than rounding the scaled real ones explains"
    pairs = zip(whole.weights, real.weights, strict=True)
    apart = sum((np.rint(a) != np.rint(b)).sum() for a, b in pairs)
    return [
        *checks("integers_give_same_spikes", spikes, protocol),
        Check("weights_agree", text, apart, protocol=protocol),
    ]


def _no_floats() -> list[Check]:
    """Compiled loops over the spikes of a layer, on arrays of integers."""
    name, anything = "no_floating_point", "add|sub|mul|div|rem|cmp|ma|muladd|neg"

    def operations(kind: type) -> int:
        matrix, vector = np.zeros(9, kind), np.zeros(3, kind)
        codes, one = np.zeros(3, np.int64), kind(1)
        calls = {
            sum_rows: (matrix, codes, 1, vector, 3),
            change_rows: (matrix, 3, codes, 1, vector, codes, 1),
            change_transposed: (matrix, codes, 0, 1, vector, 3),
            filter_errors: (codes, 1, vector, vector),
            note_spikes: (codes, 1, vector, vector, codes, codes, 0, one, one),
        }
        return sum(float_operations(loop, values, anything) for loop, values in calls.items())

    text = "floating-point instructions in five compiled loops of training, arrays of integers"
    return [
        Check(name, text, operations(np.int64)),
        Check(name, text, operations(np.int64), protocol="as_coded"),
        *controls(name, {"real_numbers": operations(np.float64)}),
    ]
